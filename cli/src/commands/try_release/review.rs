//! Reviews as an API server sends them, and what it does with the answers.

use std::time::Duration;

use anyhow::Context as _;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hooks::scope::{self, Scope};
use json_patch::Patch;
use serde_json::{Value, json};

use super::{
    defaults, record,
    subject::{Question, Subject},
};
use crate::{
    client::Client,
    report::ObjectName,
    trial::{Answer, Hook, Release},
};

/// What the API server appends to a `generateName`.
const SUFFIX: &str = "x7k2p";

/// Asks the gate about the release, then about each hook by itself, whatever the gate has said.
pub(super) async fn release(client: &mut Client, subject: &Subject) -> anyhow::Result<Release> {
    let secret = record::secret(&subject.parts);
    let name = ObjectName {
        api_version: "v1".to_owned(),
        kind: "Secret".to_owned(),
        namespace: Some(subject.parts.namespace.clone()),
        name: secret["metadata"]["name"].as_str().map(str::to_owned),
    };
    let (gate, took) = client.ask("/release", &review(&name, &secret)).await?;
    let mut release = Release {
        name: subject.parts.name.clone(),
        namespace: subject.parts.namespace.clone(),
        objects: subject.objects,
        hook_objects: subject.hook_objects,
        gate: answer(&gate, took),
        hooks: Vec::new(),
        unasked: subject.unasked.clone(),
    };
    for question in &subject.questions {
        release.hooks.push(hook(client, question).await?);
    }
    Ok(release)
}

/// Defaults, `/mutate`, the patch, `/validate`: the way of an object through admission.
async fn hook(client: &mut Client, question: &Question) -> anyhow::Result<Hook> {
    let mut object = question.object.clone();
    defaults::apply(&mut object);
    if let (Some(namespace), Some(metadata)) = (&question.name.namespace, object["metadata"].as_object_mut())
    {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    let before = object.clone();
    let (mutated, first) = client.ask("/mutate", &review(&question.name, &object)).await?;
    let patch = patch(&mutated)?;
    json_patch::patch(&mut object, &patch).context("the patch does not fit the object")?;
    let mut name = question.name.clone();
    if let Some(prefix) =
        object["metadata"]["generateName"].as_str().filter(|_| object["metadata"]["name"].is_null())
    {
        name.name = Some(format!("{prefix}{SUFFIX}"));
        object["metadata"]["name"] = json!(name.name);
    }
    let (validated, second) = client.ask("/validate", &review(&name, &object)).await?;
    Ok(Hook { object: question.name.clone(), patch, before, answer: answer(&validated, first + second) })
}

/// Whether objects of this kind live outside of namespaces; of kinds that nobody here knows, most do not.
pub(super) fn is_cluster_scoped(name: &ObjectName) -> bool {
    scope::built_in(&name.api_version, &name.kind) == Some(Scope::Cluster)
}

fn review(name: &ObjectName, object: &Value) -> Value {
    let (group, version) = name.api_version.rsplit_once('/').unwrap_or(("", &name.api_version));
    let kind = json!({"group": group, "version": version, "kind": name.kind});
    let resource = json!({"group": group, "version": version, "resource": plural(&name.kind)});
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "5b8f2f3e-7d1c-4f0a-9c52-0d6a3c1e9b47",
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "name": name.name.as_deref().unwrap_or(""),
            "namespace": name.namespace.as_deref().unwrap_or(""),
            "operation": "CREATE",
            "userInfo": {"username": "helm", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions", "fieldManager": "helm"},
        },
    })
}

/// The resource of a kind, as Kubernetes names nearly all of its own.
fn plural(kind: &str) -> String {
    let word = kind.to_lowercase();
    match word.strip_suffix('y') {
        _ if word == "endpoints" => word,
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if word.ends_with('s') || word.ends_with("ch") || word.ends_with('x') => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

fn answer(response: &Value, took: Duration) -> Answer {
    let allowed = response["allowed"].as_bool().unwrap_or(false);
    let code = response["status"]["code"].as_u64().and_then(|code| u16::try_from(code).ok());
    let warnings = response["warnings"].as_array().into_iter().flatten();
    Answer {
        allowed,
        code: code.unwrap_or(if allowed { 200 } else { 403 }),
        message: response["status"]["message"].as_str().unwrap_or_default().to_owned(),
        warnings: warnings.filter_map(Value::as_str).map(str::to_owned).collect(),
        microseconds: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
    }
}

fn patch(response: &Value) -> anyhow::Result<Patch> {
    let Some(encoded) = response["patch"].as_str() else { return Ok(Patch::default()) };
    let bytes = BASE64_STANDARD.decode(encoded).context("the patch is not base64")?;
    serde_json::from_slice(&bytes).context("the patch is not one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_named_as_kubernetes_does() {
        for (kind, resource) in [
            ("Job", "jobs"),
            ("NetworkPolicy", "networkpolicies"),
            ("Ingress", "ingresses"),
            ("Gateway", "gateways"),
        ] {
            assert_eq!(plural(kind), resource);
        }
    }
}
