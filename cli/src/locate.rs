//! From a JSON pointer to a line: the name of the field is the place, its value gets the caret.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    ops::Range,
    rc::Rc,
};

use hooks::{
    Interest, Member, Node, Span, Value,
    manifest::{Document, Manifest},
    yaml::Limits,
};

use crate::{plain, report::Excerpt};

mod secret_spans;

/// The beginnings of the lines of a text, so that many places cost no more than one reading.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: OnceCell<Vec<usize>>,
    /// By where a document begins.
    secrets: RefCell<HashMap<usize, Secrets>>,
}

/// The bytes of a document that must not be shown; `None` when they cannot be told.
type Secrets = Option<Rc<[Range<usize>]>>;

/// Longer lines are not shown, in bytes: nobody reads them, and whole files without a line break are common in JSON.
const LONGEST_LINE: usize = 2_000;

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What may be shown of the line; `None` when nothing may.
    pub excerpt: Option<Excerpt>,
}

impl<'t> Lines<'t> {
    /// Counts nothing yet.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text, starts: OnceCell::new(), secrets: RefCell::default() }
    }

    /// The line that holds the byte `offset`: its number from 1, where it begins, and its text without the line break.
    #[must_use]
    pub fn line(&self, offset: usize) -> (usize, usize, &'t str) {
        let starts = self.starts.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
        });
        let number = starts.partition_point(|start| *start <= offset);
        let start = starts[number - 1];
        let end = starts.get(number).map_or(self.text.len(), |next| next - 1);
        let line = self.text.get(start..end).unwrap_or("");
        (number, start, line.strip_suffix('\r').unwrap_or(line))
    }

    /// The line and the column, in characters, both from 1, of a byte that begins a character.
    #[must_use]
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let (number, start, _) = self.line(offset);
        (number, 1 + self.text.get(start..offset).map_or(0, |before| before.chars().count()))
    }

    /// The place of `pointer` in a document of this text. An absent field is where its nearest parent is.
    #[must_use]
    pub fn spot(&self, manifest: &Manifest<'t>, pointer: &str) -> Spot {
        let found = Found::at(&manifest.root, pointer);
        let anchor = found.anchor();
        let (number, start, line) = self.line(anchor.start as usize);
        let before = line.get(..anchor.start as usize - start).unwrap_or("");
        let column = before.chars().count() + 1;
        let caret = found.caret(start + line.len());
        let secrets = match line.len() {
            0..=LONGEST_LINE if found.stands_alone(before) => Some(Rc::default()),
            0..=LONGEST_LINE => self.secrets(&manifest.document),
            _ => None,
        };
        let excerpt = secrets.map(|secrets| excerpt(line, start, caret, &secrets));
        Spot { line: number, column, excerpt }
    }

    fn secrets(&self, document: &Document<'t>) -> Secrets {
        let mut known = self.secrets.borrow_mut();
        let spans =
            known.entry(document.offset).or_insert_with(|| secret_spans::of_document(document).map(Rc::from));
        spans.clone()
    }
}

/// A field, or what is nearest to it.
struct Found<'n, 'a> {
    node: &'n Node<'a>,
    member: Option<&'n Member<'a>>,
    is_exact: bool,
}

impl<'n, 'a> Found<'n, 'a> {
    fn at(root: &'n Node<'a>, pointer: &str) -> Self {
        let (node, member, is_exact) = root.nearest(pointer);
        Self { node, member, is_exact }
    }

    fn anchor(&self) -> Span {
        self.member.map_or(self.node.span, |member| member.name_span)
    }

    /// The value, if it was written on the line that ends at `end`, else the name.
    fn caret(&self, end: usize) -> Range<usize> {
        let (anchor, value) = (self.anchor(), self.node.span);
        let is_beside = value.start > anchor.start && (value.start as usize) < end && value.end > value.start;
        let span = if self.is_exact && is_beside && self.node.value != Value::Null { value } else { anchor };
        span.start as usize..(span.end as usize).min(end)
    }

    /// Whether the line holds this one field and a value that is nobody's secret: block style, nothing else beside it.
    fn stands_alone(&self, before: &str) -> bool {
        let name = self.member.map_or("", |member| member.name.as_ref());
        let (anchor, value) = (self.anchor(), self.node.span);
        let is_plain = match self.node.value {
            Value::Map(_) | Value::List(_) => {
                value.start > anchor.end + 1 && self.member.is_some_and(|_| !self.is_flow())
            }
            _ => self.member.is_some(),
        };
        is_plain
            && before.chars().all(|one| one == ' ' || one == '-')
            && !secret_spans::may_hold_secrets(name)
    }

    /// Whether the value begins right after its name, as flow style and JSON have it.
    fn is_flow(&self) -> bool {
        self.member.is_some_and(|member| self.node.span.start.saturating_sub(member.name_span.end) <= 2)
    }
}

/// The line as it may be shown: secrets become `…`, control characters are replaced, and the caret moves along.
fn excerpt(line: &str, start: usize, caret: Range<usize>, secrets: &[Range<usize>]) -> Excerpt {
    let line_span = start..start + line.len();
    let is_near = |secret: &&Range<usize>| secret.start < line_span.end && line_span.start < secret.end;
    let secrets: Vec<_> = secrets.iter().filter(is_near).collect();
    let mut text = String::with_capacity(line.len());
    let (mut from, mut to, mut hidden) = (None, None, false);
    for (at, character) in line.char_indices() {
        let at = at + start;
        if at >= caret.start && from.is_none() {
            from = Some(text.len());
        }
        if at >= caret.end && to.is_none() {
            to = Some(text.len());
        }
        let is_secret = secrets.iter().any(|secret| secret.contains(&at));
        if !is_secret {
            text.push(plain::shown(character));
        } else if !hidden {
            text.push('…');
        }
        hidden = is_secret;
    }
    let from = from.unwrap_or(text.len());
    let to = to.unwrap_or(text.len()).max(from);
    Excerpt { text, caret: from..to }
}

/// Reads a document again with everything in it, for those who must know where its secrets are.
fn read_all<'a>(document: &Document<'a>) -> Option<Node<'a>> {
    document.read(Interest::Everything, &Limits::default()).ok().map(|manifest| manifest.root)
}

#[cfg(test)]
mod tests;
