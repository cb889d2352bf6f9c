//! The definitions of our kinds on a real API server: structural, strict where they should be, and good to look at.

use serde_json::{Value, json};
use tests::{kinds, rig::Rig};

use super::assert_says;

/// What is said of an object that is refused; nothing is stored.
#[track_caller]
fn refuses(rig: &Rig, object: &Value, words: &[&str]) {
    let ran = rig.kubectl_with(&["create", "--dry-run=server", "-f", "-"], &object.to_string());
    assert!(!ran.ok(), "it was not refused: {object}");
    assert_says(&ran, words);
}

#[track_caller]
fn accepts(rig: &Rig, object: &Value) {
    let _ = rig.kubectl_with(&["create", "--dry-run=server", "-f", "-"], &object.to_string()).expect_ok();
}

#[test]
fn the_definitions_are_structural_and_established() {
    let rig = kinds::rig();
    for name in ["hookpolicies.hookward.dev", "hookexceptions.hookward.dev"] {
        let definition = rig.get_json("crd", "", name).unwrap();
        let conditions = definition["status"]["conditions"].as_array().unwrap();
        let is = |kind: &str, status: &str| {
            conditions.iter().any(|it| it["type"] == kind && it["status"] == status)
        };
        assert!(is("Established", "True") && is("NamesAccepted", "True"), "{conditions:?}");
        assert!(!is("NonStructuralSchema", "True"), "{conditions:?}");
    }
}

#[test]
fn the_api_server_has_nothing_to_warn_of_in_the_definitions() {
    let rig = kinds::rig();
    for text in cluster::crd::texts() {
        // Of another group, since those of ours are there already.
        let text = text.replace("hookward.dev", "other.dev");
        let ran = rig.kubectl_with(&["create", "--dry-run=server", "--validate=strict", "-f", "-"], &text);
        assert_eq!((ran.stderr.as_str(), ran.ok()), ("", true));
    }
}

#[test]
fn policies_with_values_that_cannot_be_are_refused() {
    let rig = kinds::rig();
    accepts(
        rig,
        &kinds::policy(
            "good",
            &json!({"rules": {"job-ttl-too-low": {"mode": "off", "options": {"min": 60}}}}),
        ),
    );
    let requirement = |operator: &str, values: Value| {
        let requirement = json!({"key": "env", "operator": operator, "values": values});
        json!({"namespaceSelector": {"matchExpressions": [requirement]}})
    };
    for (spec, words) in [
        (json!({"profile": "lax"}), "spec.profile: Unsupported value: \"lax\""),
        (json!({"engine": {"helmVersion": 2}}), "greater than or equal to 3"),
        (json!({"engine": {"timeoutSeconds": 0}}), "greater than or equal to 1"),
        (json!({"priority": "high"}), "must be of type integer"),
        (json!({"rules": {"job-suspended": {"mode": "block"}}}), "Unsupported value: \"block\""),
        (json!({"rules": {"job-ttl-too-low": {"options": {"min": "60"}}}}), "must be of type integer"),
        (requirement("In", json!([])), "In and NotIn need values"),
        (requirement("Exists", json!(["a"])), "Exists and DoesNotExist have none"),
        (requirement("Like", json!(["a"])), "Unsupported value: \"Like\""),
    ] {
        refuses(rig, &kinds::policy("bad", &spec), &[words]);
    }
}

#[test]
fn exceptions_with_values_that_cannot_be_are_refused() {
    let rig = kinds::rig();
    let with = |field: &str, value: Value| {
        let mut spec = kinds::exception_spec("2030-01-01T00:00:00Z");
        spec[field] = value;
        kinds::exception("bad", &spec)
    };
    accepts(rig, &kinds::exception("good", &kinds::exception_spec("2030-01-01T00:00:00Z")));
    for (field, value, words) in [
        ("rules", json!([]), "should have at least 1 items"),
        ("rules", json!(["Job Suspended"]), "should match"),
        ("namespaces", json!([]), "should have at least 1 items"),
        ("namespaces", json!(["a/b"]), "should match"),
        ("kinds", json!(["batch/Job"]), "should match"),
        ("reason", json!("  "), "should match"),
        ("expiresAt", json!("tomorrow"), "date-time"),
        ("expiresAt", Value::Null, "Required value"),
    ] {
        refuses(rig, &with(field, value), &[&format!("spec.{field}"), words]);
    }
}

#[test]
fn misspelt_fields_are_kept_for_the_webhook_to_refuse() {
    let rig = kinds::rig();
    let policy = kinds::policy(
        "misspelt",
        &json!({
            "profil": "strict",
            "rules": {"job-suspend": {"mode": "deny"}, "job-suspended": {"options": {"speed": 1}}},
        }),
    );
    let create = |object: &Value| {
        let args = ["create", "--dry-run=server", "--validate=strict", "-o=json", "-f", "-"];
        let text = rig.kubectl_with(&args, &object.to_string()).expect_ok().stdout;
        serde_json::from_str::<Value>(&text).unwrap()["spec"].clone()
    };
    assert_eq!(create(&policy), policy["spec"]);
    let mut spec = kinds::exception_spec("2030-01-01T00:00:00Z");
    spec["name"] = json!("migrate");
    assert_eq!(create(&kinds::exception("misspelt", &spec)), spec);
}

#[test]
fn a_default_is_not_written_into_an_object() {
    let rig = kinds::rig();
    let spec = json!({"rules": {"job-ttl-missing": {}}, "engine": {}});
    let args = ["create", "--dry-run=server", "-o=json", "-f", "-"];
    let text = rig.kubectl_with(&args, &kinds::policy("plain", &spec).to_string()).expect_ok().stdout;
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["spec"], spec);
}

#[test]
fn whoever_asks_cannot_approve_and_cannot_be_exchanged() {
    let rig = kinds::rig();
    rig.apply(&kinds::exception("crd-self", &kinds::exception_spec("2030-01-01T00:00:00Z")).to_string());
    let approve = |fields: Value| {
        let patch = json!({"status": fields}).to_string();
        rig.kubectl(&[
            "patch",
            "hookexception",
            "crd-self",
            "--subresource=status",
            "--type=merge",
            "-p",
            &patch,
        ])
    };
    let by = |person: &str| json!({"approvedGeneration": 1, "approvedBy": person, "approvedAt": "2029-12-01T00:00:00Z"});
    assert_says(&approve(by("alice")), &["whoever asks for an exception cannot approve it"]);
    assert_says(&approve(json!({"approvedGeneration": 1})), &["an approval says who approved and when"]);
    let _ = approve(by("bob")).expect_ok();
    let change = |requested: Value| {
        let patch = json!({"spec": {"requestedBy": requested}}).to_string();
        rig.kubectl(&["patch", "hookexception", "crd-self", "--type=merge", "-p", &patch])
    };
    for other in [json!("carol"), Value::Null] {
        assert_says(&change(other), &["requestedBy is who asked for the exception and never changes"]);
    }
    let authors = |people: &[&str]| {
        let patch = json!({"spec": {"authors": people}}).to_string();
        rig.kubectl(&["patch", "hookexception", "crd-self", "--type=merge", "-p", &patch])
    };
    let _ = authors(&["alice", "carol"]).expect_ok();
    let _ = authors(&["carol", "dave", "alice"]).expect_ok();
    assert_says(&authors(&["alice", "dave"]), &["nobody is taken off"]);
}

#[test]
fn an_update_of_the_object_leaves_its_status_alone() {
    let rig = kinds::rig();
    let mut exception = kinds::exception("crd-status", &kinds::exception_spec("2030-01-01T00:00:00Z"));
    exception["status"] =
        json!({"approvedGeneration": 1, "approvedBy": "bob", "approvedAt": "2029-12-01T00:00:00Z"});
    rig.apply(&exception.to_string());
    let stored = rig.get_json("hookexception", "", "crd-status").unwrap();
    assert!(stored.get("status").is_none(), "{stored}");
}

#[test]
fn kubectl_shows_what_matters() {
    let rig = kinds::rig();
    let nowhere = json!({"matchLabels": {"no": "namespace"}});
    let spec = json!({"priority": 7, "profile": "audit", "namespaceSelector": nowhere});
    rig.apply(&kinds::policy("crd-shown", &spec).to_string());
    rig.apply(&kinds::exception("crd-shown", &kinds::exception_spec("2030-01-01T00:00:00Z")).to_string());
    let columns = |kind: &str| {
        let text = rig.kubectl(&["get", kind, "crd-shown"]).expect_ok().stdout;
        let mut lines =
            text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        (lines.next().unwrap(), lines.next().unwrap())
    };
    let (header, line) = columns("hkp");
    assert_eq!(header, ["NAME", "PRIORITY", "PROFILE", "ACCEPTED", "AGE"]);
    assert_eq!(line[..3], ["crd-shown", "7", "audit"]);
    let (header, line) = columns("hkx");
    assert_eq!(header, ["NAME", "ACTIVE", "STANDING", "EXPIRES", "REQUESTED-BY", "APPROVED-BY", "AGE"]);
    assert!(
        line.contains(&"2030-01-01T00:00:00Z".to_owned()) && line.contains(&"alice".to_owned()),
        "{line:?}"
    );
    let all = rig.kubectl(&["get", "hookward", "-o=name"]).expect_ok().stdout;
    assert!(all.contains("hookpolicy") && all.contains("hookexception"), "{all}");
}

#[test]
fn kubectl_explains_the_options_of_each_rule() {
    let rig = kinds::rig();
    let explained = |path: &str| rig.kubectl(&["explain", path]).expect_ok().stdout;
    let text = explained("hookpolicy.spec.rules.job-ttl-too-low.options");
    assert!(text.contains("min") && text.contains("<integer>"), "{text}");
    assert!(explained("hookexception.spec.expiresAt").contains("RFC 3339"));
    assert!(explained("hookexception.status").contains("approvedGeneration"));
}
