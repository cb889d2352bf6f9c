//! A client as the API server is one: HTTP/1.1 over TLS 1.3, one connection kept alive, nobody trusted but the one authority.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::TLS13,
};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::server::Server;

/// What the API server waits for a webhook.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that stands.
pub(super) struct Client {
    sender: http1::SendRequest<Full<Bytes>>,
    authority: String,
}

impl Client {
    pub(super) async fn connect(server: &Server) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(server.authority_pem().as_bytes())?)?;
        let config = ClientConfig::builder_with_provider(certs::provider())
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(server.address()).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::from(server.address().ip());
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, authority: server.address().to_string() })
    }

    /// Sends a review and reads the answer; gives its `response`, and how long that took.
    pub(super) async fn ask(&mut self, path: &str, review: &Value) -> anyhow::Result<(Value, Duration)> {
        let body = Bytes::from(serde_json::to_vec(review)?);
        let request = Request::post(format!("{path}?timeout={}s", PATIENCE.as_secs()))
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, */*")
            .body(Full::new(body))?;
        let began = Instant::now();
        let exchange = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            anyhow::Ok((status, response.into_body().collect().await?.to_bytes()))
        };
        let (status, bytes) =
            timeout(PATIENCE, exchange).await.context("the server does not answer in time")??;
        let took = began.elapsed();
        if status != StatusCode::OK {
            bail!("the server answers {status}: {}", String::from_utf8_lossy(&bytes).trim());
        }
        let mut answer: Value =
            serde_json::from_slice(&bytes).context("the server answers with no review")?;
        Ok((answer["response"].take(), took))
    }
}
