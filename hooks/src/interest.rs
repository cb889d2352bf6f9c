//! Which parts of an object a reader keeps.

use crate::node::{Node, Value};

/// How much of an object is needed. What is skipped is read past, never held: data of Secrets cannot leak from where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// All of it, for those who pass the object on.
    Everything,
    /// What rules look at: no data of `ConfigMap`s and Secrets, no managed fields, no schemas of CRDs.
    Judged,
}

impl Interest {
    /// Leaves out of a whole object what nobody with this interest looks at.
    pub fn prune(self, root: &mut Node<'_>) {
        Place::Object.prune(self, root);
    }
}

/// A place in an object that an [`Interest`] may have an opinion on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'p> {
    /// An object: the document, or an item of a list.
    Object,
    /// The value of this member of an object.
    Member(&'p str),
    /// Anywhere below, where everything is kept.
    Deep,
}

impl<'p> Place<'p> {
    /// Whether a map at this place keeps its member `name`.
    pub(crate) fn keeps(self, interest: Interest, name: &str) -> bool {
        interest == Interest::Everything
            || match self {
                Self::Object => !matches!(name, "data" | "stringData" | "binaryData"),
                Self::Member("metadata") => name != "managedFields",
                Self::Member("spec") => !matches!(name, "versions" | "validation"),
                Self::Member(_) | Self::Deep => true,
            }
    }

    /// The place of the member `name` of a map at this place.
    pub(crate) fn member<'n>(self, name: &'n str) -> Place<'n>
    where
        'p: 'n,
    {
        if self == Self::Object { Place::Member(name) } else { Place::Deep }
    }

    /// The place of an item of a list at this place: the items of a `List` are objects again.
    pub(crate) fn item(self) -> Self {
        if matches!(self, Self::Object | Self::Member("items")) { Self::Object } else { Self::Deep }
    }

    /// Leaves out of a finished node what is not kept at this place.
    pub(crate) fn prune(self, interest: Interest, node: &mut Node<'_>) {
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
