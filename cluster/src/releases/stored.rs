//! A release Secret on its way in: where it is, how it stands, and the record, still encoded.

use std::{borrow::Cow, fmt};

use hooks::release::{Error, Limits, Record, Status};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;

use super::index::Place;

/// As the API server sends it.
#[derive(Clone, Deserialize)]
pub(super) struct StoredRelease {
    metadata: ObjectMeta,
    data: Option<Data>,
}

#[derive(Clone, Deserialize)]
struct Data {
    release: Option<Box<str>>,
}

impl StoredRelease {
    /// Its namespace and name.
    pub(super) fn place(&self) -> Place {
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().to_owned();
        Place { namespace: text(&self.metadata.namespace), name: text(&self.metadata.name) }
    }

    /// Whether Helm's label says that something has begun and not ended.
    ///
    /// Source: Helm 4.2.4 `pkg/storage/driver/secrets.go`, `newSecretsObject`.
    pub(super) fn is_under_way(&self) -> bool {
        let label = self.metadata.labels.as_ref().and_then(|labels| labels.get("status"));
        label
            .map(|word| Status::parse(word))
            .is_some_and(|status| status.is_pending() || status == Status::Uninstalling)
    }

    /// Reads the record.
    pub(super) fn decode(&self, limits: &Limits) -> Result<Record, Error> {
        let text = self.data.as_ref().and_then(|data| data.release.as_deref());
        Record::decode(text.unwrap_or_default().as_bytes(), limits)
    }
}

// By hand, so that no record reaches a log.
impl fmt::Debug for StoredRelease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StoredRelease").field("name", &self.metadata.name).finish_non_exhaustive()
    }
}

impl Resource for StoredRelease {
    type DynamicType = ();
    type Scope = k8s_openapi::NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Secret".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "secrets".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(status: &str) -> StoredRelease {
        let metadata =
            json!({"namespace": "demo", "name": "sh.helm.release.v1.shop.v1", "labels": {"status": status}});
        serde_json::from_value(json!({"metadata": metadata, "data": {"release": "c2VjcmV0"}, "type": "x"}))
            .unwrap()
    }

    #[test]
    fn the_label_says_whether_something_is_under_way() {
        for status in ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"] {
            assert!(secret(status).is_under_way(), "{status}");
        }
        for status in ["deployed", "failed", "superseded", ""] {
            assert!(!secret(status).is_under_way(), "{status}");
        }
    }

    #[test]
    fn a_secret_without_a_record_is_an_error_and_not_the_end() {
        let empty: StoredRelease = serde_json::from_value(json!({"metadata": {"name": "a"}})).unwrap();
        assert_eq!(empty.decode(&Limits::default()), Err(Error::Empty));
        assert!(!empty.is_under_way());
    }

    #[test]
    fn what_it_holds_is_not_shown() {
        assert!(!format!("{:?}", secret("deployed")).contains("c2VjcmV0"));
    }
}
