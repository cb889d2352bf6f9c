//! A client as the API server is one: HTTP/1.1 over TLS 1.3, one connection kept alive, nobody trusted but the given authorities.

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
use tokio::{
    net::{TcpStream, ToSocketAddrs},
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// What the API server waits for a webhook.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that stands.
pub(crate) struct Client {
    sender: http1::SendRequest<Full<Bytes>>,
    authority: String,
}

impl Client {
    /// Connects to `address`, where the server must show a certificate for `name` that one of `authorities`, in PEM, has signed.
    pub(crate) async fn connect(
        address: impl ToSocketAddrs,
        name: ServerName<'static>,
        authorities: &str,
    ) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_slice_iter(authorities.as_bytes()) {
            roots.add(authority?)?;
        }
        let config = ClientConfig::builder_with_provider(certs::provider())
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let authority = name.to_str().into_owned();
        let connecting = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            TlsConnector::from(Arc::new(config)).connect(name, stream).await
        };
        let stream = timeout(PATIENCE, connecting).await.context("nobody answers")??;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, authority })
    }

    /// Sends a review and reads the answer; gives its `response`, and how long that took.
    pub(crate) async fn ask(&mut self, path: &str, review: &Value) -> anyhow::Result<(Value, Duration)> {
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
