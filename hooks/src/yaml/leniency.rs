//! What the parser refuses and Go's YAML reader does not mind: shallow lines in quotes and brackets, a dash alone in brackets, and what
//! comes after the end.

use std::collections::HashSet;

use super::{
    Fault, Limits,
    characters::plain_breaks,
    compose,
    original::{Addition, Original},
    quoted,
};
use crate::{interest::Interest, node::Node};

/// How Go reads on where the parser does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leniency {
    /// It does not.
    None,
    /// The line may be indented as it likes: a template often puts a value of several lines in quotes.
    Line,
    /// A comment may touch what is before it.
    Comment,
    /// A dash in brackets is a text.
    Dash,
    /// It has stopped at the line before.
    End,
}

/// Which reading of a text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The first, of the text as it is.
    First,
    /// Another, of a changed one that ends before what is read, so that every text will be copied.
    Again {
        /// What stands for a dash in every text.
        dash: Option<char>,
    },
}

/// More blanks than this are never put in at one place.
const BLANKS: usize = 256;

/// How many bytes a character has that stands for a dash.
const STAND_IN: usize = 3;

/// What remembers one place takes so many bytes.
const PLACE: usize = 64;

/// How many bytes may be read again, for each byte of the text.
const AGAIN: usize = 64;

/// What is put into a text, before the byte that it is put at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Put {
    /// Blanks.
    Blanks,
    /// A character that stands for the dash there.
    Dash,
}

/// Reads `text` like [`compose::compose`], and again with blanks put in where they mean nothing to Go and something to the parser, and
/// with another character for each dash that only the parser minds. Places are counted as if they were not there.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `scannerc.go`, `yaml_parser_scan_flow_scalar`, which never looks at the indent,
/// `yaml_parser_scan_to_next_token`, `yaml_parser_fetch_next_token`, to which a dash is only special before a blank, and `decode.go`,
/// `unmarshal`, which reads one document.
pub(super) fn compose<'a>(
    text: &'a str,
    offset: usize,
    interest: Interest,
    limits: &Limits,
) -> Result<Node<'a>, Fault> {
    let Some(plain) = plain_breaks(text) else {
        return lenient(text, offset, interest, limits, Reading::First);
    };
    let limits = again_within(limits, &plain);
    let original = Original::new(text, std::iter::empty());
    match lenient(&plain, 0, interest, &limits, Reading::Again { dash: None }) {
        Ok(node) => Ok(original.node(node, offset)),
        Err(fault) => Err(original.fault(fault)),
    }
}

fn lenient<'a>(
    text: &'a str,
    offset: usize,
    interest: Interest,
    limits: &Limits,
    first: Reading,
) -> Result<Node<'a>, Fault> {
    let mut fault = match compose::compose(text, offset, interest, limits, first) {
        Err(fault) if fault.leniency != Leniency::None => fault,
        done => return done,
    };
    // A parent stands in some line, so that a line that begins after the widest one ends is deep enough.
    let blanks = 1 + text.lines().map(str::len).max().unwrap_or_default().min(BLANKS);
    if fault.leniency == Leniency::Line
        && let Some(node) = at_once(text, offset, interest, limits, blanks)
    {
        return Ok(node);
    }
    let (mut text, mut places, mut again) = (text, Vec::new(), 0);
    let mut dash = None;
    // A place takes its blanks twice, in the text and in what remembers them.
    let most = limits.memory.saturating_sub(text.len()) / (2 * blanks + PLACE);
    loop {
        let line = text[..fault.at].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let known = places.len();
        match fault.leniency {
            Leniency::Line => {
                let lines = shallow_lines(text, line, fault.after).take(most + 1);
                places.extend(lines.map(|at| (at, Put::Blanks)));
            }
            Leniency::Comment => places.push((fault.at, Put::Blanks)),
            Leniency::Dash => {
                dash = dash.or_else(|| absent(text));
                let dashes = dash.iter().flat_map(|_| dashes(text, fault.at)).take(most + 1);
                places.extend(dashes.map(|at| (at, Put::Dash)));
            }
            Leniency::End | Leniency::None => {
                text = &text[..line];
                places.retain(|(at, _)| *at < line);
            }
        }
        places.sort_unstable();
        places.dedup();
        again += text.len() + places.len() * blanks;
        if places.len() > most
            || again > AGAIN * text.len().max(BLANKS)
            || places.len() == known && fault.leniency != Leniency::End
        {
            return Err(fault);
        }
        let padded = pad(text, &places, blanks, dash);
        let reading = Reading::Again { dash };
        let original = Original::new(text, additions(&places, blanks));
        match compose::compose(&padded, 0, interest, &again_within(limits, &padded), reading) {
            Ok(node) => return Ok(original.node(node, offset)),
            Err(next) => {
                fault = original.fault(next);
                if fault.leniency == Leniency::None {
                    return Err(fault);
                }
            }
        }
    }
}

/// Reads a text with blanks put in before all lines that seem to stand within quotes, where they mean nothing: one by one would take a
/// reading for each quoted text. `None` where one of them stands elsewhere, and where more is to be done.
fn at_once<'a>(
    text: &str,
    offset: usize,
    interest: Interest,
    limits: &Limits,
    blanks: usize,
) -> Option<Node<'a>> {
    let places: Vec<_> = quoted::guess(text).into_iter().map(|at| (at, Put::Blanks)).collect();
    if places.len() > limits.memory.saturating_sub(text.len()) / (2 * blanks + PLACE) {
        return None;
    }
    let padded = pad(text, &places, blanks, None);
    let reading = Reading::Again { dash: None };
    let node = compose::compose(&padded, 0, interest, &again_within(limits, &padded), reading).ok()?;
    let within = places.iter().enumerate().map(|(before, (at, _))| at + before * blanks);
    let original = Original::new(text, additions(&places, blanks));
    quoted::holds(&padded, within).then(|| original.node(node, offset))
}

/// The limits for `padded`, which takes memory itself.
fn again_within(limits: &Limits, padded: &str) -> Limits {
    Limits { bytes: usize::MAX, memory: limits.memory.saturating_sub(padded.len()), ..*limits }
}

/// A character of [`STAND_IN`] bytes that means nothing to anybody and is not in `text`.
fn absent(text: &str) -> Option<char> {
    let mut private = '\u{e000}'..='\u{f8ff}';
    let present: HashSet<char> = text.chars().filter(|character| private.contains(character)).collect();
    private.find(|character| !present.contains(character))
}

/// The dash at byte `first`, and every later one that could be a text of its own if it stood in brackets.
fn dashes(text: &str, first: usize) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let ends = |at: usize| matches!(bytes.get(at), Some(b',' | b'[' | b']' | b'{' | b'}'));
    let begins =
        move |at: usize| matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r' | b',' | b'[' | b'{' | b':');
    let later = (first + 1..bytes.len()).filter(move |at| bytes[*at] == b'-' && ends(at + 1) && begins(*at));
    std::iter::once(first).chain(later)
}

/// Where the line at byte `first` begins, and those after it up to the end of the quoted text that began after byte `token`; if that
/// is none, up to one that may end the brackets.
fn shallow_lines(text: &str, first: usize, token: usize) -> impl Iterator<Item = usize> {
    let quoted = closing_quote(text, token).filter(|end| *end >= first);
    let mut next = Some(first);
    let lines = std::iter::from_fn(move || {
        let start = next?;
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at + 1);
        let is_last =
            quoted.map_or_else(|| text[start..end].contains(['"', '\'', ']', '}']), |quote| end > quote);
        next = (!is_last && end < text.len()).then_some(end);
        Some(start)
    });
    lines.take_while(|start| !separates(&text[*start..]))
}

/// Where the first quoted text after byte `token` ends.
pub(super) fn closing_quote(text: &str, token: usize) -> Option<usize> {
    let open = token + text[token..].find(['"', '\''])?;
    let quote = text.as_bytes()[open];
    let mut at = open + 1;
    loop {
        at += text.as_bytes()[at..].iter().position(|byte| *byte == quote || *byte == b'\\')?;
        match (text.as_bytes()[at], text.as_bytes().get(at + 1)) {
            (b'\\', _) => at += 1 + usize::from(quote == b'"'),
            (b'\'', Some(b'\'')) => at += 2,
            _ => return Some(at),
        }
        if at > text.len() {
            return None;
        }
    }
}

/// Whether a line is one that ends a document even within quotes.
pub(super) fn separates(line: &str) -> bool {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

/// What [`pad`] adds.
fn additions(places: &[(usize, Put)], blanks: usize) -> impl Iterator<Item = Addition> {
    places.iter().map(move |(at, put)| {
        let width = if *put == Put::Dash { STAND_IN - 1 } else { blanks };
        Addition { at: *at, width }
    })
}

fn pad(text: &str, places: &[(usize, Put)], blanks: usize, dash: Option<char>) -> String {
    let mut padded = String::with_capacity(text.len() + places.len() * blanks);
    let mut copied = 0;
    for (place, put) in places {
        padded.push_str(&text[copied..*place]);
        copied = *place;
        match put {
            Put::Blanks => padded.extend(std::iter::repeat_n(' ', blanks)),
            Put::Dash => {
                padded.extend(dash);
                copied += 1;
            }
        }
    }
    padded.push_str(&text[copied..]);
    padded
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
            ("a:\n  b: \"c\n it's\n\n[d]\n\"\n", "c it's\n[d] "),
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
    fn a_dash_alone_in_brackets_is_text() {
        for (text, value) in [
            ("a: [-]\n", json!({"a": ["-"]})),
            ("a: [tar, -xf, -]\n", json!({"a": ["tar", "-xf", "-"]})),
            ("a: {b: -, -}\n", json!({"a": {"b": "-", "-": null}})),
            ("a: {-: b, -}\n", json!({"a": {"-": null}})),
            ("a: [\n-, 'b\nc', -]\n", json!({"a": ["-", "b c", "-"]})),
            ("a: [-, '\u{e000}']\n", json!({"a": ["-", "\u{e000}"]})),
            ("a: [-]\nb: |\n  [-, -]\nc: x [-]\n", json!({"a": ["-"], "b": "[-, -]\n", "c": "x [-]"})),
            ("a: [-]\n... [-]\n", json!({"a": ["-"]})),
        ] {
            let node = document(text, 0, Interest::Everything, &Limits::default());
            assert_eq!(node.map(|node| node.to_json()), Ok(value), "{text:?}");
        }
        for text in ["a: [ - ]\n", "a: [-\n]\n", "a: [-[b]]\n", "a: [-, b\n"] {
            assert!(document(text, 0, Interest::Everything, &Limits::default()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_dash_is_refused_where_no_character_is_left_to_stand_for_it() {
        let all: String = ('\u{e000}'..='\u{f8ff}').collect();
        let text = format!("a: [-]\nb: {all}\n");
        let error = document(&text, 0, Interest::Everything, &Limits::default()).unwrap_err();
        assert_eq!((error.line, error.column), (1, 5));
    }

    #[test]
    fn many_dashes_in_brackets_are_read_at_once() {
        let text = "- [-, a, -]\n".repeat(20_000);
        let node = document(&text, 0, Interest::Everything, &Limits::default()).unwrap();
        assert!(node.items().iter().all(|list| list.to_json() == json!(["-", "a", "-"])));
        assert_eq!(node.items().len(), 20_000);
    }

    #[test]
    fn many_quoted_texts_at_the_margin_were_more_than_could_be_read_again() {
        let long = "x".repeat(300);
        let text = format!("long: {long}\nlist:\n")
            + &"- name: a\n  value: \"first\nsecond\n\nthird\"\n".repeat(5_000);
        let node = document(&text, 0, Interest::Everything, &Limits::default()).unwrap();
        let items = node.get("list").unwrap().items();
        assert!(
            items.len() == 5_000
                && items.iter().all(|item| item.str_at("value") == Some("first second\nthird"))
        );
        let span = items[4_999].get("value").unwrap().span;
        assert_eq!(&text[span.start as usize..span.end as usize], "\"first\nsecond\n\nthird\"");
    }

    #[test]
    fn a_guess_that_is_wrong_changes_no_text() {
        for (text, value) in [
            ("a: b\n  'c\nd: 'e\nf'\ng: |\n  '\n  h\n", json!({"a": "b 'c", "d": "e f", "g": "'\nh\n"})),
            ("a: >2\n   'b\n   c\nd: 'e\nf'\n", json!({"a": " 'b\n c\n", "d": "e f"})),
            ("\u{feff}a: 'b\nc'\n", json!({"a": "b c"})),
        ] {
            let node = document(text, 0, Interest::Everything, &Limits::default());
            assert_eq!(node.map(|node| node.to_json()), Ok(value), "{text:?}");
        }
    }

    #[test]
    fn many_lines_at_the_margin_are_read_at_once() {
        let text = format!("a: \"{}\"\nb: [\n", "line\n".repeat(20_000));
        let error = document(&text, 0, Interest::Everything, &Limits::default()).unwrap_err();
        assert_eq!(error.line, 20_002);
        let json = "{\n\"a\": [\"''\"],\n}\n".repeat(1000);
        let text = format!("a:\n  - '{json}'\n  - b\n");
        let node = document(&text, 0, Interest::Everything, &Limits::default()).unwrap();
        assert_eq!(node.get("a").map(|list| list.items().len()), Some(2));
    }

    #[test]
    fn a_comment_may_touch_what_is_before_it_and_the_end_is_the_end() {
        for text in ["a: \"b\"# c\n", "a: 'b'#c\n", "a: b\n... c\n", "a: 'b\n\n'\n... c: [\n... d"] {
            assert!(document(text, 0, Interest::Everything, &Limits::default()).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn places_are_those_of_the_text_as_it_is() {
        let text = "a: 'b\nc\nd'\ne: f\ng: 'h\ni'\nj: k\nl: [-, {m: -}]\np: o\n";
        let node = document(text, 100, Interest::Everything, &Limits::default()).unwrap();
        for (name, written) in
            [("a", "'b\nc\nd'"), ("e", "f"), ("g", "'h\ni'"), ("j", "k"), ("l", "[-, {m: -}]"), ("p", "o")]
        {
            let member = node.member(name).unwrap();
            let slice = |span: crate::node::Span| &text[span.start as usize - 100..span.end as usize - 100];
            assert_eq!((slice(member.name_span), slice(member.node.span)), (name, written));
        }
        let dash = node.get("l").unwrap().items()[0].span;
        assert_eq!(&text[dash.start as usize - 100..dash.end as usize - 100], "-");
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
