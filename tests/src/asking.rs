//! Steady requests to the API server, each with one right answer, whatever happens to those who help it decide.

use std::{
    fs, io,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::Value;
use tokio::time;

use crate::{
    cluster::Cluster,
    steady::{End, Workers, connect, roots},
};

/// How many questions this process has asked; names made of it are used once.
static ASKED: AtomicU64 = AtomicU64::new(0);

/// A request without an answer after that long has none.
const LIMIT: Duration = Duration::from_secs(30);

/// What is asked over and over.
#[derive(Debug, Clone)]
pub struct Question {
    /// Names it in answers.
    pub name: &'static str,
    /// Where it is posted to, with its query.
    pub path: String,
    /// The object; each `@` in it becomes a number that is used once.
    pub body: String,
    /// Whether an answer is right: its code, and its body.
    pub is_right: fn(u16, &Value) -> bool,
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The name of the question.
    pub question: &'static str,
    /// When it was asked.
    pub asked: Instant,
    /// How long the answer took.
    pub took: Duration,
    /// The HTTP status; 0 when the API server gave none.
    pub code: u16,
    /// Whether it was right.
    pub is_right: bool,
    /// What a wrong answer said; empty where it was right.
    pub said: String,
}

/// Workers that ask in turn, each one question at a time on a connection of its own.
#[derive(Debug)]
pub struct Asking {
    shared: Arc<Shared>,
    workers: Workers,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    questions: Vec<Question>,
    pause: Duration,
    end: End,
    answers: Mutex<Vec<Answer>>,
}

impl Asking {
    /// Begins, as administrator; each worker rests for `pause` between answer and question.
    ///
    /// # Panics
    /// When the certificates of the cluster cannot be read.
    #[must_use]
    #[track_caller]
    pub fn start(cluster: &Cluster, workers: usize, pause: Duration, questions: Vec<Question>) -> Self {
        let tls = tls(&cluster.folder().join("pki"))
            .unwrap_or_else(|error| panic!("no certificates of the cluster: {error}"));
        let address = address(&cluster.kubeconfig())
            .unwrap_or_else(|error| panic!("no address of the cluster: {error}"));
        let shared = Arc::new(Shared {
            address,
            tls: Arc::new(tls),
            questions,
            pause,
            end: End::default(),
            answers: Mutex::default(),
        });
        let worker = Arc::clone(&shared);
        let workers = Workers::start(&shared.end, (0..workers).map(move |_| Arc::clone(&worker).work()));
        Self { shared, workers }
    }

    /// How many answers there are so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.answers().len()
    }

    /// The answers from that place on, in the order they came.
    #[must_use]
    pub fn since(&self, place: usize) -> Vec<Answer> {
        self.shared.answers()[place..].to_vec()
    }

    /// Asks nothing more, and gives all answers.
    ///
    /// # Panics
    /// When a worker panicked.
    #[must_use]
    #[track_caller]
    pub fn finish(self) -> Vec<Answer> {
        self.workers.finish();
        std::mem::take(&mut *self.shared.answers())
    }
}

impl Shared {
    fn answers(&self) -> std::sync::MutexGuard<'_, Vec<Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work(self: Arc<Self>) {
        let mut connection = None;
        while !self.end.has_come() {
            let number = ASKED.fetch_add(1, Ordering::Relaxed);
            let index = usize::try_from(number).unwrap_or_default() % self.questions.len();
            let question = &self.questions[index];
            let asked = Instant::now();
            let answer = time::timeout(LIMIT, self.ask(&mut connection, question, number)).await;
            let (code, said) = match answer {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => (0, Value::from(error.to_string())),
                Err(_) => (0, Value::from("no answer in time")),
            };
            if code == 0 {
                connection = None;
            }
            let is_right = (question.is_right)(code, &said);
            let said = if is_right { String::new() } else { words(&said) };
            let (question, took) = (question.name, asked.elapsed());
            self.answers().push(Answer { question, asked, took, code, is_right, said });
            time::sleep(self.pause).await;
        }
    }

    async fn ask(
        &self,
        connection: &mut Option<SendRequest<Full<Bytes>>>,
        question: &Question,
        number: u64,
    ) -> io::Result<(u16, Value)> {
        let mut sender = match connection.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.sender().await?,
        };
        let body = question.body.replace('@', &number.to_string());
        let request = Request::builder()
            .method(Method::POST)
            .uri(&question.path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)));
        sender.ready().await.map_err(io::Error::other)?;
        let request = request.map_err(io::Error::other)?;
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        let code = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        *connection = Some(sender);
        Ok((code, serde_json::from_slice(&body)?))
    }

    async fn sender(&self) -> io::Result<SendRequest<Full<Bytes>>> {
        let stream = connect(self.address, Arc::clone(&self.tls)).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// Where the API server listens: `https://ADDRESS:PORT`, in a kubeconfig that is JSON.
fn address(kubeconfig: &Path) -> io::Result<SocketAddr> {
    let config: Value = serde_json::from_slice(&fs::read(kubeconfig)?)?;
    let server = config["clusters"][0]["cluster"]["server"].as_str().unwrap_or_default();
    server.trim_start_matches("https://").parse().map_err(io::Error::other)
}

/// What an answer says to people: the message of a Status, or the whole.
fn words(answer: &Value) -> String {
    answer["message"].as_str().or(answer.as_str()).map_or_else(|| answer.to_string(), str::to_owned)
}

fn tls(pki: &Path) -> io::Result<ClientConfig> {
    let key = PrivateKeyDer::from_pem_slice(&fs::read(pki.join("admin.key"))?).map_err(io::Error::other)?;
    let own = CertificateDer::from_pem_slice(&fs::read(pki.join("admin.crt"))?).map_err(io::Error::other)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    builder
        .with_root_certificates(roots(&fs::read(pki.join("ca.crt"))?)?)
        .with_client_auth_cert(vec![own], key)
        .map_err(io::Error::other)
}
