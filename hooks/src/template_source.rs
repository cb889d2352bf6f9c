//! Hook events written literally in a template that has not been rendered: Helm drops a manifest with an unknown event before
//! anyone sees it, and only the source still tells.

use std::ops::Range;

use crate::annotations;

mod mask;
mod scan;

use scan::{entry, flow_entries, opens_block, scalar};

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
    let lines = Lines::of(&masked);
    let mut search = Search { found: Vec::new(), parents: Vec::new(), block: None };
    for (index, line) in lines.0.iter().enumerate() {
        search.line(line, lines.follower(index));
    }
    search.found
}

/// A line with its place.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    start: usize,
    text: &'a str,
    indent: usize,
}

/// The lines of a source.
struct Lines<'a>(Vec<Line<'a>>);

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let mut start = 0;
        let lines = text.split_inclusive('\n').enumerate().map(|(index, raw)| {
            let text = raw.trim_end();
            let line = Line {
                number: index + 1,
                start,
                text,
                indent: text.len() - text.trim_start_matches(' ').len(),
            };
            start += raw.len();
            line
        });
        Self(lines.collect())
    }

    /// The next line after `index` that says anything.
    fn follower(&self, index: usize) -> Option<Line<'a>> {
        self.0[index + 1..].iter().copied().find(|line| !line.is_silent())
    }
}

impl<'a> Line<'a> {
    fn content(&self) -> &'a str {
        &self.text[self.indent..]
    }

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
    fn line(&mut self, line: &Line<'a>, follower: Option<Line<'_>>) {
        let content = line.content();
        let begins = content.starts_with("---") && line.indent == 0;
        if begins || mask::begins_definition(content) {
            self.parents.clear();
            self.block = None;
        }
        let is_inside = self.block.is_some_and(|indent| line.indent > indent);
        if begins || content.starts_with("{{") || line.is_silent() || is_inside {
            return;
        }
        self.parents.retain(|(indent, _)| *indent < line.indent);
        let continues = follower.is_some_and(|next| next.indent > line.indent);
        let (key, value) = entry(content).unwrap_or(("-", content));
        let start = line.start + line.indent + content.len() - value.len();
        if key == annotations::HOOK && self.is_under(&["annotations", "metadata"]) && !continues {
            self.keep(value, start, line.number);
        } else if key == "annotations" && self.is_under(&["metadata"]) {
            for (offset, value) in flow_entries(value, annotations::HOOK) {
                self.keep(value, start + offset, line.number);
            }
        }
        self.parents.push((line.indent, key));
        self.block = opens_block(value).then_some(line.indent);
    }

    /// Whether the keys above are all of `path`, nearest first, or the near end of it: that is what a named template holds.
    fn is_under(&self, path: &[&str]) -> bool {
        let parents = self.parents.iter().rev().map(|(_, key)| *key);
        self.parents.len() <= path.len() && parents.zip(path).all(|(parent, name)| parent == *name)
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
