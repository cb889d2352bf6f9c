//! Hook events written literally in a template that has not been rendered: Helm drops a manifest with an unknown event before
//! anyone sees it, and only the source still tells.

use std::ops::Range;

use crate::annotations;

mod mask;
mod scan;

use scan::{entry, flow_values, opens_block, scalar};

/// Where the annotation stands in an object.
const PATH: [&str; 3] = ["metadata", "annotations", annotations::HOOK];

/// A value of the hook annotation that stands in the source as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// The value without quotes.
    pub value: String,
    /// The line, from 1.
    pub line: usize,
    /// The bytes of the value in the source, without quotes.
    pub range: Range<usize>,
}

/// Finds the values of the hook annotation of the object itself in a template.
///
/// Only what is certain: comments, block scalars, values with actions in them, values over several lines and annotations of
/// anything but the object itself (a pod template, an item of a list) are passed over.
#[must_use]
pub fn hook_values(text: &str) -> Vec<Literal> {
    let masked = mask::actions(text);
    let mut search = Search { found: Vec::new(), parents: Vec::new(), block: None };
    // Silent lines decide nothing, and looking past them again from every line would take forever where there are many.
    let mut lines = lines(&masked).filter(|line| !line.is_silent()).peekable();
    while let Some(line) = lines.next() {
        search.line(&line, lines.peek());
    }
    search.found
}

/// A line with its place.
struct Line<'a> {
    number: usize,
    start: usize,
    text: &'a str,
    indent: usize,
}

/// The lines of a source.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, raw)| {
        let text = raw.trim_end();
        let indent = text.len() - text.trim_start_matches(' ').len();
        let line = Line { number: index + 1, start, text, indent };
        start += raw.len();
        line
    })
}

impl<'a> Line<'a> {
    fn content(&self) -> &'a str {
        &self.text[self.indent..]
    }

    /// Whether it says nothing.
    fn is_silent(&self) -> bool {
        self.content().is_empty() || self.content().starts_with('#')
    }
}

/// What is known while going down the lines.
struct Search<'a> {
    found: Vec<Literal>,
    /// Keys above the current line, with their indents; `-` is an item of a list, or what cannot be read.
    parents: Vec<(usize, &'a str)>,
    /// The indent of the line whose text over several lines is being passed over.
    block: Option<usize>,
}

impl<'a> Search<'a> {
    /// Goes down one line; `follower` is the next one that says anything.
    fn line(&mut self, line: &Line<'a>, follower: Option<&Line<'_>>) {
        let content = line.content();
        let begins = content.starts_with("---") && line.indent == 0;
        if begins || mask::begins_definition(content) {
            self.parents.clear();
            self.block = None;
        }
        let is_inside = self.block.is_some_and(|indent| line.indent > indent);
        if begins || content.starts_with("{{") || is_inside {
            return;
        }
        self.parents.retain(|(indent, _)| *indent < line.indent);
        let continues = follower.is_some_and(|next| next.indent > line.indent);
        let (key, value) = entry(content).unwrap_or(("-", content));
        let start = line.start + line.indent + content.len() - value.len();
        if key == annotations::HOOK && self.is_under(&PATH[..2]) && !continues {
            self.keep(value, start, line.number);
        }
        // A map in braces holds what could stand in the lines below.
        let level = match key {
            _ if content.starts_with('{') => Some(0),
            key => PATH[..2].iter().position(|name| *name == key).map(|index| index + 1),
        };
        if let Some(level) = level.filter(|level| self.is_under(&PATH[..level.saturating_sub(1)])) {
            let (written, start) =
                if level == 0 { (content, line.start + line.indent) } else { (value, start) };
            for (offset, value) in flow_values(written, &PATH[level..]) {
                self.keep(value, start + offset, line.number);
            }
        }
        self.parents.push((line.indent, key));
        self.block = opens_block(value).then_some(line.indent);
    }

    /// Whether the keys above are all of `path`, or the near end of it: that is what a named template holds.
    fn is_under(&self, path: &[&str]) -> bool {
        let parents = self.parents.iter().rev().map(|(_, key)| *key);
        self.parents.len() <= path.len()
            && parents.zip(path.iter().rev()).all(|(parent, name)| parent == *name)
    }

    /// Keeps `written`, which begins at byte `start`, if it is one whole value without actions.
    fn keep(&mut self, written: &str, start: usize, line: usize) {
        if let Some(range) = scalar(written) {
            let value = written[range.clone()].to_owned();
            self.found.push(Literal { value, line, range: start + range.start..start + range.end });
        }
    }
}

#[cfg(test)]
mod tests;
