//! A list is the objects in it.

use std::borrow::Cow;

use crate::{
    node::{Member, Node, Value},
    yaml::{Error, KEPT, Limits, measure},
};

/// A kind or a version that is longer is none, in bytes.
const WORD: usize = 512;
/// What an item takes for its kind and its version, in values and names.
const WORDS: usize = 4;

/// The objects of a document, each with the JSON pointer to it: the document itself, or, where it has a list of `items`, those, whatever
/// its kind is.
///
/// Of a list in a list Helm builds nothing; what is in it is given all the same, so that nobody has to rely on that.
///
/// Source: k8s.io/apimachinery 0.36 `pkg/apis/meta/v1/unstructured/helpers.go`, `decode`; k8s.io/cli-runtime 0.36
/// `pkg/resource/visitor.go`, `FlattenListVisitor`.
pub fn objects<'n, 'a>(root: &'n Node<'a>) -> impl Iterator<Item = (String, &'n Node<'a>)> {
    // A stream of objects is a list that may hold lists.
    items(root, String::new()).flat_map(|(pointer, object)| items(object, pointer))
}

fn items<'n, 'a>(node: &'n Node<'a>, pointer: String) -> impl Iterator<Item = (String, &'n Node<'a>)> {
    // Whoever has something else for its items is an object with a member that Kubernetes does not know.
    let items = node.get("items").filter(|items| matches!(items.value, Value::List(_)));
    let itself = items.is_none().then(|| (pointer.clone(), node));
    let items = items.map_or(&[][..], Node::items).iter().enumerate();
    itself.into_iter().chain(items.map(move |(index, item)| (format!("{pointer}/items/{index}"), item)))
}

/// Gives each item that says neither its kind nor its version those of its list.
///
/// Source: k8s.io/apimachinery 0.36 `pkg/apis/meta/v1/unstructured/helpers.go`, `decodeToList`.
///
/// # Errors
/// When that is beyond `limits`.
pub(super) fn completed<'a>(mut root: Node<'a>, limits: &Limits) -> Result<Node<'a>, Error> {
    let silent = root.get("items").map_or(&[][..], Node::items).iter().filter(|item| is_silent(item)).count();
    if silent == 0 {
        return Ok(root);
    }
    let kept = measure(&root).0.saturating_add(silent.saturating_mul(WORDS));
    if kept.saturating_mul(KEPT) > limits.memory {
        let message = "document is too large for the memory there is".to_owned();
        return Err(Error { message, line: 1, column: 1, offset: root.span.start as usize });
    }
    let word = |name: &str| root.member(name).filter(|member| is_word(&member.node)).cloned();
    let words: Vec<Member<'a>> =
        [word("apiVersion"), word("kind").map(of_item)].into_iter().flatten().collect();
    let Value::Map(members) = &mut root.value else { return Ok(root) };
    let items = members.iter_mut().find(|member| member.name == "items").map(|items| &mut items.node.value);
    let Some(Value::List(items)) = items else { return Ok(root) };
    for item in items.iter_mut().filter(|item| is_silent(item)) {
        if let Value::Map(members) = &mut item.value {
            members.retain(|member| member.name != "apiVersion" && member.name != "kind");
            members.extend(words.iter().cloned());
        }
    }
    Ok(root)
}

/// Whether an object says neither its kind nor its version.
fn is_silent(item: &Node<'_>) -> bool {
    let says = |name| item.str_at(name).is_some_and(|word| !word.is_empty());
    matches!(item.value, Value::Map(_)) && !says("apiVersion") && !says("kind")
}

fn is_word(node: &Node<'_>) -> bool {
    node.as_str().is_some_and(|word| word.len() <= WORD)
}

/// The kind of the items of a list of this kind.
fn of_item(mut kind: Member<'_>) -> Member<'_> {
    if let Value::String(name) = &mut kind.node.value
        && let Some(of_item) = name.strip_suffix("List").map(str::len)
    {
        *name = match std::mem::take(name) {
            Cow::Borrowed(name) => Cow::Borrowed(&name[..of_item]),
            Cow::Owned(name) => Cow::Owned(name[..of_item].to_owned()),
        };
    }
    kind
}
