//! Who may ask for what, and who may approve it, with an API server that does no more than it must.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::*;
use crate::{
    App,
    testing::{answer, app, review},
};

mod handed_on;

const DAY: i64 = 24 * 60 * 60;

/// One exception in a cluster whose webhooks are asked as the API server asks them.
struct Cluster {
    app: Arc<App>,
    stored: Value,
    /// Warnings of the last write.
    warnings: String,
    /// What another mutating webhook does.
    meddler: Option<fn(&mut Value)>,
    /// Whether the mutating webhook is registered.
    is_stamped: bool,
    /// How many were made.
    made: usize,
}

impl Cluster {
    fn new() -> Self {
        Self {
            app: app(),
            stored: Value::Null,
            warnings: String::new(),
            meddler: None,
            is_stamped: true,
            made: 0,
        }
    }

    /// With an exception that alice has asked for.
    async fn with_exception() -> Self {
        let mut cluster = Self::new();
        cluster.create("alice", exception()).await.unwrap();
        cluster
    }

    async fn create(&mut self, user: &str, object: Value) -> Result<(), String> {
        assert_eq!(self.stored, Value::Null);
        self.write(user, object, "").await
    }

    async fn update(&mut self, user: &str, change: impl FnOnce(&mut Value)) -> Result<(), String> {
        let mut object = self.stored.clone();
        change(&mut object);
        self.write(user, object, "").await
    }

    async fn status(&mut self, user: &str, status: Value) -> Result<(), String> {
        let mut object = self.stored.clone();
        json_patch::merge(&mut object, &json!({"status": status}));
        self.write(user, object, "status").await
    }

    async fn approve(&mut self, user: &str, generation: i64) -> Result<(), String> {
        let uid = self.stored["metadata"]["uid"].clone();
        self.status(user, json!({"approvedGeneration": generation, "approvedUID": uid})).await
    }

    /// What the author was told to hand on.
    fn printed(&self) -> Value {
        let warnings: Vec<String> = serde_json::from_str(&self.warnings).unwrap();
        let command = warnings.iter().find_map(|warning| warning.split_once(" -p '")).expect("a command").1;
        serde_json::from_str::<Value>(command.trim_end_matches('\'')).unwrap()["status"].clone()
    }

    /// Mutating webhooks, then what the registry does, then validating webhooks.
    ///
    /// Source: Kubernetes `k8s.io/apiextensions-apiserver/pkg/registry/customresource/strategy.go` and `status_strategy.go`.
    async fn write(&mut self, user: &str, mut object: Value, subresource: &str) -> Result<(), String> {
        if self.is_stamped {
            let response = self.ask("/policy/stamp", user, &object, subresource).await?;
            if let Some(patch) = response["patch"].as_str() {
                let patch: json_patch::Patch =
                    serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
                json_patch::patch(&mut object, &patch).unwrap();
                let again = self.ask("/policy/stamp", user, &object, subresource).await?;
                assert!(again.get("patch").is_none(), "asked again, it writes nothing new");
            }
        }
        if let Some(meddle) = self.meddler {
            meddle(&mut object);
        }
        let old = self.stored.clone();
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(0);
        if subresource == "status" {
            (object["spec"], object["metadata"]) = (old["spec"].clone(), old["metadata"].clone());
        } else {
            object["status"] = old["status"].clone();
            if old.is_null() {
                self.made += 1;
                object["metadata"]["uid"] = json!(format!("uid-{}", self.made));
                object["status"] = Value::Null;
            }
            let is_changed = object["spec"] != old["spec"];
            object["metadata"]["generation"] = json!(generation + i64::from(is_changed));
        }
        let response = self.ask("/policy", user, &object, subresource).await?;
        assert!(response.get("patch").is_none(), "the API server would not apply it");
        self.warnings = response["warnings"].to_string();
        self.stored = object;
        Ok(())
    }

    async fn ask(&self, path: &str, user: &str, object: &Value, subresource: &str) -> Result<Value, String> {
        let operation = if self.stored.is_null() { "CREATE" } else { "UPDATE" };
        let response = answer(
            &self.app,
            path,
            &review(
                object,
                &json!({
                    "operation": operation, "oldObject": self.stored, "userInfo": {"username": user},
                    "subResource": subresource, "name": "legacy", "namespace": null,
                    "kind": {"group": "hookward.dev", "version": "v1alpha1", "kind": object["kind"]},
                }),
            ),
        )
        .await;
        match response["allowed"].as_bool() {
            Some(true) => Ok(response),
            _ => Err(format!("{} {}", response["status"]["code"], response["status"]["message"])),
        }
    }

    fn approver(&self) -> &Value {
        &self.stored["status"]["approvedBy"]
    }
}

fn exception() -> Value {
    json!({
        "apiVersion": "hookward.dev/v1alpha1", "kind": "HookException", "metadata": {"name": "legacy"},
        "spec": {"rules": ["job-suspended"], "namespaces": ["shop"], "reason": "ticket 7", "expiresAt": timestamp(now() + DAY)},
    })
}

#[track_caller]
fn refused(result: Result<(), String>, words: &str) {
    let said = result.expect_err("it was not refused");
    assert!(said.contains(words), "{words:?} is missing in {said}");
}

#[tokio::test]
async fn whoever_makes_it_is_written_down_whatever_they_write() {
    let mut object = exception();
    object["spec"]["requestedBy"] = json!("bob");
    object["spec"]["changedBy"] = json!("bob");
    let mut cluster = Cluster::new();
    cluster.create("alice", object).await.unwrap();
    assert_eq!(
        (&cluster.stored["spec"]["requestedBy"], &cluster.stored["spec"]["changedBy"]),
        (&json!("alice"), &json!("alice"))
    );
    assert!(
        cluster.warnings.contains("not in force until somebody else approves generation 1"),
        "{}",
        cluster.warnings
    );
}

#[tokio::test]
async fn the_requester_stays_and_the_last_editor_follows() {
    let mut cluster = Cluster::with_exception().await;
    cluster
        .update("carol", |object| {
            object["spec"]["reason"] = json!("ticket 8");
            object["spec"]["requestedBy"] = json!("carol");
        })
        .await
        .unwrap();
    let spec = &cluster.stored["spec"];
    assert_eq!((&spec["requestedBy"], &spec["changedBy"]), (&json!("alice"), &json!("carol")));
    cluster.update("dave", |object| object["metadata"]["labels"] = json!({"team": "shop"})).await.unwrap();
    assert_eq!(cluster.stored["spec"]["changedBy"], "carol", "a label changes nothing that is said");
    cluster
        .update("mallory", |object| {
            object["spec"]
                .as_object_mut()
                .unwrap()
                .retain(|name, _| name != "requestedBy" && name != "changedBy");
        })
        .await
        .unwrap();
    let spec = &cluster.stored["spec"];
    assert_eq!((&spec["requestedBy"], &spec["changedBy"]), (&json!("alice"), &json!("carol")), "restored");
}

#[tokio::test]
async fn a_signature_that_was_changed_afterwards_is_refused() {
    let mut cluster = Cluster::new();
    cluster.meddler = Some(|object| object["spec"]["requestedBy"] = json!("bob"));
    refused(cluster.create("alice", exception()).await, "403");
    cluster.meddler = None;
    cluster.is_stamped = false;
    refused(cluster.create("alice", exception()).await, "the mutating webhook of Hookward is not registered");
    cluster.is_stamped = true;
    cluster.create("alice", exception()).await.unwrap();
    cluster.meddler = Some(|object| object["status"]["approvedBy"] = json!("carol"));
    refused(cluster.approve("bob", 1).await, "/status/approvedBy: it must say \\\"bob\\\"");
}

#[tokio::test]
async fn somebody_else_approves() {
    let mut cluster = Cluster::with_exception().await;
    cluster
        .status(
            "bob",
            json!({
                "approvedGeneration": 1, "approvedUID": "uid-1", "approvedBy": "carol",
                "approvedAt": "2020-01-01T00:00:00Z",
            }),
        )
        .await
        .unwrap();
    assert_eq!(cluster.approver(), "bob");
    let at = cluster.stored["status"]["approvedAt"].as_str().unwrap();
    assert!(seconds(at).unwrap() > now() - 60, "{at}");
    assert!(cluster.warnings.contains("job-suspended in shop, as alice asked"), "{}", cluster.warnings);
}

#[tokio::test]
async fn nobody_approves_what_they_asked_for_or_changed() {
    let mut cluster = Cluster::with_exception().await;
    refused(cluster.approve("alice", 1).await, "asked for it, so somebody else has to approve it");
    let forged = json!({"approvedGeneration": 1, "approvedBy": "bob", "approvedAt": timestamp(now())});
    refused(cluster.status("alice", forged).await, "asked for it");
    cluster.update("bob", |object| object["spec"]["namespaces"] = json!(["*"])).await.unwrap();
    refused(cluster.approve("bob", 2).await, "changed it, so somebody else has to approve it");
    refused(cluster.approve("alice", 2).await, "asked for it");
    cluster.approve("carol", 2).await.unwrap();
}

#[tokio::test]
async fn the_spec_in_a_write_to_the_status_counts_for_nothing() {
    let mut cluster = Cluster::with_exception().await;
    let mut object = cluster.stored.clone();
    object["spec"]["requestedBy"] = json!("bob");
    object["spec"]["changedBy"] = json!("bob");
    object["metadata"]["generation"] = json!(7);
    for generation in [1, 7] {
        object["status"] = json!({"approvedGeneration": generation, "approvedUID": "uid-1"});
        assert!(cluster.write("alice", object.clone(), "status").await.is_err());
    }
}

#[tokio::test]
async fn an_approval_is_for_what_it_says_now() {
    let mut cluster = Cluster::with_exception().await;
    for generation in [0, 2, -1] {
        refused(cluster.approve("bob", generation).await, "it is at generation 1 now");
    }
    cluster.approve("bob", 1).await.unwrap();
    cluster.update("alice", |object| object["spec"]["namespaces"] = json!(["*"])).await.unwrap();
    assert_eq!(cluster.stored["metadata"]["generation"], 2);
    assert_eq!(cluster.stored["status"]["approvedGeneration"], 1, "and so it is void");
    refused(cluster.approve("bob", 1).await.and(cluster.approve("alice", 2).await), "asked for it");
    cluster.approve("bob", 2).await.unwrap();
}

#[tokio::test]
async fn an_approval_can_be_taken_back() {
    let mut cluster = Cluster::with_exception().await;
    cluster.approve("bob", 1).await.unwrap();
    cluster.status("alice", json!({"approvedGeneration": null})).await.unwrap();
    assert_eq!(cluster.stored["status"], json!({}));
}

#[tokio::test]
async fn conditions_are_nobodys_approval() {
    let mut cluster = Cluster::with_exception().await;
    let conditions = json!({"conditions": [{"type": "Active", "status": "False"}]});
    cluster.status("alice", conditions.clone()).await.unwrap();
    cluster.approve("bob", 1).await.unwrap();
    cluster.status("system:serviceaccount:hookward:hookward", conditions).await.unwrap();
    assert_eq!(cluster.approver(), "bob");
}

#[tokio::test]
async fn what_is_on_its_way_out_is_held_to_the_same() {
    let mut cluster = Cluster::with_exception().await;
    cluster.stored["metadata"]["deletionTimestamp"] = json!("2026-11-20T00:00:00Z");
    cluster.stored["metadata"]["finalizers"] = json!(["a.b/c"]);
    refused(cluster.approve("alice", 1).await, "asked for it");
    refused(cluster.update("alice", |object| object["spec"]["rules"] = json!(["nothing"])).await, "422");
    cluster.update("alice", |object| object["metadata"]["finalizers"] = json!([])).await.unwrap();
}

#[tokio::test]
async fn what_nobody_signed_is_never_approved() {
    let mut cluster = Cluster::with_exception().await;
    cluster.stored["spec"]
        .as_object_mut()
        .unwrap()
        .retain(|name, _| !["requestedBy", "changedBy", "authors"].contains(&name.as_str()));
    refused(cluster.approve("bob", 1).await, "delete it and make it again");
    cluster.update("carol", |object| object["spec"]["requestedBy"] = json!("alice")).await.unwrap();
    assert_eq!(cluster.stored["spec"].get("requestedBy"), None);
}

#[tokio::test]
async fn an_exception_ends_within_ninety_days() {
    let ending = |seconds: i64| {
        let mut object = exception();
        object["spec"]["expiresAt"] = json!(timestamp(now() + seconds));
        object
    };
    refused(Cluster::new().create("alice", ending(91 * DAY)).await, "/spec/expiresAt: expiresAt");
    refused(Cluster::new().create("alice", ending(-DAY)).await, "has passed");
    let mut cluster = Cluster::new();
    cluster.create("alice", ending(89 * DAY)).await.unwrap();
    let far = json!(timestamp(now() + 91 * DAY));
    refused(cluster.update("alice", |object| object["spec"]["expiresAt"] = far).await, "90 days");
    let past = json!(timestamp(now() - DAY));
    cluster.update("alice", |object| object["spec"]["expiresAt"] = past).await.unwrap();
    refused(cluster.approve("bob", 2).await, "has passed");
}

#[tokio::test]
async fn what_has_expired_can_still_be_labelled() {
    let mut cluster = Cluster::with_exception().await;
    cluster.stored["spec"]["expiresAt"] = json!("2020-01-01T00:00:00Z");
    cluster.update("alice", |object| object["metadata"]["labels"] = json!({"team": "shop"})).await.unwrap();
    cluster.update("alice", |object| object["metadata"]["finalizers"] = json!([])).await.unwrap();
}

#[tokio::test]
async fn an_exception_names_rules_that_exist_and_a_reason() {
    for (field, value, words) in [
        (
            "rules",
            json!(["job-suspend"]),
            "/spec/rules/0: there is no rule \\\"job-suspend\\\", did you mean \\\"job-suspended\\\"?",
        ),
        ("namespaces", json!(["Shop"]), "/spec/namespaces/0"),
        ("reason", json!("  "), "/spec/reason"),
        ("expiresAt", json!("tomorrow"), "/spec/expiresAt"),
        ("colour", json!("red"), "unknown field `colour`"),
    ] {
        let mut object = exception();
        object["spec"][field] = value;
        let result = Cluster::new().create("alice", object).await;
        refused(result.clone(), "422");
        refused(result, words);
    }
}

#[tokio::test]
async fn a_wide_exception_is_told_to_be_wide() {
    let mut object = exception();
    object["spec"]["rules"] = json!(["*"]);
    object["spec"]["namespaces"] = json!(["*"]);
    let mut cluster = Cluster::new();
    cluster.create("alice", object).await.unwrap();
    assert!(cluster.warnings.contains("every rule in every namespace"), "{}", cluster.warnings);
}

#[tokio::test]
async fn nobody_is_nobody() {
    refused(Cluster::new().create("", exception()).await, "does not say who");
    let mut cluster = Cluster::with_exception().await;
    refused(cluster.approve("", 1).await, "does not say who");
}
