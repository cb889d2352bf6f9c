//! One value of a manifest or of a request, borrowed from its text, and where it was written.

use std::borrow::Cow;

use serde_json::Number;

/// A value and its place. Both readers, [`crate::yaml`] and [`crate::json`], make these, so that one rule serves both.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// What was written.
    pub value: Value<'a>,
    /// Where it was written.
    pub span: Span,
}

/// Byte offsets into the text that a reader was given; both are 0 where the reader keeps no places (JSON).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// What Go's JSON decoder would make of the text: a later member of the same name replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value<'a> {
    /// `null`, or nothing at all.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(Cow<'a, str>),
    /// A list, in order.
    List(Vec<Node<'a>>),
    /// Members in the order they were written, names unique.
    Map(Vec<Member<'a>>),
}

/// One member of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Member<'a> {
    /// Its name; in YAML a number or a boolean has become text.
    pub name: Cow<'a, str>,
    /// Where the name was written.
    pub name_span: Span,
    /// Its value.
    pub node: Node<'a>,
}

impl<'a> Node<'a> {
    /// A value that was written nowhere.
    #[must_use]
    pub const fn synthetic(value: Value<'a>) -> Self {
        Self { value, span: Span { start: 0, end: 0 } }
    }

    /// The member called `name`; `None` when this is no map or has none. `null` counts as absent: the API server drops it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.member(name).map(|member| &member.node).filter(|node| node.value != Value::Null)
    }

    /// The member called `name` with the place of its name, even if its value is `null`.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member<'a>> {
        self.members().iter().find(|member| member.name == name)
    }

    /// Follows member names downwards.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The members of a map; empty for anything else.
    #[must_use]
    pub fn members(&self) -> &[Member<'a>] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// The items of a list; empty for anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text, if this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is a whole one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match &self.value {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The text of the member `name`.
    #[must_use]
    pub fn str_at(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The node at a JSON pointer, or its nearest existing parent, so that a finding always has a place; the member it is the value of,
    /// if any; and whether it is the node itself.
    #[must_use]
    pub fn nearest(&self, pointer: &str) -> (&Self, Option<&Member<'a>>, bool) {
        let (mut node, mut member) = (self, None);
        for token in pointer.split('/').skip(1) {
            let name = token.replace("~1", "/").replace("~0", "~");
            if let Some(found) = node.member(&name) {
                (node, member) = (&found.node, Some(found));
            } else if let Some(found) = name.parse::<usize>().ok().and_then(|index| node.items().get(index)) {
                (node, member) = (found, None);
            } else {
                return (node, member, false);
            }
        }
        (node, member, true)
    }

    /// The innermost field whose value is written at this line and column of the text, both from 1, columns in characters.
    #[must_use]
    pub fn field_at(&self, text: &str, line: usize, column: usize) -> Option<&str> {
        let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let within = text[before..].chars().take(column.saturating_sub(1)).map(char::len_utf8);
        self.field_around(u32::try_from(before + within.sum::<usize>()).ok()?)
    }

    fn field_around(&self, offset: u32) -> Option<&str> {
        let holds = |node: &Self| (node.span.start..=node.span.end).contains(&offset);
        if let Some(member) = self.members().iter().rfind(|member| holds(&member.node)) {
            return member.node.field_around(offset).or(Some(&member.name));
        }
        self.items().iter().rfind(|item| holds(item))?.field_around(offset)
    }

    /// The same value for those who need all of it as JSON: `try` sends it, tests compare it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::String(text) => text.as_ref().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(members) => serde_json::Value::Object(
                members
                    .iter()
                    .map(|member| (member.name.clone().into_owned(), member.node.to_json()))
                    .collect(),
            ),
        }
    }
}

/// One step of a JSON pointer, escaped as RFC 6901 says.
#[must_use]
pub fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Node<'_> {
        Node::synthetic(Value::String(value.into()))
    }

    fn map<'a>(members: impl IntoIterator<Item = (&'a str, Node<'a>)>) -> Node<'a> {
        let member = |(name, node): (&'a str, Node<'a>)| Member {
            name: name.into(),
            name_span: Span::default(),
            node,
        };
        Node::synthetic(Value::Map(members.into_iter().map(member).collect()))
    }

    #[test]
    fn null_counts_as_absent() {
        let node = map([("spec", Node::synthetic(Value::Null))]);
        assert_eq!(node.get("spec"), None);
        assert!(node.member("spec").is_some());
    }

    #[test]
    fn the_nearest_parent_stands_for_an_absent_field() {
        let node = map([("metadata", map([("helm.sh/hook", text("test"))]))]);
        assert_eq!(node.nearest("/metadata/helm.sh~1hook").0.as_str(), Some("test"));
        assert_eq!(
            node.nearest("/metadata/name/first").1.map(|member| member.name.as_ref()),
            Some("metadata")
        );
        assert!(node.nearest("/spec").1.is_none());
    }

    #[test]
    fn the_innermost_field_is_found_by_its_place() {
        let text = "a: {b: [1, {c: 2}]}\nd: é\ne:\n- 3\n";
        let root =
            crate::yaml::document(text, 0, crate::Interest::Everything, &crate::yaml::Limits::default());
        let root = root.unwrap();
        let found = [(1, 4), (1, 9), (1, 16), (2, 4), (4, 3), (1, 1), (9, 9)];
        let found = found.map(|(line, column)| root.field_at(text, line, column));
        assert_eq!(found, [Some("a"), Some("b"), Some("c"), Some("d"), Some("e"), None, None]);
    }

    #[test]
    fn pointers_are_escaped() {
        assert_eq!(escape("helm.sh/hook"), "helm.sh~1hook");
        assert_eq!(escape("a~b"), "a~0b");
        assert_eq!(escape("plain"), "plain");
    }
}
