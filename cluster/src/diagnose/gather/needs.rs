//! Looks whether what a pod needs is there, and reads what must not be shown of it.

use std::collections::BTreeMap;

use hooks::{Interest, Node, Object, manifest, release::Record, yaml::Limits};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret, ServiceAccount};

use super::{
    super::evidence::{Need, Seen},
    Look,
    references::Reference,
};

/// The most things that are looked for.
const MOST: usize = 40;

/// What was found.
#[derive(Default)]
pub(super) struct Known {
    pub(super) needs: Vec<Need>,
    /// The values of all Secrets.
    pub(super) values: Vec<String>,
    /// The names of Secrets whose values nobody knows.
    pub(super) unknown: Vec<String>,
}

pub(super) async fn read(look: &mut Look<'_>, references: &[Reference], record: &Record) -> Known {
    let mut known = Known::default();
    let mut by_name: BTreeMap<(&'static str, &str), Vec<&Reference>> = BTreeMap::new();
    for reference in references {
        by_name.entry((reference.kind, reference.name.as_str())).or_default().push(reference);
    }
    for (index, ((kind, name), references)) in by_name.into_iter().enumerate() {
        if index >= MOST {
            // What is not read cannot be hidden either.
            known.unknown.extend((kind == "Secret").then(|| name.to_owned()));
            continue;
        }
        let keys = match kind {
            "Secret" => {
                let secret = look.one::<Secret>(name, "read Secrets").await;
                known.take(name, &secret, record);
                keys(&secret, |secret| secret.data.iter().flat_map(BTreeMap::keys).cloned().collect())
            }
            "ConfigMap" => {
                let map = look.one::<ConfigMap>(name, "read ConfigMaps").await;
                keys(&map, |map| {
                    map.data
                        .iter()
                        .flat_map(BTreeMap::keys)
                        .chain(map.binary_data.iter().flat_map(BTreeMap::keys))
                        .cloned()
                        .collect()
                })
            }
            "PersistentVolumeClaim" => {
                keys(&look.one::<PersistentVolumeClaim>(name, "read PersistentVolumeClaims").await, |_| {
                    Vec::new()
                })
            }
            _ => keys(&look.one::<ServiceAccount>(name, "read ServiceAccounts").await, |_| Vec::new()),
        };
        known.needs.push(need(kind, name, &references, &keys));
    }
    known
}

/// The keys of what is there.
fn keys<T>(seen: &Seen<T>, of: impl Fn(&T) -> Vec<String>) -> Seen<Vec<String>> {
    match seen {
        Seen::There(object) => Seen::There(Box::new(of(object))),
        Seen::Gone => Seen::Gone,
        Seen::Unknown => Seen::Unknown,
    }
}

fn need(kind: &'static str, name: &str, references: &[&Reference], keys: &Seen<Vec<String>>) -> Need {
    let wanted = references.iter().filter(|one| !one.is_optional).filter_map(|one| one.key.clone());
    let wanted: Vec<String> = wanted.collect();
    let is_optional = references.iter().all(|one| one.is_optional);
    let missing = keys.there().into_iter().flat_map(|keys| wanted.iter().filter(|key| !keys.contains(key)));
    Need {
        kind,
        name: name.to_owned(),
        missing_keys: missing.cloned().collect(),
        is_there: match keys {
            Seen::There(_) => Some(true),
            Seen::Gone => Some(is_optional),
            Seen::Unknown => None,
        },
        keys: wanted,
    }
}

impl Known {
    /// Takes the values of a Secret: as it is, else as the release has made it.
    fn take(&mut self, name: &str, secret: &Seen<Secret>, record: &Record) {
        if let Seen::There(secret) = secret {
            let data = secret.data.iter().flat_map(BTreeMap::values);
            self.values.extend(data.map(|value| String::from_utf8_lossy(&value.0).into_owned()));
            return;
        }
        let rendered = of_record(record, name);
        if rendered.is_empty() {
            self.unknown.push(name.to_owned());
        }
        self.values.extend(rendered);
    }
}

/// The values of a Secret that the release itself brings.
fn of_record(record: &Record, name: &str) -> Vec<String> {
    let texts = record.hooks.iter().map(|hook| hook.manifest.as_str()).chain([record.manifest.as_str()]);
    let mut values = Vec::new();
    for text in texts.filter(|text| text.contains("Secret")) {
        let read = manifest::read(text, Interest::Everything, &Limits::default());
        for (_, node) in read.iter().flatten().flat_map(|read| manifest::objects(&read.root)) {
            let object = Object::new(node);
            if object.is("", "Secret") && object.name() == Some(name) {
                let of = |member: &str| node.get(member).map_or(&[][..], Node::members);
                let text =
                    of("stringData").iter().filter_map(|member| member.node.as_str().map(str::to_owned));
                values.extend(text);
                values.extend(of("data").iter().filter_map(|member| decoded(member.node.as_str()?)));
            }
        }
    }
    values
}

fn decoded(text: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use hooks::release::{self, encode};
    use serde_json::json;

    use super::*;

    fn reference(key: Option<&str>, is_optional: bool) -> Reference {
        Reference { kind: "Secret", name: "db".into(), key: key.map(str::to_owned), is_optional }
    }

    #[test]
    fn missing_keys_are_those_that_are_asked_for() {
        let (url, any, maybe) =
            (reference(Some("url"), false), reference(None, false), reference(Some("x"), true));
        let need =
            need("Secret", "db", &[&url, &any, &maybe], &Seen::There(Box::new(vec!["user".to_owned()])));
        assert_eq!((need.missing_keys, need.is_there), (vec!["url".to_owned()], Some(true)));
    }

    #[test]
    fn what_is_optional_is_not_missing() {
        assert_eq!(need("Secret", "db", &[&reference(None, true)], &Seen::Gone).is_there, Some(true));
        assert_eq!(need("Secret", "db", &[&reference(None, false)], &Seen::Gone).is_there, Some(false));
        assert_eq!(need("Secret", "db", &[&reference(None, false)], &Seen::Unknown).is_there, None);
    }

    #[test]
    fn a_secret_that_is_gone_is_known_from_the_release() {
        let manifest = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {a: hunter2}\ndata: {b: c2VjcmV0}\n";
        let record = json!({"name": "shop", "info": {}, "manifest": manifest});
        let record =
            Record::decode(encode(record.to_string().as_bytes()).as_bytes(), &release::Limits::default())
                .unwrap();
        let mut known = Known::default();
        known.take("db", &Seen::Gone, &record);
        assert_eq!(known.values, ["hunter2", "secret"]);
        known.take("other", &Seen::Unknown, &record);
        assert_eq!(known.unknown, ["other"]);
    }
}
