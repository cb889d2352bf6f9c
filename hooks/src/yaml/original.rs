//! The way back from a changed text to the one it was made of.

use std::borrow::Cow;

use super::Fault;
use crate::{
    manifest::floor,
    node::{Member, Node, Span, Value},
};

/// Something that was put into a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addition {
    /// Where it was put, in bytes of the original.
    pub(super) at: usize,
    /// How many bytes it adds.
    pub(super) width: usize,
}

/// Knows the place in a text for each one in what was made of it.
pub(super) struct Original<'t> {
    text: &'t str,
    /// Where in the changed text something begins that was put in, how much was put in before, and how many bytes this adds.
    starts: Vec<(usize, usize, usize)>,
}

impl<'t> Original<'t> {
    /// Of what was made of `text` by these additions in order, and by writing characters with others of as many bytes.
    pub(super) fn new(text: &'t str, additions: impl Iterator<Item = Addition>) -> Self {
        let mut before = 0;
        let starts = additions.map(|Addition { at, width }| {
            before += width;
            (at + before - width, before - width, width)
        });
        Self { text, starts: starts.collect() }
    }

    /// Where a character of the original begins: one that stands for others is nowhere in the middle.
    fn place(&self, at: usize) -> usize {
        let index = self.starts.partition_point(|(start, ..)| *start <= at);
        let last = index.checked_sub(1).map(|last| self.starts[last]);
        floor(self.text, at - last.map_or(0, |(start, before, width)| before + width.min(at - start)))
    }

    pub(super) fn fault(&self, fault: Fault) -> Fault {
        Fault { at: self.place(fault.at), after: self.place(fault.after), ..fault }
    }

    /// A node whose spans count from 0, as one of a text that begins at byte `offset`.
    pub(super) fn node<'a>(&self, node: Node<'_>, offset: usize) -> Node<'a> {
        let value = match node.value {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(number) => Value::Number(number),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Value::List(items) => {
                Value::List(items.into_iter().map(|item| self.node(item, offset)).collect())
            }
            Value::Map(members) => {
                Value::Map(members.into_iter().map(|member| self.member(member, offset)).collect())
            }
        };
        Node { value, span: self.span(node.span, offset) }
    }

    fn member<'a>(&self, member: Member<'_>, offset: usize) -> Member<'a> {
        let Member { name, name_span, node } = member;
        Member {
            name: Cow::Owned(name.into_owned()),
            name_span: self.span(name_span, offset),
            node: self.node(node, offset),
        }
    }

    fn span(&self, span: Span, offset: usize) -> Span {
        let place = |at: u32| u32::try_from(offset + self.place(at as usize)).unwrap_or(u32::MAX);
        Span { start: place(span.start), end: place(span.end) }
    }
}
