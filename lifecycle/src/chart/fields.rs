//! Members that Kubernetes does not know: a POST drops them with a warning, a server-side apply by Helm is refused.

use hooks::Node;

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

/// The unknown members of the specs of a Job, a Pod and their pods, as the API server names them, such as `.spec.volumes`; deeper
/// down nobody looks.
pub(super) fn undeclared(written: hooks::Object<'_>) -> Vec<String> {
    let Some(spec) = written.spec() else { return Vec::new() };
    match (written.group(), written.kind()) {
        ("batch", "Job") => {
            let pods = written.pods().map(|pods| pods.spec);
            let below = pods.into_iter().flat_map(|pods| unknown(pods, &POD, ".spec.template.spec"));
            unknown(spec, &JOB, ".spec").chain(below).collect()
        }
        ("", "Pod") => unknown(spec, &POD, ".spec").collect(),
        _ => Vec::new(),
    }
}

fn unknown<'n>(node: &'n Node<'_>, known: &'n [&str], path: &'n str) -> impl Iterator<Item = String> + 'n {
    let names = node.members().iter().map(|member| member.name.as_ref());
    names.filter(|name| !known.contains(name)).map(move |name| format!("{path}.{name}"))
}

#[cfg(test)]
mod tests {
    use crate::Chart;

    #[track_caller]
    fn names(text: &str, expected: &[&str]) {
        let chart = Chart::read(text, "demo").unwrap();
        assert_eq!(chart.resources[0].undeclared, expected);
    }

    #[test]
    fn a_member_in_the_wrong_place_is_not_declared() {
        names(
            "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {volumes: [], template: {spec: {volume: []}}}}",
            &[".spec.volumes", ".spec.template.spec.volume"],
        );
        names(
            "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {backoffLimit: 1}}",
            &[".spec.backoffLimit"],
        );
    }

    #[test]
    fn other_kinds_are_not_looked_at() {
        names("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, spec: {volumes: []}}", &[]);
    }
}
