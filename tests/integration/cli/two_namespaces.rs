//! One release with objects in two namespaces and in none: everybody who judges it agrees on what an exception covers.

use std::collections::BTreeSet;

use super::{Files, hookward, hookward_with};

/// A release in geo: a hook there, one in prod, and one that is in no namespace, whatever it says.
const RELEASE: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: here, annotations: {helm.sh/hook: pre-install}}
spec: {template: {spec: {containers: [{name: a, securityContext: {privileged: true}}], restartPolicy: Never}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: there, namespace: prod, annotations: {helm.sh/hook: pre-install}}
spec: {template: {spec: {containers: [{name: a, securityContext: {privileged: true}}], restartPolicy: Never}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: nowhere, namespace: geo, annotations: {helm.sh/hook: pre-install}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: a, namespace: geo}]
";
const NAMES: [&str; 3] = ["here", "there", "nowhere"];

fn exception(namespaces: &str, expires_at: &str) -> String {
    format!(
        "apiVersion: hookward.dev/v1alpha1
kind: HookException
metadata: {{name: known}}
spec: {{rules: ['*'], namespaces: [{namespaces}], reason: known, expiresAt: '{expires_at}'}}
"
    )
}

/// The names of the objects in these lines.
fn named(lines: impl Iterator<Item = String>) -> BTreeSet<&'static str> {
    let lines: Vec<_> = lines.collect();
    let is_named = |name: &&str| lines.iter().any(|line| line.contains(&format!("\"{name}\"")));
    NAMES.into_iter().filter(is_named).collect()
}

/// What `hookward check` denies.
fn checked(flags: &[&str]) -> BTreeSet<&'static str> {
    let document = hookward_with(RELEASE, ["check", "-", "--format", "json"].iter().chain(flags)).json();
    let findings = document["findings"].as_array().unwrap().iter();
    named(findings.filter(|one| one["mode"] == "deny").map(|one| one["object"].to_string()))
}

/// What `hookward plan` marks as denied: the rule stands below the object.
fn marked(files: &Files, flags: &[&str]) -> BTreeSet<&'static str> {
    let path = files.path("release.yaml");
    let text = hookward(["plan", &path, "--action", "install"].iter().chain(flags)).stdout;
    let (mut marked, mut last) = (BTreeSet::new(), "");
    for line in text.lines() {
        last = NAMES.into_iter().find(|name| line.contains(&format!("/{name} "))).unwrap_or(last);
        marked.extend(line.contains("(deny)").then_some(last));
    }
    marked
}

/// What the gate refuses, and what `/validate` refuses.
fn tried(flags: &[&str]) -> [BTreeSet<&'static str>; 2] {
    let document = hookward_with(RELEASE, ["try", "-", "--format", "json"].iter().chain(flags)).json();
    let release = &document["releases"][0];
    let gate = release["gate"]["message"].as_str().unwrap();
    let denied = gate.lines().filter(|line| line.starts_with('`')).map(str::to_owned);
    let objects = release["objects"].as_array().unwrap().iter();
    let refused = objects.filter(|one| one["validate"]["allowed"] == false);
    [named(denied), named(refused.map(|one| one["object"].to_string()))]
}

#[test]
fn an_exception_for_the_namespace_of_a_release_covered_its_objects_in_others() {
    for (namespaces, wanted) in [
        ("geo", &["there", "nowhere"][..]),
        ("prod", &["here", "nowhere"]),
        ("geo, prod", &["nowhere"]),
        ("nowhere", &NAMES),
        ("'*'", &[]),
    ] {
        let files = Files::new(&[
            ("policy.yaml", &exception(namespaces, "2999-01-01T00:00:00Z")),
            ("release.yaml", RELEASE),
        ]);
        let policy = files.path("policy.yaml");
        let flags = ["-n", "geo", "--release", "y", "--policy", &policy];
        let wanted: BTreeSet<_> = wanted.iter().copied().collect();
        let [gate, validate] = tried(&flags);
        assert_eq!(checked(&flags), wanted, "check, {namespaces}");
        assert_eq!(marked(&files, &flags), wanted, "plan, {namespaces}");
        assert_eq!(gate, wanted, "the gate, {namespaces}");
        assert_eq!(validate, wanted, "/validate, {namespaces}");
    }
}

#[test]
fn an_exception_that_had_run_out_was_told_of_objects_elsewhere() {
    let claim = "apiVersion: batch/v1
kind: Job
metadata: {name: there, namespace: prod, annotations: {helm.sh/hook: pre-install}}
spec: {suspend: true}
";
    for (namespace, is_told) in [("geo", false), ("prod", true)] {
        let files = Files::new(&[("policy.yaml", &exception(namespace, "2020-01-01T00:00:00Z"))]);
        let ran = hookward_with(claim, ["check", "-", "-n", "geo", "--policy", &files.path("policy.yaml")]);
        assert_eq!((ran.code, ran.stderr.contains("ended on 2020-01-01")), (1, is_told), "{}", ran.stderr);
    }
}
