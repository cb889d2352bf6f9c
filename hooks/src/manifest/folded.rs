//! Members that are written in another case, which Helm's sorter takes for those that it looks for.

use crate::{
    node::{Member, Node, Span, Value},
    yaml::Members,
};

/// Gives a document the annotations that Helm's sorter sees: also those of `Metadata`, and those that are called `Annotations`. The API
/// server sees nothing of them, so that only Helm knows that this is a hook.
///
/// Source: Go's `encoding/json`, `Unmarshal`: names are matched by `foldName`, and maps that come twice are merged; sigs.k8s.io/yaml
/// 1.6.0 `yaml.go`, `yamlToJSONTarget`: they come in the order of their names.
pub(super) fn folded(mut root: Node<'_>) -> Node<'_> {
    let is_plain = |node: &Node<'_>, name| of(node, name).iter().all(|member| member.name == name);
    let metadata = of(&root, "metadata");
    if metadata.iter().all(|member| member.name == "metadata" && is_plain(&member.node, "annotations")) {
        return root;
    }
    let annotations = annotations(&metadata);
    let span = root.span;
    let Value::Map(members) = &mut root.value else { return root };
    let metadata = member(members, "metadata", span);
    if matches!(metadata.value, Value::Null) {
        metadata.value = Value::Map(Vec::new());
    }
    let Value::Map(members) = &mut metadata.value else { return root };
    member(members, "annotations", span).value = annotations.map_or(Value::Null, Value::Map);
    root
}

/// What is left when all of these have been read one after the other.
fn annotations<'a>(metadata: &[&Member<'a>]) -> Option<Vec<Member<'a>>> {
    let mut read: Option<Members<'a>> = None;
    for metadata in metadata {
        if metadata.node.value == Value::Null {
            read = None;
        }
        for annotations in of(&metadata.node, "annotations") {
            if annotations.node.value == Value::Null {
                read = None;
                continue;
            }
            let read = read.get_or_insert_default();
            annotations.node.members().iter().cloned().for_each(|member| read.set(member));
        }
    }
    read.map(Members::into_list)
}

/// The members that Go takes for the one of this name, in the order in which it reads them.
fn of<'n, 'a>(node: &'n Node<'a>, name: &str) -> Vec<&'n Member<'a>> {
    let mut members: Vec<_> = node.members().iter().filter(|member| is_like(&member.name, name)).collect();
    members.sort_by(|one, other| one.name.cmp(&other.name));
    members
}

/// Whether a name is `wanted`, which is in lower case, but for its case. Two characters beyond ASCII fold to letters.
fn is_like(name: &str, wanted: &str) -> bool {
    let fold = |character: char| match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(fold).eq(wanted.chars())
}

fn member<'m, 'a>(members: &'m mut Vec<Member<'a>>, name: &'static str, span: Span) -> &'m mut Node<'a> {
    let at = members.iter().position(|member| member.name == name).unwrap_or_else(|| {
        members.push(Member { name: name.into(), name_span: span, node: Node { value: Value::Null, span } });
        members.len() - 1
    });
    &mut members[at].node
}
