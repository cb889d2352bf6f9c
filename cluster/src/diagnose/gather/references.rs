//! What a pod needs to start, as its spec says.

use k8s_openapi::api::core::v1::{Container, PodSpec, Volume};

/// One thing that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// `ConfigMap`, `Secret`, `ServiceAccount` or `PersistentVolumeClaim`.
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// One key of it; `None` for all that it has.
    pub(super) key: Option<String>,
    /// Whether the pod starts without it too.
    pub(super) is_optional: bool,
}

/// Everything, each once.
pub(super) fn of(spec: &PodSpec) -> Vec<Reference> {
    let mut found = Vec::new();
    for container in containers(spec) {
        of_container(container, &mut found);
    }
    for volume in spec.volumes.iter().flatten() {
        of_volume(volume, &mut found);
    }
    let account = spec.service_account_name.as_deref().or(spec.service_account.as_deref());
    push(&mut found, "ServiceAccount", account, None, None);
    found
}

/// Variables with a value in the spec itself.
pub(super) fn environment(spec: &PodSpec) -> impl Iterator<Item = (&str, &str)> {
    let variables = containers(spec).flat_map(|container| container.env.iter().flatten());
    variables.filter_map(|variable| Some((variable.name.as_str(), variable.value.as_deref()?)))
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

fn push(
    found: &mut Vec<Reference>,
    kind: &'static str,
    name: Option<&str>,
    key: Option<&str>,
    optional: Option<bool>,
) {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return };
    let one = Reference {
        kind,
        name: name.to_owned(),
        key: key.map(str::to_owned),
        is_optional: optional.unwrap_or_default(),
    };
    if !found.contains(&one) {
        found.push(one);
    }
}

fn of_container(container: &Container, found: &mut Vec<Reference>) {
    for source in container.env_from.iter().flatten() {
        if let Some(map) = &source.config_map_ref {
            push(found, "ConfigMap", Some(&map.name), None, map.optional);
        }
        if let Some(secret) = &source.secret_ref {
            push(found, "Secret", Some(&secret.name), None, secret.optional);
        }
    }
    for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
        if let Some(map) = &source.config_map_key_ref {
            push(found, "ConfigMap", Some(&map.name), Some(&map.key), map.optional);
        }
        if let Some(secret) = &source.secret_key_ref {
            push(found, "Secret", Some(&secret.name), Some(&secret.key), secret.optional);
        }
    }
}

fn of_volume(volume: &Volume, found: &mut Vec<Reference>) {
    if let Some(map) = &volume.config_map {
        push(found, "ConfigMap", Some(&map.name), None, map.optional);
    }
    if let Some(secret) = &volume.secret {
        push(found, "Secret", secret.secret_name.as_deref(), None, secret.optional);
    }
    if let Some(claim) = &volume.persistent_volume_claim {
        push(found, "PersistentVolumeClaim", Some(&claim.claim_name), None, None);
    }
    let projected = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
    for source in projected {
        if let Some(map) = &source.config_map {
            push(found, "ConfigMap", Some(&map.name), None, map.optional);
        }
        if let Some(secret) = &source.secret {
            push(found, "Secret", Some(&secret.name), None, secret.optional);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn environment_volumes_and_account_are_needed() {
        let spec: PodSpec = serde_json::from_value(json!({
            "serviceAccountName": "migrate",
            "initContainers": [{"name": "a", "envFrom": [{"secretRef": {"name": "s1"}}, {"configMapRef": {"name": "c1", "optional": true}}]}],
            "containers": [{"name": "b", "env": [
                {"name": "X", "valueFrom": {"secretKeyRef": {"name": "s2", "key": "k"}}},
                {"name": "Y", "valueFrom": {"configMapKeyRef": {"name": "c2", "key": "k"}}},
            ]}],
            "volumes": [
                {"name": "v", "secret": {"secretName": "s3"}},
                {"name": "w", "configMap": {"name": "c3"}},
                {"name": "x", "persistentVolumeClaim": {"claimName": "p"}},
                {"name": "y", "projected": {"sources": [{"secret": {"name": "s4"}}, {"configMap": {"name": "c4"}}, {"serviceAccountToken": {"path": "t"}}]}},
                {"name": "z", "emptyDir": {}},
            ],
        }))
        .unwrap();
        let found = of(&spec);
        let names: Vec<_> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["s1", "c1", "s2", "c2", "s3", "c3", "p", "s4", "c4", "migrate"]);
        assert!(found[1].is_optional && found[2].key.as_deref() == Some("k"));
    }

    #[test]
    fn values_that_stand_in_the_spec_are_known_by_their_names() {
        let spec: PodSpec = serde_json::from_value(json!({
            "initContainers": [{"name": "a", "env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}],
            "containers": [{"name": "b", "env": [
                {"name": "MODE", "value": "production"},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ]}],
        }))
        .unwrap();
        let known: Vec<_> = environment(&spec).collect();
        assert_eq!(known, [("DB_PASSWORD", "hunter2"), ("MODE", "production")]);
    }
}
