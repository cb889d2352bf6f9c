//! What of an object is the same after a change, as numbers.

use std::hash::{BuildHasher as _, Hash, Hasher as _};

use foldhash::quality::{FixedState, FoldHasher};
use hooks::{Node, Value};

/// Numbers are only compared within a run, and all that is sent is read: what hashes tables safely is too slow for that.
fn hasher() -> FoldHasher<'static> {
    FixedState::default().build_hasher()
}

/// A number that changes when anything in `node` changes but the order of members; nothing and null are the same.
pub(super) fn digest(node: Option<&Node<'_>>) -> u64 {
    without(node, &[])
}

/// The same, with the members `names` of a map left out.
pub(super) fn without(node: Option<&Node<'_>>, names: &[&str]) -> u64 {
    let mut hasher = hasher();
    if let Some(node) = node {
        feed(node, names, &mut hasher);
    }
    hasher.finish()
}

fn feed(node: &Node<'_>, left_out: &[&str], hasher: &mut FoldHasher<'_>) {
    std::mem::discriminant(&node.value).hash(hasher);
    match &node.value {
        Value::Null => {}
        Value::Bool(value) => value.hash(hasher),
        Value::Number(number) => number.to_string().hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::List(items) => {
            items.len().hash(hasher);
            for item in items {
                feed(item, &[], hasher);
            }
        }
        Value::Map(members) => {
            let mut kept: Vec<_> = members
                .iter()
                .filter(|member| {
                    member.node.value != Value::Null && !left_out.contains(&member.name.as_ref())
                })
                .collect();
            kept.sort_by(|one, other| one.name.cmp(&other.name));
            kept.len().hash(hasher);
            for member in kept {
                member.name.hash(hasher);
                feed(&member.node, &[], hasher);
            }
        }
    }
}

/// The number of a text.
pub(super) fn text(text: &str) -> u64 {
    let mut hasher = hasher();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The spec of a Pod but for what may change in it.
///
/// Source: Kubernetes 1.36 `pkg/apis/core/validation/validation.go`, `ValidatePodUpdate`.
pub(super) fn pod(spec: Option<&Node<'_>>) -> u64 {
    let mut hasher = hasher();
    let lists = ["containers", "initContainers"];
    without(spec, &["activeDeadlineSeconds", "tolerations", lists[0], lists[1]]).hash(&mut hasher);
    for list in lists {
        let containers = spec.and_then(|spec| spec.get(list)).map_or(&[][..], Node::items);
        containers.len().hash(&mut hasher);
        for container in containers {
            without(Some(container), &["image"]).hash(&mut hasher);
        }
    }
    hasher.finish()
}
