//! Release Secrets: what Helm has stored is judged like what a chart renders.

use std::io::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::{Files, SUSPENDED, hookward, hookward_with};

fn record(revision: i64) -> Vec<u8> {
    record_of(revision, "kind: Job\nmetadata:\n  annotations:\n    helm.sh/hook: pre-instal\n")
}

fn record_of(revision: i64, template: &str) -> Vec<u8> {
    let record = json!({
        "name": "shop",
        "namespace": "demo",
        "version": revision,
        "info": {"status": "pending-upgrade"},
        "manifest": "---\n# Source: shop/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
        "hooks": [{"name": "migrate", "kind": "Job", "path": "shop/templates/j.yaml", "manifest": SUSPENDED, "events": ["pre-upgrade"]}],
        "chart": {
            "metadata": {"name": "shop", "version": "1.0.0"},
            "templates": [{"name": "templates/x.yaml", "data": BASE64_STANDARD.encode(template)}],
        },
    });
    record.to_string().into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn secret(revision: i64, compressed: &[u8]) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {"name": format!("sh.helm.release.v1.shop.v{revision}"), "namespace": "demo"},
        "data": {"release": BASE64_STANDARD.encode(BASE64_STANDARD.encode(compressed))},
    })
}

/// A release Secret of `shop` in `demo`, of a hook and of how it stands there.
pub(super) fn stored_as(revision: i64, status: &str, method: &str, hook: &str) -> String {
    let record = json!({
        "name": "shop",
        "namespace": "demo",
        "version": revision,
        "info": {"status": status},
        "apply_method": method,
        "manifest": "---\n# Source: shop/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
        "hooks": [{"name": "migrate", "kind": "Job", "path": "shop/templates/j.yaml", "manifest": hook}],
    });
    secret(revision, &gzip(record.to_string().as_bytes())).to_string()
}

/// A release Secret of nothing at all.
pub(super) fn stored_named(name: &str) -> String {
    let record = json!({"name": name, "version": 1, "info": {"status": "deployed"}});
    secret(1, &gzip(record.to_string().as_bytes())).to_string()
}

/// A release Secret of `shop` in `demo`.
pub(super) fn stored(revision: i64) -> String {
    secret(revision, &gzip(&record(revision))).to_string()
}

#[test]
fn a_secret_is_a_release() {
    let text = stored(3);
    let document = hookward_with(&text, ["check", "-", "--format", "json"]).json();
    assert_eq!(
        (document["summary"]["objects"].as_u64(), document["summary"]["hooks"].as_u64()),
        (Some(2), Some(1))
    );
    let find = |rule: &str| {
        document["findings"].as_array().unwrap().iter().find(|one| one["rule"] == rule).unwrap().clone()
    };
    let suspended = find("job-suspended");
    assert_eq!((&suspended["object"]["namespace"], &suspended["line"]), (&json!("demo"), &Value::Null));
    let dropped = find("hook-unknown-event");
    assert_eq!((&dropped["mode"], &dropped["object"]), (&json!("warn"), &Value::Null));
    assert_eq!(document["errors"], json!([]));
}

#[test]
fn a_dropped_hook_was_not_seen_in_a_template_with_braces() {
    let template = "kind: Job\nmetadata: {name: a, annotations: {helm.sh/hook: pre-isntall}}\n";
    let text = secret(3, &gzip(&record_of(3, template))).to_string();
    let ran = hookward_with(&text, ["check", "-"]);
    let wanted = "warning[hook-unknown-event]: Helm would drop a hook";
    assert!(ran.stdout.contains(wanted) && ran.stdout.contains("fix: write pre-install"), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_read_in_a_record_was_no_error_of_try() {
    let record = String::from_utf8(record(3)).unwrap().replace("suspend: true", "suspend: true: false");
    let text = secret(3, &gzip(record.as_bytes())).to_string();
    for command in ["check", "try"] {
        let ran = hookward_with(&text, [command, "-", "--format", "json"]);
        let errors: Vec<_> = ran.errors().into_iter().map(|(.., message)| message).collect();
        assert_eq!((ran.code, errors.len()), (2, 1), "{errors:?}");
        assert_eq!(errors[0], "release shop revision 3: a manifest in it cannot be read");
    }
}

#[test]
fn the_text_names_the_release_and_the_object() {
    let text = secret(3, &gzip(&record(3))).to_string();
    let ran = hookward_with(&text, ["check", "-"]);
    assert!(ran.stdout.contains("--> - (release shop revision 3)"), "{}", ran.stdout);
    assert!(ran.stdout.contains("= at: Job/migrate /spec/suspend"), "{}", ran.stdout);
}

#[test]
fn a_list_of_secrets_is_one_release_each() {
    let items: Vec<Value> = (1..=2).map(|revision| secret(revision, &gzip(&record(revision)))).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let document = hookward_with(&list, ["check", "-", "--format", "json"]).json();
    assert_eq!(document["summary"]["objects"], 4);
    assert!(
        document["findings"].as_array().unwrap().iter().all(|one| one["rule"] != "hook-duplicate-identity")
    );
}

#[test]
fn a_list_of_release_secrets_was_a_release_of_its_own() {
    let list =
        json!({"apiVersion": "v1", "kind": "List", "items": [secret(1, &gzip(&record(1)))]}).to_string();
    let tried = hookward_with(&list, ["try", "-", "--format", "json"]).json();
    let releases = tried["releases"].as_array().unwrap().iter();
    assert_eq!(releases.map(|one| &one["release"]).collect::<Vec<_>>(), ["shop"]);
    let planned = hookward_with(&list, ["plan", "-", "--format", "json"]);
    assert_eq!((planned.code, &planned.json()["release"]), (0, &json!("shop")), "{}", planned.stderr);
}

#[track_caller]
fn refused(secret: &Value) -> String {
    let files = Files::new(&[("good.yaml", SUSPENDED), ("secret.json", &secret.to_string())]);
    let ran = hookward(["check", &files.path("good.yaml"), &files.path("secret.json"), "--format", "json"]);
    assert!(ran.code == 2 && ran.stdout.contains("job-suspended"), "{}", ran.stdout);
    let [(file, Some(1), message)] = &ran.errors()[..] else {
        panic!("one error, with a line: {}", ran.stdout)
    };
    assert!(file.ends_with("secret.json"));
    message.clone()
}

#[test]
fn a_secret_that_is_no_release() {
    assert!(refused(&secret(1, b"hello")).contains("not JSON"));
    assert!(refused(&secret(1, &gzip(b"{}"))).contains("not one that Helm wrote"));
    let mut opaque = secret(1, &gzip(&record(1)));
    opaque["type"] = json!("Opaque");
    assert!(refused(&opaque).contains("another type"));
}

#[test]
fn truncated_gzip_and_gzip_bombs() {
    let whole = gzip(&record(1));
    assert!(refused(&secret(1, &whole[..whole.len() / 2])).contains("cut off"));
    let mut one_text = b"{\"name\":\"".to_vec();
    one_text.resize(20 << 20, b'a');
    assert!(refused(&secret(1, &gzip(&one_text))).contains("one text in it has more than 8388608 bytes"));
    let mut many = b"{\"files\":[".to_vec();
    many.extend(b"1,".repeat(20 << 20));
    assert!(refused(&secret(1, &gzip(&many))).contains("more than 33554432 bytes"));
}
