//! `plan` where it was silent, or said something wrong.

use super::*;

/// Three documents that Helm drops, beside one that it does not.
fn dropped() -> String {
    let job = |name: &str, events: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{helm.sh/hook: '{events}'}}}}\n---\n"
        )
    };
    [&job("one", "pre-upgrade,foo"), &job("two", ""), &job("three", ""), PLAIN].concat()
}

fn text(manifests: &str, flags: &[&str]) -> Ran {
    hookward_with(manifests, ["plan", "-"].iter().chain(flags))
}

#[test]
fn hooks_that_helm_drops_are_named_in_every_format() {
    for format in ["text", "markdown", "html"] {
        let ran = text(&dropped(), &["--format", format]);
        let told = ran.stdout.replace("<wbr>", "");
        assert!(["one", "two", "three"].iter().all(|name| told.contains(&format!("Job/{name}"))), "{told}");
        assert_eq!(told.matches("dropped").count(), 1, "once for all actions: {told}");
    }
}

#[test]
fn a_plan_counts_findings_as_check_does() {
    let ran = text(&dropped(), &[]);
    let said = "  rules          3 deny (hook-unknown-event); `hookward check PATH` says where and ";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    let checked = hookward_with(&dropped(), ["check", "-"]);
    assert!(checked.stdout.contains(": 3 errors, "), "{}", checked.stdout);
}

#[test]
fn an_exit_of_1_is_a_failure_for_a_ci_server() {
    let ran = text(&dropped(), &["--fail-on", "deny", "--format", "junit"]);
    assert_eq!((ran.code, ran.stdout.matches("<failure ").count()), (1, 3), "{}", ran.stdout);
    let ran = text(SHOP, &["--fail-on", "deny", "--format", "junit"]);
    assert_eq!((ran.code, ran.stdout.matches("<failure ").count()), (0, 0), "{}", ran.stdout);
}

#[test]
fn a_plan_that_ended_with_1_did_not_say_by_which_rule() {
    let told = |format: &str| text(&dropped(), &["--fail-on", "deny", "--format", format]);
    for format in ["json", "markdown", "html"] {
        let ran = told(format);
        let said =
            "--fail-on is reached: 3 deny (hook-unknown-event); `hookward check PATH` says where and why";
        assert!(ran.code == 1 && ran.stderr.contains(said), "{format}: {}", ran.stderr);
    }
    assert!(!told("text").stderr.contains("--fail-on"), "the text itself says it");
}

#[test]
fn a_flag_that_nothing_takes_is_no_flag_to_pass_over() {
    let ran = ran(SHOP, &["--to", "3"]);
    let message = "only rollback takes it; say --action rollback too, or leave it out";
    assert_eq!(
        (ran.code, &ran.json()["errors"]),
        (2, &json!([{"file": "--to", "line": null, "message": message}]))
    );
    assert_eq!(ran.stderr, format!("error: --to: {message}\n"));
    for flags in [["--filter", "reachable"], ["--filter", "kind=Pod"]] {
        let ran = text(SHOP, &[&flags[..], &["--action", "test"]].concat());
        assert!(ran.code == 2 && ran.stderr.contains("write name=a for the test a alone"), "{}", ran.stderr);
    }
}

#[test]
fn a_filter_that_no_test_fits_says_which_there_are() {
    let ran = text(SHOP, &["--action", "test", "--filter", "name=zz"]);
    let told = "  no test runs: none fits --filter name=zz; tests of the release: reachable\n";
    assert!(ran.code == 0 && ran.stdout.contains(told), "{}", ran.stdout);
}

#[test]
fn input_that_cannot_be_read_was_also_said_to_hold_no_release() {
    let errors = ran("a: [\n", &[]).json()["errors"].clone();
    assert_eq!(errors.as_array().map(Vec::len), Some(1), "{errors}");
}

#[test]
fn flags_that_the_tool_does_not_have_were_taken_and_stood_in_the_heading() {
    for (tool, flags, words) in [
        ("argocd", &["--no-hooks", "--atomic"][..], "--rollback-on-failure: Argo CD never runs Helm"),
        ("3", &["--server-side", "true"], "--server-side: Helm 3 has no server-side apply"),
        ("3", &["--wait=watcher"], "--wait: Helm 3 has one way to wait"),
        ("flux", &["--action", "test", "--logs"], "--logs: Flux prints no logs"),
    ] {
        let ran = text(SHOP, &[&["--helm", tool], flags].concat());
        assert!(ran.code == 2 && ran.stderr.contains(words), "{tool}: {}", ran.stderr);
    }
}

#[test]
fn argocd_was_asked_for_what_helm_sees() {
    let chart = "apiVersion: batch/v1
kind: Job
metadata: {name: a, annotations: {helm.sh/hook: Pre-Install}}
---
apiVersion: batch/v1
kind: Job
metadata: {generateName: b-, annotations: {helm.sh/hook: 'pre-install,foo'}}
spec: {template: {spec: {restartPolicy: Never}}}
";
    let ran = text(chart, &["--helm", "argocd", "--action", "install"]);
    assert!(ran.stdout.contains("Job/b-*") && !ran.stdout.contains("Job/a"), "{}", ran.stdout);
    assert!(ran.stderr.contains("Argo CD neither runs nor applies Job/a"), "{}", ran.stderr);
}

#[test]
fn an_exception_that_had_run_out_was_told_by_check_alone() {
    let policy = "apiVersion: hookward.dev/v1alpha1
kind: HookException
metadata: {name: legacy}
spec: {rules: [job-suspended], namespaces: ['*'], reason: moves soon, expiresAt: '2020-05-01T00:00:00Z'}
";
    let files = Files::new(&[("policy.yaml", policy), ("a.yaml", SUSPENDED), ("plain.yaml", PLAIN)]);
    let run = |path: &str| hookward(["plan", "--policy", &files.path("policy.yaml"), &files.path(path)]);
    let ran = run("a.yaml");
    assert_eq!((ran.code, &*ran.stderr), (0, "note: HookException legacy ended on 2020-05-01\n"));
    assert_eq!(run("plain.yaml").stderr, "", "it would have covered nothing");
}

#[test]
fn a_template_was_no_more_than_a_document_that_cannot_be_read() {
    let files = Files::new(&[("a.yaml", "kind: Job\nmetadata:\n  name: {{ .Release.Name }}-a\n")]);
    for command in ["check", "plan"] {
        let ran = hookward([command, &files.path("a.yaml")]);
        let hint = ": it looks like a template; give the chart's folder instead\n";
        assert!(ran.code == 2 && ran.stderr.ends_with(hint), "{command}: {}", ran.stderr);
    }
}

#[test]
fn rules_judged_by_another_timeout_than_was_played() {
    let retries = "apiVersion: batch/v1
kind: Job
metadata: {name: a, annotations: {helm.sh/hook: pre-install}}
spec: {backoffLimit: 6, template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
";
    let policy = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: a}\n\
                  spec: {engine: {timeoutSeconds: 1200}}\n";
    let files = Files::new(&[("policy.yaml", policy)]);
    let path = files.path("policy.yaml");
    for (flags, played, is_found) in [
        (vec![], "5m", true),
        (vec!["--policy", &path], "20m", false),
        (vec!["--timeout", "20m"], "20m", false),
        (vec!["--policy", &path, "--timeout", "4m"], "4m", true),
    ] {
        let ran = text(retries, &[&flags[..], &["--fail-on", "audit", "--format", "junit"]].concat());
        assert!(ran.stdout.contains(&format!("timeout {played} per wait")), "{flags:?}: {}", ran.stdout);
        assert_eq!(ran.stdout.contains("rule job-retry-budget"), is_found, "{flags:?}: {}", ran.stdout);
    }
}

#[test]
fn a_document_without_a_kind_was_lost_and_the_release_passed() {
    let manifests = [PLAIN, "---\nmetadata: {name: b}\n---\nkind: ConfigMap\nmetadata: {name: c}\n"].concat();
    let ran = text(&manifests, &["--format", "json"]);
    let error = ran.json()["actions"][0]["error"].as_str().unwrap_or_default().to_owned();
    // Of the two Helm meets first the one whose kind it knows.
    assert!(error.ends_with("error validating data: apiVersion not set"), "{}", ran.stdout);
    for command in ["plan", "check", "try"] {
        let told = hookward_with(&manifests, [command, "-"]).stderr;
        for (line, missing) in [(5, "no apiVersion and no kind"), (7, "no apiVersion")] {
            let note =
                format!("note: -:{line}:1: this document says {missing}: Helm refuses a release with it\n");
            assert!(told.contains(&note), "{command}: {told}");
        }
    }
}

#[test]
fn values_beside_manifests_are_no_objects_of_the_release() {
    let files = Files::new(&[("a/a.yaml", PLAIN), ("a/values.yaml", "replicas: 3\n---\nmore: {}\n")]);
    let ran = hookward(["plan", &files.path("a"), "--action", "install"]);
    assert!(ran.code == 0 && ran.stdout.contains("1 created"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_heading_of_a_dry_run_of_helm_is_no_object() {
    let heading = "NAME: shop\nSTATUS: pending-install\nREVISION: 1\nHOOKS:\n---\n";
    let manifests = [heading, "# Source: shop/templates/a.yaml\n", PLAIN].concat();
    for command in ["plan", "check", "try"] {
        let ran = hookward_with(&manifests, [command, "-"]);
        assert_eq!((ran.code, ran.stderr.contains("Helm refuses")), (0, false), "{command}: {}", ran.stderr);
    }
    assert!(text(&manifests, &["--action", "install"]).stdout.contains("1 created"));
}
