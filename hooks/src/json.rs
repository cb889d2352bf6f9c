//! One JSON value, read into a [`Node`] that borrows from its text.

use std::{borrow::Cow, cell::Cell, collections::HashSet, fmt};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::{
    interest::{Interest, Place},
    node::{Member, Node, Span, Value},
    room::Room,
};

/// Maps with more members than this are searched for duplicate names with a hash set instead of pair by pair.
const PAIRWISE: usize = 16;
/// What such a set takes for each name at most, in bytes.
const HASHED: usize = 40;

/// How many values and names are held of one text at most. What `interest` does not keep costs nothing.
///
/// An object that etcd takes, at most 1.5 MB, reaches this only if it is hardly anything but numbers of one digit.
pub const NODES: usize = 500_000;

/// Why a text is not one JSON value, or too large a one. Says nothing of what the text holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another text.
    #[error("not JSON: {message} at line {line}, column {column}")]
    Syntax {
        /// What a JSON reader stumbled over: lower case, no full stop, nothing quoted from the text.
        message: String,
        /// The line where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped, in bytes from 1; 0 at the end of the line before.
        column: usize,
    },
    /// More than [`NODES`], or than there is room for; the text may well be JSON.
    #[error("too large: it has more values and names than can be held")]
    TooLarge,
}

impl Error {
    /// Whether nothing is known to be wrong with the text, and it is only too much to be held.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        matches!(self, Self::TooLarge)
    }
}

/// Reads `text`, which holds one JSON value and nothing after it.
///
/// Texts without escapes are borrowed. A later member of the same name replaces an earlier one and names keep their case, which is
/// what Go's maps do. Members that `interest` does not keep are read past and never held; all spans are 0.
///
/// # Errors
/// Whatever is not JSON in UTF-8, whatever is nested deeper than 127 levels where it is kept, and more than [`NODES`] to keep.
pub fn object(text: &[u8], interest: Interest) -> Result<Node<'_>, Error> {
    object_within(text, interest, &Room::unlimited())
}

/// Reads `text` like [`object`], and takes the memory for what it keeps from `room`.
///
/// # Errors
/// As [`object`], and [`Error::TooLarge`] also when there is not enough room.
pub fn object_within<'a>(text: &'a [u8], interest: Interest, room: &Room) -> Result<Node<'a>, Error> {
    // Once for all texts in it, which is cheaper than once for each.
    let text = std::str::from_utf8(text).map_err(|error| not_utf8(&text[..error.valid_up_to()]))?;
    let left = Cell::new(Some(NODES));
    let mut reader = serde_json::Deserializer::from_str(text);
    let node = Reader { interest, place: Place::Object, left: &left, room }
        .deserialize(&mut reader)
        .map_err(|error| if left.get().is_none() { Error::TooLarge } else { describe(&error) })?;
    reader.end().map_err(|error| describe(&error))?;
    Ok(node)
}

/// The error right after `valid`.
fn not_utf8(valid: &[u8]) -> Error {
    let (mut line, mut column) = (0, 0);
    for text in valid.split(|byte| *byte == b'\n') {
        (line, column) = (line + 1, text.len() + 1);
    }
    Error::Syntax { message: "not UTF-8".to_owned(), line, column }
}

/// The error without its place, which has fields of its own. Our visitor accepts every type, so what is left is a fixed sentence
/// about syntax, never a value.
fn describe(error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let place = format!(" at line {line} column {column}");
    let message = match text.strip_suffix(&place).unwrap_or(&text) {
        _ if error.is_eof() => "it ends too early",
        "recursion limit exceeded" => "nested too deeply",
        syntax => syntax,
    };
    Error::Syntax { message: message.to_owned(), line, column }
}

/// Reads one value at a place of the object.
#[derive(Clone, Copy)]
struct Reader<'p> {
    interest: Interest,
    place: Place<'p>,
    /// How many more values and names may be held; `None` once one was too many.
    left: &'p Cell<Option<usize>>,
    /// The memory for what is held.
    room: &'p Room,
}

impl Reader<'_> {
    /// Pays before anything is held.
    fn charge<E: serde::de::Error>(&self, nodes: usize) -> Result<(), E> {
        let left = self.left.get().and_then(|left| left.checked_sub(nodes));
        self.left.set(left);
        left.map(drop).ok_or_else(Self::too_large)
    }

    /// Notes that one was too many.
    fn refuse<E: serde::de::Error>(&self) -> E {
        self.left.set(None);
        Self::too_large()
    }

    fn too_large<E: serde::de::Error>() -> E {
        E::custom("too many values and names")
    }

    fn push<T, E: serde::de::Error>(&self, list: &mut Vec<T>, item: T) -> Result<(), E> {
        self.room.push(list, item).ok_or_else(|| self.refuse())
    }

    #[expect(clippy::ptr_arg, reason = "what is asked is whether it is borrowed")]
    fn copy<E: serde::de::Error>(&self, text: &Cow<'_, str>) -> Result<(), E> {
        let is_held = matches!(text, Cow::Borrowed(_)) || self.room.take(text.len());
        if is_held { Ok(()) } else { Err(self.refuse()) }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Node<'de>, D::Error> {
        self.charge(1)?;
        reader.deserialize_any(self).map(Node::synthetic)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(value)))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value<'de>, E> {
        if !self.room.take(value.len()) {
            return Err(self.refuse());
        }
        Ok(Value::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        let item = Reader { place: self.place.item(), ..self };
        while let Some(item) = items.next_element_seed(item)? {
            self.push(&mut list, item)?;
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(name)) = entries.next_key()? {
            if self.place.keeps(self.interest, &name) {
                self.charge(1)?;
                self.copy(&name)?;
                let node = entries.next_value_seed(Reader { place: self.place.member(&name), ..self })?;
                self.push(&mut members, Member { name, name_span: Span::default(), node })?;
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        let hashed = if members.len() > PAIRWISE { members.len() * HASHED } else { 0 };
        if !self.room.take(hashed) {
            return Err(self.refuse());
        }
        let members = last_of_each(members);
        self.room.give_back(hashed);
        Ok(Value::Map(members))
    }
}

/// The name of a member, borrowed where it can be.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a member")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        reader.deserialize_str(NameVisitor)
    }
}

/// Keeps the last member of each name; a map without duplicates is left as it is.
fn last_of_each(members: Vec<Member<'_>>) -> Vec<Member<'_>> {
    let unique = if members.len() <= PAIRWISE {
        members
            .iter()
            .enumerate()
            .all(|(index, member)| members[..index].iter().all(|other| other.name != member.name))
    } else {
        let mut seen = HashSet::with_capacity(members.len());
        members.iter().all(|member| seen.insert(member.name.as_ref()))
    };
    if unique {
        return members;
    }
    let mut seen = HashSet::with_capacity(members.len());
    let mut kept: Vec<_> =
        members.into_iter().rev().filter(|member| seen.insert(member.name.clone())).collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests;
