//! Which bytes of a document must never be shown: data of Secrets and the like, environment values, scripts.

use std::ops::Range;

use hooks::{Node, manifest::Document};

/// Members that hold data or scripts wherever they stand.
const SECRET: [&str; 7] = ["data", "stringData", "binaryData", "value", "command", "args", "env"];

/// Whether a member of this name may hold what must not be shown.
pub(super) fn may_hold_secrets(name: &str) -> bool {
    SECRET.contains(&name)
}

/// The spans of everything secret in a document; `None` when that cannot be told.
pub(super) fn of_document(document: &Document<'_>) -> Option<Vec<Range<usize>>> {
    let root = super::read_all(document)?;
    let mut spans = Vec::new();
    collect(&root, &mut spans);
    Some(spans)
}

/// The reader bounds the nesting, and so this recursion.
fn collect(node: &Node<'_>, spans: &mut Vec<Range<usize>>) {
    for member in node.members() {
        if may_hold_secrets(&member.name) && member.name != "env" {
            spans.push(member.node.span.start as usize..member.node.span.end as usize);
        } else {
            collect(&member.node, spans);
        }
    }
    for item in node.items() {
        collect(item, spans);
    }
}
