//! Exceptions take two people, on a real API server, with real users whose rights are those of the chart's own roles.

use serde_json::{Value, json};
use tests::{
    chart::suspended_job,
    installed::Installed,
    kinds,
    registration::LABEL,
    rig::{Helm, Ran},
    server::Setup,
    users::User,
};

use super::{Place, SOON, assert_refused};

mod elsewhere;
mod handed_on;
mod unguarded;

const WEBHOOKS: [&str; 4] = ["mutate", "validate", "recovery", "policy"];
const APPROVE: [&str; 3] = ["--subresource=status", "--type=merge", "--patch"];
/// The roles of the chart: to ask, and to approve.
const ROLES: &str = "templates/access-people.yaml";

/// A guarded namespace, and people who may ask for exceptions, or approve them, or both.
struct Office {
    place: Place,
    alice: User<'static>,
    bob: User<'static>,
    carol: User<'static>,
}

impl Office {
    /// Alice asks, bob approves, and carol may do both.
    #[track_caller]
    fn open(prefix: &str) -> Self {
        let place = Place::unguarded(prefix);
        kinds::define(place.rig);
        let setup = Setup::new("baseline", "");
        let server = setup.in_cluster(&place.rig.kubeconfig(), &place.namespace, "replica-0").start();
        let place = place.guard_by(server, &WEBHOOKS);
        let [alice, bob, carol] = ["alice", "bob", "carol"]
            .map(|name| User::new(place.rig, &format!("{name}-{}", place.namespace)));
        let office = Self { place, alice, bob, carol };
        office.roles();
        office
    }

    /// The roles that the chart brings, under names of this test's own, and who has them.
    #[track_caller]
    fn roles(&self) {
        let place = &self.place;
        let helm = place.rig.helm(Helm::V4).args(["template", "guard"]).path(&Installed::chart());
        let roles = helm.args(["--show-only", ROLES]).run().expect_ok().stdout;
        place.rig.apply(&roles.replace("hookward:", &format!("{}:", place.namespace)));
        for (role, people) in [
            ("exception-requester", [&self.alice, &self.carol]),
            ("exception-approver", [&self.bob, &self.carol]),
        ] {
            let binding = json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                "metadata": {"name": format!("{}-{role}", place.namespace)},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": format!("{}:{role}", place.namespace)},
                "subjects": people.map(|user| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user.name()})),
            });
            place.rig.apply(&binding.to_string());
        }
        place.rig.wait_for("the roles to count", SOON, || {
            let may = |user: &User<'_>, flags: &[&str]| {
                user.kubectl(&[&["auth", "can-i"], flags].concat(), "").stdout.trim() == "yes"
            };
            let may_ask = |user| may(user, &["create", "hookexceptions.hookward.dev"]);
            let may_approve =
                |user| may(user, &["patch", "hookexceptions.hookward.dev", "--subresource=status"]);
            let both = may_ask(&self.carol) && may_approve(&self.carol);
            (both && may_ask(&self.alice) && may_approve(&self.bob)).then_some(())
        });
    }

    /// An exception for this namespace, with the changes merged into its spec.
    fn exception(&self, changes: &Value) -> Value {
        let name = &self.place.namespace;
        let expires_at = policies::exception::timestamp(now() + 24 * 60 * 60);
        let mut exception = json!({
            "apiVersion": "hookward.dev/v1alpha1", "kind": "HookException",
            "metadata": {"name": name, "labels": {LABEL: name}},
            "spec": {"rules": ["job-suspended"], "namespaces": [name], "reason": "ticket 7", "expiresAt": expires_at},
        });
        for (field, value) in changes.as_object().into_iter().flatten() {
            exception["spec"][field] = value.clone();
        }
        exception
    }

    #[track_caller]
    fn ask(&self, changes: &Value) -> Ran {
        self.alice.kubectl(&["create", "--filename=-"], &self.exception(changes).to_string())
    }

    fn patch(&self, user: &User<'_>, flags: &[&str], patch: &Value) -> Ran {
        let patch = patch.to_string();
        user.kubectl(&[&["patch", "hookexception", &self.place.namespace], flags, &[&*patch]].concat(), "")
    }

    fn change(&self, user: &User<'_>, spec: &Value) -> Ran {
        self.patch(user, &["--type=merge", "--patch"], &json!({"spec": spec}))
    }

    fn approve(&self, user: &User<'_>, generation: i64) -> Ran {
        self.patch(user, &APPROVE, &json!({"status": self.approval(generation)}))
    }

    /// An approval of the exception that is there.
    fn approval(&self, generation: i64) -> Value {
        json!({"approvedGeneration": generation, "approvedUID": self.stored()["metadata"]["uid"]})
    }

    /// The exception as it is stored.
    #[track_caller]
    fn stored(&self) -> Value {
        self.place.rig.get_json("hookexception", "", &self.place.namespace).expect("the exception is stored")
    }

    /// Waits until a hook that never ends is let through, or until it is not.
    #[track_caller]
    fn waits_until_it_counts(&self, counts: bool) {
        let job = suspended_job("migrate", "pre-install").to_string();
        self.place.rig.wait_for("the exception to count, or not", SOON, || {
            let created = self.place.kubectl(&["create", "--dry-run=server", "--filename=-"], &job);
            (created.ok() == counts).then_some(())
        });
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        // While somebody still answers: the webhook fails closed.
        let name = &self.place.namespace;
        let _ =
            self.place.rig.kubectl(&["delete", "hookexception", name, "--ignore-not-found", "--wait=false"]);
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

#[test]
fn two_people_make_an_exception_count_and_an_edit_ends_that() {
    let office = Office::open("two-people");
    office.waits_until_it_counts(false);
    let asked = office.ask(&json!({"requestedBy": office.bob.name(), "changedBy": "nobody"})).expect_ok();
    assert!(asked.stderr.contains("not in force until somebody else approves generation 1"), "{asked:?}");
    let spec = &office.stored()["spec"];
    assert_eq!(
        (&spec["requestedBy"], &spec["changedBy"]),
        (&json!(office.alice.name()), &json!(office.alice.name()))
    );
    assert_refused(&office.approve(&office.alice, 1), &["cannot get resource \"hookexceptions/status\""]);
    let approved = office.approve(&office.bob, 1).expect_ok();
    assert!(approved.stderr.contains("approved until"), "{approved:?}");
    office.waits_until_it_counts(true);

    let _ = office.change(&office.alice, &json!({"reason": "ticket 8"})).expect_ok();
    office.waits_until_it_counts(false);
    assert_refused(&office.approve(&office.bob, 3), &["policy.hookward.dev", "it is at generation 2 now"]);
    let _ = office.approve(&office.bob, 2).expect_ok();
    office.waits_until_it_counts(true);

    let _ = office.patch(&office.bob, &APPROVE, &json!({"status": {"approvedGeneration": null}})).expect_ok();
    office.waits_until_it_counts(false);
    assert!(office.stored()["status"].get("approvedBy").is_none());
}

#[test]
fn whoever_may_do_both_still_needs_somebody_else() {
    let office = Office::open("both-roles");
    let exception = office.exception(&json!({})).to_string();
    let _ = office.carol.kubectl(&["create", "--filename=-"], &exception).expect_ok();
    let refused = ["asked for it, so somebody else has to approve it"];
    assert_refused(&office.approve(&office.carol, 1), &refused);
    let mut forged = office.approval(1);
    forged["approvedBy"] = json!(office.bob.name());
    forged["approvedAt"] = json!("2026-01-01T00:00:00Z");
    assert_refused(&office.patch(&office.carol, &APPROVE, &json!({"status": forged})), &refused);
    // By every way that leads to the status.
    let status = json!({"status": office.approval(1)});
    let mut whole = office.stored();
    whole["status"] = status["status"].clone();
    whole["spec"]["requestedBy"] = json!(office.alice.name());
    whole["spec"]["changedBy"] = json!(office.alice.name());
    let replaced =
        office.carol.kubectl(&["replace", "--subresource=status", "--filename=-"], &whole.to_string());
    assert_refused(&replaced, &refused);
    let mut applied = office.exception(&json!({}));
    applied["status"] = status["status"].clone();
    let apply = ["apply", "--server-side", "--force-conflicts", "--subresource=status", "--filename=-"];
    assert_refused(&office.carol.kubectl(&apply, &applied.to_string()), &refused);
    let json_patch = json!([{"op": "add", "path": "/status", "value": status["status"]}]);
    assert_refused(
        &office.patch(&office.carol, &["--subresource=status", "--type=json", "--patch"], &json_patch),
        &refused,
    );
    // And the approver of what somebody else asked for becomes its author by changing it.
    let _ = office.carol.kubectl(&["delete", "hookexception", &office.place.namespace], "").expect_ok();
    let _ = office.ask(&json!({})).expect_ok();
    let _ = office.change(&office.carol, &json!({"namespaces": ["*"]})).expect_ok();
    assert_refused(&office.approve(&office.carol, 2), &["changed it, so somebody else has to approve it"]);
    assert_eq!(office.stored()["spec"]["requestedBy"], office.alice.name());
    let _ = office.approve(&office.bob, 2).expect_ok();
    assert_eq!(office.stored()["status"]["approvedBy"], office.bob.name());
}

#[test]
fn who_asked_cannot_be_rewritten() {
    let office = Office::open("rewritten");
    let _ = office.ask(&json!({})).expect_ok();
    let forged = json!({"requestedBy": office.bob.name(), "changedBy": office.bob.name()});
    let _ = office.change(&office.carol, &forged).expect_ok();
    let removed = json!({"requestedBy": null, "changedBy": null});
    let _ = office.change(&office.carol, &removed).expect_ok();
    let alice = json!(office.alice.name());
    let stored = office.stored();
    assert_eq!((&stored["spec"]["requestedBy"], &stored["spec"]["changedBy"]), (&alice, &alice));
    assert_eq!(stored["metadata"]["generation"], 1, "and nothing was changed by it");
    let mut object = office.exception(&json!({"reason": "ticket 9", "requestedBy": office.bob.name()}));
    object["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"].clone();
    let _ = office.carol.kubectl(&["replace", "--filename=-"], &object.to_string()).expect_ok();
    let stored = office.stored();
    assert_eq!(
        (&stored["spec"]["requestedBy"], &stored["spec"]["changedBy"]),
        (&alice, &json!(office.carol.name()))
    );
}

#[test]
fn what_no_exception_may_say_is_refused() {
    let office = Office::open("terms");
    let at = |days: i64| policies::exception::timestamp(now() + days * 24 * 60 * 60);
    for (changes, words) in [
        (json!({"expiresAt": at(91)}), "/spec/expiresAt"),
        (json!({"expiresAt": at(-1)}), "has passed"),
        (json!({"rules": ["job-suspend"]}), "did you mean \"job-suspended\"?"),
        (json!({"names": ["migrate-[0-9]"]}), "/spec/names/0"),
        (json!({"reason": "   "}), "spec.reason"),
        (json!({"name": ["migrate"]}), "unknown field"),
    ] {
        // What kubectl says itself is not what is tested here.
        let exception = office.exception(&changes).to_string();
        let asked = office.alice.kubectl(&["create", "--validate=false", "--filename=-"], &exception);
        assert_refused(&asked, &[words]);
    }
    assert!(office.place.rig.get_json("hookexception", "", &office.place.namespace).is_none());
    let _ = office.ask(&json!({"expiresAt": at(89)})).expect_ok();
    assert_refused(&office.change(&office.alice, &json!({"expiresAt": at(91)})), &["90 days"]);
    let _ = office.change(&office.alice, &json!({"expiresAt": at(-1)})).expect_ok();
    assert_refused(&office.approve(&office.bob, 2), &["has passed"]);
    let _ = office
        .alice
        .kubectl(&["label", "hookexception", &office.place.namespace, "team=shop"], "")
        .expect_ok();
}

#[test]
fn other_namespaces_are_not_meant_and_two_exceptions_add_up() {
    let office = Office::open("combined");
    let _ = office.ask(&json!({"namespaces": ["somewhere-*"]})).expect_ok();
    let _ = office.approve(&office.bob, 1).expect_ok();
    // Until everybody has seen it.
    office.place.rig.wait_for("the standing of the exception", SOON, || {
        office.stored()["status"]["conditions"].to_string().contains("Approved").then_some(())
    });
    office.waits_until_it_counts(false);
    // One object, two findings, each with an exception of its own.
    let policy = json!({
        "apiVersion": "hookward.dev/v1alpha1", "kind": "HookPolicy",
        "metadata": {"name": office.place.namespace, "labels": {LABEL: office.place.namespace}},
        "spec": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": office.place.namespace}},
            "rules": {"job-deadline-missing": {"mode": "deny"}},
        },
    });
    office.place.rig.apply(&policy.to_string());
    let name = office.place.namespace.as_str();
    let _ = office.change(&office.alice, &json!({"namespaces": [format!("{name}*")]})).expect_ok();
    let _ = office.approve(&office.bob, 2).expect_ok();
    let job = suspended_job("migrate", "pre-install").to_string();
    let create = || office.place.kubectl(&["create", "--dry-run=server", "--filename=-"], &job);
    office.place.rig.wait_for("the other finding alone", SOON, || {
        let said = create().stderr;
        (said.contains("`job-deadline-missing`") && !said.contains("`job-suspended`")).then_some(())
    });
    let _ = office.change(&office.alice, &json!({"rules": ["job-suspended", "job-deadline-*"]})).expect_ok();
    let _ = office.approve(&office.bob, 3).expect_ok();
    office.waits_until_it_counts(true);
    let _ = office.place.rig.kubectl(&["delete", "hookpolicy", name]).expect_ok();
}

#[test]
fn an_exception_for_all_namespaces_counts_wherever_nobody_else_is_meant() {
    let office = Office::open("wildcard");
    let name = office.place.namespace.as_str();
    // Of this test alone, since the exception counts in the namespaces of all others too.
    let create = |job: &str| {
        let job = suspended_job(job, "pre-install").to_string();
        office.place.kubectl(&["create", "--dry-run=server", "--filename=-"], &job)
    };
    assert_refused(&create(name), &["`job-suspended`"]);
    let _ = office.ask(&json!({"namespaces": ["*"], "names": [name]})).expect_ok();
    assert_refused(&create(name), &["`job-suspended`"]);
    let approved = office.approve(&office.bob, 1).expect_ok();
    assert!(approved.stderr.contains("approved until"), "{approved:?}");
    office.place.rig.wait_for("the exception to count", SOON, || create(name).ok().then_some(()));
    assert_refused(&create("migrate"), &["`job-suspended`"]);
}

#[test]
fn another_version_of_our_kinds_is_refused() {
    let office = Office::open("version");
    let mut exception = office.exception(&json!({}));
    exception["apiVersion"] = json!("hookward.dev/v1beta1");
    let asked = office.carol.kubectl(&["create", "--validate=false", "--filename=-"], &exception.to_string());
    assert_refused(&asked, &["no matches for kind \"HookException\" in version \"hookward.dev/v1beta1\""]);
    assert!(office.place.rig.get_json("hookexception", "", &office.place.namespace).is_none());
}

#[test]
fn a_dry_run_is_judged_and_writes_nothing() {
    let office = Office::open("dry-run-policy");
    let dry = ["create", "--dry-run=server", "--output=json", "--filename=-"];
    let tried = office.alice.kubectl(&dry, &office.exception(&json!({})).to_string()).expect_ok();
    let object: Value = serde_json::from_str(&tried.stdout).unwrap();
    assert_eq!(object["spec"]["requestedBy"], office.alice.name());
    let bad = office.exception(&json!({"rules": ["nothing"]})).to_string();
    assert_refused(&office.alice.kubectl(&dry, &bad), &["there is no rule"]);
    assert!(office.place.rig.get_json("hookexception", "", &office.place.namespace).is_none());
    let _ = office.ask(&json!({})).expect_ok();
    let flags = [&["--dry-run=server"], &APPROVE[..]].concat();
    let _ = office.patch(&office.bob, &flags, &json!({"status": office.approval(1)})).expect_ok();
    assert!(office.stored()["status"].get("approvedBy").is_none());
}

#[test]
fn nobody_answers_and_nothing_is_excepted() {
    let mut office = Office::open("closed");
    let _ = office.ask(&json!({})).expect_ok();
    office.place.server().kill();
    let refused = ["failed calling webhook \"policy.hookward.dev\""];
    assert_refused(&office.approve(&office.bob, 1), &refused);
    assert_refused(&office.change(&office.alice, &json!({"reason": "ticket 8"})), &refused);
    let _ = office.alice.kubectl(&["delete", "hookexception", &office.place.namespace], "").expect_ok();
    assert_refused(&office.ask(&json!({})), &refused);
}

#[test]
fn a_bad_policy_is_refused_at_its_field_and_a_good_one_is_not() {
    let office = Office::open("bad-policy");
    let name = office.place.namespace.as_str();
    let policy = |spec: Value| {
        let policy = json!({
            "apiVersion": "hookward.dev/v1alpha1", "kind": "HookPolicy",
            "metadata": {"name": name, "labels": {LABEL: name}}, "spec": spec,
        });
        office.place.rig.kubectl_with(&["apply", "--validate=false", "--filename=-"], &policy.to_string())
    };
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": name}});
    let rules = |rules: Value| policy(json!({"namespaceSelector": selector, "rules": rules}));
    assert_refused(
        &rules(json!({"job-suspend": {"mode": "warn"}})),
        &["/spec/rules/job-suspend", "did you mean"],
    );
    assert_refused(&rules(json!({"job-suspended": {"mod": "warn"}})), &["/spec/rules/job-suspended/mod"]);
    let _ = rules(json!({"job-suspended": {"mode": "warn"}})).expect_ok();
    office.waits_until_it_counts(true);
    let _ = office.place.rig.kubectl(&["delete", "hookpolicy", name]).expect_ok();
    office.waits_until_it_counts(false);
}
