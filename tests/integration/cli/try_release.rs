//! `try`: a real server and a real client on this machine, and what they tell each other.

use serde_json::{Value, json};

use super::{Files, PLAIN, SUSPENDED, hookward, hookward_with};

const FIXABLE: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: seed, annotations: {helm.sh/hook: post-install}}
spec: {template: {spec: {containers: [{name: seed, image: seed:1}], restartPolicy: Never}}}
";

fn tried(text: &str, more: &[&str]) -> Value {
    let arguments = ["try", "-", "--format", "json", "--release", "shop", "-n", "demo"];
    let ran = hookward_with(text, arguments.iter().chain(more).copied());
    assert_eq!(ran.stderr, "");
    ran.json()
}

#[test]
fn the_gate_and_the_hooks_are_asked() {
    let document = tried(&format!("{SUSPENDED}---\n{PLAIN}"), &[]);
    let release = &document["releases"][0];
    assert_eq!((&release["release"], &release["namespace"]), (&json!("shop"), &json!("demo")));
    assert_eq!((&release["gate"]["allowed"], &release["gate"]["code"]), (&json!(false), &json!(403)));
    let message = release["gate"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("release \"shop\" revision 1 is refused")
            && message.contains("`job-suspended`: "),
        "{message}"
    );
    let objects = release["objects"].as_array().unwrap();
    assert_eq!(objects.len(), 1, "hooks only");
    assert_eq!(
        objects[0]["object"],
        json!({"apiVersion": "batch/v1", "kind": "Job", "namespace": "demo", "name": "migrate"})
    );
    assert_eq!(
        (&objects[0]["validate"]["allowed"], &objects[0]["validate"]["code"]),
        (&json!(false), &json!(403))
    );
}

#[test]
fn defaults_are_applied_before_anybody_is_asked() {
    let release = tried(FIXABLE, &[])["releases"][0].clone();
    assert_eq!(
        (&release["gate"]["allowed"], &release["gate"]["code"], &release["gate"]["message"]),
        (&json!(true), &json!(200), &json!(""))
    );
    let patch = release["objects"][0]["mutate"]["patch"].as_array().unwrap().clone();
    let paths: Vec<_> = patch.iter().map(|operation| operation["path"].as_str().unwrap()).collect();
    assert!(
        paths.contains(&"/spec/backoffLimit") && paths.contains(&"/spec/ttlSecondsAfterFinished"),
        "{paths:?}"
    );
    assert_eq!(release["objects"][0]["validate"]["allowed"], true);
    let text = hookward_with(FIXABLE, ["try", "-"]).stdout;
    assert!(text.contains("~ backoffLimit: 6 → 3") && text.contains("1 changed"), "{text}");
}

#[test]
fn nothing_is_denied_or_changed_under_audit() {
    let release =
        tried(&format!("{SUSPENDED}---\n{FIXABLE}"), &["--profile", "audit"])["releases"][0].clone();
    assert_eq!(release["gate"]["allowed"], true);
    for object in release["objects"].as_array().unwrap() {
        assert_eq!((&object["mutate"]["patch"], &object["validate"]["allowed"]), (&json!([]), &json!(true)));
    }
}

#[test]
fn the_exit_code_is_zero_unless_asked_otherwise() {
    let code = |text: &str, more: &[&str]| hookward_with(text, ["try", "-"].iter().chain(more).copied()).code;
    assert_eq!(code(SUSPENDED, &[]), 0);
    assert_eq!(code(SUSPENDED, &["--fail-on", "deny"]), 1);
    assert_eq!((code(FIXABLE, &["--fail-on", "deny"]), code(FIXABLE, &["--fail-on", "audit"])), (0, 1));
    assert_eq!(code(PLAIN, &["--fail-on", "audit"]), 0);
}

#[test]
fn what_cannot_be_read_is_an_error_and_the_rest_is_tried() {
    let files = Files::new(&[("good.yaml", SUSPENDED), ("bad.yaml", "a: b: c\n")]);
    let ran = hookward([
        "try",
        &files.path("good.yaml"),
        &files.path("bad.yaml"),
        "missing.yaml",
        "--format",
        "json",
    ]);
    assert_eq!((ran.code, ran.errors().len()), (2, 2));
    assert_eq!(ran.json()["releases"][0]["release"], "good");
}

#[test]
fn the_prefix_of_a_generated_name_was_given_for_a_name() {
    let generated = SUSPENDED.replace("name: migrate", "generateName: migrate-");
    assert_eq!(tried(&generated, &[])["releases"][0]["objects"][0]["object"]["name"], Value::Null);
    let ran = hookward_with(&generated, ["try", "-"]);
    assert!(ran.stdout.contains(" Job/migrate-*  "), "{}", ran.stdout);
}

#[test]
fn a_hook_that_helm_drops_is_not_asked_about() {
    let dropped = SUSPENDED.replace("pre-upgrade", "pre-upgrad");
    assert_eq!(tried(&dropped, &[])["releases"][0]["objects"], json!([]));
    let wanted = "  - Job/migrate for \"pre-upgrad\": nobody is asked, Helm drops it for its unknown event\n";
    let ran = hookward_with(&dropped, ["try", "-"]);
    assert!(ran.stdout.contains(wanted), "{}", ran.stdout);
}

#[test]
fn a_list_that_is_a_hook_was_none_and_nobody_said_why_no_item_is_asked_about() {
    let list = "{apiVersion: v1, kind: List, metadata: {annotations: {helm.sh/hook: pre-install}}, items: [
        {apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {helm.sh/hook: pre-install}}},
        {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}]}";
    assert!(hookward_with(list, ["check", "-"]).stdout.contains("2 hooks in 2 objects"));
    let text = hookward_with(list, ["try", "-", "--release", "shop"]).stdout;
    assert!(text.contains("release shop (2 hooks, 2 objects)"), "{text}");
    let wanted = "\n  - ConfigMap/b: nobody is asked, its own annotations make it no hook\n";
    assert!(text.contains(wanted) && text.contains(" ConfigMap/a "), "{text}");
    assert_eq!(tried(list, &[])["releases"][0]["objects"].as_array().unwrap().len(), 1);
}

#[test]
fn the_text_fits_and_shows_the_way_on() {
    let ran = hookward_with(SUSPENDED, ["try", "-"]);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
    for part in [
        "own CA, TLS 1.3 · profile baseline",
        "✗ denied",
        "no hook and no object was touched",
        "explain: hookward rules job-suspended",
    ] {
        assert!(ran.stdout.contains(part), "{part} is missing in\n{}", ran.stdout);
    }
}

#[test]
fn a_long_name_made_lines_that_did_not_fit() {
    let name = "m".repeat(61);
    let text = SUSPENDED.replace("migrate", &name);
    for command in ["try", "check"] {
        let ran = hookward_with(&text, [command, "-"]);
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
    }
    let beside = hookward_with(&text, ["try", "-"]).stdout;
    assert!(beside.contains(&format!("  ✗ Job/{name}\n{}denied", " ".repeat(51))), "{beside}");
}

#[test]
fn the_end_of_try_told_a_newcomer_nothing() {
    let ends = |more: &[&str]| {
        let stdout = hookward_with(SUSPENDED, ["try", "-"].iter().chain(more).copied()).stdout;
        (
            stdout.contains("\nrequests: one for each release"),
            stdout.contains("\nWith --profile audit nothing is denied"),
        )
    };
    assert_eq!(ends(&[]), (true, true));
    assert_eq!(ends(&["--profile", "audit"]), (true, false));
    assert!(!hookward_with(PLAIN, ["try", "-"]).stdout.contains("requests: "), "there is one request");
}

#[test]
fn values_of_secrets_are_never_printed() {
    let secret = "{apiVersion: v1, kind: Secret, stringData: {password: hunter2}, metadata: {name: s, annotations: {helm.sh/hook: pre-install}}}";
    for format in ["text", "json"] {
        let ran = hookward_with(secret, ["try", "-", "--format", format, "--log-level", "trace"]);
        assert!(
            ran.code == 0 && !ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn the_document_has_the_published_fields() {
    let schema = cli::output::try_v1::schema().to_value();
    let names = |pointer: &str| {
        schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let document = tried(FIXABLE, &[]);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names("/properties"), keys(&document));
    assert_eq!(names("/$defs/Release/properties"), keys(&document["releases"][0]));
    assert_eq!(names("/$defs/Gate/properties"), keys(&document["releases"][0]["gate"]));
    assert_eq!(names("/$defs/Hook/properties"), keys(&document["releases"][0]["objects"][0]));
    assert_eq!(names("/$defs/Validate/properties"), keys(&document["releases"][0]["objects"][0]["validate"]));
}
