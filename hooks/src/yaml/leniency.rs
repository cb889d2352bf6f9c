//! What the parser refuses and Go's YAML reader does not mind: shallow lines in quotes and brackets, and what comes after the end.

use std::borrow::Cow;

use super::{Fault, Limits, compose};
use crate::{
    interest::Interest,
    node::{Member, Node, Span, Value},
};

/// How Go reads on where the parser does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leniency {
    /// It does not.
    None,
    /// The line may be indented as it likes: a template often puts a value of several lines in quotes.
    Line,
    /// A comment may touch what is before it.
    Comment,
    /// It has stopped at the line before.
    End,
}

/// How many blanks are put in. Nothing can stand farther right and still have children.
const BLANKS: usize = 1100;

/// How many bytes may be read again in all.
const AGAIN: usize = 32 << 20;

/// Reads `text` like [`compose::compose`], and again with blanks put in where they mean nothing to Go and something to the parser.
/// Places are counted as if they were not there.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `scannerc.go`, `yaml_parser_scan_flow_scalar`, which never looks at the indent,
/// `yaml_parser_scan_to_next_token`, and `decode.go`, `unmarshal`, which reads one document.
pub(super) fn compose<'a>(
    text: &'a str,
    offset: usize,
    interest: Interest,
    limits: &Limits,
) -> Result<Node<'a>, Fault> {
    let mut fault = match compose::compose(text, offset, interest, limits) {
        Err(fault) if fault.leniency != Leniency::None => fault,
        done => return done,
    };
    let (mut text, mut places, mut again) = (text, Vec::new(), 0);
    loop {
        let line = text[..fault.at].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let place = if fault.leniency == Leniency::Line { line } else { fault.at };
        again += text.len() + places.len() * BLANKS;
        if again > AGAIN || places.contains(&place) || separates(&text[place..]) {
            return Err(fault);
        }
        if fault.leniency == Leniency::End {
            text = &text[..line];
        } else {
            places.insert(places.partition_point(|other| *other < place), place);
        }
        let padded = pad(text, &places);
        match compose::compose(&padded, 0, interest, &Limits { bytes: usize::MAX, ..*limits }) {
            Ok(node) => return Ok(Original { places: &places, offset }.node(node)),
            Err(next) => {
                let at = Original { places: &places, offset: 0 }.place(next.at);
                fault = Fault { at, ..next };
                if fault.leniency == Leniency::None {
                    return Err(fault);
                }
            }
        }
    }
}

/// Whether a line is one that ends a document even within quotes.
fn separates(line: &str) -> bool {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

fn pad(text: &str, places: &[usize]) -> String {
    let mut padded = String::with_capacity(text.len() + places.len() * BLANKS);
    let mut copied = 0;
    for place in places {
        padded.push_str(&text[copied..*place]);
        padded.extend(std::iter::repeat_n(' ', BLANKS));
        copied = *place;
    }
    padded.push_str(&text[copied..]);
    padded
}

/// The way back from a text that was padded at `places`.
#[derive(Clone, Copy)]
struct Original<'l> {
    places: &'l [usize],
    offset: usize,
}

impl Original<'_> {
    fn place(self, at: usize) -> usize {
        let mut blanks = 0;
        for (count, place) in self.places.iter().enumerate() {
            let start = place + count * BLANKS;
            if at < start {
                break;
            }
            blanks = count * BLANKS + BLANKS.min(at - start);
        }
        self.offset + at - blanks
    }

    fn span(self, span: Span) -> Span {
        let place = |at: u32| u32::try_from(self.place(at as usize)).unwrap_or(u32::MAX);
        Span { start: place(span.start), end: place(span.end) }
    }

    fn node<'a>(self, node: Node<'_>) -> Node<'a> {
        let value = match node.value {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(number) => Value::Number(number),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Value::List(items) => Value::List(items.into_iter().map(|item| self.node(item)).collect()),
            Value::Map(members) => {
                Value::Map(members.into_iter().map(|member| self.member(member)).collect())
            }
        };
        Node { value, span: self.span(node.span) }
    }

    fn member<'a>(self, member: Member<'_>) -> Member<'a> {
        let Member { name, name_span, node } = member;
        Member { name: Cow::Owned(name.into_owned()), name_span: self.span(name_span), node: self.node(node) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        interest::Interest,
        yaml::{Limits, document},
    };

    #[test]
    fn quoted_lines_may_begin_at_the_margin() {
        for (text, value) in [
            ("a:\n  b: 'c\nd\n\n e'\n", "c d\ne"),
            ("a:\n  b: \"c\n\td\"\n", "c d"),
            ("a:\n  b: \"c\\\nd\"\n", "cd"),
            ("a:\n  b: \"\n\nc\n\"\n", "\nc "),
        ] {
            let node = document(text, 0, Interest::Everything, &Limits::default());
            assert_eq!(node.map(|node| node.to_json()), Ok(json!({"a": {"b": value}})), "{text:?}");
        }
    }

    #[test]
    fn tabs_may_indent_what_is_in_brackets() {
        let text = "a:\n  b: [\n\tc,\n\t\"d\"\n  ]\n";
        let node = document(text, 0, Interest::Everything, &Limits::default());
        assert_eq!(node.map(|node| node.to_json()), Ok(json!({"a": {"b": ["c", "d"]}})));
    }

    #[test]
    fn a_comment_may_touch_what_is_before_it_and_the_end_is_the_end() {
        for text in ["a: \"b\"# c\n", "a: 'b'#c\n", "a: b\n... c\n", "a: 'b\n\n'\n... c: [\n... d"] {
            assert!(document(text, 0, Interest::Everything, &Limits::default()).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn places_are_those_of_the_text_as_it_is() {
        let text = "a: 'b\nc\nd'\ne: f\ng: 'h\ni'\nj: k\n";
        let node = document(text, 100, Interest::Everything, &Limits::default()).unwrap();
        for (name, written) in [("a", "'b\nc\nd'"), ("e", "f"), ("g", "'h\ni'"), ("j", "k")] {
            let member = node.member(name).unwrap();
            let slice = |span: crate::node::Span| &text[span.start as usize - 100..span.end as usize - 100];
            assert_eq!((slice(member.name_span), slice(member.node.span)), (name, written));
        }
    }

    #[test]
    fn what_is_broken_below_is_still_found() {
        let error = document("a: 'b\nc'\nd: [\n", 0, Interest::Everything, &Limits::default()).unwrap_err();
        assert!(error.line >= 3, "{error}");
        assert!(document("a: 'b\n...\nc'\n", 0, Interest::Everything, &Limits::default()).is_err());
        let error = document("a: 'b\nc\n", 0, Interest::Everything, &Limits::default()).unwrap_err();
        assert_eq!(error.message, "unclosed quote");
    }
}
