//! How large what an anchor stands for is.

use crate::node::{Node, Value};

/// How many values and names a node holds, and how many lists and maps within each other.
pub(crate) fn measure(node: &Node<'_>) -> (usize, usize) {
    let total =
        |(nodes, height): (usize, usize), (more, other): (usize, usize)| (nodes + more, height.max(other));
    match &node.value {
        Value::List(items) => {
            let (nodes, height) = items.iter().map(measure).fold((1, 0), total);
            (nodes, height + 1)
        }
        Value::Map(members) => {
            let (nodes, height) = members.iter().map(|member| measure(&member.node)).fold((1, 0), total);
            (nodes + members.len(), height + 1)
        }
        _ => (1, 0),
    }
}
