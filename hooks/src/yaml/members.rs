//! The members of one map, where a later one replaces an earlier one.

use std::{borrow::Cow, collections::HashMap};

use crate::node::Member;

/// Maps up to this size are searched from the front; larger ones get an index.
const SEARCHED: usize = 16;

/// A map in the making.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    list: Vec<Member<'a>>,
    index: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Members<'a> {
    /// Adds a member, or puts it in the place of the one that has its name.
    pub(crate) fn set(&mut self, member: Member<'a>) {
        if let Some(position) = self.position(&member.name) {
            self.list[position] = member;
            return;
        }
        if self.list.len() >= SEARCHED {
            self.index.insert(member.name.clone(), self.list.len());
        }
        self.list.push(member);
    }

    fn position(&mut self, name: &str) -> Option<usize> {
        if self.list.len() < SEARCHED {
            return self.list.iter().position(|member| member.name == name);
        }
        if self.index.is_empty() {
            self.index = self.list.iter().enumerate().map(|(at, member)| (member.name.clone(), at)).collect();
        }
        self.index.get(name).copied()
    }

    /// The members in the order in which their names first came up.
    pub(crate) fn into_list(self) -> Vec<Member<'a>> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Node, Span, Value};

    #[test]
    fn the_last_member_wins_in_small_and_in_large_maps() {
        for size in [1, SEARCHED - 1, SEARCHED, SEARCHED + 1, 1000] {
            let mut members = Members::default();
            for round in [false, true] {
                for number in 0..size {
                    let name = number.to_string().into();
                    let node = Node::synthetic(Value::Bool(round));
                    members.set(Member { name, name_span: Span::default(), node });
                }
            }
            let list = members.into_list();
            assert_eq!(list.len(), size);
            assert!(list.iter().all(|member| member.node.value == Value::Bool(true)));
            assert!(list.iter().enumerate().all(|(at, member)| member.name == at.to_string()));
        }
    }
}
