//! Tabs between tokens, of which Go's YAML reader takes fewer than the parser does.

use granit_parser::{Event, ScalarStyle, StructureStyle};

/// What the last token was, as far as tabs after it are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing yet, or a block scalar, which ends its own last line: a name may begin here.
    Line,
    /// A plain scalar, which reads on over blank lines.
    Plain,
    /// Anything else.
    Token,
}

/// Follows the tokens of one document. A tab is an error where a name could begin: at the beginning of a line, after `-` and `?`.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `scannerc.go`, `yaml_parser_scan_to_next_token` and `yaml_parser_scan_plain_scalar`.
#[derive(Debug)]
pub(super) struct Tabs<'a> {
    text: &'a str,
    /// Where the last token ended; `None` when there is no tab to look for.
    end: Option<usize>,
    last: Last,
    /// How deep the line is indented that a plain scalar could go on with.
    indent: usize,
    /// The columns of the block lists and maps that are open.
    columns: Vec<usize>,
    /// How many lists and maps in brackets are open: there, tabs are blanks.
    brackets: usize,
}

impl<'a> Tabs<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let end = text.contains('\t').then_some(0);
        Self { text, end, last: Last::Line, indent: 0, columns: Vec::new(), brackets: 0 }
    }

    /// Whether the last token opened brackets, or stands in some. Known only where the text has a tab.
    pub(super) fn in_brackets(&self) -> bool {
        self.brackets > 0
    }

    /// Takes note of an event; the place of the tab before it that Go refuses.
    pub(super) fn event(&mut self, event: &Event<'_>, start: usize, end: usize) -> Option<usize> {
        let from = self.end?;
        let (opens, last) = match event {
            Event::SequenceStart(StructureStyle::Block, ..)
            | Event::MappingStart(StructureStyle::Block, ..) => {
                self.columns.push(column(self.text, start));
                return None;
            }
            Event::SequenceEnd | Event::MappingEnd if self.brackets == 0 => {
                self.columns.pop();
                return None;
            }
            Event::Scalar(..) if start == end => return None,
            Event::Scalar(_, ScalarStyle::Plain, ..) => (0, Last::Plain),
            Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..) => (0, Last::Line),
            Event::Scalar(..) | Event::Alias(_) | Event::DocumentEnd => (0, Last::Token),
            Event::SequenceStart(..) | Event::MappingStart(..) => (1, Last::Token),
            Event::SequenceEnd | Event::MappingEnd => (-1, Last::Token),
            _ => return None,
        };
        let ends = matches!(event, Event::DocumentEnd);
        let to = if ends { self.text.len() } else { start };
        let found = if self.brackets == 0 { self.gap(from, to, ends) } else { None };
        self.end = Some(end);
        self.last = last;
        self.indent = self.columns.last().map_or(0, |column| column + 1);
        self.brackets = self.brackets.saturating_add_signed(opens);
        found
    }

    /// Whether the byte begins anything but an empty item, an empty value, or a comment.
    fn ends_document(&self, byte: u8, at: usize) -> bool {
        let separates = byte == b'-' && column(self.text, at) == 0 && self.text[at..].starts_with("---");
        separates || !matches!(byte, b'#' | b'-' | b'?' | b':' | b'&' | b'!' | b'|' | b'>')
    }

    /// Looks through what is between two tokens, or between the last one and whatever comes after the document.
    fn gap(&self, from: usize, to: usize, ends: bool) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let (mut at, mut name_may_begin, mut new_line) =
            (from, self.last == Last::Line, self.last == Last::Line);
        let mut plain = self.last == Last::Plain;
        while at < to {
            match bytes[at] {
                b'\t' if plain && new_line && column(self.text, at) < self.indent => return Some(at),
                b'\t' if !plain && name_may_begin => return Some(at),
                b' ' | b'\t' => {}
                b'\n' | b'\r' => (name_may_begin, new_line) = (true, true),
                other if ends && self.ends_document(other, at) => return None,
                other => {
                    plain = false;
                    let word = bytes[at..to].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
                    let begins_line = at == 0 || bytes[at - 1] == b'\n';
                    match other {
                        b'#' | b'%' | b'|' | b'>' => at += line_length(&bytes[at..to]) - 1,
                        b'-' if begins_line && bytes[at..to].starts_with(b"---") => {
                            (at, name_may_begin) = (at + 2, false);
                        }
                        b'-' | b'?' => name_may_begin = true,
                        b':' => name_may_begin = new_line,
                        b'&' | b'!' | b'*' => (at, name_may_begin) = (at + word - 1, false),
                        _ => {}
                    }
                }
            }
            at += 1;
        }
        None
    }
}

/// How many bytes come before the line break.
fn line_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count()
}

/// Bytes since the line began, which is enough for blanks.
fn column(text: &str, at: usize) -> usize {
    at - text[..at].rfind(['\n', '\r']).map_or(0, |line| line + 1)
}

#[cfg(test)]
mod tests {
    use crate::{
        interest::Interest,
        yaml::{Limits, document},
    };

    fn tab(text: &str) -> Option<usize> {
        document(text, 0, Interest::Everything, &Limits::default()).err().map(|error| error.offset)
    }

    #[test]
    fn a_tab_is_refused_where_a_name_could_begin() {
        for (text, at) in [
            ("\ta: 1", 0),
            ("- \tx", 2),
            ("-\tx", 1),
            ("? a\n:\tb", 5),
            ("a: b\n\t\nc: d", 5),
            ("a:\n  b: c\n  \t\n", 12),
            ("a: 'b'\n  \t\nc: d", 9),
            ("a: |\n  b\n\t\nc: d", 9),
            ("a: {}\n\t# b\n", 6),
            ("a: b # c\n\t# d\n", 9),
            ("- a\n-\t# b", 5),
        ] {
            assert_eq!(tab(text), Some(at), "{text:?}");
        }
    }

    #[test]
    fn a_tab_is_a_blank_elsewhere() {
        for text in [
            "a:\tb",
            "a: b\t# c",
            "a: 'b'\t\nc: d",
            "{\n\t\"a\":\t1\n}\n",
            "a: b\n   \t\nc: d",
            "a:\t|\n  b\n",
            "---\t# a\nb: c",
            "a: b\tc",
            "a: &b\tc",
            "a\n---\n-\tb",
            "a: b\n...\n\tc",
        ] {
            assert_eq!(tab(text), None, "{text:?}");
        }
    }
}
