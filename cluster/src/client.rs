//! The way to the API server: whom to talk to, how long to wait, and how watches come back.

use std::{
    future,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{Stream, StreamExt as _};
use http::{Request, header::DATE};
use kube::{
    Api, Client, Config, Resource,
    api::{Patch, PatchParams},
    client::Body,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
    runtime::{
        WatchStreamExt as _,
        utils::Backoff,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::time::{Instant, timeout};
use tower::{BoxError, service_fn};

mod unusable;

pub use unusable::Unusable;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a body that is being sent may stand still.
const WRITE: Duration = Duration::from_secs(10);
/// How long one request that is no watch may take; writers give up then and look again.
pub(crate) const REQUEST: Duration = Duration::from_secs(5);

/// Who writes, as `metadata.managedFields` says.
pub(crate) const FIELD_MANAGER: &str = "hookward";

/// Seconds after which the API server ends a watch, which then goes on where it was.
const WATCH: u32 = 45;
/// A connection on which nothing was heard for that long is dead: without an end, a watch whose server has vanished without a word would
/// wait for ever. More than [`WATCH`].
const SILENCE: Duration = Duration::from_secs(60);

const _: () = assert!(SILENCE.as_secs() > WATCH as u64, "a watch in good health is never silent for so long");

/// The first and the longest pause before a broken watch is tried again.
const PAUSE: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];
/// Without a failure for that long, the next one is a first one again.
const CALM: Duration = Duration::from_secs(10);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a kubeconfig nor a service account.
    #[error("cannot find a cluster: neither a kubeconfig nor a service account leads to one")]
    Nowhere(#[source] Unusable),
    /// A kubeconfig that cannot be used.
    #[error("cannot use the kubeconfig")]
    Kubeconfig(#[source] Unusable),
    /// The certificates or tokens in it.
    #[error("cannot make a client for the cluster")]
    Client(#[source] Unusable),
}

/// A client for the cluster that `KUBECONFIG` names, or else the one this pod runs in.
///
/// # Errors
/// When nothing leads to a cluster; whether it answers is not asked.
pub async fn connect() -> Result<Client, Error> {
    connect_to(None, None).await
}

/// A client for the current context of a kubeconfig file.
///
/// # Errors
/// When the file cannot be used; whether the cluster answers is not asked.
pub async fn connect_by(kubeconfig: &Path) -> Result<Client, Error> {
    connect_to(Some(kubeconfig), None).await
}

/// A client for somebody at a terminal: for this kubeconfig and this context of it, where they are given.
///
/// # Errors
/// As [`connect`] and [`connect_by`].
pub async fn connect_to(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Client, Error> {
    with(way_to(kubeconfig, context).await?)
}

/// The way that a client of [`connect_to`] goes, for whoever makes a client of their own. Its errors quote nothing of a kubeconfig but names.
///
/// # Errors
/// As [`connect_to`].
pub async fn way_to(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Config, Error> {
    if kubeconfig.is_none() && context.is_none() {
        return Config::infer().await.map_err(|error| Error::Nowhere(error.into()));
    }
    let refused = |error: KubeconfigError| Error::Kubeconfig(Unusable::of(&error, kubeconfig));
    let read = kubeconfig.map_or_else(Kubeconfig::read, Kubeconfig::read_from).map_err(refused)?;
    let known: Vec<_> = read.contexts.iter().map(|known| known.name.clone()).collect();
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let way = Config::from_custom_kubeconfig(read, &options).await;
    way.map_err(|error| Error::Kubeconfig(Unusable::knowing(&error, &known)))
}

/// The name of the context that [`way_to`] takes, where a kubeconfig says one.
#[must_use]
pub fn context_of(kubeconfig: Option<&Path>, context: Option<&str>) -> Option<String> {
    let current = || kubeconfig.map_or_else(Kubeconfig::read, Kubeconfig::read_from).ok()?.current_context;
    context.map(str::to_owned).or_else(current)
}

fn with(config: Config) -> Result<Client, Error> {
    with_silence(config, SILENCE)
}

fn with_silence(mut config: Config, silence: Duration) -> Result<Client, Error> {
    config.connect_timeout = Some(CONNECT);
    config.write_timeout = Some(WRITE);
    config.read_timeout = Some(silence);
    // Else the time in which nobody asked anything would count as silence.
    config.reset_reader_on_write = true;
    Client::try_from(config).map_err(|error| Error::Client(error.into()))
}

/// A watch that comes back for ever, soon at first and then less often: after an error, a dropped connection, a restart of the API
/// server, and a resource that is not there yet. Where the API server has forgotten where we were (410), everything is listed again.
pub fn watch<K>(api: Api<K>, config: watcher::Config) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    watcher(api, config.timeout(WATCH)).backoff(Pauses::default())
}

/// The same for one object; `None` when it is not there.
pub fn watch_one<K>(api: Api<K>, name: &str) -> impl Stream<Item = watcher::Result<Option<K>>> + Send + use<K>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let events = watch(api, watcher::Config::default().fields(&format!("metadata.name={name}")));
    let seen = events.scan(false, |was_listed, event| {
        let told = match event {
            Ok(Event::Init) => {
                *was_listed = false;
                None
            }
            Ok(Event::InitApply(object)) => {
                *was_listed = true;
                Some(Ok(Some(object)))
            }
            Ok(Event::InitDone) => (!*was_listed).then_some(Ok(None)),
            Ok(Event::Apply(object)) => Some(Ok(Some(object))),
            Ok(Event::Delete(_)) => Some(Ok(None)),
            Err(error) => Some(Err(error)),
        };
        future::ready(Some(told))
    });
    seen.filter_map(future::ready)
}

/// Pauses that double from one failure to the next. Each try begins with a success of its own, so only calm makes them short again.
#[derive(Debug, Default)]
struct Pauses {
    count: u32,
    last: Option<Instant>,
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.last.is_some_and(|last| last.elapsed() > CALM) {
            self.count = 0;
        }
        let [first, longest] = PAUSE;
        let pause = first.saturating_mul(1 << self.count.min(16));
        self.count = self.count.saturating_add(1);
        self.last = Some(Instant::now());
        Some(pause.min(longest))
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {}
}

/// Sends operations of a JSON patch, and returns the object as it is now. With a version among them, a patch is refused as any other
/// write of an old version is.
pub(crate) async fn patch<K>(api: &Api<K>, name: &str, operations: Value) -> Result<K, kube::Error>
where
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    let patch = serde_json::from_value(operations).expect("the operations are those of JSON patch");
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
    api.patch(name, &params, &Patch::<()>::Json(patch)).await
}

/// Whether the API server said this status.
pub(crate) fn is_status(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

/// The same client for requests that are short: who has had no answer after 5 seconds gets an error. Not for watches of a server that is
/// slow to begin. Must be called within a runtime.
#[must_use]
pub fn hasty(client: &Client) -> Client {
    let (inner, namespace) = (client.clone(), client.default_namespace().to_owned());
    let send = move |request: Request<Body>| {
        let client = inner.clone();
        async move { Ok::<_, BoxError>(timeout(REQUEST, client.send(request)).await??) }
    };
    Client::new(service_fn(send), namespace)
}

/// The same client, which keeps what the answer that came last says of the time, or that it says nothing. Must be called within a
/// runtime.
///
/// Source: Go `net/http`, whose servers put a `Date` into each answer.
#[must_use]
pub(crate) fn dated(client: &Client, date: &Arc<Mutex<Option<OffsetDateTime>>>) -> Client {
    let (inner, namespace) = (client.clone(), client.default_namespace().to_owned());
    let date = Arc::clone(date);
    let send = move |request: Request<Body>| {
        let (client, date) = (inner.clone(), Arc::clone(&date));
        async move {
            let answer = client.send(request).await?;
            let said = answer.headers().get(DATE).and_then(|said| said.to_str().ok());
            let said = said.and_then(|said| OffsetDateTime::parse(said, &Rfc2822).ok());
            *date.lock().unwrap_or_else(PoisonError::into_inner) = said;
            Ok::<_, BoxError>(answer)
        }
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
mod tests;
