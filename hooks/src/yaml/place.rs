//! Where in an object a node is, as far as an interest asks.

use crate::{
    interest::Interest,
    node::{Node, Value},
};

/// A place that an [`Interest`] may have an opinion on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'p> {
    /// An object: the document, or an item of a list.
    Object,
    /// The value of this member of an object.
    Member(&'p str),
    /// Anywhere below, where everything is kept.
    Deep,
}

impl<'p> Place<'p> {
    /// Whether a map at this place keeps its member `name`.
    pub(super) fn keeps(self, interest: Interest, name: &str) -> bool {
        match self {
            Self::Object => interest.keeps(0, "", name),
            Self::Member(parent) => interest.keeps(1, parent, name),
            Self::Deep => true,
        }
    }

    /// The place of the member `name` of a map at this place.
    pub(super) fn member<'n>(self, name: &'n str) -> Place<'n>
    where
        'p: 'n,
    {
        if self == Self::Object { Place::Member(name) } else { Place::Deep }
    }

    /// The place of an item of a list at this place: the items of a `List` are objects again.
    pub(super) fn item(self) -> Self {
        if matches!(self, Self::Object | Self::Member("items")) { Self::Object } else { Self::Deep }
    }

    /// Leaves out of a finished node what is not kept at this place.
    pub(super) fn prune(self, interest: Interest, node: &mut Node<'_>) {
        if self == Self::Deep || interest == Interest::Everything {
            return;
        }
        match &mut node.value {
            Value::Map(members) => {
                members.retain(|member| self.keeps(interest, &member.name));
                for member in members {
                    self.member(&member.name).prune(interest, &mut member.node);
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.item().prune(interest, item)),
            _ => {}
        }
    }
}
