//! A server on loopback with a certificate of its own, and clients that trust only that.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::body::Body;
use clap::Parser;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::TLS13,
};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{app_draining, job, review};
use crate::{App, Args, Drain, Outcome, serve, tls};

/// An authority and what it has signed.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
    der: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    pub(crate) fn sign(&self, name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }
}

#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A server under test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) admin_address: SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) drain: Drain,
    pub(crate) outcome: JoinHandle<Outcome>,
    pub(crate) authority: Authority,
}

/// The flags as they are when none is given, but for a free port and no delay.
pub(crate) fn args() -> Args {
    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: Args,
    }
    let args =
        Program::parse_from(["hookward", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]).args;
    Args { drain_delay: Duration::ZERO, ..args }
}

impl Server {
    pub(crate) async fn start(args: Args) -> Self {
        Self::start_with(args, None).await
    }

    pub(crate) async fn start_with(args: Args, clients: Option<tls::Clients>) -> Self {
        let authority = Authority::new();
        let (certificate, key) = authority.sign("localhost");
        let key = CertifiedKey::new(vec![certificate], aws_lc_rs::sign::any_supported_type(&key).unwrap());
        let options = tls::Options { clients, ..args.tls().unwrap() };
        let config = tls::server_config(Arc::new(Fixed(Arc::new(key))), &options).unwrap();
        let bound = args.bind(config).await.unwrap();
        let admin = args.bind_admin().await.unwrap();
        let (address, admin_address, drain) = (bound.address(), admin.address(), Drain::default());
        let app = Arc::new(app_draining(args.limits(), drain.clone()));
        let outcome = tokio::spawn(serve(bound, admin, Arc::clone(&app), drain.clone()));
        Self { address, admin_address, app, drain, outcome, authority }
    }

    pub(crate) fn shows(&self, line: &str) -> bool {
        self.app.metrics.render().lines().any(|found| found == line)
    }

    pub(crate) async fn connect(&self, client: Client<'_>) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[client.version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match client.identity {
            None => builder.with_no_client_auth(),
            Some((authority, name)) => {
                let (certificate, key) = authority.sign(name);
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
        };
        config.alpn_protocols = vec![client.protocol.into()];
        let stream = TcpStream::connect(self.address).await?;
        // As Go's clients do.
        stream.set_nodelay(true)?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }

    pub(crate) async fn http1(&self) -> http1::SendRequest<Body> {
        let stream = self.connect(Client::default()).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    pub(crate) async fn http2(&self) -> http2::SendRequest<Body> {
        let stream = self.connect(Client { protocol: "h2", ..Client::default() }).await.unwrap();
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }
}

/// How a client connects.
pub(crate) struct Client<'a> {
    pub(crate) protocol: &'static str,
    pub(crate) version: &'static SupportedProtocolVersion,
    pub(crate) identity: Option<(&'a Authority, &'a str)>,
}

impl Default for Client<'_> {
    fn default() -> Self {
        Self { protocol: "http/1.1", version: &TLS13, identity: None }
    }
}

/// A review of a harmless hook.
pub(crate) fn harmless() -> String {
    review(&job(&serde_json::json!({})), &serde_json::json!({})).to_string()
}

/// A request that carries a review; HTTP/2 takes the authority from it, HTTP/1.1 the path and the host.
pub(crate) fn request(body: impl Into<Body>) -> Request<Body> {
    let request =
        Request::post("https://localhost/validate?timeout=10s").header("content-type", "application/json");
    request.header("host", "localhost").body(body.into()).unwrap()
}

/// Whether the server asks for the connection to be closed.
pub(crate) fn closes(response: &Response<Incoming>) -> bool {
    response.headers().get("connection").is_some_and(|value| value == "close")
}
