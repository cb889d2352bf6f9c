//! The registration in the chart: the one that `serve --print-webhooks` prints, and the one that the server is told to expect.

use cli::commands::serve::registration::{Address, list};
use cluster::registration::{Configuration, Expected};
use policies::{PolicySet, Profile, documents};
use serde_json::Value;

use super::render::{NAMESPACE, Offline, find, objects, sets};

const KINDS: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

#[test]
fn the_chart_registers_what_serve_prints() {
    let Some(helm) = Offline::find() else { return };
    for profile in [Profile::Audit, Profile::Baseline, Profile::Strict] {
        let objects = helm.objects(&["--set".to_owned(), format!("profile={profile}")]);
        let address = Address::Service { name: "hookward", namespace: NAMESPACE };
        let printed = list(&address, None, profile);
        for (index, kind) in KINDS.into_iter().enumerate() {
            let rendered = find(&objects, kind, "hookward");
            assert_eq!(rendered["webhooks"], printed["items"][index]["webhooks"], "{kind} in {profile}");
        }
    }
}

#[test]
fn the_server_expects_what_is_registered_and_nobody_renders_a_bundle() {
    let Some(helm) = Offline::find() else { return };
    for (name, flags) in sets() {
        let objects = helm.objects(&flags);
        let text = find(&objects, "ConfigMap", "hookward")["data"]["registration.yaml"].as_str().unwrap();
        assert!(!text.contains("caBundle:"), "{name}");
        let expected = Expected::parse(text).unwrap();
        for (kind, configuration) in
            KINDS.into_iter().zip([Configuration::Mutating, Configuration::Validating])
        {
            let registered = find(&objects, kind, "hookward");
            assert_eq!(expected.configuration(configuration), Some(registered), "{kind} in {name}");
            for webhook in registered["webhooks"].as_array().unwrap() {
                assert_eq!(webhook["clientConfig"].get("caBundle"), None, "{name}");
            }
        }
    }
}

#[test]
fn hooks_of_the_way_back_and_our_own_namespace_are_never_held_up() {
    let Some(helm) = Offline::find() else { return };
    for (name, flags) in sets() {
        for kind in KINDS {
            let objects = helm.objects(&flags);
            for webhook in find(&objects, kind, "hookward")["webhooks"].as_array().unwrap() {
                let called = webhook["name"].as_str().unwrap();
                if called == "recovery.hookward.dev" {
                    assert_eq!(webhook["failurePolicy"], "Ignore", "{name}");
                }
                // Our own kinds live in no namespace.
                if called != "policy.hookward.dev" {
                    let rule = &webhook["namespaceSelector"]["matchExpressions"][0];
                    assert_eq!(rule["key"], "kubernetes.io/metadata.name", "{called} in {name}");
                    assert_eq!(rule["operator"], "NotIn", "{called} in {name}");
                    assert!(
                        rule["values"].as_array().unwrap().iter().any(|one| one == NAMESPACE),
                        "{called}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_mounted_policy_says_what_the_values_say() {
    let Some(helm) = Offline::find() else { return };
    for (name, flags) in sets() {
        let objects = helm.objects(&flags);
        let text = find(&objects, "ConfigMap", "hookward")["data"]["policy.yaml"].as_str().unwrap();
        let read = documents::read(text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let set = PolicySet::new(read.policies, read.exceptions, Profile::Baseline, 1).unwrap();
        let wanted = match name.as_str() {
            "audit" => Profile::Audit,
            "least" => Profile::Strict,
            _ => Profile::Baseline,
        };
        assert_eq!(set.policy(None).profile, wanted, "{name}");
        if name == "most" {
            assert_eq!(set.policy(None).engine.timeout_seconds, 600);
            let mode = set.policy(None).mode("job-suspended", policies::Judging::Object);
            assert_eq!(mode, Some(policies::Mode::Warn));
        }
    }
}

#[test]
fn in_the_profile_audit_only_our_own_objects_fail_closed() {
    let Some(helm) = Offline::find() else { return };
    let objects = objects(&helm.template(tests::rig::Helm::V4, &["--set", "profile=audit"]).unwrap());
    for kind in KINDS {
        for webhook in find(&objects, kind, "hookward")["webhooks"].as_array().unwrap() {
            let is_ours = webhook["name"] == "policy.hookward.dev";
            assert_eq!(webhook["failurePolicy"] == "Fail", is_ours, "{}", webhook["name"]);
        }
    }
    let none: Vec<&Value> = objects.iter().filter(|object| object["kind"] == "HookPolicy").collect();
    assert!(none.is_empty(), "Helm would need the CRD before it can make one");
}
