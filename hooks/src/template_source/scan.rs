//! As much of YAML as one line of a template needs.

use std::ops::Range;

/// Splits `key: value`; the value is a tail of `content`. `None` for an item of a list and for whatever is no plain entry.
pub(super) fn entry(content: &str) -> Option<(&str, &str)> {
    let (key, rest) = match content.chars().next()? {
        '-' if content.len() == 1 || content.starts_with("- ") => return None,
        quote @ ('"' | '\'') => {
            let (key, rest) = content[1..].split_once(quote)?;
            (key, rest.trim_start().strip_prefix(':')?)
        }
        _ => {
            let colon = content.find(": ").or_else(|| content.ends_with(':').then(|| content.len() - 1))?;
            (content[..colon].trim_end(), &content[colon + 1..])
        }
    };
    let is_separated = rest.is_empty() || rest.starts_with([' ', '\t']);
    is_separated.then(|| (key, rest.trim_start()))
}

/// The bytes of a text that begins and ends in `written`, without quotes and comment; `None` if it is anything less certain.
pub(super) fn scalar(written: &str) -> Option<Range<usize>> {
    if written.contains("{{") {
        return None;
    }
    match written.chars().next()? {
        quote @ ('"' | '\'') => {
            let length = written[1..].find(quote)?;
            let (text, rest) = (&written[1..=length], &written[length + 2..]);
            (is_end(rest) && !text.contains('\\')).then_some(1..length + 1)
        }
        '|' | '>' | '&' | '*' | '!' | '[' | '{' | '%' | '@' | '`' | '#' => None,
        _ => {
            let text = written.find(" #").map_or(written, |comment| &written[..comment]).trim_end();
            (!text.contains(": ")).then_some(0..text.len())
        }
    }
}

/// Whether nothing follows a value but a comment.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#')
}

/// Whether the lines below, as far as they are indented, belong to the text that `value` begins.
pub(super) fn opens_block(value: &str) -> bool {
    let value = value.find(" #").map_or(value, |comment| &value[..comment]);
    let is_header = |word: &str| {
        word.strip_prefix(['|', '>'])
            .is_some_and(|rest| rest.bytes().all(|byte| b"+-123456789".contains(&byte)))
    };
    let is_unclosed = |quote: char| {
        value.strip_prefix(quote).is_some_and(|rest| rest.matches(quote).count().is_multiple_of(2))
    };
    value.split_whitespace().next_back().is_some_and(is_header) || is_unclosed('"') || is_unclosed('\'')
}

/// The values at `path` in a map in braces that stands on one line whole, with their places in `written`; nothing of a map in
/// which a text escapes.
pub(super) fn flow_values<'a>(written: &'a str, path: &[&str]) -> Vec<(usize, &'a str)> {
    let (Some((name, below)), Some((pieces, end))) = (path.split_first(), pieces(written)) else {
        return Vec::new();
    };
    if !is_end(&written[end..]) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for piece in pieces {
        let content = written[piece.clone()].trim();
        let Some((_, value)) = entry(content).filter(|(key, _)| key == name) else { continue };
        let start = piece.start + written[piece].trim_end().len() - value.len();
        if below.is_empty() {
            found.push((start, value));
        } else {
            found
                .extend(flow_values(value, below).into_iter().map(|(offset, value)| (start + offset, value)));
        }
    }
    found
}

/// What stands between the commas of the map in braces that `written` begins with, and where the map ends; `None` if it does not
/// end, or if a text in it escapes or may be a comment.
fn pieces(written: &str) -> Option<(Vec<Range<usize>>, usize)> {
    if !written.starts_with('{') || written.starts_with("{{") {
        return None;
    }
    let bytes = written.as_bytes();
    let (mut pieces, mut begins, mut at) = (Vec::new(), 1, 0);
    let (mut depth, mut quote) = (0_u32, None);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"{{") {
            // A closing brace of an action closes no map.
            at += written[at..].find("}}")? + 2;
            continue;
        }
        match (quote, bytes[at]) {
            (_, b'\\') | (None, b'#') => return None,
            (Some(open), byte) => quote = Some(open).filter(|open| *open != byte),
            (None, mark @ (b'"' | b'\'')) => quote = Some(mark),
            (None, b'{' | b'[') => depth += 1,
            (None, b'}' | b']') => depth -= 1,
            (None, b',') if depth == 1 => {
                pieces.push(begins..at);
                begins = at + 1;
            }
            (None, _) => {}
        }
        if depth == 0 {
            pieces.push(begins..at);
            return Some((pieces, at + 1));
        }
        at += 1;
    }
    None
}
