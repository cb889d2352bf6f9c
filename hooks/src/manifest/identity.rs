//! What a plainly written document is, without reading what it says: its kind and its name, found line by line.

use self::line::{Line, Written};
use crate::node::{Member, Node, Span, Value};

mod line;

/// The names that are looked for at the margin, and those within `metadata`.
const WANTED: [&str; 3] = ["apiVersion", "kind", "metadata"];
const OF_METADATA: [&str; 2] = ["name", "namespace"];

/// A map of nothing but `apiVersion`, `kind` and `metadata` with `name` and `namespace`, as [`crate::yaml::document`] would read them
/// from `text`, which begins at byte `offset` of its file, at a fraction of the price.
///
/// `None` whenever there is any doubt, so that the reader must decide: anything but block style with what is in quotes or brackets
/// closed on its line, tags, anchors, a wanted value that is not a plain word, one that comes twice, no `metadata.name`; and, since rules
/// look further there, a `List` and whatever mentions hooks or `helm.sh` but for `helm.sh/chart`.
///
/// `text` must be YAML, which is true of what Helm has rendered: mistakes that would make the reader refuse all of it may stay unseen.
#[must_use]
pub fn identity(text: &str, offset: usize) -> Option<Node<'_>> {
    u32::try_from(offset + text.len()).ok()?;
    // Every chart has a label of its own name and version, which says nothing of hooks.
    if text.contains("hook") || text.split("helm.sh").skip(1).any(|after| !after.starts_with("/chart: ")) {
        return None;
    }
    let mut scan = Scan { offset, ..Scan::default() };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        scan.line(line, start)?;
        start += line.len();
    }
    scan.into_node()
}

/// What is known after some lines.
#[derive(Default)]
struct Scan<'a> {
    offset: usize,
    top: Vec<Member<'a>>,
    below: Vec<Member<'a>>,
    /// Where the members of `metadata` are, between its first member and the next one at the margin.
    metadata: Metadata,
    /// The place of the name of `metadata`.
    metadata_name: Span,
    /// The block scalar that may still go on.
    block: Option<Block>,
    /// Whether there has been a member at the margin.
    is_begun: bool,
    /// A wanted value was the last thing: what is deeper than this would belong to it.
    floor: Option<usize>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Metadata {
    #[default]
    Absent,
    Begun,
    Within(usize),
    Over,
}

/// A block scalar: its lines are deeper than `parent`, and as deep as the first of them.
struct Block {
    parent: usize,
    indent: Option<usize>,
}

impl<'a> Scan<'a> {
    fn line(&mut self, line: &'a str, start: usize) -> Option<()> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let indent = line.bytes().take_while(|byte| *byte == b' ').count();
        let rest = &line[indent..];
        if line.contains('\r') {
            return None;
        }
        if rest.is_empty() || self.is_of_block(rest, indent)? {
            return Some(());
        }
        if line.contains('\t') {
            return None;
        }
        if rest.starts_with('#') {
            return Some(());
        }
        if self.floor.take().is_some_and(|floor| indent > floor) {
            return None;
        }
        let line = Line::read(rest, indent)?;
        if let Written::Block = line.written {
            self.block = Some(Block { parent: line.column, indent: None });
        }
        match (indent, self.metadata) {
            (1.., _) if !self.is_begun => None,
            (0, _) => self.at_margin(&line, start),
            (_, Metadata::Begun) if line.name.is_some() && !line.is_item => {
                self.metadata = Metadata::Within(indent);
                self.in_metadata(&line, start)
            }
            (_, Metadata::Begun) => None,
            (_, Metadata::Within(level)) if indent < level => None,
            (_, Metadata::Within(level)) if indent == level => self.in_metadata(&line, start),
            _ => Some(()),
        }
    }

    /// Whether a line belongs to a block scalar; `None` when nobody knows.
    fn is_of_block(&mut self, rest: &str, indent: usize) -> Option<bool> {
        let Some(block) = &mut self.block else { return Some(false) };
        if indent <= block.parent {
            self.block = None;
            return Some(false);
        }
        if block.indent.is_none() && rest.starts_with('\t') {
            return None;
        }
        (indent >= *block.indent.get_or_insert(indent)).then_some(true)
    }

    fn at_margin(&mut self, line: &Line<'a>, start: usize) -> Option<()> {
        if line.is_item {
            // The items of a member at the margin may stand there too.
            return (self.is_begun && self.metadata != Metadata::Begun).then_some(());
        }
        self.is_begun = true;
        let name = word(line.name?)?;
        match self.metadata {
            Metadata::Begun => return None,
            Metadata::Within(_) => self.metadata = Metadata::Over,
            Metadata::Absent | Metadata::Over => {}
        }
        if !WANTED.contains(&name) {
            return Some(());
        }
        if name != "metadata" {
            let member = self.member(name, line, start)?;
            return push(&mut self.top, member);
        }
        if self.metadata != Metadata::Absent || !matches!(line.written, Written::Nothing) {
            return None;
        }
        self.metadata = Metadata::Begun;
        self.metadata_name = self.span(start, name.len());
        Some(())
    }

    fn in_metadata(&mut self, line: &Line<'a>, start: usize) -> Option<()> {
        if line.is_item {
            return Some(());
        }
        let name = word(line.name?)?;
        if !OF_METADATA.contains(&name) {
            return Some(());
        }
        let member = self.member(name, line, start)?;
        push(&mut self.below, member)
    }

    fn member(&mut self, name: &'a str, line: &Line<'a>, start: usize) -> Option<Member<'a>> {
        let Written::Plain { text, at } = line.written else { return None };
        let is_text = text.starts_with(|first: char| first.is_ascii_alphabetic()) && !is_special(text);
        self.floor = Some(line.column);
        let node = Node {
            value: Value::String(word(text).filter(|_| is_text)?.into()),
            span: self.span(start + at, text.len()),
        };
        Some(Member { name: name.into(), name_span: self.span(start + line.column, name.len()), node })
    }

    fn span(&self, start: usize, length: usize) -> Span {
        let place = |at: usize| u32::try_from(self.offset + at).unwrap_or(u32::MAX);
        Span { start: place(start), end: place(start + length) }
    }

    fn into_node(mut self) -> Option<Node<'a>> {
        let is_named = self.below.iter().any(|member| member.name == "name");
        let kind = self.top.iter().find(|member| member.name == "kind")?.node.as_str()?;
        if !is_named || kind.ends_with("List") {
            return None;
        }
        let around = |members: &[Member<'_>]| Span {
            start: members.iter().map(|member| member.name_span.start).min().unwrap_or_default(),
            end: members.iter().map(|member| member.node.span.end).max().unwrap_or_default(),
        };
        let span = around(&self.below);
        let node = Node { value: Value::Map(self.below), span };
        self.top.push(Member { name: "metadata".into(), name_span: self.metadata_name, node });
        let span = around(&self.top);
        Some(Node { value: Value::Map(self.top), span })
    }
}

/// Adds a member whose name is new.
fn push<'a>(members: &mut Vec<Member<'a>>, member: Member<'a>) -> Option<()> {
    let is_new = members.iter().all(|other| other.name != member.name);
    is_new.then(|| members.push(member))
}

/// `text`, if it consists of what names of objects and members are made of.
fn word(text: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-');
    (!text.is_empty() && text.bytes().all(is_plain)).then_some(text)
}

/// Whether a word stands for a truth value or for nothing, in any spelling.
fn is_special(text: &str) -> bool {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests;
