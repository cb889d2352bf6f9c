//! The server under trial: the one that `serve` runs, on a free port, with an authority that lives as long as the trial.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use certs::{Authority, Resolver, authority::DAY};
use clap::{Args as _, FromArgMatches as _};
use policies::PolicySet;
use rustls::pki_types::ServerName;
use tokio::task::JoinHandle;
use webhook::{App, Drain, Outcome, Stage};

use crate::client::Client;

/// The only name its certificate has.
const HOST: &str = "127.0.0.1";

/// A running server.
pub(super) struct Server {
    address: SocketAddr,
    authority_pem: String,
    drain: Drain,
    task: JoinHandle<Outcome>,
}

impl Server {
    pub(super) async fn start(policies: PolicySet) -> anyhow::Result<Self> {
        let authority = Authority::new("hookward try", DAY)?;
        let leaf = authority.issue(&[HOST.parse()?], DAY)?;
        let resolver = Arc::new(Resolver::new(leaf.serving_pair(Some(&authority))?));
        let args = arguments()?;
        let tls = webhook::tls::server_config(resolver, &args.tls()?)?;
        let drain = Drain::default();
        let app = Arc::new(App::new(Arc::new(ArcSwap::from_pointee(policies)), drain.clone(), args.limits()));
        let bound = args.bind(tls).await?;
        let (address, metrics) = (bound.address(), Arc::clone(&app.metrics));
        let task = tokio::spawn(bound.serve(webhook::routes(app), metrics, drain.clone()));
        Ok(Self { address, authority_pem: authority.certificate_pem().to_owned(), drain, task })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client that trusts it.
    pub(super) async fn client(&self) -> anyhow::Result<Client> {
        let name = ServerName::from(self.address.ip());
        Client::connect(self.address, name, &self.authority_pem).await
    }

    pub(super) async fn stop(self) {
        self.drain.raise(Stage::Ended);
        // It has answered everything; how it ends is of no interest.
        let _ = self.task.await;
    }
}

/// The flags of `serve` as they are by default, on a free port.
fn arguments() -> anyhow::Result<webhook::Args> {
    let command = webhook::Args::augment_args(clap::Command::new("try"));
    let matches = command
        .try_get_matches_from(["try", "--listen=127.0.0.1:0"])
        .context("cannot take the defaults of serve")?;
    Ok(webhook::Args::from_arg_matches(&matches)?)
}
