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
            let is_whole = rest.is_empty() || rest.starts_with([' ', '\t']) && is_comment(rest);
            (is_whole && !text.contains('\\')).then_some(1..length + 1)
        }
        '|' | '>' | '&' | '*' | '!' | '[' | '{' | '%' | '@' | '`' | '#' => None,
        _ => {
            let text = written.find(" #").map_or(written, |comment| &written[..comment]).trim_end();
            (!text.contains(": ")).then_some(0..text.len())
        }
    }
}

fn is_comment(rest: &str) -> bool {
    rest.trim_start().starts_with('#')
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

/// The values of `name` in a map in braces on one line, with their places in `value`; nothing if the map nests or escapes.
pub(super) fn flow_entries<'a>(value: &'a str, name: &str) -> Vec<(usize, &'a str)> {
    let Some(inside) = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
        return Vec::new();
    };
    if inside.contains(['{', '}', '[', ']', '\\', '#']) {
        return Vec::new();
    }
    let mut quote = None;
    let pieces = inside.split(|character| {
        match quote {
            Some(open) if open == character => quote = None,
            None if matches!(character, '"' | '\'') => quote = Some(character),
            _ => {}
        }
        quote.is_none() && character == ','
    });
    let mut found = Vec::new();
    let mut start = 1;
    for piece in pieces {
        let trimmed = piece.trim_end();
        if let Some((_, value)) = entry(trimmed.trim_start()).filter(|(key, _)| *key == name) {
            found.push((start + trimmed.len() - value.len(), value));
        }
        start += piece.len() + 1;
    }
    found
}
