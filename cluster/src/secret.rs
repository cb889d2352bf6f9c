//! One Secret as a small shared file: read, replaced only if nobody else was faster, watched.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use serde_json::json;
use time::OffsetDateTime;

use crate::{client, said::Said};

/// The bytes of a Secret by key, and the version they were read at.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Stored {
    /// `metadata.resourceVersion`, for [`SecretFile::replace`].
    pub version: String,
    /// Every key with its bytes.
    pub data: BTreeMap<String, Vec<u8>>,
}

/// Why a Secret could not be read or replaced. Says nothing of what it holds.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such Secret.
    #[error("there is no Secret {namespace}/{name}")]
    Missing {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Somebody else was faster: read again.
    #[error("the Secret {namespace}/{name} has changed since it was read")]
    Conflict {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The API server refused, or did not answer in time.
    #[error("cannot reach the Secret {namespace}/{name}")]
    Request {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What it said.
        source: Box<kube::Error>,
    },
}

/// A Secret by its name.
#[derive(Clone)]
pub struct SecretFile {
    api: Api<Secret>,
    watched: Api<Secret>,
    namespace: String,
    name: String,
    /// What the API server said last of its clock.
    date: Arc<Mutex<Option<OffsetDateTime>>>,
}

impl SecretFile {
    /// The Secret of this name; it must exist before it can be replaced, since nobody may make Secrets. Must be called within a runtime.
    #[must_use]
    pub fn new(client: &Client, namespace: &str, name: &str) -> Self {
        let date = Arc::default();
        Self {
            api: Api::namespaced(client::dated(&client::hasty(client), &date), namespace),
            watched: Api::namespaced(client.clone(), namespace),
            namespace: namespace.into(),
            name: name.into(),
            date,
        }
    }

    /// What it holds now.
    ///
    /// # Errors
    /// [`Error::Missing`], or when the API server does not answer with it.
    pub async fn read(&self) -> Result<Stored, Error> {
        self.api.get(&self.name).await.map(stored).map_err(|error| self.error(error))
    }

    /// When it was read or replaced last, by the clock of the API server and in whole seconds; `None` where that did not say.
    #[must_use]
    pub fn date(&self) -> Option<OffsetDateTime> {
        *self.date.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts `data` in the place of all that was read at `version`; labels and annotations stay.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the Secret has changed since, [`Error::Missing`], or when the API server does not answer.
    pub async fn replace(&self, version: &str, data: &BTreeMap<String, Vec<u8>>) -> Result<Stored, Error> {
        let data: BTreeMap<_, _> =
            data.iter().map(|(key, bytes)| (key, BASE64_STANDARD.encode(bytes))).collect();
        let operations = json!([
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/data", "value": data},
        ]);
        let written = client::patch(&self.api, &self.name, operations).await;
        written.map(stored).map_err(|error| self.error(error))
    }

    /// What it holds, now and after each change; `None` when it is not there. Never ends: a watch that breaks comes back.
    pub fn watch(&self) -> impl Stream<Item = Option<Stored>> + Send + use<> {
        let (place, mut said) = (format!("{}/{}", self.namespace, self.name), Said::default());
        client::watch_one(self.watched.clone(), &self.name).filter_map(move |seen| {
            match &seen {
                Ok(_) => said.passed("watch"),
                Err(error) => {
                    let error = client::one_line(error);
                    if said.is_news("watch", &error) {
                        tracing::warn!(secret = place, error, "the watch of a Secret is interrupted");
                    }
                }
            }
            std::future::ready(seen.ok().map(|secret| secret.map(stored)))
        })
    }

    fn error(&self, error: kube::Error) -> Error {
        let (namespace, name) = (self.namespace.clone(), self.name.clone());
        match &error {
            kube::Error::Api(status) if status.code == 404 => Error::Missing { namespace, name },
            kube::Error::Api(status) if status.code == 409 => Error::Conflict { namespace, name },
            _ => Error::Request { namespace, name, source: Box::new(error) },
        }
    }
}

fn stored(secret: Secret) -> Stored {
    let data = secret.data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, bytes.0)).collect();
    Stored { version: secret.metadata.resource_version.unwrap_or_default(), data }
}

// By hand, so that no key reaches a log.
impl fmt::Debug for Stored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.data.keys().collect();
        formatter.debug_struct("Stored").field("version", &self.version).field("keys", &keys).finish()
    }
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name, .. } = self;
        formatter
            .debug_struct("SecretFile")
            .field("namespace", namespace)
            .field("name", name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::testing;

    fn secret() -> Value {
        json!({"metadata": {"name": "tls", "resourceVersion": "7"}, "data": {"tls.key": BASE64_STANDARD.encode("private")}})
    }

    #[tokio::test]
    async fn bytes_are_read_with_their_version_and_never_shown() {
        let (client, _) = testing::client(|_| (200, secret()));
        let stored = SecretFile::new(&client, "hw", "tls").read().await.unwrap();
        assert_eq!(
            (stored.version.as_str(), stored.data["tls.key"].as_slice()),
            ("7", b"private".as_slice())
        );
        let shown = format!("{stored:?}");
        assert!(shown.contains("tls.key") && !shown.contains("private") && !shown.contains("112"), "{shown}");
    }

    #[tokio::test]
    async fn the_clock_of_the_api_server_is_known_where_it_says() {
        let (client, _) = testing::client(|_| (200, secret()));
        let silent = SecretFile::new(&client, "hw", "tls");
        silent.read().await.unwrap();
        assert_eq!(silent.date(), None);
        let dated = testing::with_date(&client, "Sat, 21 Nov 2026 15:31:26 GMT");
        let dated = SecretFile::new(&dated, "hw", "tls");
        dated.read().await.unwrap();
        assert_eq!(dated.date().unwrap().unix_timestamp(), 1_795_275_086);
    }

    #[tokio::test]
    async fn a_write_names_the_version_it_replaces() {
        let (client, log) = testing::client(|_| (200, secret()));
        let data = BTreeMap::from([("a".to_owned(), b"b".to_vec())]);
        SecretFile::new(&client, "hw", "tls").replace("6", &data).await.unwrap();
        let asked = log.lock().unwrap()[0].clone();
        assert_eq!(
            (asked.method.as_str(), asked.path.as_str()),
            ("PATCH", "/api/v1/namespaces/hw/secrets/tls")
        );
        assert_eq!(asked.body[0]["value"], "6");
        assert_eq!(asked.body[1]["value"], json!({"a": BASE64_STANDARD.encode("b")}));
    }

    #[tokio::test]
    async fn who_was_too_late_learns_it_and_so_does_who_finds_nothing() {
        let (client, _) = testing::client(|asked| match asked.method.as_str() {
            "PATCH" => testing::refusal(409, "Conflict"),
            _ => testing::refusal(404, "NotFound"),
        });
        let file = SecretFile::new(&client, "hw", "tls");
        assert!(matches!(file.replace("6", &BTreeMap::new()).await, Err(Error::Conflict { .. })));
        assert!(matches!(file.read().await, Err(Error::Missing { .. })));
        let (client, _) = testing::client(|_| testing::refusal(403, "Forbidden"));
        let error = SecretFile::new(&client, "hw", "tls").read().await.unwrap_err();
        assert_eq!(error.to_string(), "cannot reach the Secret hw/tls");
    }
}
