//! Who may read the metrics; how we are is told to everyone who reaches the admin port.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::args::Args;

/// What is guarded.
const METRICS: &str = "/metrics";

/// Who may read the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Readers {
    /// Whoever reaches the port.
    All,
    /// Who asks from this machine; in a pod that is also `kubectl port-forward`.
    Local,
    /// Who shows the token in this file.
    Bearers(PathBuf),
}

impl Readers {
    pub(super) fn of(args: &Args) -> Self {
        match &args.metrics_token {
            Some(path) => Self::Bearers(path.clone()),
            None if args.local_metrics => Self::Local,
            None => Self::All,
        }
    }

    /// The routes as a client at this address sees them; unknown counts as far away.
    pub(super) fn view(&self, router: &Router, client: Option<IpAddr>) -> Router {
        let router = router.clone();
        let is_local = client.is_some_and(|address| address.to_canonical().is_loopback());
        match self {
            Self::All => router,
            Self::Local if is_local => router,
            Self::Local => router.layer(middleware::from_fn(refuse)),
            Self::Bearers(path) => router.layer(middleware::from_fn_with_state(path.clone(), ask)),
        }
    }
}

async fn refuse(request: Request, next: Next) -> Response {
    if request.uri().path() == METRICS {
        return (StatusCode::FORBIDDEN, "metrics are read from this machine only\n").into_response();
    }
    next.run(request).await
}

async fn ask(State(path): State<PathBuf>, request: Request, next: Next) -> Response {
    if request.uri().path() != METRICS || shows_token(request.headers(), &path).await {
        return next.run(request).await;
    }
    let mut response = (StatusCode::UNAUTHORIZED, "metrics need a token\n").into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// The file is read each time, so that a new token counts at once. Without a token in it nobody may read.
async fn shows_token(headers: &HeaderMap, path: &Path) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked(7));
    // The name of the scheme may be written in any case (RFC 9110, section 11.1).
    let Some((scheme, shown)) = shown else { return false };
    if !scheme.eq_ignore_ascii_case(b"Bearer ") {
        return false;
    }
    let token = tokio::fs::read(path).await.unwrap_or_else(|error| {
        tracing::warn!(file = %path.display(), %error, "the token for /metrics cannot be read");
        Vec::new()
    });
    let token = token.trim_ascii();
    !token.is_empty() && is_same(shown.trim_ascii(), token)
}

/// Takes as long however many bytes are right.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    async fn status(readers: &Readers, client: &str, path: &str, bearer: Option<&str>) -> u16 {
        let mut request = Request::get(path);
        if let Some(bearer) = bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        answer(readers, client, request).await
    }

    async fn answer(readers: &Readers, client: &str, request: http::request::Builder) -> u16 {
        let router = Router::new().route("/livez", get(async || "ok")).route(METRICS, get(async || "1"));
        let view = readers.view(&router, client.parse().ok());
        view.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn local_metrics_are_read_from_this_machine_only() {
        for (client, wanted) in
            [("127.0.0.1", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("10.0.0.1", 403), ("", 403)]
        {
            assert_eq!(status(&Readers::Local, client, METRICS, None).await, wanted, "{client}");
            assert_eq!(status(&Readers::Local, client, "/livez", None).await, 200, "{client}");
        }
    }

    #[tokio::test]
    async fn a_token_is_asked_for_metrics_alone_and_read_anew_each_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let readers = Readers::Bearers(file.path().to_owned());
        assert_eq!(status(&readers, "10.0.0.1", METRICS, Some("")).await, 401);
        std::fs::write(file.path(), "first\n").unwrap();
        for (bearer, wanted) in [(Some("first"), 200), (Some("firsT"), 401), (Some("fir"), 401), (None, 401)]
        {
            assert_eq!(status(&readers, "10.0.0.1", METRICS, bearer).await, wanted, "{bearer:?}");
        }
        assert_eq!(status(&readers, "10.0.0.1", "/livez", None).await, 200);
        std::fs::write(file.path(), "second").unwrap();
        assert_eq!(status(&readers, "127.0.0.1", METRICS, Some("first")).await, 401);
        assert_eq!(status(&readers, "127.0.0.1", METRICS, Some("second")).await, 200);
    }

    #[tokio::test]
    async fn the_scheme_was_taken_in_one_spelling_only() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "token").unwrap();
        let readers = Readers::Bearers(file.path().to_owned());
        for (shown, wanted) in [
            ("Bearer token", 200),
            ("bearer token", 200),
            ("BEARER  token", 200),
            ("bearer Token", 401),
            ("bearertoken", 401),
            ("Bearer", 401),
            ("Basic token", 401),
        ] {
            let request = Request::get(METRICS).header("authorization", shown);
            assert_eq!(answer(&readers, "10.0.0.1", request).await, wanted, "{shown}");
        }
    }

    #[test]
    fn a_token_that_could_not_be_read_was_refused_without_a_word() {
        let readers = Readers::Bearers("/nowhere/token".into());
        let ask = async || assert_eq!(status(&readers, "10.0.0.1", METRICS, Some("x")).await, 401);
        let log = crate::testing::log::logged(ask());
        assert!(log.contains("/nowhere/token") && log.contains("cannot be read"), "{log}");
    }

    #[tokio::test]
    async fn without_a_flag_everyone_reads() {
        assert_eq!(status(&Readers::All, "10.0.0.1", METRICS, None).await, 200);
    }
}
