//! Connections to a server under load: TLS 1.3 with one authority trusted, HTTP/1.1 or HTTP/2, kept alive.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::{http1, http2},
    header::{ACCEPT, CONTENT_TYPE, HOST},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How requests travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// One request at a time on each connection; what an API server speaks to a Service.
    Http1,
    /// All requests on one connection.
    Http2,
}

impl Protocol {
    /// Both, the main road first.
    pub(super) const ALL: [Self; 2] = [Self::Http1, Self::Http2];

    /// As it is written in tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }

    /// The number alone.
    pub(super) const fn number(self) -> &'static str {
        match self {
            Self::Http1 => "1.1",
            Self::Http2 => "2",
        }
    }

    const fn alpn(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

/// Whom a client trusts, and who it is.
#[derive(Debug, Clone)]
pub(super) struct Trust {
    roots: Arc<RootCertStore>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Trust {
    /// Trusts the authorities in this PEM, and shows no certificate of its own.
    pub(super) fn new(authorities: &[u8]) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authorities) {
            roots.add(certificate?)?;
        }
        Ok(Self { roots: Arc::new(roots), identity: None })
    }

    /// The same with a certificate and its key, both PEM.
    pub(super) fn with_identity(self, certificate: Vec<u8>, key: Vec<u8>) -> Self {
        Self { identity: Some((certificate, key)), ..self }
    }

    fn config(&self, protocol: Protocol) -> Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(certs::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(Arc::clone(&self.roots));
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = CertificateDer::pem_slice_iter(certificate).collect::<Result<Vec<_>, _>>()?;
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key)?)?
            }
        };
        config.alpn_protocols = vec![protocol.alpn().to_vec()];
        Ok(config)
    }
}

/// One connection; a clone of an HTTP/2 connection is another stream of it.
#[derive(Debug)]
pub(super) enum Connection {
    /// One at a time.
    Http1(http1::SendRequest<Full<Bytes>>),
    /// Many at once.
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    /// Connects, and proves that the server is the one that is meant.
    pub(super) async fn open(address: SocketAddr, protocol: Protocol, trust: &Trust) -> Result<Self> {
        ensure!(
            address.ip().is_loopback(),
            "{address} is not on this machine; nothing else is put under load"
        );
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let name = ServerName::from(address.ip());
        let tls = TlsConnector::from(Arc::new(trust.config(protocol)?)).connect(name, stream).await?;
        ensure!(
            tls.get_ref().1.alpn_protocol() == Some(protocol.alpn()),
            "the server does not speak {}",
            protocol.name()
        );
        let stream = TokioIo::new(tls);
        Ok(match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(stream).await?;
                tokio::spawn(connection);
                Self::Http1(sender)
            }
            Protocol::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.initial_stream_window_size(2 << 20).initial_connection_window_size(8 << 20);
                let (sender, connection) = builder.handshake(stream).await?;
                tokio::spawn(connection);
                Self::Http2(sender)
            }
        })
    }

    /// Another stream of the same connection; `None` where a connection has only one.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(sender) => Some(Self::Http2(sender.clone())),
        }
    }

    /// Sends JSON and waits for the whole answer; gives its status and its body.
    pub(super) async fn post(
        &mut self,
        address: SocketAddr,
        path: &str,
        body: Bytes,
    ) -> Result<(u16, Bytes)> {
        let builder = match self {
            Self::Http1(_) => Request::post(path).header(HOST, address.to_string()),
            Self::Http2(_) => Request::post(format!("https://{address}{path}")),
        };
        let builder = builder.header(CONTENT_TYPE, "application/json").header(ACCEPT, "application/json");
        let response = self.send(builder.body(Full::new(body))?).await?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}
