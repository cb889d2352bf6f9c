//! The gate: what it refuses, what it lets pass, and what it says of what it cannot read.

use std::sync::Arc;

use hooks::release::encode;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    routes,
    testing::{answer, app, job, post, review},
};

const SUSPENDED: &str = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations:\n    helm.sh/hook: pre-upgrade\nspec: {suspend: true}\n";

fn record(status: &str, hook: &str) -> Value {
    json!({
        "name": "shop", "namespace": "shop", "version": 2, "info": {"status": status}, "manifest": "---\nkind: Service\n",
        "chart": {"metadata": {"name": "shop", "version": "1.0.0"}, "templates": []},
        "config": {"password": "hunter2"},
        "hooks": [{"name": "migrate", "kind": "Job", "path": "shop/templates/migrate.yaml", "manifest": hook,
                   "events": ["pre-upgrade"], "last_run": {}}],
    })
}

fn stored(data: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": "sh.helm.release.v1.shop.v2"}, "data": {"release": data},
    })
}

async fn ask(object: &Value, changes: &Value) -> Value {
    answer(&app(), "/release", &review(object, changes)).await
}

async fn gate(status: &str, hook: &str) -> Value {
    ask(&stored(&encode(record(status, hook).to_string().as_bytes())), &json!({})).await
}

#[tokio::test]
async fn a_bad_release_is_refused_before_anything_is_touched() {
    for status in ["pending-install", "pending-upgrade"] {
        let response = gate(status, SUSPENDED).await;
        assert_eq!(response["allowed"], false, "{response}");
        let message = response["status"]["message"].as_str().unwrap();
        let lines: Vec<_> = message.lines().collect();
        assert_eq!(lines[0], "release \"shop\" revision 2 is refused, no hook and no object was touched:");
        assert!(message.contains("\n`job-suspended`: Job \"migrate\" /spec/suspend: "), "{message}");
        assert!(lines.last().unwrap().starts_with("explain: hookward rules "), "{message}");
        assert!(!response.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn nothing_that_takes_back_is_judged() {
    for status in ["pending-rollback", "uninstalling", "deployed", "failed", "superseded", "nonsense"] {
        assert_eq!(gate(status, SUSPENDED).await, json!({"uid": "6c1d4bd5", "allowed": true}), "{status}");
    }
}

#[tokio::test]
async fn other_objects_and_operations_pass() {
    let bad = stored(&encode(record("pending-upgrade", SUSPENDED).to_string().as_bytes()));
    let mut other = bad.clone();
    other["type"] = json!("Opaque");
    for (object, changes) in [
        (&other, json!({})),
        (&job(&json!({"suspend": true})), json!({})),
        (&bad, json!({"operation": "UPDATE"})),
        (&Value::Null, json!({"operation": "DELETE"})),
    ] {
        assert_eq!(ask(object, &changes).await, json!({"uid": "6c1d4bd5", "allowed": true}));
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_passes_with_a_warning_and_a_count() {
    let app = app();
    let bomb = encode(&vec![b' '; 65 << 20]);
    let whole = encode(record("pending-upgrade", SUSPENDED).to_string().as_bytes());
    let damaged = ["", "%%%", "aHVudGVyMg==", &whole[..whole.len() / 2], &bomb];
    for data in damaged {
        let response = answer(&app, "/release", &review(&stored(data), &json!({}))).await;
        assert_eq!(response["allowed"], true);
        let warning = response["warnings"][0].as_str().unwrap();
        assert!(warning.starts_with("hookward: this release was not judged"), "{warning}");
    }
    let metrics = app.metrics.render();
    assert!(metrics.contains(&format!("records_undecodable_total {}", damaged.len())), "{metrics}");
    assert!(metrics.contains(r#"decision="undecodable",operation="create",path="release"} 5"#));
}

#[tokio::test]
async fn a_hook_that_is_not_yaml_is_helms_to_refuse() {
    let response = gate("pending-install", "a: [").await;
    assert_eq!(response["allowed"], true);
    let warning = response["warnings"][0].as_str().unwrap();
    let start = "hookward: document 1 of shop/templates/migrate.yaml was not judged: line ";
    assert!(warning.starts_with(start), "{response}");
}

#[tokio::test]
async fn one_unreadable_document_does_not_exempt_the_release() {
    let deep = format!("kind: ConfigMap\nx: {}{}\n", "[".repeat(200), "]".repeat(200));
    for manifest in ["kind: Secret\nstringData: {p: *hunter2}\n", &deep] {
        let mut record = record("pending-upgrade", SUSPENDED);
        record["manifest"] = json!(manifest);
        let app = app();
        let stored = stored(&encode(record.to_string().as_bytes()));
        let response = answer(&app, "/release", &review(&stored, &json!({}))).await;
        assert_eq!(response["allowed"], false);
        assert!(response["status"]["message"].as_str().unwrap().contains("`job-suspended`"));
        let warning = response["warnings"][0].as_str().unwrap();
        assert!(warning.starts_with("hookward: document 2 was not judged: line "), "{warning}");
        assert!(!response.to_string().contains("hunter2"));
        assert!(app.metrics.render().contains("\nhookward_release_documents_unreadable_total 1\n"));
    }
}

#[tokio::test]
async fn a_judgement_that_nobody_waits_for_ends_and_gives_its_place_back() {
    let app = app();
    let mut record = record("pending-upgrade", SUSPENDED);
    record["manifest"] = json!("kind: A\n---\n".repeat(20_000));
    let review = review(&stored(&encode(record.to_string().as_bytes())), &json!({})).to_string();
    let request = post("/release?timeout=1ms", review);
    let response = routes(Arc::clone(&app)).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 503);
    // Free when the thread is done with it; it has not judged to the end.
    drop(app.limits.budget.work.take(app.limits.budget.work.all()).await.unwrap());
    let metrics = app.metrics.render();
    assert!(metrics.contains(r#"decision="denied",operation="create",path="release"} 0"#), "{metrics}");
}

#[tokio::test]
async fn records_at_once_are_decoded_one_by_one() {
    let app = app();
    let held = app.limits.budget.work.take(1).await.unwrap();
    let waiting = tokio::spawn({
        let app = Arc::clone(&app);
        async move { answer(&app, "/release", &review(&stored(""), &json!({}))).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(held);
    assert_eq!(waiting.await.unwrap()["allowed"], true);
}

#[tokio::test]
async fn what_is_seen_at_a_glance_is_judged_like_what_is_read() {
    let resource = |kind: &str, name: &str, more: &str| {
        format!(
            "apiVersion: batch/v1\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: shop\n{more}spec:\n  suspend: true\n"
        )
    };
    let weight = "  annotations:\n    helm.sh/hook-weight: \"5\"\n";
    let misspelt = "  annotations:\n    hlem.sh/hook: pre-install\n";
    for (manifest, is_told) in [
        (resource("Job", "migrate", ""), true),
        (resource("Job", "other", ""), false),
        (resource("CronJob", "migrate", ""), false),
        (resource("CronJob", "nightly", weight), true),
        (resource("CronJob", "nightly", misspelt), true),
        (resource("CronJob", "nightly", "  labels:\n    helm.sh/chart: shop-1\n"), false),
    ] {
        // An anchor changes nothing but who reads the document.
        let anchored = manifest.replace("spec:", "spec: &spec");
        let mut answers = Vec::new();
        for text in ["---\nkind: Service\n", &manifest, &anchored] {
            let mut record = record("pending-upgrade", SUSPENDED);
            record["manifest"] = json!(text);
            answers.push(ask(&stored(&encode(record.to_string().as_bytes())), &json!({})).await);
        }
        assert_eq!(answers[1], answers[2], "{manifest}");
        assert_eq!(answers[0] != answers[1], is_told, "{manifest}");
    }
}

/// As large as a Secret can hold: 3,000 resources, 150 hooks, and templates, in 8 MB.
#[tokio::test]
async fn the_largest_release_that_can_be_stored_is_judged_to_its_last_document() {
    let text = "  key: \"a value that is as long as values are, for the sake of size\"\n".repeat(12);
    let resource = |index: usize| {
        format!(
            "---\n# Source: shop/templates/{index}.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a{index}\n  labels:\n    helm.sh/chart: shop-1\ndata:\n{text}"
        )
    };
    let spec = "        - {name: A, value: b}\n".repeat(40);
    let hook = |index: usize| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: h{index}\n  annotations: {{helm.sh/hook: pre-upgrade}}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n{spec}"
        )
    };
    let mut record = record("pending-upgrade", SUSPENDED);
    record["manifest"] = (0..3_000).map(resource).collect::<Vec<_>>().concat().into();
    record["hooks"] = (0..150)
        .map(
            |index| json!({"name": format!("h{index}"), "kind": "Job", "path": "a", "manifest": hook(index)}),
        )
        .chain([json!({"name": "last", "kind": "Job", "path": "a", "manifest": SUSPENDED})])
        .collect();
    record["chart"]["templates"] =
        (0..1_000).map(|index| json!({"name": index.to_string(), "data": encode(text.as_bytes())})).collect();
    let app = app();
    let stored = stored(&encode(record.to_string().as_bytes()));
    let response = answer(&app, "/release", &review(&stored, &json!({}))).await;
    assert_eq!(response["allowed"], false);
    assert!(response["status"]["message"].as_str().unwrap().contains("`job-suspended`"));
    assert!(app.metrics.render().contains("\nhookward_release_documents_unreadable_total 0\n"));
}

#[tokio::test]
async fn a_line_break_that_only_go_knows_left_a_release_unjudged() {
    let container = "spec:\n  suspend: true\n  template:\n    spec:\n      containers:\n      - name: a\n        args:\n        - ";
    for rest in ["\u{2028}", "\u{2029}\n", "\u{85}", "\n"] {
        let hook = SUSPENDED.replace("spec: {suspend: true}\n", container) + rest;
        let response = gate("pending-install", &hook.replace("pre-upgrade", "pre-install")).await;
        assert_eq!(response["allowed"], false, "{response}");
        assert!(response["status"]["message"].as_str().unwrap().contains("`job-suspended`"), "{response}");
        assert_eq!(response.get("warnings"), None, "{response}");
    }
}
