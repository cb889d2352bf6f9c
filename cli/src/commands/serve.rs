//! `hookward serve`: the server, in a cluster or without one.

use std::{
    net::SocketAddr,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use arc_swap::ArcSwap;
use policies::{PolicySet, documents::Documents};
use tokio::runtime::{Builder, Runtime};
use webhook::{App, Drain};

use crate::{Io, args::Global, exit, logging, policy_file, report::Problem};

pub mod certificates;
pub mod cluster;
mod file_watch;
mod policy_watch;
pub mod registration;
pub mod server_url;
pub mod tasks;

use certificates::Certificates;
use cluster::{Beginning, Life};
use file_watch::Watch;
use registration::Address;
use server_url::ServerUrl;
use tasks::Tasks;

/// Threads that answer requests at the most: one answers tens of thousands a second, and each takes memory.
const WORKERS: usize = 4;

/// How long the process waits at its end for judgements that are under way.
const LAST_JUDGEMENT: Duration = Duration::from_secs(2);

/// How the server runs.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Where to listen, and how much at once.
    #[command(flatten)]
    pub server: webhook::Args,
    /// The folder with tls.crt, tls.key and, for --print-webhooks, ca.crt; read again when they change. In a cluster --cert-secret
    /// can stand in its place.
    #[arg(long, value_name = "DIR")]
    pub cert_dir: Option<PathBuf>,
    /// What the rules may do; a policy file is read again when it changes.
    #[command(flatten)]
    pub policy: policy_file::Args,
    /// What the server takes from a cluster, and what it does there.
    #[command(flatten)]
    pub cluster: cluster::Args,
    /// Print the webhook configurations for a server at --url, or behind --service in --namespace, and exit.
    #[arg(long, help_heading = "Registration")]
    pub print_webhooks: bool,
    /// The address at which the API server reaches this server: `https://HOST:PORT`.
    #[arg(long, value_name = "URL", requires = "print_webhooks", help_heading = "Registration")]
    pub url: Option<ServerUrl>,
}

impl Args {
    /// Serves until a signal.
    ///
    /// # Errors
    /// When there is no certificate, no policy or no address to begin with.
    pub fn run(&self, global: &Global, io: &mut Io<'_>) -> anyhow::Result<u8> {
        if self.print_webhooks {
            return self.print(global, io);
        }
        if self.cert_dir.is_none() && self.cluster.cert_secret.is_none() {
            bail!(
                "there is no certificate to serve; give --cert-dir DIR, or in a cluster --cert-secret NAME"
            );
        }
        let (policies, start) = self.begin()?;
        Self::note(&start.notes, global, io)?;
        logging::start(global, global.colors(io.stderr_is_terminal, io.no_color));
        webhook::log_panics();
        self.log_policies(&policies.load());
        let workers = thread::available_parallelism().map_or(2, NonZero::get).clamp(2, WORKERS);
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
        let runtime = runtime.context("cannot start the runtime")?;
        let outcome = runtime.block_on(self.serve(policies, start, io));
        end(runtime);
        tracing::info!(outcome = ?outcome?, "ended");
        Ok(exit::CLEAN)
    }

    /// Reads all that is read before the first connection; what is wrong then ends the program.
    fn begin(&self) -> anyhow::Result<(Arc<ArcSwap<PolicySet>>, Start)> {
        let failed = |problem: Problem| anyhow!("{problem}");
        let certificates = self.cert_dir.as_deref().map(Certificates::from_folder).transpose()?;
        if !self.cluster.is_on(!self.policy.policy.is_empty()) {
            self.cluster.refuse_without_a_cluster()?;
            let (policies, notes, watch) = policy_watch::begin(&self.policy).map_err(failed)?;
            return Ok((policies, Start { notes, watch, certificates, beginning: None }));
        }
        let (base, watch) = policy_watch::begin_base(&self.policy).map_err(failed)?;
        let profile = self.policy.profile();
        // Nobody is judged by it: there is more to read.
        let Documents { policies, exceptions, unapproved } = Documents::clone(&base.borrow());
        let policies = PolicySet::new(policies, exceptions, profile, 0)?;
        let mut notes = policy_file::not_counted(&unapproved);
        notes.extend(self.policy.overruled(&policies));
        let beginning = Some(Beginning { base, profile });
        Ok((Arc::new(ArcSwap::from_pointee(policies)), Start { notes, watch, certificates, beginning }))
    }

    /// Says what is no error and yet not as somebody may think.
    fn note(notes: &[String], global: &Global, io: &mut Io<'_>) -> anyhow::Result<()> {
        for note in notes {
            io.note(note, global)?;
        }
        Ok(())
    }

    /// What is in force from the start, for whoever reads the log later.
    fn log_policies(&self, policies: &PolicySet) {
        let policy = policies.policy(None);
        let file = (!self.policy.policy.is_empty()).then(|| self.policy.shown());
        tracing::info!(profile = %policy.profile, rules = policy.active(), policy = file, "judging");
    }

    fn print(&self, global: &Global, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let address = match (&self.url, &self.cluster.service, &self.cluster.namespace) {
            (Some(url), None, _) => Address::Url(url),
            (None, Some(name), Some(namespace)) => Address::Service { name, namespace },
            _ => bail!("--print-webhooks needs to know where: --url, or --service and --namespace"),
        };
        if self.url.is_some() && self.cert_dir.is_none() && self.cluster.cert_secret.is_none() {
            bail!(
                "--url needs --cert-dir DIR, with the ca.crt that the API server must trust, or --cert-secret NAME"
            );
        }
        let (policies, notes) = self.policy.load(1).map_err(|problem| anyhow!("{problem}"))?;
        Self::note(&notes, global, io)?;
        let profile = policies.policy(None).profile;
        let bundle = self.cert_dir.as_deref().map(|folder| bundle(folder, &address)).transpose()?;
        let list = registration::list(&address, bundle.as_deref(), profile);
        io.print(|out| writeln!(out, "{list:#}"))?;
        Ok(exit::CLEAN)
    }

    async fn serve(
        &self,
        policies: Arc<ArcSwap<PolicySet>>,
        start: Start,
        io: &mut Io<'_>,
    ) -> anyhow::Result<webhook::Outcome> {
        let (drain, mut tasks) = (Drain::default(), Tasks::default());
        let mut app = App::new(policies, drain.clone(), self.server.limits());
        let mut life = match start.beginning {
            Some(beginning) => Some(Life::begin(&self.cluster, beginning, &app).await?),
            None => None,
        };
        if let Some(life) = &life {
            app = app.with_surroundings(life.surroundings());
            life.resign_with(drain.clone());
        }
        let shared = life.as_ref().map(|life| life.certificates(&self.cluster)).transpose()?.flatten();
        let certificates = shared.or(start.certificates);
        let certificates = certificates
            .context("there is no certificate to serve; give --cert-dir, or --cert-secret with --cluster")?;
        let tls = webhook::tls::server_config(certificates.resolver(), &self.server.tls()?)?;
        match &mut life {
            Some(life) => life.register(&self.cluster, certificates, &app, &mut tasks)?,
            None => certificates.keep(&app, None, &mut tasks, |_| {})?,
        }
        if let Some(watch) = start.watch {
            tasks.spawn("reads the policy file", watch.run());
        }
        let (reviews, admin) = (self.server.bind(tls).await?, self.server.bind_admin().await?);
        announce(reviews.address(), admin.address(), io)?;
        tokio::spawn(drain.clone().on_signals());
        let serve = webhook::serve(reviews, admin, Arc::new(app), drain.clone());
        let outcome = tasks.beside(serve, &drain).await;
        if let Some(life) = life {
            life.end().await;
        }
        outcome
    }
}

/// What a server begins with besides its policies.
struct Start {
    notes: Vec<String>,
    watch: Option<Watch>,
    certificates: Option<Certificates>,
    beginning: Option<Beginning>,
}

/// Whom the API server must trust to call the certificate in this folder at this address.
fn bundle(folder: &Path, address: &Address<'_>) -> anyhow::Result<String> {
    let pair = certs::folder::read(folder).context("cannot read the certificates")?;
    let Some(bundle) = pair.authority_pem() else {
        bail!("{}: there is no ca.crt, and the API server must know whom to trust", folder.display());
    };
    let (host, leaf) = (address.host(), pair.leaf());
    if !leaf.covers(&host) {
        bail!(
            "{}: the certificate is not for {host:?}, so the API server would refuse it; it is for {}",
            folder.join(certs::folder::CERTIFICATE).display(),
            if leaf.names.is_empty() { "no name".to_owned() } else { leaf.names.join(", ") }
        );
    }
    Ok(bundle.to_owned())
}

/// Ends the runtime: a judgement that nobody waits for any more does not keep the process.
fn end(runtime: Runtime) {
    runtime.shutdown_timeout(LAST_JUDGEMENT);
}

/// The one line on stdout, for whoever started us and waits for the port.
fn announce(reviews: SocketAddr, admin: SocketAddr, io: &mut Io<'_>) -> anyhow::Result<()> {
    io.print(|out| writeln!(out, "listening https://{reviews}"))?;
    tracing::info!(%reviews, %admin, "listening");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_judgement_that_does_not_end_does_not_keep_the_process() {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (begins, begun) = mpsc::channel();
        let (release, held) = mpsc::channel::<()>();
        runtime.spawn_blocking(move || {
            begins.send(()).unwrap();
            held.recv()
        });
        begun.recv().unwrap();
        end(runtime);
        // Still there, and nobody waited for it.
        release.send(()).unwrap();
    }
}
