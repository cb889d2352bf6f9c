//! The definitions of our kinds, made from the Rust types: one schema for files, for the cluster and for `kubectl explain`.

use policies::documents::{GROUP, VERSION};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use crate::{
    resource::Kind,
    status::{ExceptionStatus, PolicyStatus},
};

mod limits;
mod structural;
mod yaml;

/// The definitions of `HookPolicy` and `HookException`, to be applied as they are.
///
/// Unknown fields of a spec are kept on purpose: the API server would drop them without a word before anybody could refuse them, and a
/// misspelt `names` would then except everything. The webhook for our own kinds refuses them, and an object that got in without it is
/// not put in force.
#[must_use]
pub fn definitions() -> [Value; 2] {
    let schema = policies::schema::policy_file();
    let spec = |name: &str| structural::of(&schema["$defs"][name], &schema);
    [
        definition(Kind::HookPolicy, &POLICY, &limits::policy(spec("Settings")), &status::<PolicyStatus>()),
        definition(
            Kind::HookException,
            &EXCEPTION,
            &limits::exception(spec("ExceptionSpec")),
            &status::<ExceptionStatus>(),
        ),
    ]
}

/// The same two as YAML.
#[must_use]
pub fn texts() -> [String; 2] {
    definitions().map(|definition| yaml::text(&definition))
}

/// What people see of a kind.
struct Shown {
    description: &'static str,
    singular: &'static str,
    short: &'static str,
    /// Name, type, JSON path and priority of the columns; those above 0 are for `-o wide`.
    columns: &'static [(&'static str, &'static str, &'static str, u8)],
    /// Rules about the whole object: CEL and what to say.
    rules: &'static [(&'static str, &'static str)],
}

const POLICY: Shown = Shown {
    description: "What Hookward's rules may do in some namespaces.",
    singular: "hookpolicy",
    short: "hkp",
    columns: &[
        ("Priority", "integer", ".spec.priority", 0),
        ("Profile", "string", ".spec.profile", 0),
        ("Accepted", "string", r#".status.conditions[?(@.type=="Accepted")].status"#, 0),
        ("Message", "string", r#".status.conditions[?(@.type=="Accepted")].message"#, 1),
        ("Age", "date", ".metadata.creationTimestamp", 0),
    ],
    rules: &[],
};

const EXCEPTION: Shown = Shown {
    description: "Findings of Hookward that count for nothing in some places, for a reason, until a day. It counts only while it is \
                  approved by another person than asked for it, and it ends half a minute early, so that no clock that is behind \
                  prolongs it.",
    singular: "hookexception",
    short: "hkx",
    columns: &[
        ("Active", "string", r#".status.conditions[?(@.type=="Active")].status"#, 0),
        ("Standing", "string", r#".status.conditions[?(@.type=="Active")].reason"#, 0),
        // A column of the type date shows the age, and a day that is still to come has none.
        ("Expires", "string", ".spec.expiresAt", 0),
        ("Requested-By", "string", ".spec.requestedBy", 0),
        ("Approved-By", "string", ".status.approvedBy", 0),
        ("Message", "string", r#".status.conditions[?(@.type=="Active")].message"#, 1),
        ("Age", "date", ".metadata.creationTimestamp", 0),
    ],
    rules: &[(
        "!has(self.status) || !has(self.status.approvedBy) || !has(self.spec.requestedBy) \
         || self.status.approvedBy != self.spec.requestedBy",
        "whoever asks for an exception cannot approve it",
    )],
};

fn definition(kind: Kind, shown: &Shown, spec: &Value, status: &Value) -> Value {
    let columns = shown.columns.iter().map(|(name, kind, path, priority)| {
        let mut column = json!({"name": name, "type": kind, "jsonPath": path});
        if *priority > 0 {
            column["priority"] = json!(priority);
        }
        column
    });
    let schema = json!({
        "description": shown.description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
            "spec": spec, "status": status,
        },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{GROUP}", kind.plural())},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {
                "kind": kind.name(), "listKind": format!("{}List", kind.name()), "plural": kind.plural(),
                "singular": shown.singular, "shortNames": [shown.short], "categories": ["hookward"],
            },
            "versions": [{
                "name": VERSION, "served": true, "storage": true,
                "subresources": {"status": {}},
                "additionalPrinterColumns": columns.collect::<Vec<_>>(),
                "schema": {"openAPIV3Schema": limits::ruled(schema, shown.rules)},
            }],
        },
    })
}

/// The schema of a status, whose lists of conditions and replicas merge by their keys.
fn status<T: JsonSchema>() -> Value {
    let root = SchemaGenerator::default().into_root_schema_for::<T>().to_value();
    limits::status(structural::of(&root, &root))
}

#[cfg(test)]
mod tests;
