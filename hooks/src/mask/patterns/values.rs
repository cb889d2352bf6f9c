//! How far the value of a name goes.

use std::ops::Range;

/// How far a value without quotes goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// To a blank, or to a separator and another name.
    Word,
    /// To the end of the line, or to a separator and another name.
    Line,
    /// To the end of the line.
    Header,
    /// The same, in which quotes at the beginning mean nothing.
    Whole,
}

/// A value in its text, in bytes.
pub(super) struct Found {
    /// What must not be shown.
    pub(super) secret: Range<usize>,
    /// Where the value ends, with its closing sign.
    pub(super) end: usize,
}

impl Found {
    const fn bare(length: usize) -> Self {
        Self { secret: 0..length, end: length }
    }
}

/// The value that the text begins with, `around` being the quote that the name and it stand in.
pub(super) fn extent(extent: Extent, around: Option<char>, value: &str) -> Found {
    if extent != Extent::Whole {
        let slashes = leading(value, '\\');
        if let Some(quote) = value[slashes..].chars().next().filter(|first| "\"'`".contains(*first)) {
            if let Some(found) = quoted(quote, slashes, value) {
                return found;
            }
        } else if let Some(found) = value.starts_with(['{', '[', '(']).then(|| bracketed(value))
            && !value[found.end..].starts_with(char::is_alphanumeric)
        {
            return found;
        }
    }
    Found::bare(unquoted(extent, around, value))
}

/// Whether a name and a sign, and a value, begin here.
pub(super) fn follows_key(text: &str) -> bool {
    key_length(text, false)
        .is_some_and(|length| text[length..].starts_with(|first: char| !first.is_whitespace()))
}

/// How long a name, of several words perhaps, and a sign are that the text begins with.
fn key_length(text: &str, of_words: bool) -> Option<usize> {
    let is_around = |character: char| "\"'`\\".contains(character);
    let name = text.trim_start().trim_start_matches(is_around);
    let after = name.trim_start_matches(|character: char| {
        character.is_ascii_alphanumeric()
            || matches!(character, '_' | '-' | '.')
            || (of_words && character == ' ')
    });
    let sign = after.trim_start_matches(is_around).trim_start();
    (after.len() < name.len() && sign.starts_with(['=', ':'])).then(|| text.len() - sign.len() + 1)
}

fn leading(text: &str, character: char) -> usize {
    text.len() - text.trim_start_matches(character).len()
}

/// A value in quotes, each with so many backslashes before it; `None` where it goes on without quotes.
///
/// Text that is quoted once more has `slashes + 1` of them for each that it had.
fn quoted(quote: char, slashes: usize, value: &str) -> Option<Found> {
    let start = slashes + 1;
    let bytes = value.as_bytes();
    let (mut at, mut run) = (start, 0);
    while let Some(byte) = bytes.get(at) {
        let is_quote = char::from(*byte) == quote;
        if *byte == b'\\' {
            run += 1;
        } else if is_quote && (run < slashes || ((run - slashes) / (slashes + 1)).is_multiple_of(2)) {
            let rest = &value[at + 1..];
            // What is joined to it is a part of it, as SQL and shells have it.
            if slashes == 0 && rest.starts_with(quote) && at > start {
                at += 1;
            } else if slashes == 0 && quote == '\'' && rest.starts_with("\\''") {
                at += 3;
            } else if rest.starts_with(char::is_alphanumeric) {
                return None;
            } else {
                return Some(Found { secret: start..at - run.min(slashes), end: at + 1 });
            }
            run = 0;
        } else {
            run = 0;
        }
        at += 1;
    }
    Some(Found { secret: start..value.len(), end: value.len() })
}

/// A list or an object, to its end.
fn bracketed(value: &str) -> Found {
    let (mut depth, mut quote, mut is_escaped) = (0_usize, None, false);
    for (at, character) in value.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if quote.is_some() => is_escaped = true,
            '"' if quote.is_some() => quote = None,
            '"' => quote = Some(character),
            _ if quote.is_some() => {}
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => {
                depth -= 1;
                if depth == 0 {
                    return Found { secret: 1..at, end: at + 1 };
                }
            }
            _ => {}
        }
    }
    Found { secret: 1..value.len(), end: value.len() }
}

/// A value without quotes: what closes something before it is none of it.
fn unquoted(extent: Extent, around: Option<char>, value: &str) -> usize {
    let is_separated = matches!(extent, Extent::Word | Extent::Line);
    let (mut end, mut run) = (value.len(), 0);
    for (at, character) in value.char_indices() {
        let after = &value[at + character.len_utf8()..];
        let is_end = match character {
            ',' | '&' if is_separated => key_length(after, false).is_some(),
            ';' if is_separated => key_length(after, true).is_some(),
            'n' | 'r' => around == Some('"') && run % 2 == 1,
            _ if around == Some(character) => is_closed(after),
            _ => extent == Extent::Word && character.is_whitespace(),
        };
        if is_end {
            end = at - run;
            break;
        }
        run = if character == '\\' { run + 1 } else { 0 };
    }
    value[..end].trim_end_matches(|last: char| last.is_whitespace() || "\"'`)}]>|:,;\\".contains(last)).len()
}

/// Whether a quote before this text closes something.
pub(super) fn is_closed(after: &str) -> bool {
    after.chars().next().is_none_or(|next| next.is_whitespace() || ",;)}]\\>|\"'.".contains(next))
}
