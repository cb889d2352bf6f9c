//! `hookward serve`: the server, without a cluster: policies from a file, certificates from a folder.

use std::{net::SocketAddr, num::NonZero, path::PathBuf, sync::Arc, thread, time::Duration};

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use certs::{Reloader, Resolver, pair::Validity, reload};
use policies::PolicySet;
use time::OffsetDateTime;
use webhook::{App, Drain, Handle, Part};

use crate::{Io, args::Global, exit, logging, policy_file};

mod policy_watch;
pub mod registration;

/// How the server runs.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Where to listen, and how much at once.
    #[command(flatten)]
    pub server: webhook::Args,
    /// The folder with tls.crt, tls.key and, for --print-webhooks, ca.crt; read again when they change.
    #[arg(long, value_name = "DIR")]
    pub cert_dir: PathBuf,
    /// What the rules may do; a policy file is read again when it changes.
    #[command(flatten)]
    pub policy: policy_file::Args,
    /// Print the webhook configurations for a server at --url, and exit.
    #[arg(long, requires = "url", help_heading = "Registration")]
    pub print_webhooks: bool,
    /// The address at which the API server reaches this server: `https://HOST:PORT`.
    #[arg(long, value_name = "URL", requires = "print_webhooks", help_heading = "Registration")]
    pub url: Option<String>,
}

impl Args {
    /// Serves until a signal.
    ///
    /// # Errors
    /// When there is no certificate, no policy or no address to begin with.
    pub fn run(&self, global: &Global, io: &mut Io<'_>) -> anyhow::Result<u8> {
        if let Some(url) = self.url.as_deref().filter(|_| self.print_webhooks) {
            return self.print(url, io);
        }
        let policies = self.policies()?;
        let reloader = Reloader::new(&self.cert_dir).context("cannot serve without a certificate")?;
        logging::start(global, global.colors(io.stderr_is_terminal, io.no_color));
        webhook::log_panics();
        let workers = thread::available_parallelism().map_or(2, NonZero::get).max(2);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
        let outcome =
            runtime.context("cannot start the runtime")?.block_on(self.serve(policies, reloader, io))?;
        tracing::info!(?outcome, "ended");
        Ok(exit::CLEAN)
    }

    fn policies(&self) -> anyhow::Result<PolicySet> {
        match self.policy.load(1) {
            Ok(policies) => Ok(policies),
            Err(problem) => bail!("{problem}"),
        }
    }

    fn print(&self, url: &str, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let profile = self.policies()?.profile();
        let pair = certs::folder::read(&self.cert_dir).context("cannot read the certificates")?;
        let Some(bundle) = pair.authority_pem() else {
            bail!(
                "{}: there is no ca.crt, and the API server must know whom to trust",
                self.cert_dir.display()
            );
        };
        let list = registration::list(url, bundle, profile)?;
        writeln!(io.stdout, "{list:#}").context("cannot write to the standard output")?;
        Ok(exit::CLEAN)
    }

    async fn serve(
        &self,
        policies: PolicySet,
        reloader: Reloader,
        io: &mut Io<'_>,
    ) -> anyhow::Result<webhook::Outcome> {
        let resolver = reloader.resolver();
        let tls = webhook::tls::server_config(resolver.clone(), &self.server.tls()?)?;
        let drain = Drain::default();
        let app = Arc::new(App::new(
            Arc::new(ArcSwap::from_pointee(policies)),
            drain.clone(),
            self.server.limits(),
        ));
        watch_certificate(&app, reloader, &resolver);
        if let Some(path) = &self.policy.policy {
            tokio::spawn(policy_watch::run(path.clone(), self.policy.clone(), Arc::clone(&app.policies)));
        }
        let (reviews, admin) = (self.server.bind(tls).await?, self.server.bind_admin().await?);
        announce(reviews.address(), admin.address(), io)?;
        tokio::spawn(drain.clone().on_signals());
        Ok(webhook::serve(reviews, admin, app, drain).await)
    }
}

/// The one line on stdout, for whoever started us and waits for the port.
fn announce(reviews: SocketAddr, admin: SocketAddr, io: &mut Io<'_>) -> anyhow::Result<()> {
    writeln!(io.stdout, "listening https://{reviews}")
        .and_then(|()| io.stdout.flush())
        .context("cannot write to the standard output")?;
    tracing::info!(%reviews, %admin, "listening");
    Ok(())
}

/// Serves new certificates as they come, and is not ready as long as the one that is served is not valid.
fn watch_certificate(app: &App, reloader: Reloader, resolver: &Arc<Resolver>) {
    let expiry = Arc::clone(resolver);
    app.metrics.watch_expiry(move || Some((expiry.not_after() - OffsetDateTime::now_utc()).whole_seconds()));
    let (ready, resolver) = (app.ready.clone(), Arc::clone(resolver));
    let mut missing: Option<Handle> = None;
    let mut look = move || {
        let is_valid = resolver.current().validity(OffsetDateTime::now_utc()) == Validity::Current;
        missing = match missing.take() {
            None if !is_valid => Some(ready.wait_for(Part::Certificate)),
            Some(handle) if !is_valid => Some(handle),
            _ => None,
        };
    };
    look();
    tokio::spawn(reloader.run(reload::INTERVAL.min(Duration::from_secs(5)), move |_| look()));
}
