//! The objects that Helm builds of the text of one document: one, or, where the text begins with `{`, all in a stream of JSON objects.

use serde::de::IgnoredAny;

use super::{
    Document, Manifest,
    brackets::closed,
    head, list,
    unread::{is_end, unread},
};
use crate::{
    interest::Interest,
    json,
    node::{Member, Node, Span, Value},
    object::Object,
    room::Room,
    yaml::{self, Error, KEPT, Limits, measure},
};

const NULL: &str = "null";

/// What is said of a value that has no end, and of all that is wrong within one.
const UNEXPECTED: &str = "unexpected EOF";

/// So many bytes Go's decoder looks at to find the character after a blank.
const CHARACTER: usize = 4;

/// What JSON has between values.
const JSON_BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Reads a document as Helm does: its sorter takes the first YAML document of the text, its client what a [`Stream`] gives.
pub(super) fn read<'a>(
    document: Document<'a>,
    interest: Interest,
    limits: &Limits,
) -> Result<Manifest<'a>, Error> {
    let Document { text, offset, .. } = document;
    let own = document.own_text();
    let start = text.len() - own.len();
    let length = if own.starts_with('{') { value(own) } else { None };
    let at = start + length.unwrap_or(0);
    if length.is_none() || text[at..].trim_start_matches(JSON_BLANKS).is_empty() {
        let root = first(text, offset, interest, limits)?;
        let unread = unread(text, offset, &root);
        let root = head::verified(root, limits)?;
        return Ok(Manifest { document, root, is_stream: false, fault: None, unread });
    }
    let mut stream = Stream { document, interest, limits: *limits, at, objects: Vec::new(), unread: None };
    let first = stream.document(start, &text[start..at])?;
    let first = head::verified(first, limits).map_err(|error| stream.placed(error))?;
    if document.is_joined() && Object::new(&first).hook().is_none() {
        let unread = unread(text, offset, &first);
        return Ok(Manifest { document, root: first, is_stream: false, fault: None, unread });
    }
    let metadata = first.member("metadata").cloned();
    stream.pay(metadata.as_ref().map_or(0, |metadata| measure(&metadata.node).0), 0);
    stream.keep(first);
    let fault = stream.rest().err();
    let unread = stream.unread;
    if stream.objects.len() == 1 {
        let root = stream.objects.swap_remove(0);
        return Ok(Manifest { document, root, is_stream: false, fault, unread });
    }
    let root = stream.list(metadata);
    Ok(Manifest { document, root, is_stream: true, fault, unread })
}

/// The first YAML document of a text. Once brackets are closed, Go has read it, while our parser looks further.
fn first<'a>(text: &'a str, offset: usize, interest: Interest, limits: &Limits) -> Result<Node<'a>, Error> {
    let read = |text| yaml::document(text, offset, interest, limits);
    read(text).or_else(|error| closed(text).and_then(|text| read(text).ok()).ok_or(error))
}

/// A stream that is read as Go reads it: JSON value by JSON value, and, where the second is none, the rest as YAML.
///
/// Source: k8s.io/apimachinery 0.36 `pkg/util/yaml/decoder.go`, `YAMLOrJSONDecoder`; k8s.io/cli-runtime 0.36 `pkg/resource/visitor.go`,
/// `StreamVisitor`.
struct Stream<'a> {
    document: Document<'a>,
    interest: Interest,
    /// What is left of the limits; they are for the whole text.
    limits: Limits,
    /// Where the last value ended, in bytes of the text.
    at: usize,
    objects: Vec<Node<'a>>,
    unread: Option<usize>,
}

impl<'a> Stream<'a> {
    /// Reads what comes after the first value.
    fn rest(&mut self) -> Result<(), Error> {
        let text = self.document.text;
        for count in 1.. {
            let rest = text[self.at..].trim_start_matches(JSON_BLANKS);
            let begin = text.len() - rest.len();
            if rest.is_empty() {
                break;
            }
            let Some(length) = value(rest) else {
                let (length, words) = invalid(rest);
                if count > 1 || begins_with_literal(rest) {
                    return Err(self.fault(begin, &words));
                }
                let own = text.len() - self.document.own_text().len();
                let words = if length == 0 {
                    words
                } else {
                    format!("json: offset {}: {words}", begin + length - own)
                };
                return self
                    .yaml()
                    .map_err(|error| Error { message: words, ..error })?
                    .map_or(Ok(()), |(begin, node)| self.take(begin, node));
            };
            self.at = begin + length;
            if &rest[..length] != NULL {
                let node = self.json(begin)?;
                self.take(begin, node)?;
            }
        }
        Ok(())
    }

    /// The JSON value between byte `begin` and the byte where it ended. YAML knows places, and not all of JSON.
    fn json(&self, begin: usize) -> Result<Node<'a>, Error> {
        let text = &self.document.text[begin..self.at];
        let offset = self.document.offset + begin;
        let error = match first(text, offset, self.interest, &self.limits) {
            Ok(node) => return Ok(node),
            Err(error) => error,
        };
        if self.limits.memory < KEPT || self.limits.nodes == 0 {
            return Err(self.placed(error));
        }
        let room = Room::new(self.limits.memory);
        let mut node =
            json::object_within(text.as_bytes(), self.interest, &room).map_err(|_| self.placed(error))?;
        if measure(&node).0 > self.limits.nodes {
            return Err(self.fault(begin, "document has too many values"));
        }
        let place = |at: usize| u32::try_from(self.document.offset + at).unwrap_or(u32::MAX);
        stand_at(&mut node, Span { start: place(begin), end: place(self.at) });
        Ok(node)
    }

    /// The rest, of which Go reads the first YAML document, and where it begins; if it cannot, it says what is wrong with the JSON.
    fn yaml(&mut self) -> Result<Option<(usize, Node<'a>)>, Error> {
        let text = self.document.text;
        let begin = self.after_blanks()?;
        let mut lines = text[begin..].lines();
        let line = lines.clone().next().unwrap_or_default();
        if let Some(after) = line.strip_prefix("---").map(str::trim)
            && !after.is_empty()
            && !after.starts_with('#')
        {
            return Err(self.fault(begin, "only a comment may stand behind ---"));
        }
        let says_something =
            |line: &&str| !line.trim_start().is_empty() && !line.trim_start().starts_with('#');
        if lines.find(says_something).is_some_and(is_end) {
            return Err(self.fault(begin, "a document ends here before it has begun"));
        }
        let node = self.document(begin, &text[begin..])?;
        self.unread = unread(&text[begin..], self.document.offset + begin, &node);
        Ok((node.value != Value::Null).then_some((begin, node)))
    }

    /// Where YAML begins: after the blanks up to the end of the line.
    ///
    /// Source: `decoder.go`, `consumeWhitespace`.
    fn after_blanks(&self) -> Result<usize, Error> {
        let text = self.document.text;
        let mut at = self.at;
        loop {
            let rest = &text[at..];
            match rest.chars().next().filter(|_| rest.len() >= CHARACTER) {
                None | Some(char::REPLACEMENT_CHARACTER) => {
                    return Err(self.fault(at, "what follows the first object is too short to be read"));
                }
                Some('\n') => return Ok(at + 1),
                Some(blank) if blank.is_whitespace() => at += blank.len_utf8(),
                Some(_) => return Ok(at),
            }
        }
    }

    fn document(&self, begin: usize, text: &'a str) -> Result<Node<'a>, Error> {
        first(text, self.document.offset + begin, self.interest, &self.limits)
            .map_err(|error| self.placed(error))
    }

    fn take(&mut self, begin: usize, node: Node<'a>) -> Result<(), Error> {
        if !matches!(node.value, Value::Map(_)) {
            return Err(self.fault(begin, "this is no object"));
        }
        let node = list::completed(node, &self.limits).map_err(|error| self.placed(error))?;
        self.keep(node);
        Ok(())
    }

    fn keep(&mut self, node: Node<'a>) {
        self.pay(measure(&node).0, (node.span.end - node.span.start) as usize);
        self.objects.push(node);
    }

    /// Takes from what is left for what comes after: a text may be there once more where it could not be borrowed.
    fn pay(&mut self, nodes: usize, text: usize) {
        self.limits.nodes = self.limits.nodes.saturating_sub(nodes);
        self.limits.memory =
            self.limits.memory.saturating_sub(nodes.saturating_mul(KEPT).saturating_add(text));
    }

    /// The error with its place in the whole text of the document.
    fn placed(&self, error: Error) -> Error {
        let Document { text, offset, .. } = self.document;
        let (line, column) = super::line_column(text, error.offset.saturating_sub(offset));
        Error { line, column, ..error }
    }

    fn fault(&self, at: usize, message: &str) -> Error {
        let offset = self.document.offset + at;
        self.placed(Error { message: message.to_owned(), line: 1, column: 1, offset })
    }

    /// The objects as a `List` that is the hook which the first of them is.
    fn list(self, metadata: Option<Member<'a>>) -> Node<'a> {
        let span = Span {
            start: self.objects.first().map_or(0, |object| object.span.start),
            end: self.objects.last().map_or(0, |object| object.span.end),
        };
        let begin = Span { start: span.start, end: span.start };
        let member = |name: &'static str, value: Value<'a>, span: Span| Member {
            name: name.into(),
            name_span: begin,
            node: Node { value, span },
        };
        let members = [
            Some(member("apiVersion", Value::String("v1".into()), begin)),
            Some(member("kind", Value::String("List".into()), begin)),
            metadata,
            Some(member("items", Value::List(self.objects), span)),
        ];
        Node { value: Value::Map(members.into_iter().flatten().collect()), span }
    }
}

/// The bytes of the JSON value that a text begins with.
fn value(text: &str) -> Option<usize> {
    if text.starts_with(NULL) {
        return Some(NULL.len());
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

/// What Go says of a text that begins with no JSON value, and so many bytes in where; 0 where it does not say.
///
/// Source: Go's `encoding/json`, `scanner.go`.
fn invalid(text: &str) -> (usize, String) {
    let said = |at: usize, context: &str| {
        let character =
            text.as_bytes().get(at).map(|byte| char::from(*byte)).filter(|byte| !byte.is_control());
        let words = character.map(|character| format!("invalid character {character:?} {context}"));
        words.map_or_else(|| (0, UNEXPECTED.to_owned()), |words| (at + 1, words))
    };
    match text.as_bytes() {
        [b'-', second, ..] if !second.is_ascii_digit() => said(1, "in numeric literal"),
        [b'{' | b'[' | b'"' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9', ..] => (0, UNEXPECTED.to_owned()),
        _ => said(0, "looking for beginning of value"),
    }
}

/// Whether a text begins with a word or a number of JSON, which ends for Go wherever it cannot go on.
///
/// Source: Go's `encoding/json`, `scanner.go`.
fn begins_with_literal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    if ["true", "false"].iter().any(|word| text.starts_with(word)) {
        return true;
    }
    let text = text.strip_prefix('-').unwrap_or(text);
    let whole = if text.starts_with('0') { 1 } else { digits(text) };
    let mut rest = &text[whole..];
    let mut is_number = whole > 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        is_number &= digits(fraction) > 0;
        rest = &fraction[digits(fraction)..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        is_number &= digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)) > 0;
    }
    is_number
}

/// Gives a node that knows no places the place of all of it.
fn stand_at(node: &mut Node<'_>, span: Span) {
    node.span = span;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| stand_at(item, span)),
        Value::Map(members) => {
            for member in members {
                member.name_span = span;
                stand_at(&mut member.node, span);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
