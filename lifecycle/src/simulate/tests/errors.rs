//! The first line of what Helm prints after `Error: `.

use super::*;

#[test]
fn a_failing_hook_in_helm_3() {
    let chart = |events| job_that("fail", "x", events, &[]);
    fails(
        &helm("3").install(&chart("pre-install")),
        "INSTALLATION FAILED: failed pre-install: 1 error occurred:",
    );
    fails(
        &helm("3").install(&chart("post-install")),
        "INSTALLATION FAILED: failed post-install: 1 error occurred:",
    );
    for event in ["pre-upgrade", "post-upgrade"] {
        let mut release = helm("3");
        release.install("");
        let played = release.upgrade(&chart(event));
        fails(&played, &format!("UPGRADE FAILED: {event} hooks failed: 1 error occurred:"));
    }
    for event in ["pre-rollback", "post-rollback"] {
        let mut release = helm("3");
        release.install(&chart(event));
        release.upgrade("");
        fails(&release.rollback(1), "1 error occurred:");
    }
    let mut release = helm("3");
    release.install(&chart("pre-delete"));
    fails(&release.uninstall(), "1 error occurred:");
    let mut release = helm("3");
    release.install(&chart("post-delete"));
    fails(&release.uninstall(), "uninstallation completed with 1 error(s): 1 error occurred:");
    let mut release = helm("3");
    release.install(&chart("test"));
    fails(&release.test(), "1 error occurred:");
}

#[test]
fn a_failing_hook_in_helm_4() {
    let chart = |events| job_that("fail", "x", events, &[]);
    let words = "resource Job/demo/x not ready. status: Failed, message: Job Failed. failed: 1/1";
    fails(
        &helm("4").install(&chart("pre-install")),
        &format!("INSTALLATION FAILED: failed pre-install: {words}"),
    );
    let mut release = helm("4");
    release.install("");
    fails(
        &release.upgrade(&chart("post-upgrade")),
        &format!("UPGRADE FAILED: post-upgrade hooks failed: {words}"),
    );
    let mut release = helm("4");
    release.install(&(chart("pre-delete") + &chart("test")));
    fails(&release.test(), words);
    fails(&release.uninstall(), words);
    let mut release = helm("4");
    release.install(&chart("post-delete"));
    fails(&release.uninstall(), &format!("uninstallation completed with 1 error(s): {words}"));
}

#[test]
fn a_timeout() {
    let chart = job_that("hang", "x", "pre-install", &[]);
    let four = helm("4").install(&chart);
    fails(
        &four,
        "INSTALLATION FAILED: failed pre-install: resource Job/demo/x not ready. status: InProgress, message: Job in progress",
    );
    let legacy = helm("4").play(Action::Install, &chart, |flags| flags.wait = Wait::Legacy);
    fails(&legacy, "INSTALLATION FAILED: failed pre-install: timed out waiting for the condition");
    let hangs = pod("x", "pre-install", &[], "").replace(
        "metadata:\n",
        "metadata:\n  annotations:\n    helm.sh/hook: pre-install\n    hookward.dev/outcome: hang\n",
    );
    let hangs = hangs.replacen("  annotations:\n    helm.sh/hook: \"pre-install\"\n", "", 1);
    fails(
        &helm("4").install(&hangs),
        "INSTALLATION FAILED: failed pre-install: resource Pod/demo/x not ready. status: InProgress, message: Pod in progress",
    );
}

#[test]
fn a_failing_pod() {
    let chart = pod("x", "pre-install", &[], "");
    let outcomes = || Outcomes::from([("Pod/x".to_owned(), "fail".parse().unwrap())]);
    let played = helm("4").play_with(Action::Install, &chart, outcomes(), |_| {});
    fails(
        &played,
        "INSTALLATION FAILED: failed pre-install: resource Pod/demo/x not ready. status: Failed, message: pod x failed",
    );
    let played = helm("4").play_with(Action::Install, &chart, outcomes(), |flags| flags.wait = Wait::Legacy);
    fails(&played, "INSTALLATION FAILED: failed pre-install: pod x failed");
}

#[test]
fn a_refused_hook() {
    let chart =
        config_map("x", "pre-install", &[], "y").replace("name: x\n", "name: x\n  namespace: nowhere\n");
    fails(
        &helm("3").install(&chart),
        "INSTALLATION FAILED: failed pre-install: warning: Hook pre-install demo/templates/x.yaml failed: 1 error occurred:",
    );
    fails(
        &helm("4").install(&chart),
        "INSTALLATION FAILED: failed pre-install: warning: Hook pre-install demo/templates/x.yaml failed: server-side apply \
         failed for object nowhere/x /v1, Kind=ConfigMap: namespaces \"nowhere\" not found",
    );
    let posted = helm("4").play(Action::Install, &chart, |flags| flags.server_side = Some(false));
    fails(
        &posted,
        "INSTALLATION FAILED: failed pre-install: warning: Hook pre-install demo/templates/x.yaml failed: namespaces \
         \"nowhere\" not found",
    );
}

#[test]
fn a_kind_that_was_not_said_or_in_small_letters_was_deployed() {
    let said = |text: &str| both().map(|mut release| release.install(text).error.unwrap_or_default());
    let start = "INSTALLATION FAILED: unable to build kubernetes objects from release manifest: error validating \"\": error validating data: ";
    for (text, missing) in [
        ("foo: bar", "[apiVersion not set, kind not set]"),
        ("{kind: Job, metadata: {name: x}}", "apiVersion not set"),
        ("{apiVersion: v1, metadata: {name: x}}", "kind not set"),
    ] {
        assert_eq!(said(text), [0; 2].map(|_| format!("{start}{missing}")));
    }
    let versionless = hook("Job", "x", &[("hook", "pre-install")], "").replace("apiVersion: batch/v1\n", "");
    let unmapped = "unable to build kubernetes object for deleting hook demo/templates/x.yaml: resource mapping not found for name: \"x\" namespace: \"\" from \"\": no matches for kind \"Job\" in version \"\"";
    assert!(said(&versionless).iter().all(|said| said.contains(unmapped)), "{:?}", said(&versionless));
    let versionless = versionless.replace("kind: Job", "kind: ConfigMap");
    let unchecked = "unable to build kubernetes object for pre-install hook demo/templates/x.yaml: error validating \"\": error validating data: apiVersion not set";
    assert!(said(&versionless).iter().all(|said| said.contains(unchecked)), "{:?}", said(&versionless));
    let small = "{apiVersion: v1, kind: configmap, metadata: {name: x}}";
    let three = helm("3").install(small).steps.remove(0).message.unwrap();
    let words = "configmap in version \"v1\" cannot be handled as a ConfigMap: no kind \"configmap\" is registered for version \"v1\" in scheme";
    assert!(three.contains(words), "{three}");
    let [_, four] = said(small);
    let words = "server-side apply failed for object demo/x /v1, Kind=configmap: invalid object type: /v1, Kind=configmap";
    assert!(four.contains(words), "{four}");
}

#[test]
fn a_hook_of_a_kind_that_nobody_serves() {
    let chart = hook("Widget", "x", &[("hook", "pre-install")], "");
    for mut release in both() {
        fails(
            &release.install(&chart),
            "INSTALLATION FAILED: failed pre-install: unable to build kubernetes object for deleting hook \
             demo/templates/x.yaml: resource mapping not found for name: \"x\" namespace: \"\" from \"\": no matches for kind \
             \"Widget\" in version \"example.com/v1\"",
        );
    }
    let kept = hook("Widget", "x", &[("hook", "pre-install"), ("hook-delete-policy", "hook-failed")], "");
    for mut release in both() {
        let played = release.install(&kept);
        assert!(played.error.unwrap().contains("unable to build kubernetes object for pre-install hook"));
    }
}

#[test]
fn an_annotation_that_is_a_number() {
    let chart = job("x", "pre-install", &[("hook-weight", "5")]).replace("\"5\"", "5");
    for mut release in both() {
        fails(
            &release.install(&chart),
            "INSTALLATION FAILED: failed pre-install: unable to build kubernetes object for deleting hook \
             demo/templates/x.yaml: unable to decode \"\": json: cannot unmarshal number into Go struct field \
             ObjectMeta.metadata.annotations of type string",
        );
    }
}

#[test]
fn a_hook_without_a_name() {
    let chart = job("x", "pre-install", &[]).replace("  name: x\n", "  generateName: x-\n");
    for mut release in both() {
        fails(
            &release.install(&chart),
            "INSTALLATION FAILED: failed pre-install: resource name may not be empty",
        );
    }
    let kept = job("x", "pre-install", &[("hook-delete-policy", "hook-failed")])
        .replace("  name: x\n", "  generateName: x-\n");
    succeeds(&helm("3").install(&kept));
    let played = helm("4").install(&kept);
    let error = played.error.unwrap();
    assert!(
        error.contains("server-side apply failed") && error.ends_with("resource name may not be empty"),
        "{error}"
    );
    let succeeded = job("x", "pre-install", &[("hook-delete-policy", "hook-succeeded")])
        .replace("  name: x\n", "  generateName: x-\n");
    fails(
        &helm("3").install(&succeeded),
        "INSTALLATION FAILED: failed pre-install: resource name may not be empty",
    );
}

#[test]
fn a_release_that_is_not_there() {
    for mut release in both() {
        fails(&release.upgrade(""), "UPGRADE FAILED: \"demo\" has no deployed releases");
        fails(&release.rollback(1), "release: not found");
        fails(&release.test(), "release: not found");
        fails(&release.uninstall(), "uninstall: Release not loaded: demo: release: not found");
    }
}

#[test]
fn a_revision_that_is_not_there() {
    for mut release in both() {
        release.install("");
        fails(&release.rollback(7), "release has no 7 version");
        let played = release.play(Action::Rollback, "", |_| {});
        fails(&played, "release has no 0 version");
    }
}

#[test]
fn a_list_without_items() {
    let chart = "---\n# Source: demo/templates/x.yaml\napiVersion: v1\nkind: List\nmetadata: {annotations: {helm.sh/hook: pre-install}}\nitems: []\n";
    for mut release in both() {
        fails(
            &release.install(chart),
            "INSTALLATION FAILED: failed pre-install: object not found, skipping delete: no objects visited",
        );
    }
}

#[test]
fn a_namespace_is_named_only_where_it_is_written() {
    let written = hook("Widget", "x", &[("hook", "pre-install")], "")
        .replace("name: x\n", "name: x\n  namespace: demo\n");
    let error = helm("4").install(&written).error.unwrap();
    assert!(error.contains("name: \"x\" namespace: \"demo\" from \"\""), "{error}");
}

#[test]
fn a_member_that_kubernetes_does_not_know() {
    let chart = job_with("x", "pre-install", &[], "volumes: [],", "");
    succeeds(&helm("3").install(&chart));
    succeeds(&helm("4").play(Action::Install, &chart, |flags| flags.server_side = Some(false)));
    fails(
        &helm("4").install(&chart),
        "INSTALLATION FAILED: failed pre-install: warning: Hook pre-install demo/templates/x.yaml failed: server-side apply \
         failed for object demo/x batch/v1, Kind=Job: failed to create typed patch object (demo/x; batch/v1, Kind=Job): \
         .spec.volumes: field not declared in schema",
    );
}

#[test]
fn helm_itself_looks_for_unknown_members_in_lists_once_the_old_objects_are_gone() {
    let items = "items: [{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {volumes: [], template: {spec: {containers: []}}}}]";
    let annotations = "{helm.sh/hook: pre-install}";
    let chart = format!(
        "---\napiVersion: v1\nkind: List\nmetadata: {{name: all, annotations: {annotations}}}\n{items}\n"
    );
    for mut release in both() {
        let played = release.install(&chart);
        let error = played.error.clone().unwrap();
        let words = "error validating \"\": error validating data: ValidationError(Job.spec): unknown field \"volumes\" in \
                     io.k8s.api.batch.v1.JobSpec";
        assert!(error.ends_with(words), "{error}");
        assert_eq!(steps(&played), ["pre-install delete Job/a absent"]);
    }
}

#[test]
fn what_cannot_change_was_told_in_words_that_no_api_server_says() {
    let refused = |before: &str, after: &str, words: &str| {
        let document = |text: &str| format!("---\n{{{text}}}\n");
        for mut release in both() {
            release.install(&document(before));
            let error = release.upgrade(&document(after)).error.unwrap();
            assert!(error.ends_with(words), "{error}");
        }
    };
    let map = "apiVersion: v1, kind: ConfigMap, metadata: {name: x}";
    let sealed = format!("{map}, immutable: true, data: {{a: b}}");
    let words = ["data", "immutable"]
        .map(|field| format!("{field}: Forbidden: field is immutable when `immutable` is set"));
    refused(&sealed, &format!("{map}, immutable: true, data: {{a: c}}"), &words[0]);
    refused(&sealed, &format!("{map}, data: {{a: b}}"), &words[1]);
    let role = |name: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: x}}, roleRef: {{name: {name}}}"
        )
    };
    refused(&role("a"), &role("b"), "is invalid: roleRef: Invalid value: …: cannot change roleRef");
    let set = |name: &str| {
        format!(
            "apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: x}}, spec: {{serviceName: {name}}}"
        )
    };
    refused(
        &set("a"),
        &set("b"),
        "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    );
    let job = |more: &str| {
        format!(
            "apiVersion: batch/v1, kind: Job, metadata: {{name: x}}, spec: {{{more} restartPolicy: Never}}}}}}"
        )
    };
    let words = "[spec.completions: Invalid value: …: field is immutable, spec.template: Invalid value: …: field is immutable]";
    refused(&job("template: {spec: {"), &job("completions: 2, template: {spec: {hostname: a,"), words);
}
