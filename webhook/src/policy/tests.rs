//! What is refused of policies, and what is answered before anything is read.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use policies::exception::timestamp;
use proptest::{prelude::*, test_runner::Config};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    App, Part,
    review::now,
    routes,
    testing::{
        answer, app, post, review,
        surroundings::{Fake, app_in},
    },
};

fn exception() -> Value {
    let expires_at = timestamp(now() + 24 * 60 * 60);
    let spec = json!({"rules": ["*"], "namespaces": ["shop"], "reason": "ticket 7", "expiresAt": expires_at});
    json!({"apiVersion": "hookward.dev/v1alpha1", "kind": "HookException", "metadata": {"name": "legacy"}, "spec": spec})
}

#[tokio::test]
async fn another_version_and_an_unknown_part_are_refused() {
    for (version, subresource, words) in
        [("v1", "", "only hookward.dev/v1alpha1"), ("v1alpha1", "scale", "does not know")]
    {
        for path in ["/policy", "/policy/stamp"] {
            let kind = json!({"group": "hookward.dev", "version": version, "kind": "HookException"});
            let changes = json!({"kind": kind, "subResource": subresource});
            let response = answer(&app(), path, &review(&exception(), &changes)).await;
            assert!(response["status"]["message"].as_str().unwrap().contains(words), "{response}");
        }
    }
}

#[tokio::test]
async fn what_is_not_ours_is_nobodys_business() {
    for path in ["/policy", "/policy/stamp"] {
        let response = answer(&app(), path, &review(&json!({"kind": "Job"}), &json!({}))).await;
        assert_eq!(response, json!({"uid": "6c1d4bd5", "allowed": true}));
    }
}

#[tokio::test]
async fn a_dry_run_is_judged_like_any_other() {
    let kind = json!({"group": "hookward.dev", "version": "v1alpha1", "kind": "HookException"});
    let changes = json!({"kind": kind, "dryRun": true});
    let response = answer(&app(), "/policy/stamp", &review(&exception(), &changes)).await;
    assert!(response["patch"].is_string());
    let response = answer(&app(), "/policy", &review(&exception(), &changes)).await;
    assert_eq!(response["allowed"], false, "it is not signed");
}

/// The answer of `/policy` to the creation of a policy with this spec.
async fn policy(app: &Arc<App>, spec: &Value) -> Value {
    let kind = json!({"group": "hookward.dev", "version": "v1alpha1", "kind": "HookPolicy"});
    let object = json!({"apiVersion": "hookward.dev/v1alpha1", "kind": "HookPolicy", "metadata": {"name": "team"}, "spec": spec});
    answer(app, "/policy", &review(&object, &json!({"kind": kind, "name": "team", "namespace": null}))).await
}

#[tokio::test]
async fn a_policy_that_could_not_be_put_in_force_is_refused_at_its_field() {
    for (spec, words) in [
        (
            json!({"rules": {"job-suspend": {}}}),
            "/spec/rules/job-suspend: there is no rule \"job-suspend\", did you mean",
        ),
        (
            json!({"rules": {"job-suspended": {"fix": true}}}),
            "/spec/rules/job-suspended/fix: rule job-suspended repairs nothing",
        ),
        (json!({"rules": {"job-suspended": {"options": {"a": 1}}}}), "/spec/rules/job-suspended/options: "),
        (
            json!({"rules": {"job-suspended": {"mode": "Deny"}}}),
            "/spec/rules/job-suspended/mode: unknown variant `Deny`",
        ),
        (json!({"engine": {"timeoutSeconds": 0}}), "/spec/engine/timeoutSeconds: engine.timeoutSeconds is 0"),
        (json!({"engine": {"helmVersion": 5}}), "/spec/engine/helmVersion: "),
        (json!({"profil": "strict"}), "/spec/profil: unknown field `profil`"),
        (json!({"priority": "high"}), "/spec/priority: invalid type"),
        (
            json!({"rules": {"job-ttl-missing": {"options": {"default": 120}}, "job-ttl-too-low": {"options": {"min": 600}}}}),
            "/spec/rules/job-ttl-missing: ",
        ),
        (
            json!({"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}),
            "/spec/namespaceSelector/matchExpressions/0/values: ",
        ),
        (
            json!({"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}}),
            "takes no values",
        ),
    ] {
        let response = policy(&app(), &spec).await;
        assert_eq!(
            (&response["status"]["code"], &response["status"]["reason"]),
            (&json!(422), &json!("Invalid")),
            "{response}"
        );
        let message = response["status"]["message"].as_str().unwrap();
        assert!(
            message.starts_with("HookPolicy \"team\" /spec") && message.contains(words),
            "{words:?} is missing in {message}"
        );
    }
}

#[tokio::test]
async fn a_good_policy_is_allowed_also_before_any_is_read() {
    let app = app();
    let _policies = app.ready.wait_for(Part::Policies);
    let good = json!({"profile": "strict", "namespaceSelector": {"matchLabels": {"env": "prod"}}, "rules": {"job-suspended": {"mode": "warn"}}});
    assert_eq!(policy(&app, &good).await, json!({"uid": "6c1d4bd5", "allowed": true}));
    assert_eq!(policy(&app, &json!({"rules": {"job-suspend": {}}})).await["allowed"], false);
}

#[tokio::test]
async fn exceptions_wait_until_policies_are_read() {
    let app = app();
    let policies = app.ready.wait_for(Part::Policies);
    let kind = json!({"group": "hookward.dev", "version": "v1alpha1", "kind": "HookException"});
    let body = review(&exception(), &json!({"kind": kind})).to_string();
    for path in ["/policy", "/policy/stamp"] {
        let response = routes(Arc::clone(&app)).oneshot(post(path, body.clone())).await.unwrap();
        assert_eq!(response.status(), 503);
    }
    drop(policies);
    let response = routes(app).oneshot(post("/policy/stamp", body)).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn an_object_of_ours_is_small_or_not_read() {
    let kind = json!({"group": "hookward.dev", "version": "v1alpha1", "kind": "HookException"});
    let mut object = exception();
    object["spec"]["rules"] = json!(vec![0; 300_000]);
    let body = review(&object, &json!({"kind": kind})).to_string();
    let response = routes(app()).oneshot(post("/policy", body)).await.unwrap();
    assert_eq!(response.status(), 503);
}

#[tokio::test]
async fn a_contradiction_with_another_policy_is_told() {
    let other = json!({"rules": {"job-ttl-missing": {"options": {"default": 120}}}});
    let (app, _) = app_in(Fake::default(), &[other]);
    let response = policy(
        &app,
        &json!({"engine": {"timeoutSeconds": 900}, "rules": {"job-ttl-too-low": {"options": {"min": 600}}}}),
    )
    .await;
    assert_eq!(response["allowed"], true);
    let warning = response["warnings"][0].as_str().unwrap();
    assert!(
        warning.starts_with("hookward: taken together with other policies: rule job-ttl-missing would set"),
        "{warning}"
    );
}

#[tokio::test]
async fn a_bad_policy_that_is_there_already_can_still_be_labelled() {
    let kind = json!({"group": "hookward.dev", "version": "v1alpha1", "kind": "HookPolicy"});
    let object = json!({"kind": "HookPolicy", "metadata": {"name": "team"}, "spec": {"rules": {"gone": {}}}});
    let changes = json!({"kind": kind, "operation": "UPDATE", "oldObject": object});
    assert_eq!(answer(&app(), "/policy", &review(&object, &changes)).await["allowed"], true);
    let changes = json!({"kind": kind, "operation": "UPDATE", "oldObject": object, "subResource": "status"});
    assert_eq!(answer(&app(), "/policy", &review(&json!({}), &changes)).await["allowed"], true);
}

/// Any JSON, with names that we know among those that we do not.
fn any_json() -> impl Strategy<Value = Value> {
    let names = "spec|status|requestedBy|changedBy|approvedGeneration|approvedBy|approvedAt|rules|namespaces|reason|expiresAt|metadata|generation|engine|[a-z]{1,3}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1_i64..3).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("2030-01-01T00:00:00Z")),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..5)
                .prop_map(|members: BTreeMap<String, Value>| json!(members)),
        ]
    })
}

proptest! {
    #![proptest_config(Config::with_cases(300))]

    #[test]
    fn no_object_does_worse_than_a_denial_and_every_patch_applies(new in any_json(), old in any_json(), user in ".{0,4}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let app = app();
        for (kind, subresource) in [("HookPolicy", ""), ("HookException", ""), ("HookException", "status")] {
            let changes = json!({
                "kind": {"group": "hookward.dev", "version": "v1alpha1", "kind": kind}, "subResource": subresource,
                "operation": "UPDATE", "oldObject": old, "userInfo": {"username": user},
            });
            let response = runtime.block_on(answer(&app, "/policy", &review(&new, &changes)));
            prop_assert!(response.get("patch").is_none());
            let response = runtime.block_on(answer(&app, "/policy/stamp", &review(&new, &changes)));
            if let Some(patch) = response["patch"].as_str() {
                let patch: json_patch::Patch = serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
                prop_assert!(json_patch::patch(&mut new.clone(), &patch).is_ok());
            }
        }
    }
}
