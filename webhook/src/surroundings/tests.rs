//! What a cluster adds to a judgement: labels of namespaces, releases of hooks, and somebody who takes note.

use std::{
    collections::BTreeMap,
    sync::{Mutex, atomic::Ordering},
};

use hooks::release::encode;
use policies::{Mode, Moment, Occasion, decision::Identity};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{
    App, routes,
    testing::{
        answer, app, job, post, review,
        surroundings::{Fake, app_in, labels},
        text,
    },
};

fn suspended() -> Value {
    job(&json!({"suspend": true}))
}

/// A policy for namespaces of this team, under which a suspended Job is no denial.
fn lenient() -> Value {
    json!({"namespaceSelector": {"matchLabels": {"team": "shop"}}, "rules": {"job-suspended": {"mode": "warn"}}})
}

fn knowing(pairs: &[(&str, &str)]) -> Fake {
    Fake { known: Mutex::new(BTreeMap::from([("shop".to_owned(), labels(pairs))])), ..Fake::default() }
}

async fn is_allowed(app: &Arc<App>, object: &Value, changes: &Value) -> bool {
    answer(app, "/validate", &review(object, changes)).await["allowed"] == true
}

/// Status and text of what is no review.
async fn refused(app: &Arc<App>, path: &str, body: &Value) -> (u16, String) {
    let response = routes(Arc::clone(app)).oneshot(post(path, body.to_string())).await.unwrap();
    (response.status().as_u16(), text(response).await)
}

/// The Secret of a release that is about to be upgraded, in `namespace` by its record.
fn stored(namespace: &str, hook: &str) -> Value {
    let record = json!({
        "name": "shop", "namespace": namespace, "version": 7, "info": {"status": "pending-upgrade"}, "manifest": "",
        "chart": {"metadata": {"name": "shop", "version": "1.0.0"}, "templates": []},
        "hooks": [{"name": "migrate", "kind": "Job", "path": "shop/templates/migrate.yaml", "manifest": hook, "events": ["pre-upgrade"]}],
    });
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": "sh.helm.release.v1.shop.v7"}, "data": {"release": encode(record.to_string().as_bytes())},
    })
}

fn manifest(spec: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations:\n    helm.sh/hook: pre-upgrade\nspec: {spec}\n"
    )
}

fn of_secret(changes: &Value) -> Value {
    let mut request = json!({"name": "sh.helm.release.v1.shop.v7", "kind": {"group": "", "version": "v1", "kind": "Secret"}});
    json_patch::merge(&mut request, changes);
    request
}

const MISSING: &str = "a policy selects namespaces by labels, and those of this one are not known\n";

#[tokio::test]
async fn labels_decide_which_policy_holds() {
    for (team, allowed) in [("shop", true), ("bank", false)] {
        let (app, _) = app_in(knowing(&[("team", team)]), &[lenient()]);
        assert_eq!(is_allowed(&app, &suspended(), &json!({})).await, allowed, "{team}");
    }
}

#[tokio::test]
async fn nobody_is_asked_for_labels_that_no_policy_asks_for() {
    let by_name = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}, "rules": {"job-suspended": {"mode": "warn"}}});
    let (app, fake) = app_in(Fake::default(), &[by_name]);
    assert!(is_allowed(&app, &suspended(), &json!({})).await);
    assert_eq!(fake.lookups.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_namespace_that_is_a_moment_old_is_learned() {
    let learnable = BTreeMap::from([("shop".to_owned(), labels(&[("team", "shop")]))]);
    let (app, fake) = app_in(Fake { learnable, ..Fake::default() }, &[lenient()]);
    assert!(is_allowed(&app, &suspended(), &json!({})).await);
    assert!(is_allowed(&app, &suspended(), &json!({})).await);
    assert_eq!(fake.lessons.load(Ordering::Relaxed), 1, "once");
}

#[tokio::test]
async fn nothing_is_judged_without_the_labels_it_depends_on() {
    let (app, fake) = app_in(Fake::default(), &[lenient()]);
    for path in ["/validate", "/mutate"] {
        let body = review(&suspended(), &json!({}));
        assert_eq!(refused(&app, path, &body).await, (503, MISSING.to_owned()));
    }
    let large = review(&job(&json!({"x": "y".repeat(100_000)})), &json!({}));
    assert_eq!(refused(&app, "/validate", &large).await, (503, MISSING.to_owned()));
    let release = review(&stored("shop", &manifest("{}")), &json!({}));
    assert_eq!(refused(&app, "/release", &release).await, (503, MISSING.to_owned()));
    assert_eq!(fake.lessons.load(Ordering::Relaxed), 4);
    assert!(app.metrics.render().contains("rejected_total{reason=\"namespace_unknown\"} 4"));
}

/// The API server refuses objects in a namespace that is not there, so only others ask; they are not to learn which there are.
#[tokio::test]
async fn a_namespace_that_is_not_there_is_judged_like_one_without_labels() {
    let whole = || Fake { is_whole: true, ..Fake::default() };
    let unlabelled = || knowing(&[]);
    for fake in [whole(), unlabelled()] {
        let (app, _) = app_in(fake, &[lenient()]);
        assert!(!is_allowed(&app, &suspended(), &json!({})).await, "the policy is for those with the label");
        assert!(is_allowed(&app, &job(&json!({})), &json!({})).await);
        let large = review(&job(&json!({"suspend": true, "x": "y".repeat(100_000)})), &json!({}));
        assert_eq!(answer(&app, "/validate", &large).await["allowed"], false);
        let release = review(&stored("shop", &manifest("{suspend: true}")), &of_secret(&json!({})));
        assert_eq!(answer(&app, "/release", &release).await["allowed"], false);
        assert!(!app.metrics.render().contains("rejected_total{reason=\"namespace_unknown\"} 1"));
    }
}

#[tokio::test(start_paused = true)]
async fn learning_that_does_not_end_leaves_time_to_say_so() {
    let (app, _) = app_in(Fake { is_deaf: true, ..Fake::default() }, &[lenient()]);
    let body = review(&suspended(), &json!({}));
    assert_eq!(refused(&app, "/validate?timeout=10s", &body).await, (503, MISSING.to_owned()));
}

#[tokio::test]
async fn without_a_cluster_labels_are_known_to_nobody() {
    let app = app();
    let (with, _) = app_in(Fake::default(), &[lenient()]);
    app.policies.store(with.policies.load_full());
    assert_eq!(refused(&app, "/validate", &review(&suspended(), &json!({}))).await.0, 503);
}

#[tokio::test]
async fn cluster_scoped_hooks_need_no_labels() {
    let (app, _) = app_in(Fake::default(), &[lenient()]);
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a", "annotations": {"helm.sh/hook": "pre-install"}}});
    assert!(is_allowed(&app, &role, &json!({"namespace": null})).await);
    // The API server says of a Namespace that it is in itself.
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new", "annotations": {"helm.sh/hook": "pre-install"}}});
    let changes = json!({"namespace": "new", "name": "new", "kind": {"group": "", "version": "v1", "kind": "Namespace"}});
    let body = review(&namespace, &changes);
    assert_eq!(refused(&app, "/validate", &body).await.0, 200);
}

#[tokio::test]
async fn the_gate_goes_by_the_namespace_of_the_record() {
    let known = BTreeMap::from([
        ("shop".to_owned(), labels(&[("team", "shop")])),
        ("bank".to_owned(), labels(&[("team", "bank")])),
    ]);
    let (app, _) = app_in(Fake { known: Mutex::new(known), ..Fake::default() }, &[lenient()]);
    for (by_record, of_secret, allowed) in [("shop", "bank", true), ("bank", "shop", false)] {
        let body = review(&stored(by_record, &manifest("{suspend: true}")), &json!({"namespace": of_secret}));
        assert_eq!(answer(&app, "/release", &body).await["allowed"], allowed, "{by_record}");
    }
}

#[tokio::test]
async fn denials_and_warnings_are_told_and_nothing_else() {
    let (app, fake) = app_in(knowing(&[]), &[]);
    assert!(!is_allowed(&app, &suspended(), &json!({})).await);
    assert!(!is_allowed(&app, &suspended(), &json!({"dryRun": true})).await);
    answer(&app, "/mutate", &review(&suspended(), &json!({}))).await;
    let quiet = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": {"helm.sh/hook": "pre-upgrade", "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded"}}});
    assert!(is_allowed(&app, &quiet, &json!({})).await);
    let told = fake.told.lock().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    let decision = &told[0];
    assert_eq!((decision.allowed, decision.occasion, &decision.membership), (false, Occasion::Hook, &None));
    let object = &decision.object;
    assert_eq!(
        (&*object.api_version, &*object.kind, &*object.name, object.namespace.as_deref()),
        ("batch/v1", "Job", "migrate", Some("shop"))
    );
    let first = &decision.findings[0];
    assert_eq!((first.rule, first.mode), ("job-suspended", Mode::Deny));
    assert!(
        first.message.starts_with("`job-suspended`: Job \"migrate\" /spec/suspend: "),
        "{}",
        first.message
    );
}

#[tokio::test]
async fn a_denied_namespace_was_told_of_in_a_namespace_that_is_not_there() {
    let (app, fake) = app_in(Fake { is_whole: true, ..Fake::default() }, &[]);
    let events = json!({"helm.sh/hook": "pre-install,pre-upgrade"});
    let object =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new", "annotations": events}});
    let changes = json!({"namespace": "new", "name": "new", "kind": {"group": "", "version": "v1", "kind": "Namespace"}});
    assert!(!is_allowed(&app, &object, &changes).await);
    let told = fake.told.lock().unwrap();
    let Identity { kind, namespace, name, .. } = &told[0].object;
    assert_eq!((kind.as_str(), namespace, name.as_str()), ("Namespace", &None, "new"));
}

#[tokio::test]
async fn an_object_that_has_no_name_or_is_not_stored_is_told_as_far_as_it_is_known() {
    let (app, fake) = app_in(Fake::default(), &[]);
    let mut object = suspended();
    object["metadata"]["name"] = Value::Null;
    object["metadata"]["generateName"] = json!("migrate-");
    object["metadata"]["uid"] = json!("made-up");
    is_allowed(&app, &object, &json!({"name": ""})).await;
    let mut stored = suspended();
    stored["metadata"]["uid"] = json!("77");
    is_allowed(&app, &stored, &json!({"operation": "UPDATE", "oldObject": job(&json!({}))})).await;
    let told = fake.told.lock().unwrap();
    let seen: Vec<_> =
        told.iter().map(|decision| (&*decision.object.name, decision.object.uid.as_deref())).collect();
    assert_eq!(seen, [("migrate-", None), ("migrate", Some("77"))]);
}

#[tokio::test]
async fn an_annotation_taken_away_is_told() {
    let (app, fake) = app_in(Fake::default(), &[]);
    let mut plain = suspended();
    plain["metadata"]["annotations"] = json!({});
    plain["metadata"]["uid"] = json!("77");
    for dry_run in [true, false] {
        let changes = json!({"operation": "UPDATE", "oldObject": suspended(), "dryRun": dry_run});
        assert!(is_allowed(&app, &plain, &changes).await);
    }
    let told = fake.told.lock().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].occasion, told[0].allowed, told[0].findings.len()),
        (Occasion::AnnotationRemoved, true, 0)
    );
    assert_eq!(told[0].object.uid.as_deref(), Some("77"));
}

#[tokio::test]
async fn a_refused_release_is_told_as_the_secret_that_was_not_stored() {
    let (app, fake) = app_in(Fake::default(), &[]);
    let body = |dry_run: bool| {
        review(&stored("shop", &manifest("{suspend: true}")), &of_secret(&json!({"dryRun": dry_run})))
    };
    for dry_run in [true, false] {
        assert_eq!(answer(&app, "/release", &body(dry_run)).await["allowed"], false);
    }
    let told = fake.told.lock().unwrap();
    assert_eq!(told.len(), 1);
    let decision = &told[0];
    assert_eq!(
        (decision.occasion, &*decision.object.kind, &*decision.object.name),
        (Occasion::Release, "Secret", "sh.helm.release.v1.shop.v7")
    );
    let membership = decision.membership.as_ref().unwrap();
    assert_eq!((&*membership.release, membership.revision, membership.moment), ("shop", 7, Moment::Upgrade));
}

/// The denial of the hook that is suspended, after the gate has seen a release that has it.
async fn denial_after(gate: &Value) -> (Value, String) {
    let (app, _) = app_in(Fake::default(), &[]);
    let passed = answer(&app, "/release", gate).await;
    let denial = answer(&app, "/validate", &review(&suspended(), &json!({}))).await;
    (passed["allowed"].clone(), denial["status"]["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_hook_is_told_by_the_release_that_passed_the_gate() {
    let good = stored("shop", &manifest("{}"));
    let named = "\nin release \"shop\" revision 7\nexplain: hookward rules job-suspended";
    let (allowed, message) = denial_after(&review(&good, &of_secret(&json!({})))).await;
    assert!(allowed == true && message.ends_with(named), "{message}");
    let (_, message) = denial_after(&review(&good, &of_secret(&json!({"dryRun": true})))).await;
    assert!(!message.contains("in release"), "what was only tried has no hooks: {message}");
    let refused = stored("shop", &manifest("{suspend: true}"));
    let (allowed, message) = denial_after(&review(&refused, &of_secret(&json!({})))).await;
    assert!(allowed == false && !message.contains("in release"), "{message}");
}

/// A hook that would take something back, and does something else too.
fn two_events(spec: &Value) -> Value {
    let mut object = job(spec);
    object["metadata"]["annotations"]["helm.sh/hook"] = json!("pre-upgrade,pre-rollback");
    object
}

#[tokio::test]
async fn a_stored_record_says_what_is_under_way_and_the_gate_does_not() {
    let object = two_events(&json!({"suspend": true}));
    let (app, _) = app_in(Fake::default(), &[]);
    let gate = review(&stored("shop", &manifest("{}")), &of_secret(&json!({})));
    assert_eq!(answer(&app, "/release", &gate).await["allowed"], true);
    assert!(is_allowed(&app, &object, &json!({})).await, "a rollback may have followed");
    for (moment, allowed) in [(Moment::Upgrade, false), (Moment::Rollback, true), (Moment::Unknown, true)] {
        let membership = Membership { release: "shop".into(), namespace: "shop".into(), revision: 7, moment };
        let (app, fake) = app_in(Fake { membership: Some(membership.clone()), ..Fake::default() }, &[]);
        assert_eq!(is_allowed(&app, &object, &json!({})).await, allowed, "{moment:?}");
        assert_eq!(fake.told.lock().unwrap()[0].membership, Some(membership));
    }
}

#[tokio::test]
async fn only_a_proven_recovery_softens_a_security_rule() {
    let pod = json!({"template": {"spec": {"hostNetwork": true, "restartPolicy": "Never", "containers": [{"name": "c", "image": "i", "securityContext": {"privileged": true}}]}}});
    let object = two_events(&pod);
    let deny = json!({"rules": {"sec-privileged": {"mode": "deny"}}});
    for (moment, allowed) in [(Some(Moment::Rollback), true), (Some(Moment::Upgrade), false), (None, false)] {
        let membership = moment.map(|moment| Membership {
            release: "shop".into(),
            namespace: "shop".into(),
            revision: 7,
            moment,
        });
        let (app, _) = app_in(Fake { membership, ..Fake::default() }, std::slice::from_ref(&deny));
        assert_eq!(is_allowed(&app, &object, &json!({})).await, allowed, "{moment:?}");
    }
}
