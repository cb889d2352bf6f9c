//! The part of a manifest that Helm decodes before anything else, and refuses for the whole release when it has the wrong shape.

use super::{folded::folded, list};
use crate::{
    node::{Node, Value},
    yaml::{Error, Limits},
};

/// The document as Helm understands it, or what its sorter cannot decode. Scalars become text there, so that `name: 5` is the name `"5"`; a list or a map where
/// text belongs ends the whole command with «YAML parse error».
///
/// Only what says what kind of object it is counts as a manifest here: other files of a folder may have any shape.
///
/// Source: Helm 4.2.4 `pkg/release/v1/util/manifest.go`, `SimpleHead`; `manifest_sorter.go`, `sort`.
pub(super) fn verified<'a>(root: Node<'a>, limits: &Limits) -> Result<Node<'a>, Error> {
    if root.str_at("kind").is_none() {
        return Ok(root);
    }
    match fault(&root) {
        None => list::completed(folded(root), limits),
        Some((message, node)) => Err(Error { message, line: 1, column: 1, offset: node.span.start as usize }),
    }
}

/// What is wrong, and where.
fn fault<'n, 'a>(root: &'n Node<'a>) -> Option<(String, &'n Node<'a>)> {
    let metadata = root.get("metadata")?;
    if !matches!(metadata.value, Value::Map(_)) {
        return Some((refusal("metadata", "a map"), metadata));
    }
    if let Some(name) = metadata.get("name").filter(|name| !is_scalar(name)) {
        return Some((refusal("metadata.name", "text"), name));
    }
    let annotations = metadata.get("annotations")?;
    if !matches!(annotations.value, Value::Map(_)) {
        return Some((refusal("metadata.annotations", "a map"), annotations));
    }
    let member = annotations.members().iter().find(|member| !is_scalar(&member.node))?;
    Some((refusal(&format!("annotation {:?}", member.name), "text"), &member.node))
}

fn refusal(what: &str, wanted: &str) -> String {
    format!("Helm cannot read this, nor anything of its release: {what} must be {wanted}")
}

const fn is_scalar(node: &Node<'_>) -> bool {
    !matches!(node.value, Value::List(_) | Value::Map(_))
}
