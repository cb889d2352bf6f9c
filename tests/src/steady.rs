//! Workers that ask the same again and again beside a test, and the connections that they ask over.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{net::TcpStream, runtime, task::JoinSet};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Whether workers are to stop; they look between two questions.
#[derive(Debug, Clone, Default)]
pub(crate) struct End(Arc<AtomicBool>);

impl End {
    /// Whether it has come.
    pub(crate) fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Workers on a thread of their own; dropped, they stop at their next look.
#[derive(Debug)]
pub(crate) struct Workers {
    end: End,
    thread: Option<thread::JoinHandle<()>>,
}

impl Workers {
    /// Lets them begin; each returns soon after the end has come.
    ///
    /// # Panics
    /// When there is no runtime.
    #[track_caller]
    pub(crate) fn start<W>(end: &End, workers: impl Iterator<Item = W> + Send + 'static) -> Self
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime for clients: {error}"));
        let thread = thread::spawn(move || {
            runtime.block_on(async { workers.collect::<JoinSet<()>>().join_all().await });
        });
        Self { end: end.clone(), thread: Some(thread) }
    }

    /// Returns when all have stopped.
    ///
    /// # Panics
    /// When one of them panicked.
    #[track_caller]
    pub(crate) fn finish(mut self) {
        self.end.0.store(true, Ordering::Relaxed);
        let joined = self.thread.take().map(thread::JoinHandle::join);
        assert!(matches!(joined, Some(Ok(()))), "a worker panicked");
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.end.0.store(true, Ordering::Relaxed);
    }
}

/// The authorities in a text of PEM blocks.
pub(crate) fn roots(pem: &[u8]) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    Ok(roots)
}

/// A connection, ready for requests.
pub(crate) async fn connect(address: SocketAddr, tls: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(tls).connect(ServerName::from(address.ip()), stream).await
}
