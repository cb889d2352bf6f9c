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
    let fault = match compose::compose(text, offset, interest, limits, first) {
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
    one_by_one(text, offset, interest, limits, blanks, fault)
}

/// Reads a text again for each fault, until there is none that Go does not mind, or too much has been read.
fn one_by_one<'a>(
    mut text: &str,
    offset: usize,
    interest: Interest,
    limits: &Limits,
    blanks: usize,
    mut fault: Fault,
) -> Result<Node<'a>, Fault> {
    let (mut places, mut again) = (Vec::new(), 0);
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
mod tests;
