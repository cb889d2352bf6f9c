//! Steady calls of an API server, each of which must go well.
#![allow(clippy::panic, reason = "where the fixture fails, the test has failed")]

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde_json::Value;

/// An API server that is silent for longer has lost the call.
const LIMIT: Duration = Duration::from_secs(40);

/// Calls under way, by several clients that each wait for an answer before they call again.
#[derive(Debug)]
pub struct Hammer {
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    path: String,
    body: String,
    is_over: AtomicBool,
    answered: AtomicU64,
    failed: Mutex<Vec<String>>,
}

/// Who calls, and where.
#[derive(Debug, Clone)]
struct Client {
    address: String,
    tls: Arc<ClientConfig>,
}

type Connection = BufReader<StreamOwned<ClientConnection, TcpStream>>;

impl Hammer {
    /// Posts `body` to `path` over and over with the rights of this kubeconfig, whose keys are in files.
    ///
    /// # Panics
    /// When the kubeconfig cannot be used.
    #[must_use]
    #[track_caller]
    pub fn start(kubeconfig: &Path, clients: usize, path: &str, body: &Value) -> Self {
        let client =
            Client::new(kubeconfig).unwrap_or_else(|error| panic!("no client for the API server: {error}"));
        let shared = Arc::new(Shared {
            client,
            path: path.to_owned(),
            body: body.to_string(),
            is_over: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            failed: Mutex::default(),
        });
        let begin = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.call_until_over())
        };
        let threads = (0..clients).map(begin).collect();
        Self { shared, threads }
    }

    /// How many calls have gone well so far.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// What has failed so far.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls no more, and says what failed.
    ///
    /// # Panics
    /// When a client panicked.
    #[must_use]
    #[track_caller]
    pub fn finish(mut self) -> Vec<String> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            assert!(thread.join().is_ok(), "a client panicked");
        }
        self.failures()
    }
}

impl Drop for Hammer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn call_until_over(&self) {
        let mut connection = None;
        while !self.is_over.load(Ordering::Relaxed) {
            match self.call(&mut connection) {
                Ok((200..=299, _)) => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok((status, answer)) => self.fail(format!("{status}: {answer}")),
                Err(error) => {
                    connection = None;
                    self.fail(error.to_string());
                }
            }
        }
    }

    fn fail(&self, failure: String) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
        // A failure costs no time, and thousands of them tell no more than a few.
        thread::sleep(Duration::from_millis(50));
    }

    fn call(&self, connection: &mut Option<Connection>) -> io::Result<(u16, String)> {
        let open = match connection.take() {
            Some(open) => open,
            None => self.client.connect()?,
        };
        let stream = connection.insert(open);
        let Self { path, body, client, .. } = self;
        let (address, length) = (&client.address, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().write_all(body.as_bytes())?;
        stream.get_mut().flush()?;
        answer(stream)
    }
}

/// Reads status and body; the API server gives the length of answers that are as small as these.
fn answer(stream: &mut Connection) -> io::Result<(u16, String)> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status in {line:?}")))?;
    let mut length = 0;
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

impl Client {
    fn new(kubeconfig: &Path) -> io::Result<Self> {
        let config: Value = serde_json::from_slice(&fs::read(kubeconfig)?)?;
        let (cluster, user) = (&config["clusters"][0]["cluster"], &config["users"][0]["user"]);
        let read = |value: &Value| fs::read(value.as_str().unwrap_or_default());
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&read(&cluster["certificate-authority"])?) {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        let certificates = CertificateDer::pem_slice_iter(&read(&user["client-certificate"])?)
            .collect::<Result<_, _>>()
            .map_err(io::Error::other)?;
        let key = PrivateKeyDer::from_pem_slice(&read(&user["client-key"])?).map_err(io::Error::other)?;
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .and_then(|builder| {
                builder.with_root_certificates(roots).with_client_auth_cert(certificates, key)
            })
            .map_err(io::Error::other)?;
        let server = cluster["server"].as_str().unwrap_or_default();
        let address = server.strip_prefix("https://").unwrap_or(server).to_owned();
        Ok(Self { address, tls: Arc::new(tls) })
    }

    fn connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let client = ClientConnection::new(Arc::clone(&self.tls), name).map_err(io::Error::other)?;
        Ok(BufReader::new(StreamOwned::new(client, stream)))
    }
}
