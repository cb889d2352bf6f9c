//! Which lines stand within quoted texts: guessed without the parser, and then asked of it.

use granit_parser::{Event, Parser, ScalarStyle};

use super::leniency::{closing_quote, separates};

/// Where each line begins that seems to stand within a quoted text; nothing where even a guess is in vain.
pub(super) fn guess(text: &str) -> Vec<usize> {
    let (mut found, mut begin) = (Vec::new(), 0);
    // How deep the parent of a block of text stands.
    let mut block = None;
    while begin < text.len() {
        let mut line = line_at(text, begin);
        let mut from = 0;
        if block.is_some_and(|parent| line.trim().is_empty() || indent(line) > parent) {
            begin += line.len();
            continue;
        }
        while let Some(open) = opening(line, from) {
            let Some(close) = closing_quote(text, begin + open) else { return Vec::new() };
            while close >= begin + line.len() {
                begin += line.len();
                line = line_at(text, begin);
                if separates(line) {
                    return Vec::new();
                }
                found.push(begin);
            }
            from = close + 1 - begin;
        }
        block = is_block(line).then(|| parent(line));
        begin += line.len();
    }
    found
}

fn line_at(text: &str, begin: usize) -> &str {
    let end = text[begin..].find('\n').map_or(text.len(), |end| begin + end + 1);
    &text[begin..end]
}

/// Whether all `places` of a text that can be read are within quoted texts; they are in order.
pub(super) fn holds(text: &str, places: impl Iterator<Item = usize>) -> bool {
    let after_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = text.len() - after_mark.len();
    let mut places = places.map(|place| place - mark).peekable();
    for event in Parser::new_from_str(after_mark) {
        let Ok((event, span)) = event else { return false };
        match event {
            Event::Scalar(_, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, ..) => {
                let quoted = span.byte_range().unwrap_or_default();
                while let Some(place) = places.next_if(|place| *place < quoted.end) {
                    if place <= quoted.start {
                        return false;
                    }
                }
            }
            Event::DocumentEnd => break,
            _ => {}
        }
    }
    places.peek().is_none()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Where the innermost name or dash of a line stands.
fn parent(line: &str) -> usize {
    let mut at = indent(line);
    while let Some(rest) = line[at..].strip_prefix(['-', '?']) {
        let blanks = indent(rest);
        if blanks == 0 || rest[blanks..].starts_with(['|', '>', '!', '&']) {
            break;
        }
        at += 1 + blanks;
    }
    at
}

/// Whether a line ends with the beginning of a block of text.
fn is_block(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or_default().trim_end();
    let word = line.rsplit(' ').next().unwrap_or_default();
    word.strip_prefix(['|', '>']).is_some_and(|rest| rest.chars().all(|mark| "+-123456789".contains(mark)))
}

/// Where in a line, from its byte `from` on, a quoted text begins.
fn opening(line: &str, from: usize) -> Option<usize> {
    for (at, byte) in line.bytes().enumerate().skip(from) {
        match byte {
            b'#' if at == 0 || line[..at].ends_with([' ', '\t']) => return None,
            b'"' | b'\'' if may_begin(&line[..at]) => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether a value or a name may begin behind this part of a line.
fn may_begin(before: &str) -> bool {
    let words = before.trim_end_matches([' ', '\t']);
    if words.is_empty() || words.ends_with([',', '[', '{']) || words.ends_with("\":") {
        return true;
    }
    let last = || words.rsplit([' ', '\t']).next().unwrap_or_default();
    words.len() < before.len()
        && (words.ends_with(':') || ["-", "?"].contains(&last()) || last().starts_with(['!', '&']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(text: &str) -> Vec<&str> {
        guess(text).into_iter().map(|at| text[at..].lines().next().unwrap_or_default()).collect()
    }

    #[test]
    fn lines_within_quotes_are_found_wherever_a_value_may_begin() {
        let text = "a: 'b\n1'\n\"c\n2\": [\"d\n3\", 'e''\n4', {f: \"\\\"\n5\"}] # 'g\nh: !!str &x \"\n6\"\n- - 'i\n7'\n? 'j\n8'\n";
        assert_eq!(
            guessed(text),
            ["1'", "2\": [\"d", "3\", 'e''", "4', {f: \"\\\"", "5\"}] # 'g", "6\"", "7'", "8'"]
        );
    }

    #[test]
    fn blocks_and_apostrophes_hold_no_quotes() {
        let text =
            "a: |\n  'b\n\n  c\nd: it's\ne: - 'x' y's\n- f: >-\n    \"g\n  h: 'i\n1'\n- |2\n   'j\n- k\n";
        assert_eq!(guessed(text), ["1'"]);
    }

    #[test]
    fn a_guess_is_asked_of_the_parser() {
        let text = "a: 'b\n  c'\nd: |\n  e\n";
        assert!(holds(text, [6].into_iter()));
        for wrong in [3, 0, 16, 100] {
            assert!(!holds(text, [wrong].into_iter()), "{wrong}");
        }
        assert!(!holds("a: [", std::iter::empty()));
    }
}
