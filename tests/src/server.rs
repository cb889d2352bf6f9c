//! The server under test.
#![allow(clippy::panic, reason = "where the fixture fails, the test has failed")]

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread,
};

use certs::{Authority, Resolver};
use clap::Parser;
use policies::{PolicySet, Profile, RULES};
use webhook::{App, Args, Drain, Metrics, Readiness};

/// A running server; it ends when the value is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    admin: SocketAddr,
    authority: String,
    profile: String,
    drain: Drain,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    args: Args,
}

impl Server {
    /// Starts a server with this profile and this file of policies, which may be empty.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn start(profile: &str, policies: &str) -> Self {
        let documents = policies::documents::read(policies).unwrap();
        let set = PolicySet::new(
            documents.policies,
            documents.exceptions,
            if profile == "audit" { Profile::Audit } else { Profile::Baseline },
            1,
        )
        .unwrap();
        let authority = Authority::new("hookward", certs::authority::DAY).unwrap();
        let leaf = authority.issue(&["127.0.0.1".parse().unwrap()], certs::authority::DAY).unwrap();
        let resolver = Resolver::new(leaf.serving_pair(Some(&authority)).unwrap());
        let args = Program::parse_from([
            "x",
            "--listen=127.0.0.1:0",
            "--admin-listen=127.0.0.1:0",
            "--drain-delay=1s",
        ])
        .args;
        let drain = Drain::default();
        let app = Arc::new(App {
            policies: Arc::new(arc_swap::ArcSwap::from_pointee(set)),
            metrics: Arc::new(Metrics::new(RULES.iter().map(|rule| rule.meta().id))),
            ready: Readiness::new(drain.clone()),
            limits: args.limits(),
        });
        let (sender, receiver) = std::sync::mpsc::channel();
        let config = webhook::tls::server_config(Arc::new(resolver), &args.tls().unwrap()).unwrap();
        let thread = thread::spawn({
            let drain = drain.clone();
            move || {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let bound = args.bind(config).await.unwrap();
                    let admin = args.bind_admin().await.unwrap();
                    sender.send((bound.address(), admin.address())).unwrap();
                    let metrics = Arc::clone(&app.metrics);
                    tokio::spawn(admin.serve(
                        webhook::admin::routes(Arc::clone(&app)),
                        Arc::clone(&metrics),
                        Drain::default(),
                    ));
                    bound.serve(webhook::routes(app), metrics, drain).await;
                });
            }
        });
        let (address, admin) = receiver.recv().unwrap();
        Self {
            address,
            admin,
            authority: authority.certificate_pem().to_owned(),
            profile: profile.to_owned(),
            drain,
            thread: Some(thread),
        }
    }

    /// `https://ADDRESS`
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where reviews go.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// As given.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// The authority that clients trust, as PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Ends the server as a signal does.
    pub fn terminate(&mut self) {
        self.drain.signalled();
    }

    /// Ends the server without a drain.
    pub fn kill(&mut self) {
        self.drain.signalled();
        self.drain.signalled();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Waits until it is gone.
    pub fn wait(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Its metrics, as Prometheus reads them.
    ///
    /// # Panics
    /// When the server does not answer.
    #[must_use]
    #[track_caller]
    pub fn metrics(&self) -> String {
        let ask = || {
            let mut stream = TcpStream::connect(self.admin)?;
            stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        };
        ask().unwrap_or_else(|error| panic!("the server does not show its metrics: {error}"))
    }

    /// The sum of all metrics of this name whose labels contain all of `labels`, such as `path="release"`.
    #[must_use]
    #[track_caller]
    pub fn count(&self, name: &str, labels: &[&str]) -> u64 {
        let text = self.metrics();
        let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{'));
        let counts = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
