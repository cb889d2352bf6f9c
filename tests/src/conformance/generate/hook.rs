//! When a hook runs, and when it is deleted.

use hooks::annotations::{DELETE_POLICY, HOOK, OUTPUT_LOG_POLICY, WEIGHT};
use serde_json::{Value, json};

use super::super::random::Random;

/// Events, as authors write them.
const EVENTS: [(usize, &str); 24] = [
    (8, "pre-install"),
    (7, "post-install"),
    (8, "pre-upgrade"),
    (7, "post-upgrade"),
    (4, "pre-rollback"),
    (4, "post-rollback"),
    (4, "pre-delete"),
    (4, "post-delete"),
    (8, "test"),
    (14, "pre-install,pre-upgrade"),
    (9, "post-install,post-upgrade"),
    (4, "pre-rollback,post-rollback"),
    (4, "pre-delete,post-delete"),
    (3, "pre-install,post-install"),
    (3, "pre-install, pre-upgrade,pre-rollback"),
    (3, "pre-install,post-upgrade,test"),
    (3, "post-upgrade,pre-delete,post-rollback"),
    (2, "Pre-Install , POST-UPGRADE"),
    (2, "test-success"),
    (2, "pre-install,pre-install"),
    (1, "test,test-success"),
    (1, "pre-install,"),
    (1, "pre-upgrade,crd-install"),
    (1, ""),
];

/// Of custom resources: late enough that their kind has been served for long.
const LATE: [&str; 4] = ["test", "pre-rollback", "post-rollback", "pre-rollback,test"];

const WEIGHTS: [(usize, Option<&str>); 11] = [
    (30, None),
    (10, Some("0")),
    (10, Some("1")),
    (10, Some("-1")),
    (8, Some("5")),
    (6, Some("-10")),
    (3, Some("+3")),
    (2, Some("abc")),
    (2, Some(" 5")),
    (1, Some("1.5")),
    (1, Some("99999999999999999999")),
];

const POLICIES: [(usize, Option<&str>); 12] = [
    (25, None),
    (12, Some("before-hook-creation")),
    (12, Some("hook-succeeded")),
    (10, Some("hook-failed")),
    (14, Some("before-hook-creation,hook-succeeded")),
    (5, Some("hook-succeeded,hook-failed")),
    (4, Some("before-hook-creation,hook-failed")),
    (4, Some("before-hook-creation, hook-succeeded ,hook-failed")),
    (2, Some("Hook-Succeeded")),
    (3, Some("never")),
    (2, Some("")),
    (2, Some("hook-succeeded,never")),
];

/// What the annotations of a hook say.
pub(super) struct Hook {
    events: &'static str,
    weight: Option<&'static str>,
    policy: Option<&'static str>,
    logs: Option<&'static str>,
    /// Numbers without quotes, which Helm does not take.
    is_bare: bool,
}

impl Hook {
    /// Annotations for an object of this kind; `is_served` where custom resources are from the beginning.
    pub(super) fn random(random: &mut Random, object: &Value, is_served: bool) -> Self {
        let events = if object["kind"] == "Widget" && !is_served {
            random.pick(&LATE)
        } else if object.to_string().contains("CustomResourceDefinition") {
            random.pick(&["pre-install", "pre-install,pre-upgrade", "post-install"])
        } else {
            random.weighted(&EVENTS)
        };
        Self {
            events,
            weight: random.weighted(&WEIGHTS),
            policy: random.weighted(&POLICIES),
            logs: random.weighted(&[(90, None), (5, Some("hook-succeeded")), (5, Some("hook-failed"))]),
            is_bare: random.percent(1),
        }
    }

    /// Writes them, in place of those that were there.
    pub(super) fn annotate(&self, object: &mut Value) {
        let mut annotations = json!({ HOOK: self.events });
        let is_pod = object["kind"] == "Pod";
        let outcome = object.pointer("/metadata/annotations").filter(|_| is_pod);
        if let Some(outcome) = outcome.and_then(|all| all.get(lifecycle::outcome::ANNOTATION)) {
            annotations[lifecycle::outcome::ANNOTATION] = outcome.clone();
        }
        for (name, value) in
            [(WEIGHT, self.weight), (DELETE_POLICY, self.policy), (OUTPUT_LOG_POLICY, self.logs)]
        {
            if let Some(value) = value {
                annotations[name] = json!(value);
            }
        }
        if self.is_bare {
            annotations[WEIGHT] = json!(7);
        }
        // Those of items say nothing to Helm; here they show whose the items are.
        for item in object.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
            item["metadata"]["annotations"][HOOK] = json!(self.events);
        }
        object["metadata"]["annotations"] = annotations;
    }
}
