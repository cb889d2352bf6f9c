//! `check`: what is read, what is counted, and which exit code says so.

use super::{Files, PLAIN, SUSPENDED, hookward, hookward_with};

const TIED: &str = "apiVersion: v1
kind: ServiceAccount
metadata: {name: z, annotations: {helm.sh/hook: pre-upgrade}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: a, annotations: {helm.sh/hook: pre-upgrade}}
spec: {template: {spec: {serviceAccountName: z, restartPolicy: Never}}}
";

#[test]
fn the_exit_code_says_what_was_found() {
    assert_eq!(hookward_with(PLAIN, ["check", "-"]).code, 0);
    assert_eq!(hookward_with(SUSPENDED, ["check", "-"]).code, 1);
    assert_eq!(hookward_with(SUSPENDED, ["check", "-", "missing.yaml"]).code, 2);
    assert_eq!(hookward(["check"]).code, 2);
    assert_eq!(hookward(["check", "--no-such-flag", "-"]).code, 2);
}

#[test]
fn fail_on_moves_the_bar() {
    let code = |level: &str, profile: &str| {
        hookward_with(SUSPENDED, ["check", "-", "--fail-on", level, "--profile", profile]).code
    };
    assert_eq!((code("never", "baseline"), code("deny", "audit"), code("audit", "audit")), (0, 0, 1));
    assert_eq!(code("warn", "baseline"), 1);
}

#[test]
fn what_failed_by_fail_on_was_only_counted() {
    let check = |more: &[&str]| {
        let ran = hookward_with(SUSPENDED, ["check", "-", "--profile", "audit"].iter().chain(more).copied());
        (ran.code, ran.stdout.contains("note[job-suspended]"))
    };
    assert_eq!(check(&[]), (0, false));
    assert_eq!(check(&["--fail-on", "audit"]), (1, true));
    assert_eq!(check(&["--fail-on", "audit", "--show", "warn"]), (1, false));
}

#[test]
fn a_finding_points_to_its_line() {
    let files = Files::new(&[("shop.yaml", SUSPENDED)]);
    let ran = hookward(["check", &files.path("shop.yaml"), "--format", "json"]);
    let document = ran.json();
    let finding =
        document["findings"].as_array().unwrap().iter().find(|one| one["rule"] == "job-suspended").unwrap();
    assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(8), Some(3)));
    assert_eq!((&finding["mode"], &finding["field"]), (&"deny".into(), &"/spec/suspend".into()));
}

#[test]
fn the_text_shows_the_line_and_says_what_to_do() {
    let ran = hookward_with(SUSPENDED, ["check", "-"]);
    for part in [
        "error[job-suspended]: Job \"migrate\"",
        "--> -:8:3",
        "8 |   suspend: true",
        "= fix: ",
        "= docs: hookward rules job-suspended",
    ] {
        assert!(ran.stdout.contains(part), "{part} is missing in\n{}", ran.stdout);
    }
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
}

#[test]
fn each_file_is_a_release_unless_they_are_joined() {
    let (account, job) = TIED.split_once("---\n").unwrap();
    let files = Files::new(&[
        ("a.yaml", account),
        ("b/c.yml", job),
        ("values.yaml", "replicas: 1\n"),
        (".git/x.yaml", "a: b: c"),
    ]);
    let folder = files.folder().display().to_string();
    let tie = |ran: &super::Ran| ran.stdout.contains("hook-weight-tie");
    let apart = hookward(["check", &folder, "--format", "json"]);
    assert!(!tie(&apart) && apart.errors().is_empty(), "{}", apart.stdout);
    let joined = hookward(["check", &folder, "--join", "--format", "json"]);
    assert!(tie(&joined), "{}", joined.stdout);
    assert_eq!(joined.json()["summary"]["objects"], 2);
    assert_eq!(joined.code, 1);
}

#[test]
fn findings_are_sorted_by_file_line_and_rule() {
    let files = Files::new(&[("b.yaml", SUSPENDED), ("a.yaml", &format!("{TIED}---\n{SUSPENDED}"))]);
    let ran = hookward(["check", &files.path("b.yaml"), &files.path("a.yaml"), "--format", "json"]);
    let document = ran.json();
    let keys: Vec<_> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["file"].to_string(), one["line"].as_u64(), one["rule"].to_string()))
        .collect();
    assert!(keys.len() > 2 && keys.is_sorted(), "{keys:?}");
}

#[test]
fn items_of_a_list_count_one_by_one() {
    let list = "apiVersion: v1
kind: List
metadata: {annotations: {helm.sh/hook: pre-install}}
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
";
    let summary = hookward_with(list, ["check", "-", "--format", "json"]).json()["summary"].clone();
    assert_eq!((summary["objects"].as_u64(), summary["hooks"].as_u64()), (Some(2), Some(2)));
}

#[test]
fn json_manifests_are_read_like_yaml() {
    let job = r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"m","annotations":{"helm.sh/hook":"pre-install"}},
"spec":{"suspend":true}}"#;
    let document = hookward_with(job, ["check", "-", "--format", "json"]).json();
    let finding = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["rule"] == "job-suspended")
        .cloned()
        .unwrap();
    assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(2), Some(9)));
}

#[test]
fn our_own_documents_are_no_part_of_a_release() {
    let text = format!(
        "apiVersion: hookward.dev/v1alpha1\nkind: RolloutScenario\nmetadata: {{name: x}}\n---\n{PLAIN}"
    );
    assert_eq!(hookward_with(&text, ["check", "-", "--format", "json"]).json()["summary"]["objects"], 1);
}

#[test]
fn the_namespace_is_as_written_else_as_given() {
    let second = SUSPENDED.replace("  name: migrate", "  name: other\n  namespace: own");
    let text = format!("{SUSPENDED}---\n{second}");
    let namespaces = |arguments: &[&str]| -> Vec<String> {
        let document = hookward_with(&text, arguments).json();
        let findings = document["findings"].as_array().unwrap().iter();
        findings
            .filter(|one| one["rule"] == "job-suspended")
            .map(|one| one["object"]["namespace"].to_string())
            .collect()
    };
    assert_eq!(namespaces(&["check", "-", "--format", "json"]), ["null", "\"own\""]);
    assert_eq!(namespaces(&["check", "-", "--format", "json", "-n", "shop"]), ["\"shop\"", "\"own\""]);
}

#[test]
fn a_policy_decides() {
    let policy = "apiVersion: hookward.dev/v1alpha1
kind: HookPolicy
metadata: {name: lax}
spec: {rules: {job-suspended: {mode: warn}}}
";
    let files = Files::new(&[
        ("policy.yaml", policy),
        ("bad.yaml", &policy.replace("job-suspended", "job-suspendet")),
    ]);
    assert_eq!(hookward_with(SUSPENDED, ["check", "-", "--policy", &files.path("policy.yaml")]).code, 0);
    let bad =
        hookward_with(SUSPENDED, ["check", "-", "--policy", &files.path("bad.yaml"), "--format", "json"]);
    assert_eq!(bad.code, 2);
    let errors = bad.errors();
    assert!(errors[0].0.ends_with("bad.yaml") && errors[0].2.contains("job-suspendet"), "{errors:?}");
}

#[test]
fn an_exception_is_shown_and_counts_for_nothing() {
    let exception = "apiVersion: hookward.dev/v1alpha1
kind: HookException
metadata: {name: until-then}
spec: {rules: [job-suspended], namespaces: [shop], reason: known, expiresAt: '2999-01-01T00:00:00Z'}
";
    let files = Files::new(&[("policy.yaml", exception)]);
    let ran = hookward_with(
        SUSPENDED,
        ["check", "-", "-n", "shop", "--show", "audit", "--policy", &files.path("policy.yaml")],
    );
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("= except: HookException until-then covers it"), "{}", ran.stdout);
}

#[test]
fn colour_is_for_those_who_ask() {
    assert!(!hookward_with(SUSPENDED, ["check", "-"]).stdout.contains('\u{1b}'));
    assert!(hookward_with(SUSPENDED, ["check", "-", "--color", "always"]).stdout.contains('\u{1b}'));
    let on_terminal = |no_color: bool| {
        let (mut stdin, mut stdout, mut stderr) = (SUSPENDED.as_bytes(), Vec::new(), Vec::new());
        let mut io = cli::Io {
            stdout_is_terminal: true,
            no_color,
            ..cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr)
        };
        cli::run(["hookward", "check", "-"].map(Into::into), &mut io);
        String::from_utf8(stdout).unwrap().contains('\u{1b}')
    };
    assert_eq!((on_terminal(false), on_terminal(true)), (true, false));
}

#[test]
fn nothing_in_a_file_controls_the_terminal() {
    let hostile = SUSPENDED
        .replace("name: migrate", "name: \"a\\e]0;owned\\a\\e[2J\"")
        .replace("true", "true # \u{9b}2J\u{202e}");
    let ran = hookward_with(&hostile, ["check", "-", "--show", "audit"]);
    assert!(
        ran.stdout.chars().all(|one| one == '\n' || !one.is_control() && one != '\u{202e}'),
        "{:?}",
        ran.stdout
    );
}

#[test]
fn values_of_secrets_and_of_the_environment_are_never_printed() {
    let secret = "{apiVersion: v1, kind: Secret, stringData: {password: hunter2}, metadata: {name: s, annotations: {helm.sh/hook: pre-instal}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: j, annotations: {helm.sh/hook: pre-install}}, spec: {suspend: true, template: {spec:
{containers: [{name: c, securityContext: {privileged: true}, command: [sh, -c, hunter2], env: [{name: A, value: hunter2}]}]}}}}
";
    for format in ["text", "json"] {
        let ran = hookward_with(secret, ["check", "-", "--show", "audit", "--format", format]);
        assert!(
            ran.code == 1 && !ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn several_results_go_to_several_files() {
    let files = Files::new(&[]);
    let (json, text) = (files.path("out.json"), files.path("out.txt"));
    let ran = hookward_with(
        SUSPENDED,
        ["check", "-", "--format", "json", "-o", &json, "--format", "text", "-o", &text],
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(written["version"], 1);
    assert!(std::fs::read_to_string(&text).unwrap().contains("error[job-suspended]"));
    assert_eq!(std::fs::read_dir(files.folder()).unwrap().count(), 2);
}
