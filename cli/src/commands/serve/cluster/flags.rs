//! The flags for life in a cluster.

use std::{env, path::PathBuf, time::Duration};

use anyhow::bail;

/// Inside a pod the kubelet says where the API server is.
const IN_A_POD: &str = "KUBERNETES_SERVICE_HOST";

/// What the server takes from a cluster, and what it does there.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(next_help_heading = "Cluster")]
pub struct Args {
    /// Take policies and exceptions from the cluster that KUBECONFIG or the service account names; inside a pod the default unless
    /// --policy is given. With it, --policy and --profile are the base that HookPolicy objects are laid over.
    #[arg(long)]
    pub cluster: bool,
    /// The namespace of this server, of its Lease and of its Secret [default: the one that KUBECONFIG or the service account names].
    #[arg(long, value_name = "NAME", env = "POD_NAMESPACE", hide_env_values = true)]
    pub namespace: Option<String>,
    /// What tells this server from its replicas [default: the name of the host].
    #[arg(long, value_name = "NAME", env = "POD_NAME", hide_env_values = true)]
    pub pod_name: Option<String>,
    /// The Service by which the API server reaches this server: the certificate is for NAME.NAMESPACE.svc.
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Take the certificate from this Secret, which replicas share, fill and renew; instead of --cert-dir.
    #[arg(long, value_name = "NAME", conflicts_with = "cert_dir")]
    pub cert_secret: Option<String>,
    /// A further name or address that the certificate is for; several with commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "cert_secret")]
    pub cert_name: Vec<String>,
    /// How long an authority made here lives.
    #[arg(long, value_name = "DURATION", default_value = "365d", value_parser = life, requires = "cert_secret")]
    pub ca_life: Duration,
    /// How long a certificate made here lives; it is renewed after two thirds of that.
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = life, requires = "cert_secret")]
    pub leaf_life: Duration,
    /// How long a new authority is registered before anything that it signed is served.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = life, requires = "cert_secret")]
    pub rotation_overlap: Duration,
    /// The name of both webhook configurations: their caBundle is kept right, and what they lost is reported.
    #[arg(long, value_name = "NAME")]
    pub webhook_configuration: Option<String>,
    /// A file with the webhook configurations as they should be, to compare with.
    #[arg(long, value_name = "FILE", requires = "webhook_configuration")]
    pub expected_registration: Option<PathBuf>,
    /// Put back what the webhook configurations have lost.
    #[arg(long, requires = "expected_registration")]
    pub repair_webhooks: bool,
    /// Read the records of releases, to know which release a hook belongs to; needs the right to read Secrets.
    #[arg(long)]
    pub release_lookup: bool,
    /// The Lease by which replicas agree on one that writes.
    #[arg(long, value_name = "NAME", default_value = "hookward")]
    pub lease: String,
    /// Write no Events.
    #[arg(long)]
    pub no_events: bool,
}

impl Args {
    /// Whether a cluster is asked for, by flag or by where the process runs. `has_policy`: whether there is `--policy`.
    #[must_use]
    pub fn is_on(&self, has_policy: bool) -> bool {
        self.cluster || (!has_policy && is_in_a_pod())
    }

    /// # Errors
    /// When a flag is given that has no meaning without a cluster.
    pub fn refuse_without_a_cluster(&self) -> anyhow::Result<()> {
        let given = [
            ("--cert-secret", self.cert_secret.is_some()),
            ("--webhook-configuration", self.webhook_configuration.is_some()),
            ("--release-lookup", self.release_lookup),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => bail!("{flag} needs --cluster: without it there is no cluster to ask"),
            None => Ok(()),
        }
    }

    /// The name of this server among its replicas.
    #[must_use]
    pub fn pod(&self) -> String {
        let from_host = || env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
        self.pod_name.clone().or_else(from_host).unwrap_or_else(|| format!("hookward-{}", std::process::id()))
    }

    /// The names that the certificate must be for: those of the Service in `namespace`, then the further ones.
    #[must_use]
    pub fn names(&self, namespace: &str) -> Vec<String> {
        let of_service = |service: &String| {
            [
                format!("{service}.{namespace}.svc"),
                format!("{service}.{namespace}.svc.cluster.local"),
                format!("{service}.{namespace}"),
            ]
        };
        self.service.iter().flat_map(of_service).chain(self.cert_name.iter().cloned()).collect()
    }
}

/// Whether this process runs in a pod, and not beside the cluster.
pub(super) fn is_in_a_pod() -> bool {
    env::var_os(IN_A_POD).is_some()
}

/// Reads a life such as `90d`, `36h`, `10m` or `45s`: one whole number and one unit.
fn life(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "d" => 24 * 60 * 60,
        "h" => 60 * 60,
        "m" => 60,
        "s" => 1,
        _ => 0,
    };
    // A thousand years is longer than any certificate can say.
    let longest = 1000 * 365 * 24 * 60 * 60;
    let life = number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
    match life.filter(|life| (1..=longest).contains(life)) {
        Some(life) => Ok(Duration::from_secs(life)),
        None => Err(format!("`{text}` is no life of a certificate; write it like 90d, 36h, 10m or 45s")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[arg(long)]
        cert_dir: Option<PathBuf>,
        #[command(flatten)]
        args: Args,
    }

    fn parse(flags: &str) -> Result<Args, clap::Error> {
        let flags = ["hookward"].into_iter().chain(flags.split_whitespace());
        Program::try_parse_from(flags).map(|program| program.args)
    }

    #[test]
    fn lives_are_written_in_days() {
        let args = parse("--namespace guard --cert-secret tls --leaf-life 20s").unwrap();
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        assert_eq!((args.ca_life, args.leaf_life), (days(365), Duration::from_secs(20)));
        for bad in ["", "0s", "90", "d", "1d12h", "-1d", "99999999999999d", "400000d"] {
            assert!(life(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn flags_that_need_each_other_say_so() {
        for refused in [
            "--namespace guard --cert-secret tls --cert-dir certs",
            "--leaf-life 20s",
            "--expected-registration file",
            "--webhook-configuration hookward --repair-webhooks",
        ] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_certificate_is_for_all_names_of_the_service() {
        let args = parse("--service hooks").unwrap();
        assert_eq!(args.names("guard"), ["hooks.guard.svc", "hooks.guard.svc.cluster.local", "hooks.guard"]);
        let args = parse("--cert-secret tls --cert-name 127.0.0.1,hooks.example.com").unwrap();
        assert_eq!(args.names("guard"), ["127.0.0.1", "hooks.example.com"]);
    }

    #[test]
    fn what_has_no_meaning_without_a_cluster_is_refused() {
        let args = parse("--namespace guard --cert-secret tls").unwrap();
        assert!(!args.is_on(true));
        assert!(args.refuse_without_a_cluster().unwrap_err().to_string().starts_with("--cert-secret needs"));
        assert!(parse("--cluster").unwrap().is_on(true));
        assert!(parse("").unwrap().refuse_without_a_cluster().is_ok());
    }
}
