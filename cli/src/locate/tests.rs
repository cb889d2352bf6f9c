//! Where findings point to, and what is never shown there.

use hooks::manifest;

use super::*;

fn spot(text: &str, pointer: &str) -> Spot {
    let manifests = manifest::read(text, Interest::Judged, &Limits::default());
    let manifest = manifests[0].as_ref().unwrap();
    Lines::new(text).spot(manifest, pointer)
}

fn under_caret(text: &str, pointer: &str) -> (usize, usize, String) {
    let spot = spot(text, pointer);
    let excerpt = spot.excerpt.unwrap();
    (spot.line, spot.column, excerpt.text[excerpt.caret].to_owned())
}

const JOB: &str = "kind: Job\nmetadata:\n  name: migrate\n  annotations:\n    helm.sh/hook: \"test\" # why\nspec:\n  backoffLimit: 3\n";

#[test]
fn a_field_is_where_its_name_is_and_its_value_gets_the_caret() {
    assert_eq!(under_caret(JOB, "/metadata/annotations/helm.sh~1hook"), (5, 5, "\"test\"".into()));
    assert_eq!(under_caret(JOB, "/metadata/annotations"), (4, 3, "annotations".into()));
}

#[test]
fn an_absent_field_is_where_its_parent_is() {
    assert_eq!(under_caret(JOB, "/spec/template/spec"), (6, 1, "spec".into()));
    assert_eq!((spot(JOB, "/status").line, spot(JOB, "").column), (1, 1));
}

#[test]
fn secrets_beside_the_field_are_hidden() {
    let flow = "{kind: Secret, metadata: {name: key}, stringData: {password: hunter2}, data: {a: b}}";
    let spot = spot(flow, "/metadata/name");
    let excerpt = spot.excerpt.unwrap();
    assert!(!excerpt.text.contains("hunter2") && excerpt.text.contains("stringData: …"), "{}", excerpt.text);
    assert_eq!(&excerpt.text[excerpt.caret], "key");
}

#[test]
fn environment_and_scripts_are_hidden_in_flow_style() {
    let flow = "kind: Pod\nspec: {containers: [{name: a, command: [sh, -c, drop], env: [{name: A, value: hunter2}]}]}";
    let text = spot(flow, "/spec/restartPolicy").excerpt.unwrap().text;
    assert!(!text.contains("hunter2") && !text.contains("drop"), "{text}");
    let block = "kind: Pod\nspec:\n  containers:\n  - env:\n    - {name: A, value: hunter2}\n    - name: B\n      value: hunter3\n";
    assert!(!spot(block, "/spec/containers/0/env/0").excerpt.unwrap().text.contains("hunter2"));
    assert!(!spot(block, "/spec/containers/0/env/1/value").excerpt.unwrap().text.contains("hunter3"));
}

#[test]
fn control_characters_keep_the_caret_in_place() {
    let text = "kind: Job\nmetadata: {name: \"a\u{1b}[2J\", labels: {x: y}}\n";
    let manifests = manifest::read(text, Interest::Judged, &Limits::default());
    if let Ok(manifest) = &manifests[0] {
        let excerpt = Lines::new(text).spot(manifest, "/metadata/labels/x").excerpt.unwrap();
        assert!(!excerpt.text.contains('\u{1b}'));
        assert_eq!(&excerpt.text[excerpt.caret], "y");
    }
}

#[test]
fn a_file_without_line_breaks_has_places_and_is_not_shown() {
    let text = format!("{{\"kind\":\"Job\",\"x\":\"{}\",\"spec\":{{\"suspend\":true}}}}", "y".repeat(3_000));
    let spot = spot(&text, "/spec/suspend");
    assert_eq!((spot.line, spot.column, spot.excerpt), (1, text.find("\"suspend\"").unwrap() + 1, None));
}
