//! What the definitions ask beyond the types: sizes, patterns, rules in CEL, and how lists merge.

use policies::exception::MOST_AUTHORS;
use serde_json::{Value, json};

/// Rules, in CEL, with what to say; the cost of each is bounded by the sizes beside it.
type Rules<'r> = &'r [(&'r str, &'r str)];

/// Lengths that Kubernetes itself allows: of a name, and of a label's value or a namespace.
const NAME: u64 = 253;
const LABEL: u64 = 63;
/// Bytes of the name of a user.
const PERSON: u64 = 1024;

/// The spec of a `HookPolicy`.
pub(super) fn policy(mut spec: Value) -> Value {
    let expressions = &mut spec["properties"]["namespaceSelector"]["properties"]["matchExpressions"];
    bound(expressions, 32);
    let requirement = &mut expressions["items"];
    sized(&mut requirement["properties"]["key"], NAME + 1 + LABEL);
    let values = &mut requirement["properties"]["values"];
    bound(values, 256);
    sized(&mut values["items"], LABEL);
    *requirement = ruled(
        requirement.take(),
        &[(
            "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 \
             : !has(self.values) || size(self.values) == 0",
            "In and NotIn need values; Exists and DoesNotExist have none",
        )],
    );
    for settings in members(&mut spec["properties"]["rules"]["properties"]) {
        for option in members(&mut settings["properties"]["options"]["properties"]) {
            if option["type"] == "array" {
                bound(option, 128);
                sized(&mut option["items"], NAME);
            }
        }
    }
    spec
}

/// The spec of a `HookException`.
pub(super) fn exception(mut spec: Value) -> Value {
    let fields = &mut spec["properties"];
    for (field, pattern) in [
        ("rules", "^[a-z0-9*?-]+$"),
        ("namespaces", "^[a-z0-9*?-]+$"),
        ("kinds", "^[A-Za-z0-9*?]+$"),
        ("names", "^[^/%\\s]+$"),
    ] {
        bound(&mut fields[field], 64);
        let items = &mut fields[field]["items"];
        sized(items, NAME);
        items["pattern"] = json!(pattern);
    }
    sized(&mut fields["reason"], 1024);
    fields["reason"]["pattern"] = json!("\\S");
    fields["expiresAt"]["format"] = json!("date-time");
    for person in ["requestedBy", "changedBy"] {
        sized(&mut fields[person], PERSON);
    }
    bound(&mut fields["authors"], MOST_AUTHORS as u64);
    sized(&mut fields["authors"]["items"], PERSON);
    ruled(
        spec,
        &[
            (
                "!has(oldSelf.requestedBy) || (has(self.requestedBy) && self.requestedBy == oldSelf.requestedBy)",
                "requestedBy is who asked for the exception and never changes",
            ),
            (
                "!has(oldSelf.authors) \
                 || (has(self.authors) && oldSelf.authors.all(author, author in self.authors))",
                "authors are all who changed the exception, and nobody is taken off",
            ),
        ],
    )
}

/// A status: lists of objects merge by their keys, so that each writer keeps to its own entries.
pub(super) fn status(mut status: Value) -> Value {
    conditions(&mut status);
    let fields = &mut status["properties"];
    if fields.get("replicas").is_some() {
        let replicas = &mut fields["replicas"];
        keyed(replicas, "pod");
        conditions(&mut replicas["items"]);
    }
    if fields.get("approvedGeneration").is_none() {
        return status;
    }
    fields["approvedAt"]["format"] = json!("date-time");
    sized(&mut fields["approvedBy"], PERSON);
    sized(&mut fields["approvedUID"], LABEL);
    ruled(
        status,
        &[(
            "!has(self.approvedGeneration) || (has(self.approvedBy) && has(self.approvedAt))",
            "an approval says who approved and when",
        )],
    )
}

/// Adds rules about `schema`.
pub(super) fn ruled(mut schema: Value, rules: Rules<'_>) -> Value {
    if !rules.is_empty() {
        let rules = rules.iter().map(|(rule, message)| json!({"rule": rule, "message": message}));
        schema["x-kubernetes-validations"] = rules.collect();
    }
    schema
}

fn conditions(holder: &mut Value) {
    let conditions = &mut holder["properties"]["conditions"];
    keyed(conditions, "type");
    let fields = &mut conditions["items"]["properties"];
    fields["lastTransitionTime"]["format"] = json!("date-time");
    fields["status"]["enum"] = json!(["True", "False", "Unknown"]);
    sized(&mut fields["message"], 32_768);
}

fn keyed(list: &mut Value, key: &str) {
    list["x-kubernetes-list-type"] = json!("map");
    list["x-kubernetes-list-map-keys"] = json!([key]);
}

fn bound(list: &mut Value, most: u64) {
    list["maxItems"] = json!(most);
}

fn sized(text: &mut Value, most: u64) {
    text["maxLength"] = json!(most);
}

fn members(map: &mut Value) -> impl Iterator<Item = &mut Value> {
    map.as_object_mut().into_iter().flat_map(|members| members.iter_mut().map(|(_, member)| member))
}
