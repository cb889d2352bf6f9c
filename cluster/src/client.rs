//! The way to the API server: whom to talk to, how long to wait, and how watches come back.

use std::{path::Path, time::Duration};

use futures::Stream;
use http::Request;
use kube::{
    Api, Client, Config, Resource,
    client::Body,
    config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError},
    runtime::{WatchStreamExt as _, utils::Backoff, watcher},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tower::{BoxError, service_fn};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a body that is being sent may stand still.
const WRITE: Duration = Duration::from_secs(10);
/// How long one request that is no watch may take; writers give up then and look again.
pub(crate) const REQUEST: Duration = Duration::from_secs(5);

/// The first and the longest pause before a broken watch is tried again.
const PAUSE: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a kubeconfig nor a service account.
    #[error("cannot find a cluster: neither KUBECONFIG nor a service account leads to one")]
    Nowhere(#[source] Box<InferConfigError>),
    /// A kubeconfig that cannot be used.
    #[error("cannot use the kubeconfig")]
    Kubeconfig(#[source] Box<KubeconfigError>),
    /// The certificates or tokens in it.
    #[error("cannot make a client for the cluster")]
    Client(#[source] Box<kube::Error>),
}

/// A client for the cluster that `KUBECONFIG` names, or else the one this pod runs in.
///
/// # Errors
/// When nothing leads to a cluster; whether it answers is not asked.
pub async fn connect() -> Result<Client, Error> {
    with(Config::infer().await.map_err(|error| Error::Nowhere(Box::new(error)))?)
}

/// A client for the current context of a kubeconfig file.
///
/// # Errors
/// When the file cannot be used; whether the cluster answers is not asked.
pub async fn connect_by(kubeconfig: &Path) -> Result<Client, Error> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).map_err(|error| Error::Kubeconfig(Box::new(error)))?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    with(config.map_err(|error| Error::Kubeconfig(Box::new(error)))?)
}

fn with(mut config: Config) -> Result<Client, Error> {
    config.connect_timeout = Some(CONNECT);
    config.write_timeout = Some(WRITE);
    Client::try_from(config).map_err(|error| Error::Client(Box::new(error)))
}

/// A watch that comes back for ever, soon at first and then less often: after an error, a dropped connection, a restart of the API
/// server, and a resource that is not there yet.
pub fn watch<K>(
    api: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    watcher(api, config).backoff(Pauses::default())
}

/// The same for one object; `None` when it is not there.
pub fn watch_one<K>(api: Api<K>, name: &str) -> impl Stream<Item = watcher::Result<Option<K>>> + Send + use<K>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    watcher::watch_object(api, name).backoff(Pauses::default())
}

/// Pauses that double from the first to the longest, until something goes well.
#[derive(Debug, Default)]
struct Pauses {
    count: u32,
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let [first, longest] = PAUSE;
        let pause = first.saturating_mul(1 << self.count.min(16));
        self.count = self.count.saturating_add(1);
        Some(pause.min(longest))
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.count = 0;
    }
}

/// Whether the API server said this status.
pub(crate) fn is_status(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

/// The same client for requests that are short: who has had no answer after [`REQUEST`] gets an error. Not for watches of a server that is
/// slow to begin.
#[must_use]
pub fn hasty(client: &Client) -> Client {
    let (inner, namespace) = (client.clone(), client.default_namespace().to_owned());
    let send = move |request: Request<Body>| {
        let client = inner.clone();
        async move { Ok::<_, BoxError>(timeout(REQUEST, client.send(request)).await??) }
    };
    Client::new(service_fn(send), namespace)
}

/// An error and its causes in one line, for the log.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some libraries repeat their cause in their own text.
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_begin_anew_after_a_success() {
        let mut pauses = Pauses::default();
        let taken: Vec<_> = pauses.by_ref().take(8).map(|pause| pause.as_millis()).collect();
        assert_eq!(taken, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        pauses.reset();
        assert_eq!(pauses.next(), Some(PAUSE[0]));
    }

    #[tokio::test]
    async fn a_file_that_is_no_kubeconfig_is_an_error_that_says_so() {
        let error = connect_by(Path::new("/dev/null/none")).await.err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("cannot use the kubeconfig"));
    }
}
