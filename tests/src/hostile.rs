//! Clients that send what no API server would: much at once, and bodies that never end.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::join_all;
use rustls::{ClientConfig, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::{Builder, Runtime},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub use self::inputs::{objects, records, review};
use crate::{server::Server, steady::roots};

mod inputs;

/// An answer that has not come by then never will.
const LIMIT: Duration = Duration::from_secs(100);

/// Somebody who reaches the port of a server.
#[derive(Debug)]
pub struct Hostile {
    address: SocketAddr,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
    runtime: Runtime,
}

impl Hostile {
    /// Somebody who reaches this server.
    ///
    /// # Panics
    /// When the server has no authority.
    #[must_use]
    #[track_caller]
    pub fn of(server: &Server) -> Self {
        Self::at(server.address(), &server.address().ip().to_string(), server.authority().as_bytes())
    }

    /// Somebody who reaches a server at this address, which proves that name by a certificate of the authority, in PEM.
    ///
    /// # Panics
    /// When there can be no such name or authority.
    #[must_use]
    #[track_caller]
    pub fn at(address: SocketAddr, name: &str, authority: &[u8]) -> Self {
        let name = ServerName::try_from(name.to_owned())
            .unwrap_or_else(|error| panic!("no server is called {name:?}: {error}"));
        let roots = roots(authority)
            .unwrap_or_else(|error| panic!("the server's authority is no certificate: {error}"));
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13]);
        let builder = builder.unwrap_or_else(|error| panic!("no TLS for clients: {error}"));
        let mut tls = builder.with_root_certificates(roots).with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
        Self { address, name, tls: Arc::new(tls), runtime }
    }

    /// Sends all bodies at once, each over a connection of its own: the status of each answer, `None` where the server hung up.
    #[must_use]
    pub fn post(&self, path: &str, bodies: impl IntoIterator<Item = Bytes>) -> Vec<Option<u16>> {
        let posts = bodies.into_iter().map(|body| async move {
            let sent = timeout(LIMIT, self.post_one(path, &body)).await;
            sent.ok().and_then(Result::ok)
        });
        self.runtime.block_on(join_all(posts))
    }

    /// Begins so many bodies of 8 MB, and sends a piece of each every now and then, so often.
    pub fn stall(&self, connections: usize, piece: usize, times: usize) {
        let piece = Bytes::from(vec![b' '; piece]);
        let stalled = (0..connections).map(|_| self.stall_one(&piece, times));
        // That the server gives up some of them is what is wanted.
        let _ = self.runtime.block_on(join_all(stalled));
    }

    async fn post_one(&self, path: &str, body: &[u8]) -> io::Result<u16> {
        let mut stream = self.begin(path, body.len()).await?;
        // Who is refused before the end cannot send the rest.
        let _ = stream.write_all(body).await;
        let _ = stream.flush().await;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        let status = std::str::from_utf8(&head[9..]).ok().and_then(|status| status.parse().ok());
        status.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    async fn stall_one(&self, piece: &[u8], times: usize) -> io::Result<()> {
        let mut stream = timeout(LIMIT, self.begin("/validate?timeout=30s", 8_000_000)).await??;
        for _ in 0..times {
            timeout(LIMIT, stream.write_all(piece)).await??;
            timeout(LIMIT, stream.flush()).await??;
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn begin(&self, path: &str, length: usize) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let mut stream = TlsConnector::from(Arc::clone(&self.tls)).connect(self.name.clone(), stream).await?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        Ok(stream)
    }
}
