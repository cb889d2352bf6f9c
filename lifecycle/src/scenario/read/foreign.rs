//! What a step may not ask of the tool that plays it: flags that it does not have.

use hooks::{Node, Value};

use crate::{answer::Action, profile::Engine};

/// The first such flag of the action of the step at `pointer`: its name, and a sentence. What is said to be off is not asked for.
pub(super) fn flag<'n>(
    root: &'n Node<'_>,
    pointer: &str,
    action: Action,
    engine: Engine,
) -> Option<(&'n str, &'static str)> {
    let asked = &root.nearest(pointer).0.member(action.name())?.node;
    let is_off = |node: &Node<'_>| matches!(node.value, Value::Bool(false) | Value::Null);
    let given = asked.members().iter().filter(|member| !is_off(&member.node));
    given.map(|member| (&*member.name, member.node.as_str().unwrap_or_default())).find_map(|(name, value)| {
        let flag: String = name.chars().flat_map(dashed).collect();
        Some((name, engine.lacks(&flag, value)?))
    })
}

/// A letter as on the command line, where a capital is a dash and a small one.
fn dashed(letter: char) -> impl Iterator<Item = char> {
    letter.is_ascii_uppercase().then_some('-').into_iter().chain([letter.to_ascii_lowercase()])
}
