//! The flags of the server.

use std::{fs, io, net::SocketAddr, path::PathBuf, time::Duration};

use crate::{app::Limits, budget, size, tls};

/// Where to listen, whom to let in, and how much at once.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct Args {
    /// Address for reviews, over TLS; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443", value_parser = address)]
    pub listen: SocketAddr,
    /// Address for /livez, /readyz and /metrics, without TLS
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    pub admin_listen: SocketAddr,
    /// Answer /metrics only to this machine; in a pod that is also `kubectl port-forward`
    #[arg(long, conflicts_with = "metrics_token")]
    pub local_metrics: bool,
    /// File with a token that readers of /metrics must show (Authorization: Bearer); read again each time
    #[arg(long, value_name = "FILE")]
    pub metrics_token: Option<PathBuf>,
    /// Allow TLS 1.2 besides 1.3
    #[arg(long)]
    pub tls12: bool,
    /// PEM file with the authorities that sign client certificates; then every client needs one
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,
    /// Common or alternative name that a client certificate may carry; several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "client_ca")]
    pub client_names: Vec<String>,
    /// Memory that this process may take, in bytes or as 128Mi or 1Gi: what comes in at once is held to it. Unless given, the limit of its cgroup, or else 128Mi
    #[arg(long, value_name = "SIZE", env = "MEMORY_LIMIT", value_parser = size::flag)]
    pub memory_limit: Option<u64>,
    /// Connections open at once, as far as there is memory for them; never fewer than requests at once
    #[arg(long, value_name = "COUNT", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// Requests judged at once; more are answered with 503
    #[arg(long, value_name = "COUNT", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_concurrency: u32,
    /// Bytes of one request
    #[arg(long, value_name = "BYTES", default_value_t = 8 << 20)]
    pub max_body: usize,
    /// How long the body of a request may take to arrive
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub body_timeout: Duration,
    /// How long a connection is used, give or take a tenth, before it is asked to close
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub connection_age: Duration,
    /// How long a TLS handshake may take
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub handshake_timeout: Duration,
    /// How long the head of a request may take to arrive
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub header_timeout: Duration,
    /// After a signal, how long requests are taken as before while the news spreads that this server leaves
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub drain_delay: Duration,
    /// After that, how long open connections may take to finish
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration)]
    pub drain_timeout: Duration,
}

/// Why the flags cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum ArgsError {
    /// The client authorities cannot be read.
    #[error("cannot read the client authorities in {}", path.display())]
    ClientAuthorities {
        /// As given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Args {
    /// What is asked of TLS; reads the file of client authorities.
    ///
    /// # Errors
    /// When that file cannot be read.
    pub fn tls(&self) -> Result<tls::Options, ArgsError> {
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|source| ArgsError::ClientAuthorities { path: path.clone(), source })
        };
        let authorities = self.client_ca.as_ref().map(read).transpose()?;
        let clients =
            authorities.map(|authorities| tls::Clients { authorities, names: self.client_names.clone() });
        Ok(tls::Options { tls12: self.tls12, clients })
    }

    /// How much is judged at once.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            body_timeout: self.body_timeout,
            ..Limits::within(self.memory(), self.max_body, self.max_concurrency as usize)
        }
    }

    /// Connections at once.
    pub(crate) fn connections(&self) -> u32 {
        let most = self.max_connections.max(self.max_concurrency);
        most.min(budget::connections(self.memory()))
    }

    /// Memory that this process may take, in bytes.
    fn memory(&self) -> u64 {
        self.memory_limit.or_else(size::of_cgroup).unwrap_or(budget::USUAL)
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let write = "write an IP address and a port, as in 127.0.0.1:8443 or [::]:8443";
    text.parse().map_err(|_| write.to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let read = hooks::duration::parse(text);
    read.ok_or_else(|| format!("`{text}` is no duration; write it like 10s, 1m30s or 250ms"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        args: Args,
    }

    fn parse(flags: &[&str]) -> Result<Args, clap::Error> {
        Program::try_parse_from([&["hookward"], flags].concat()).map(|program| program.args)
    }

    #[test]
    fn defaults_are_valid() {
        let args = parse(&[]).unwrap();
        assert_eq!(args.listen.to_string(), "127.0.0.1:8443");
        assert_eq!(args.connection_age, Duration::from_secs(600));
        assert_eq!(args.max_body, 8 * 1024 * 1024);
    }

    #[test]
    fn durations_are_written_as_in_go() {
        assert_eq!(parse(&["--drain-delay", "1m30s"]).unwrap().drain_delay, Duration::from_secs(90));
        assert!(parse(&["--drain-delay", "5"]).unwrap_err().to_string().contains("10s, 1m30s or 250ms"));
    }

    /// A pod gets 30 s: the news spreads, connections finish, what is left is dropped, and the process ends.
    #[test]
    fn the_drain_fits_the_time_that_kubernetes_gives() {
        let args = parse(&[]).unwrap();
        assert!(args.drain_delay >= Duration::from_secs(3), "endpoints take a moment to move");
        assert!(args.drain_delay + args.drain_timeout <= Duration::from_secs(26));
    }

    #[test]
    fn names_need_an_authority() {
        assert!(parse(&["--client-names", "kube-apiserver"]).is_err());
        let args = parse(&["--client-ca", "ca.crt", "--client-names", "a,b"]).unwrap();
        assert_eq!(args.client_names, ["a", "b"]);
    }

    #[test]
    fn a_missing_authority_file_is_named() {
        let args = parse(&["--client-ca", "no-such-folder/ca.crt"]).unwrap();
        assert_eq!(
            args.tls().unwrap_err().to_string(),
            "cannot read the client authorities in no-such-folder/ca.crt"
        );
    }

    #[test]
    fn nothing_at_once_is_refused() {
        assert!(parse(&["--max-concurrency", "0"]).is_err());
    }
}
