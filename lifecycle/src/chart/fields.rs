//! Members that Kubernetes does not know, or that are of another type: a POST drops the former with a warning and is refused for the
//! latter, a server-side apply by Helm is refused for both, and so is a list.

use hooks::Node;

use super::{Misfit, typed};

/// Source: Kubernetes 1.36 `staging/src/k8s.io/api/batch/v1/types.go`, `JobSpec`.
const JOB: [&str; 16] = [
    "activeDeadlineSeconds",
    "backoffLimit",
    "backoffLimitPerIndex",
    "completionMode",
    "completions",
    "managedBy",
    "manualSelector",
    "maxFailedIndexes",
    "parallelism",
    "podFailurePolicy",
    "podReplacementPolicy",
    "selector",
    "successPolicy",
    "suspend",
    "template",
    "ttlSecondsAfterFinished",
];

/// Source: Kubernetes 1.36 `staging/src/k8s.io/api/core/v1/types.go`, `PodSpec`.
const POD: [&str; 43] = [
    "activeDeadlineSeconds",
    "affinity",
    "automountServiceAccountToken",
    "containers",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "ephemeralContainers",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostUsers",
    "hostname",
    "hostnameOverride",
    "imagePullSecrets",
    "initContainers",
    "nodeName",
    "nodeSelector",
    "os",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "resourceClaims",
    "resources",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "schedulingGates",
    "schedulingGroup",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
    "workloadRef",
];

/// Source: Kubernetes 1.36 `staging/src/k8s.io/api/core/v1/types.go`, `Container`.
const CONTAINER: [&str; 25] = [
    "args",
    "command",
    "env",
    "envFrom",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "name",
    "ports",
    "readinessProbe",
    "resizePolicy",
    "resources",
    "restartPolicy",
    "restartPolicyRules",
    "securityContext",
    "startupProbe",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
];

/// A place where members are looked at.
pub(super) struct Place {
    /// As a server-side apply names it.
    pub(super) path: String,
    /// As a schema check names it, from the kind on.
    pub(super) checked: String,
    /// The type of what is there, in Kubernetes' words.
    pub(super) model: &'static str,
}

/// The misfits in the specs of a Job, a Pod, their pods and the containers of these, by path; deeper down nobody looks.
pub(super) fn misfits(written: hooks::Object<'_>) -> Vec<Misfit> {
    let mut found = all(written);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn all(written: hooks::Object<'_>) -> Vec<Misfit> {
    let kind = written.kind();
    let (job, path) = match (written.group(), kind) {
        ("batch", "Job") => (written.spec(), ".spec.template.spec"),
        ("", "Pod") => (None, ".spec"),
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    if let Some(spec) = job {
        let place = Place {
            path: ".spec".to_owned(),
            checked: format!("{kind}.spec"),
            model: "io.k8s.api.batch.v1.JobSpec",
        };
        found.extend(place.unknown(spec, &JOB));
        found.extend(place.mistyped(spec, &typed::JOB));
    }
    let Some(pods) = written.pods() else { return found };
    let place = Place {
        path: path.to_owned(),
        checked: format!("{kind}{path}"),
        model: "io.k8s.api.core.v1.PodSpec",
    };
    found.extend(place.unknown(pods.spec, &POD));
    found.extend(place.mistyped(pods.spec, &typed::POD));
    for container in pods.containers().filter(|container| container.list != "ephemeralContainers") {
        let place = Place {
            path: format!("{path}.{}[name=\"{}\"]", container.list, container.name()),
            checked: format!("{kind}{path}.{}[{}]", container.list, container.index),
            model: "io.k8s.api.core.v1.Container",
        };
        found.extend(place.unknown(container.node, &CONTAINER));
    }
    found
}

impl Place {
    fn unknown(&self, node: &Node<'_>, known: &[&str]) -> Vec<Misfit> {
        let names = node.members().iter().map(|member| member.name.as_ref());
        let undeclared = |name: &str| Misfit {
            path: format!("{}.{name}", self.path),
            applied: Some("field not declared in schema".to_owned()),
            checked: Some(format!(
                "ValidationError({}): unknown field \"{name}\" in {}",
                self.checked, self.model
            )),
            ..Misfit::default()
        };
        names.filter(|name| !known.contains(name)).map(undeclared).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::Chart;

    #[track_caller]
    fn names(text: &str, expected: &[&str]) {
        let chart = Chart::read(text, "demo").unwrap();
        let paths = chart.resources[0].misfits.iter().map(|misfit| misfit.path.as_str());
        assert_eq!(paths.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_member_in_the_wrong_place_is_not_declared() {
        names(
            "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {volumes: [], template: {spec: {volume: []}}}}",
            &[".spec.template.spec.volume", ".spec.volumes"],
        );
        names(
            "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {backoffLimit: 1, containers: [{name: c, imagePolicy: x}]}}",
            &[".spec.backoffLimit", ".spec.containers[name=\"c\"].imagePolicy"],
        );
    }

    #[test]
    fn other_kinds_are_not_looked_at() {
        names("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, spec: {volumes: []}}", &[]);
    }
}
