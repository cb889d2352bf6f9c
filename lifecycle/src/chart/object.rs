//! From what is written in a manifest to what matters of the object.

use hooks::{Node, Value, annotations, scope};

use super::{
    Definition, Need, Object, Restart, Run, Workload, digest, failure_policy, fields, frozen, needs, typed,
};
use crate::{
    Outcome,
    answer::ObjectId,
    outcome::{self, NoOutcome},
};

/// `spec.backoffLimit` where nothing is written.
///
/// Source: Kubernetes 1.36 `pkg/apis/batch/v1/defaults.go`, `SetDefaults_Job`.
const BACKOFF_LIMIT: u32 = 6;

/// The label by which Helm knows what is its own.
///
/// Source: Helm 4.2.4 `pkg/action/validate.go`, `appManagedByLabel`.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// `terminationGracePeriodSeconds` where nothing is written.
///
/// Source: Kubernetes 1.36 `staging/src/k8s.io/api/core/v1/types.go`, `DefaultTerminationGracePeriodSeconds`.
const GRACE: u64 = 30;

/// Source: Kubernetes 1.36 `pkg/apis/batch/validation/validation.go`, `validateJobSpec`.
const NO_RESTART_POLICY: &str =
    r#"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#;

/// Where an object without a namespace of its own belongs.
pub(super) struct Home<'a> {
    /// The namespace of the release.
    pub(super) namespace: &'a str,
    /// The kinds that the chart brings.
    pub(super) definitions: &'a [Definition],
}

impl Home<'_> {
    /// What matters of the object.
    pub(super) fn object(&self, written: hooks::Object<'_>) -> Result<Object, NoOutcome> {
        let run = run(written)?;
        let needs = written.pods().map(|pods| needs::of(&pods)).unwrap_or_default();
        Ok(Object {
            id: self.id(written),
            names_namespace: written.namespace().is_some(),
            is_labelled: written
                .metadata()
                .and_then(|metadata| metadata.get("labels")?.str_at(MANAGED_BY))
                .is_some_and(|manager| manager == "Helm"),
            generates_name: written.name().is_none() && written.generate_name().is_some(),
            names_twice: written.name().is_some() && written.generate_name().is_some(),
            frozen: frozen::of(written),
            digest: digest::digest(Some(written.root())),
            misfits: fields::misfits(written),
            invalid: run.as_ref().and_then(|run| invalid(written, run)),
            needs: run.as_ref().map_or_else(Vec::new, |_| needs),
            keys: needs::keys(written),
            run,
            finalizers: written
                .metadata()
                .and_then(|metadata| metadata.get("finalizers"))
                .is_some_and(|finalizers| !finalizers.items().is_empty()),
            resource_policy: written.annotation(annotations::RESOURCE_POLICY).map(str::to_owned),
            document_policy: None,
            defines: definition(written),
        })
    }

    fn id(&self, written: hooks::Object<'_>) -> ObjectId {
        let generated = || written.generate_name().map(|prefix| format!("{prefix}*"));
        ObjectId {
            api_version: written.api_version().to_owned(),
            kind: written.kind().to_owned(),
            namespace: self
                .has_namespace(written)
                .then(|| written.namespace().unwrap_or(self.namespace).to_owned()),
            name: written.name().map(str::to_owned).or_else(generated).unwrap_or_default(),
        }
    }

    fn has_namespace(&self, written: hooks::Object<'_>) -> bool {
        match scope::built_in(written.api_version(), written.kind()) {
            Some(scope) => scope == scope::Scope::Namespaced,
            None => !self.definitions.iter().any(|definition| {
                definition.cluster_scoped && written.is(&definition.group, &definition.kind)
            }),
        }
    }
}

/// How its pods run; those of a `CronJob` are not its own.
fn run(written: hooks::Object<'_>) -> Result<Option<Run>, NoOutcome> {
    let workload = match (written.group(), written.kind()) {
        ("batch", "Job") => Workload::Job,
        ("", "Pod") => Workload::Pod,
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("", "ReplicationController") => Workload::Lasting,
        _ => return Ok(None),
    };
    let pods = written.pods();
    let spec = written.spec();
    let count = |name| number(spec, name).and_then(|number| u32::try_from(typed::cut(number)).ok());
    let seconds = |node, name| number(node, name).and_then(|number| u64::try_from(number).ok());
    let pod_spec = pods.map(|pods| pods.spec);
    let annotation = pods.and_then(|pods| pods.metadata?.get("annotations")?.member(outcome::ANNOTATION));
    let parallelism = count("parallelism").unwrap_or(1);
    let stop = match written.kind() {
        "Job" => Some("suspend"),
        "Deployment" => Some("paused"),
        _ => None,
    };
    Ok(Some(Run {
        workload,
        outcome: annotation.map(|written| Outcome::read(&written.node)).transpose()?,
        backoff_limit: count("backoffLimit").unwrap_or(BACKOFF_LIMIT),
        completions: count("completions").unwrap_or(parallelism.max(1)),
        parallelism,
        deadline: seconds(spec, "activeDeadlineSeconds").filter(|_| workload == Workload::Job),
        pod_deadline: seconds(pod_spec, "activeDeadlineSeconds"),
        ttl: count("ttlSecondsAfterFinished").map(u64::from),
        suspended: stop.and_then(|stop| spec?.get(stop)?.as_bool()).unwrap_or(false),
        restart: match pods.and_then(|pods| pods.spec.str_at("restartPolicy")) {
            Some("Never") => Restart::Never,
            Some("OnFailure") => Restart::OnFailure,
            _ => Restart::Always,
        },
        grace: match number(pod_spec, "terminationGracePeriodSeconds") {
            // Source: Kubernetes 1.36 `pkg/registry/core/pod/strategy.go`, `CheckGracefulDelete`.
            Some(seconds) => u64::try_from(seconds).unwrap_or(1),
            None => GRACE,
        },
        fails_at_once: failure_policy::fails_at_once(written),
    }))
}

fn number(node: Option<&Node<'_>>, name: &str) -> Option<i64> {
    node.and_then(|node| node.get(name)).and_then(typed::whole)
}

/// What no Job and no Pod can have, in the order in which the API server finds it.
///
/// Source: Kubernetes 1.36 `pkg/apis/batch/validation/validation.go`, `validateJobSpec`; `pkg/apis/core/validation/validation.go`,
/// `ValidatePodSpec`.
fn invalid(written: hooks::Object<'_>, run: &Run) -> Option<String> {
    let mut errors = Vec::new();
    let pods = match run.workload {
        Workload::Job => "spec.template.spec",
        Workload::Pod => "spec",
        Workload::Lasting => return None,
    };
    if run.workload == Workload::Job {
        let spec = |name| number(written.spec(), name);
        for name in COUNTS {
            let value = match name {
                "activeDeadlineSeconds" => spec(name),
                _ => spec(name).map(|number| i64::from(typed::cut(number))),
            };
            if let Some(value) = value.filter(|value| *value < 0) {
                errors
                    .push(format!("spec.{name}: Invalid value: {value}: must be greater than or equal to 0"));
            }
        }
    }
    let deadline = number(written.pods().map(|pods| pods.spec), "activeDeadlineSeconds");
    if let Some(value) = deadline.filter(|value| !(1..=i64::from(i32::MAX)).contains(value)) {
        errors.push(format!(
            "{pods}.activeDeadlineSeconds: Invalid value: {value}: must be between 1 and 2147483647, inclusive"
        ));
    }
    if run.workload == Workload::Job && run.restart == Restart::Always {
        errors.push(NO_RESTART_POLICY.to_owned());
    }
    match &errors[..] {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("[{}]", many.join(", "))),
    }
}

/// What a Job counts, in the order in which the API server looks at it.
const COUNTS: [&str; 5] =
    ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"];

/// The kind that a `CustomResourceDefinition` brings.
pub(super) fn definition(written: hooks::Object<'_>) -> Option<Definition> {
    if !written.is("apiextensions.k8s.io", "CustomResourceDefinition") {
        return None;
    }
    let spec = written.spec()?;
    let serves = |version: &&Node<'_>| version.get("served").and_then(Node::as_bool) == Some(true);
    Some(Definition {
        group: spec.str_at("group")?.to_owned(),
        kind: spec.get("names")?.str_at("kind")?.to_owned(),
        versions: spec
            .get("versions")
            .map_or(&[][..], Node::items)
            .iter()
            .filter(serves)
            .filter_map(|version| version.str_at("name").map(str::to_owned))
            .collect(),
        cluster_scoped: spec.str_at("scope") == Some("Cluster"),
    })
}

/// What Helm says when it looks itself for a kind and its version, before it decodes: of most objects when it creates them.
///
/// Source: Helm 4.2.4 `pkg/kube/client.go`, `Build`; kubectl 0.36 `pkg/validation/schema.go`, `getObjectKind`.
pub(super) fn unsaid(written: hooks::Object<'_>) -> Option<String> {
    let missing = match (written.api_version().is_empty(), written.kind().is_empty()) {
        (true, true) => "[apiVersion not set, kind not set]",
        (true, false) => "apiVersion not set",
        (false, true) => "kind not set",
        (false, false) => return None,
    };
    Some(format!("error validating \"\": error validating data: {missing}"))
}

/// Why Helm's client cannot decode the object, in its words; those quote the whole object where its kind is missing, which may hold
/// secrets: not here.
///
/// Source: k8s.io/cli-runtime 0.36 `pkg/resource/metadata_decoder.go` and `mapper.go`, `infoForData`; the members come in the order of
/// their names, since YAML becomes JSON first.
pub(super) fn unbuildable(written: hooks::Object<'_>) -> Option<String> {
    let items = written.root().get("items");
    if let Some(kind) = items.and_then(go_type).filter(|kind| *kind != "array") {
        return Some(format!(
            r#"unable to decode "": json: cannot unmarshal {kind} into Go struct field decodeList.items of type []json.RawMessage"#
        ));
    }
    if written.kind().is_empty() {
        return Some(r#"unable to decode "": Object 'Kind' is missing"#.to_owned());
    }
    let is_list =
        |item: &Node<'_>| matches!(item.get("items").map(|items| &items.value), Some(Value::List(_)));
    let nested = || items.is_some_and(|items| items.items().iter().any(is_list)).then(|| NESTED.to_owned());
    wrong_metadata(written).or_else(nested)
}

/// What is said of a list in a list.
///
/// Source: k8s.io/cli-runtime 0.36 `pkg/resource/visitor.go`, `FlattenListVisitor`; k8s.io/apimachinery 0.36
/// `pkg/apis/meta/v1/unstructured/helpers.go`, `decodeToList`: items are read as objects, whatever they hold.
const NESTED: &str = "*unstructured.Unstructured is not a list: no Items field in this object";

fn wrong_metadata(written: hooks::Object<'_>) -> Option<String> {
    let metadata = written.metadata()?;
    let wrong = |name: &'static str| {
        let node = metadata.get(name)?;
        let values: Vec<_> = match name {
            "annotations" | "labels" => node.members().iter().map(|member| &member.node).collect(),
            _ => vec![node],
        };
        values.into_iter().filter_map(go_type).find(|kind| *kind != "string").map(|kind| (name, kind))
    };
    let (name, kind) =
        ["annotations", "generateName", "labels", "name", "namespace"].into_iter().find_map(wrong)?;
    Some(format!(
        "unable to decode \"\": json: cannot unmarshal {kind} into Go struct field ObjectMeta.metadata.{name} of type string"
    ))
}

/// Go's word for a value; it has none for nothing.
const fn go_type(node: &Node<'_>) -> Option<&'static str> {
    match node.value {
        Value::Null => None,
        Value::String(_) => Some("string"),
        Value::Bool(_) => Some("bool"),
        Value::Number(_) => Some("number"),
        Value::List(_) => Some("array"),
        Value::Map(_) => Some("object"),
    }
}

impl Object {
    /// An object of the core group that somebody made by hand.
    pub(crate) fn made_by_hand(kind: &str, namespace: Option<&str>, name: &str) -> Self {
        Self {
            id: ObjectId {
                api_version: "v1".to_owned(),
                kind: kind.to_owned(),
                namespace: namespace.map(str::to_owned),
                name: name.to_owned(),
            },
            names_namespace: false,
            is_labelled: false,
            generates_name: false,
            names_twice: false,
            frozen: Vec::new(),
            digest: 0,
            run: None,
            needs: Vec::new(),
            keys: None,
            finalizers: false,
            resource_policy: None,
            document_policy: None,
            defines: None,
            misfits: Vec::new(),
            invalid: None,
        }
    }
}

impl Need {
    pub(crate) fn new(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned(), keys: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
