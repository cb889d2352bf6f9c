//! The body of a request: JSON, whole, and not too large.

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::SemaphorePermit;

use crate::{
    app::{LARGE, Limits},
    refusal::Refusal,
};

/// A body, and the memory that is reserved for it as long as it lives.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    pub(crate) bytes: Bytes,
    _reserved: Option<SemaphorePermit<'a>>,
}

/// Reads the body; a large one waits until there is memory for it.
pub(crate) async fn read(request: Request<Body>, limits: &Limits) -> Result<Whole<'_>, Refusal> {
    let headers = request.headers();
    if !is_json(headers) {
        return Err(Refusal::ContentType);
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Refusal::ContentEncoding);
    }
    let limit = limits.max_body;
    // Without a length, it could be the largest there is.
    let expected = length(headers).unwrap_or(limit);
    if expected > limit {
        return Err(Refusal::BodyTooLarge { limit });
    }
    let kib = u32::try_from(expected / 1024).unwrap_or(u32::MAX);
    let reserved = if expected > LARGE { limits.large_kib.acquire_many(kib).await.ok() } else { None };
    match Limited::new(request.into_body(), limit).collect().await {
        Ok(whole) => Ok(Whole { bytes: whole.to_bytes(), _reserved: reserved }),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge { limit }),
        Err(_) => Err(Refusal::BodyTruncated),
    }
}

/// `application/json`, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    media_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn outcome(content_type: &str, body: &str, headers: &[(&str, &str)]) -> Result<Bytes, Refusal> {
        let mut request = Request::post("/mutate").header("content-type", content_type);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let limits = Limits::new(100, 1);
        read(request.body(Body::from(body.to_owned())).unwrap(), &limits).await.map(|whole| whole.bytes)
    }

    #[tokio::test]
    async fn json_may_have_parameters() {
        for content_type in ["application/json", "application/json; charset=utf-8", "Application/JSON ;x=y"] {
            assert_eq!(outcome(content_type, "{}", &[]).await.unwrap(), "{}");
        }
    }

    #[tokio::test]
    async fn nothing_else_is_taken_for_json() {
        for content_type in
            ["", "text/json", "application/json-patch+json", "application/vnd.kubernetes.protobuf"]
        {
            assert_eq!(outcome(content_type, "{}", &[]).await.unwrap_err(), Refusal::ContentType);
        }
        assert_eq!(
            outcome("application/json", "{}", &[("content-encoding", "gzip")]).await.unwrap_err(),
            Refusal::ContentEncoding
        );
    }

    #[tokio::test]
    async fn the_limit_itself_is_allowed() {
        assert!(outcome("application/json", &" ".repeat(100), &[]).await.is_ok());
        assert_eq!(
            outcome("application/json", &" ".repeat(101), &[]).await.unwrap_err(),
            Refusal::BodyTooLarge { limit: 100 }
        );
    }

    #[tokio::test]
    async fn an_announced_size_is_refused_before_it_comes() {
        assert_eq!(
            outcome("application/json", "", &[("content-length", "101")]).await.unwrap_err(),
            Refusal::BodyTooLarge { limit: 100 }
        );
    }
}
