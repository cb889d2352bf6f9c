//! One line of block style: the dashes it begins with, a name, and what kind of value follows on the same line.

/// A line that means the same whatever comes before it, but as a part of a longer plain text.
pub(super) struct Line<'a> {
    /// Whether it begins with a dash.
    pub(super) is_item: bool,
    /// Where the name begins, or the last dash when there is no name.
    pub(super) column: usize,
    /// The name, as written.
    pub(super) name: Option<&'a str>,
    /// What follows.
    pub(super) written: Written<'a>,
}

/// A value, as far as it stands on the line.
#[derive(Clone, Copy)]
pub(super) enum Written<'a> {
    /// Nothing, or a comment.
    Nothing,
    /// Text without quotes, and where it begins in the line.
    Plain { text: &'a str, at: usize },
    /// Something in quotes or brackets, closed again.
    Closed,
    /// The header of a block scalar, whose text comes below.
    Block,
}

impl<'a> Line<'a> {
    /// Reads what comes after `indent` blanks; `None` when there is any doubt.
    pub(super) fn read(rest: &'a str, indent: usize) -> Option<Self> {
        let (mut rest, mut column, mut is_item) = (rest, indent, false);
        let mut dash = indent;
        while let Some(after) = after_dash(rest) {
            is_item = true;
            dash = column;
            column += rest.len() - after.len();
            rest = after;
        }
        if rest.is_empty() || rest.starts_with('#') {
            return Some(Self { is_item, column: dash, name: None, written: Written::Nothing });
        }
        if let Some((name, after)) = split_name(rest)? {
            let value = after.trim_start_matches(' ');
            let written = value_at(value, column + rest.len() - value.len())?;
            return Some(Self { is_item, column, name: Some(name), written });
        }
        let written = value_at(rest, column)?;
        // What looks like a block header, without a dash or a name before it, may be a part of a text.
        let is_whole = is_item || !matches!(written, Written::Block);
        is_whole.then_some(Self { is_item, column: dash, name: None, written })
    }
}

/// What follows a dash and its blanks.
fn after_dash(text: &str) -> Option<&str> {
    let after = text.strip_prefix('-')?;
    (after.is_empty() || after.starts_with(' ')).then(|| after.trim_start_matches(' '))
}

/// The name at the beginning and what comes after its colon; `Some(None)` without one.
#[expect(clippy::option_option, reason = "no name and no idea are two things")]
fn split_name(text: &str) -> Option<Option<(&str, &str)>> {
    let quoted = match text.as_bytes()[0] {
        b'"' | b'\'' => quoted(text)?,
        b'[' | b'{' | b'|' | b'>' => return Some(None),
        _ => 0,
    };
    if quoted > 0 {
        let after =
            text[quoted..].strip_prefix(':').filter(|after| after.is_empty() || after.starts_with(' '));
        return Some(after.map(|after| (&text[..quoted], after)));
    }
    let colon = colon(text);
    match colon {
        Some(0) => None,
        Some(at) => Some(Some((&text[..at], &text[at + 1..]))),
        None => Some(None),
    }
}

/// The first colon that ends a name, before any comment.
fn colon(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let at = from + text[from..].find([':', '#'])?;
        match bytes[at] {
            b'#' if at > 0 && bytes[at - 1] == b' ' => return None,
            b':' if matches!(bytes.get(at + 1), None | Some(b' ')) => return Some(at),
            _ => from = at + 1,
        }
    }
}

/// The value that stands alone in `text`, which begins at byte `at` of its line.
fn value_at(text: &str, at: usize) -> Option<Written<'_>> {
    let Some(first) = text.bytes().next() else { return Some(Written::Nothing) };
    match first {
        b'#' => Some(Written::Nothing),
        b'"' | b'\'' => ends(&text[quoted(text)?..]).map(|()| Written::Closed),
        b'[' | b'{' => ends(&text[bracketed(text)?..]).map(|()| Written::Closed),
        b'|' | b'>' => ends(text[1..].trim_start_matches(['+', '-'])).map(|()| Written::Block),
        b'&' | b'!' | b'*' | b'?' | b'@' | b'`' | b'%' | b',' | b']' | b'}' => None,
        _ if after_dash(text).is_some() || colon(text).is_some() => None,
        _ => {
            let text = text.split(" #").next().unwrap_or_default().trim_end_matches(' ');
            Some(Written::Plain { text, at })
        }
    }
}

/// Whether nothing follows but blanks and a comment.
fn ends(rest: &str) -> Option<()> {
    let text = rest.trim_start_matches(' ');
    (text.is_empty() || (text.starts_with('#') && text.len() < rest.len())).then_some(())
}

/// How long the quoted text at the beginning is; `None` when it goes on below, or hides letters behind numbers.
fn quoted(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = bytes[0];
    let mut at = 1;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == quote || *byte == b'\\')?;
        match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(b'x' | b'u' | b'U')) if quote == b'"' => return None,
            (b'\\', _) => at += 1 + usize::from(quote == b'"'),
            (b'\'', Some(b'\'')) => at += 2,
            _ => return Some(at + 1),
        }
    }
}

/// How long the list or map in brackets at the beginning is.
fn bracketed(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut before) = (0, 0_usize, b' ');
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth == 1 => return Some(at),
            b']' | b'}' => depth -= 1,
            b'"' | b'\'' => {
                let begins =
                    matches!(before, b'[' | b'{' | b',') || (before == b':' && bytes[at - 2] == b' ');
                at += quoted(&text[at - 1..]).filter(|_| begins)? - 1;
            }
            b'&' | b'!' | b'*' | b'#' | b'|' | b'>' | b'@' | b'`' | b'%' | b'?' => return None,
            _ => {}
        }
        if byte != b' ' {
            before = byte;
        }
    }
}
