//! Charts, rendered by a stand-in for helm that prints what the real one prints; the real one is asked end to end.

use std::os::unix::fs::PermissionsExt as _;

use super::{Files, PLAIN, SUSPENDED, hookward};

/// A chart called `shop`, and a helm that prints `stdout` and `stderr` and ends with `code`.
pub(super) fn chart(stdout: &str, stderr: &str, code: u8) -> Files {
    let files = Files::new(&[
        ("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("shop/templates/job.yaml", &format!("{{{{- if true }}}}\n{SUSPENDED}{{{{- end }}}}\n")),
        ("shop/templates/dropped.yaml", &SUSPENDED.replace("pre-upgrade", "pre-upgrad")),
        ("stdout", stdout),
        ("stderr", stderr),
    ]);
    let script = format!(
        "#!/bin/sh\necho \"$@\" > {args}\ncat {out}\ncat {err} >&2\nexit {code}\n",
        args = files.path("args"),
        out = files.path("stdout"),
        err = files.path("stderr"),
    );
    files.write("helm", script);
    std::fs::set_permissions(files.path("helm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    files
}

fn check(files: &Files, path: &str, more: &[&str]) -> super::Ran {
    let (path, helm) = (files.path(path), files.path("helm"));
    let arguments = ["check", &path, "--helm", &helm, "--format", "json"];
    hookward(arguments.into_iter().chain(more.iter().copied()))
}

const DROPPED_BY_3: &str = "manifest_sorter.go:199: info: skipping unknown hook: \"pre-upgrad\"\n";
pub(super) const DROPPED_BY_4: &str = "level=INFO msg=\"skipping unknown hooks\" hookTypes=pre-upgrad\n";

#[test]
fn findings_point_into_the_template() {
    let files = chart(&format!("---\n# Source: shop/templates/job.yaml\n{SUSPENDED}"), "", 0);
    let document = check(&files, "shop", &[]).json();
    let finding =
        document["findings"].as_array().unwrap().iter().find(|one| one["rule"] == "job-suspended").unwrap();
    assert_eq!(files.relative(finding["file"].as_str().unwrap()), "shop/templates/job.yaml");
    assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(9), Some(3)));
}

#[test]
fn a_line_that_stands_twice_in_the_template_is_no_place() {
    let files = chart(&format!("---\n# Source: shop/templates/job.yaml\n{SUSPENDED}"), "", 0);
    files.write("shop/templates/job.yaml", format!("{SUSPENDED}---\n{SUSPENDED}"));
    let document = check(&files, "shop", &[]).json();
    let finding =
        document["findings"].as_array().unwrap().iter().find(|one| one["rule"] == "job-suspended").unwrap();
    assert!(
        finding["line"].is_null() && finding["file"].as_str().unwrap().ends_with("shop/templates/job.yaml")
    );
}

#[test]
fn what_helm_does_not_look_at_was_told_by_lines_that_nobody_has() {
    let half = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n...\nkind: Job\n";
    let files = chart(
        &format!("---\n# Source: shop/crds/x.yaml\n{PLAIN}---\n# Source: shop/templates/job.yaml\n{half}"),
        "",
        0,
    );
    let (path, helm) = (files.path("shop"), files.path("helm"));
    for (command, flag) in [("check", "--helm"), ("try", "--helm"), ("plan", "--helm-bin")] {
        let ran = hookward([command, &path, flag, &helm]);
        let told = files.relative(&ran.stderr);
        let wanted = "note: shop/templates/job.yaml: Helm does not look at a part of it, nor does hookward: ";
        assert!(told.starts_with(wanted) && told.lines().count() == 1, "{command}: {told}");
    }
}

#[test]
fn the_lines_of_errors_in_a_chart_were_those_that_helm_had_printed() {
    let hook =
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","annotations":{"helm.sh/hook":"test"}}}"#;
    let stream = format!("{hook}\n{{}}\nkind: Pod\n");
    for bad in [&stream, "apiVersion: v1\nkind: List\nitems: 5\n"] {
        let files = chart(&format!("---\n# Source: shop/templates/job.yaml\n{bad}"), "", 0);
        let errors = check(&files, "shop", &[]).errors();
        let [(file, None, _)] = &errors[..] else { panic!("one error, without a line: {errors:?}") };
        assert_eq!(files.relative(file), "shop/templates/job.yaml");
    }
}

#[test]
fn hooks_that_helm_dropped_are_found_in_the_templates() {
    for stderr in [DROPPED_BY_3, DROPPED_BY_4] {
        let files = chart("", stderr, 0);
        let ran = check(&files, "shop", &[]);
        let document = ran.json();
        let finding = document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["rule"] == "hook-unknown-event")
            .unwrap();
        assert_eq!((ran.code, &finding["mode"], finding["line"].as_u64()), (1, &"deny".into(), Some(6)));
        assert_eq!(files.relative(finding["file"].as_str().unwrap()), "shop/templates/dropped.yaml");
    }
}

#[test]
fn helm_is_told_everything() {
    let files = chart(PLAIN, "", 0);
    let flags = [
        "-n",
        "demo",
        "--release",
        "shop",
        "--set",
        "a=b",
        "--set-string",
        "c=1",
        "-f",
        "v.yaml",
        "--is-upgrade",
        "-a",
        "x/v1",
    ];
    assert_eq!(check(&files, "shop", &flags).code, 0);
    let said = std::fs::read_to_string(files.path("args")).unwrap();
    for part in [
        "template --kube-version 1.36.0",
        "--namespace demo",
        "--set a=b",
        "--set-string c=1",
        "--values v.yaml",
        "--is-upgrade",
        "--api-versions x/v1",
        "-- shop ",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn why_helm_failed_is_said() {
    let files = chart(
        "",
        "level=INFO msg=x\nError: execution error at (shop/templates/a.yaml:1:3): name is required\n\nUse --debug\n",
        1,
    );
    let ran = check(&files, "shop", &[]);
    assert_eq!(ran.code, 2);
    let errors = ran.errors();
    assert!(errors[0].2.starts_with("helm template failed: execution error at"), "{errors:?}");
}

#[test]
fn output_beyond_the_limit_and_beyond_the_time_is_refused() {
    let files = chart("", "", 0);
    files.write("helm", "#!/bin/sh\nexec cat /dev/zero\n");
    let ran = check(&files, "shop", &["--max-file-size", "1"]);
    assert!(ran.errors()[0].2.contains("prints more than 1 MiB"), "{}", ran.stdout);
    files.write("helm", "#!/bin/sh\nexec sleep 600\n");
    let ran = check(&files, "shop", &["--helm-timeout", "1"]);
    assert!(ran.errors()[0].2.contains("did not finish within 1 s"), "{}", ran.stdout);
}

#[test]
fn a_walk_meets_charts_and_passes_libraries_by() {
    let files = chart(&format!("---\n# Source: shop/templates/job.yaml\n{SUSPENDED}"), "", 0);
    let root = Files::new(&[
        ("lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n"),
        ("x.yaml", PLAIN),
    ]);
    std::os::unix::fs::symlink(files.path("shop"), root.path("shop")).unwrap();
    let ran = hookward([
        "check",
        &root.folder().display().to_string(),
        "--helm",
        &files.path("helm"),
        "--format",
        "json",
    ]);
    assert_eq!((ran.code, ran.json()["summary"]["objects"].as_u64()), (1, Some(2)));
    assert!(ran.stderr.contains("lib: skipped: a library chart"), "{}", ran.stderr);
}

#[test]
fn a_hook_dropped_in_a_subchart_was_shown_at_no_template() {
    let files = chart("", DROPPED_BY_4, 0);
    files.write("shop/templates/dropped.yaml", PLAIN);
    files.write("shop/charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n");
    files.write("shop/charts/db/templates/d.yaml", SUSPENDED.replace("pre-upgrade", "pre-upgrad"));
    let finding = check(&files, "shop", &[]).json()["findings"][0].clone();
    assert_eq!(files.relative(finding["file"].as_str().unwrap()), "shop/charts/db/templates/d.yaml");
    assert_eq!(finding["line"].as_u64(), Some(6));

    files.write("shop/charts/db/templates/d.yaml", SUSPENDED.replace("pre-upgrade", "{{ .Values.event }}"));
    let finding = check(&files, "shop", &[]).json()["findings"][0].clone();
    assert_eq!(files.relative(finding["file"].as_str().unwrap()), "shop", "the chart as it was given");
}

#[test]
fn a_template_was_shown_below_the_name_of_the_release() {
    let files = chart(&format!("---\n# Source: shop/templates/job.yaml\n{SUSPENDED}"), DROPPED_BY_4, 0);
    let ran = hookward(["try", &files.path("shop"), "--helm", &files.path("helm"), "--release", "rel"]);
    // Folded elsewhere when requests took longer.
    let shown = files.relative(&ran.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!shown.contains("rel/templates"), "{shown}");
    assert!(shown.contains("a hook for \"pre-upgrad\" in shop/templates/dropped.yaml:6"), "{shown}");
}

#[test]
fn a_subchart_called_crds_is_judged() {
    let claim = "# Source: shop/charts/crds/templates/claim.yaml
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, annotations: {helm.sh/hook: \"pre-install,pre-upgrade\"}}
";
    let files = chart(&format!("---\n{claim}"), "", 0);
    assert_eq!(check(&files, "shop", &[]).code, 1);
    let (path, helm) = (files.path("shop"), files.path("helm"));
    let ran = hookward(["plan", &path, "--helm-bin", &helm, "--fail-on", "deny"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
}
