//! Policies: what could not be put in force is refused, with the field that is wrong.

use policies::{Policy, PolicySet, Settings, policy_set::Named, selector::Operator};
use serde_json::{Map, Value};

use super::{Accepted, Stored};
use crate::response::Wrong;

/// Judges a policy; `others` are those in force, if they are read.
///
/// # Errors
/// What is wrong with it. That it contradicts others is a warning: either side may be the one that is mended next.
pub(super) fn judge(others: Option<&PolicySet>, name: &str, stored: &Stored) -> Result<Accepted, Wrong> {
    if !stored.is_changed() {
        return Ok(Accepted::default());
    }
    let spec = stored.new.get("spec").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    let settings = read(&spec)?;
    selector(&settings)?;
    let profile = others.map(PolicySet::profile).unwrap_or_default();
    Policy::resolve([&settings], profile, std::sync::Arc::default())
        .map_err(|error| Wrong::invalid(format!("/spec{}", error.pointer()), error.to_string()))?;
    let warnings = others.and_then(|others| contradiction(others, name, settings)).into_iter().collect();
    Ok(Accepted { warnings, ..Accepted::default() })
}

/// What the policies in force and this one would disagree about; not with which of them, since anybody can send us a policy.
fn contradiction(others: &PolicySet, name: &str, settings: Settings) -> Option<String> {
    let is_other = |policy: &&Named| policy.is_base || policy.name != name;
    let mut all: Vec<Named> = others.policies().iter().filter(is_other).cloned().collect();
    all.push(Named { name: name.to_owned(), settings, is_base: false });
    let bad = PolicySet::new(all, Vec::new(), others.profile(), 0).err()?;
    Some(format!("taken together with other policies: {}", bad.error))
}

/// Reads the spec.
fn read(spec: &Value) -> Result<Settings, Wrong> {
    serde_json::from_value(spec.clone()).map_err(|error| {
        let (pointer, said) =
            culprit(spec, &|value| value).unwrap_or_else(|| (String::new(), error.to_string()));
        Wrong::invalid(format!("/spec{pointer}"), said)
    })
}

/// The innermost member that alone is enough to make the spec unreadable, and what is said of it: no field needs another one.
fn culprit(value: &Value, whole: &dyn Fn(Value) -> Value) -> Option<(String, String)> {
    for (name, member) in value.as_object()? {
        let alone = |member: Value| whole(Value::Object(Map::from_iter([(name.clone(), member)])));
        let Err(error) = serde_json::from_value::<Settings>(alone(member.clone())) else { continue };
        let (inner, said) = culprit(member, &alone).unwrap_or_else(|| (String::new(), error.to_string()));
        return Some((format!("/{}{inner}", hooks::node::escape(name)), said));
    }
    None
}

/// Refuses requirements that Kubernetes refuses in its own selectors.
///
/// Source: Kubernetes `k8s.io/apimachinery/pkg/apis/meta/v1/validation`, `ValidateLabelSelectorRequirement`.
fn selector(settings: &Settings) -> Result<(), Wrong> {
    let Some(selector) = &settings.namespace_selector else { return Ok(()) };
    for (index, requirement) in selector.match_expressions.iter().enumerate() {
        let lists = matches!(requirement.operator, Operator::In | Operator::NotIn);
        if lists == requirement.values.is_empty() {
            let wanted = if lists { "name at least one value" } else { "this operator takes no values" };
            let pointer = format!("/spec/namespaceSelector/matchExpressions/{index}/values");
            return Err(Wrong::invalid(pointer, wanted));
        }
    }
    Ok(())
}
