//! The floor: a server with the TLS, the HTTP and the allocator of ours that reads a review, finds its uid, and allows it.

use std::{io::Write as _, net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use axum::{Router, body::Bytes, extract::DefaultBodyLimit, response::IntoResponse, routing::post};
use hyper::{
    header::CONTENT_TYPE,
    server::conn::{http1, http2},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The same windows as in the server that is compared.
const WINDOWS: (u32, u32) = (2 << 20, 8 << 20);

/// Where the floor listens.
#[derive(clap::Args)]
pub(crate) struct FloorArgs {
    /// Folder of the certificate.
    #[arg(long)]
    cert_dir: PathBuf,
}

/// Serves until it is killed; says where, as the real server does.
pub(super) fn serve(args: &FloorArgs) -> Result<()> {
    let pair = certs::folder::read(&args.cert_dir)?;
    let config =
        webhook::tls::server_config(Arc::new(certs::Resolver::new(pair)), &webhook::tls::Options::default())?;
    let tls = TlsAcceptor::from(Arc::new(config));
    let router = Router::new().route("/mutate", post(answer)).route("/validate", post(answer));
    let router = router.layer(DefaultBodyLimit::max(8 << 20));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener =
            TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.context("cannot listen")?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "listening https://{}", listener.local_addr()?)?;
        stdout.flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(connection(tls.clone(), stream, router.clone()));
        }
    })
}

async fn connection(tls: TlsAcceptor, stream: TcpStream, router: Router) {
    // How a connection goes wrong is of no interest: its client notices and stops the benchmark.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else { return };
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = TowerToHyperService::new(router);
    let stream = TokioIo::new(stream);
    if is_http2 {
        let builder = &mut http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(WINDOWS.0).initial_connection_window_size(WINDOWS.1);
        let _ = builder.serve_connection(stream, service).await;
    } else {
        let _ = http1::Builder::new().serve_connection(stream, service).await;
    }
}

async fn answer(body: Bytes) -> impl IntoResponse {
    let text = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{{"uid":"{}","allowed":true}}}}"#,
        uid(&body)
    );
    ([(CONTENT_TYPE, "application/json")], text)
}

/// The text after the first `"uid":"`, which is that of the request.
fn uid(body: &[u8]) -> &str {
    let key = br#""uid":""#;
    let Some(start) = body.windows(key.len()).position(|window| window == key).map(|at| at + key.len())
    else {
        return "";
    };
    let end = body[start..].iter().position(|byte| *byte == b'"').unwrap_or(0);
    std::str::from_utf8(&body[start..start + end]).unwrap_or("")
}
