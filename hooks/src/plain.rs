//! Text of others made safe to be shown: no escape sequence, no control character, no hidden reordering gets through.

use std::borrow::Cow;

/// Stands for a character that must not be shown.
pub const REPLACEMENT: char = '\u{fffd}';

/// The longest path that Linux takes.
const LONGEST_PATH: usize = 4_096;

/// Whether a character starts escape sequences (C0 and C1), or reorders or hides what stands beside it.
#[must_use]
pub const fn is_unsafe(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}')
}

/// One line without control characters and without what hides or reorders text, `most` characters at most.
#[must_use]
pub fn shown(text: &str, most: usize) -> String {
    let clean = without_escapes(text);
    let mut shown: String = clean.trim().chars().take(most).map(visible).collect();
    if clean.trim().chars().count() > most {
        shown.push('…');
    }
    shown
}

/// One word of a command that people copy into a shell: as it is, or quoted where the shell would see more in it.
#[must_use]
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:=@+".contains(&byte);
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", shown(text, LONGEST_PATH).replace('\'', r"'\''")))
}

/// Leaves out the sequences that colour a terminal, which would else cut words in two.
///
/// Source: ECMA-48: `ESC [`, parameters, intermediate bytes, one final byte.
fn without_escapes(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        clean.push_str(&rest[..at]);
        let sequence = &rest[at + 2..];
        let end = sequence.find(|character: char| !matches!(character, '\u{20}'..='\u{3f}'));
        let Some(end) = end else { return clean };
        let last = sequence[end..].chars().next().filter(|last| matches!(last, '\u{40}'..='\u{7e}'));
        rest = &sequence[end + last.map_or(0, char::len_utf8)..];
    }
    clean.push_str(rest);
    clean
}

/// The character, or what is shown in its place; breaks are blanks.
const fn visible(character: char) -> char {
    match character {
        '\t' | '\n' | '\r' => ' ',
        _ if is_unsafe(character) => REPLACEMENT,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out_and_control_characters_are_not_passed_on() {
        assert_eq!(shown("\u{1b}[31mred\u{1b}[0m", 80), "red");
        assert_eq!(shown("hun\u{1b}[0mter2", 80), "hunter2");
        assert_eq!(shown("a\u{1b}]0;title\u{7}b\nc\u{202e}", 80), "a\u{fffd}]0;title\u{fffd}b c\u{fffd}");
        assert_eq!(shown("a\u{1b}[", 80), "a");
        assert_eq!(shown("a\u{1b}[\u{e9}b", 80), "aéb");
        assert_eq!(shown("abcdef", 3), "abc…");
    }

    #[test]
    fn what_a_shell_would_run_is_quoted() {
        for plain in ["migrate-1", "dev@eu", "arn:aws:eks:eu-west-1:1:cluster/a", "kube/config"] {
            assert_eq!(shell_word(plain), plain);
        }
        for (text, word) in [
            ("", "''"),
            ("a; rm -rf /", "'a; rm -rf /'"),
            ("~/my config", "'~/my config'"),
            ("it's", r"'it'\''s'"),
            ("--all", "'--all'"),
            ("a\n\u{1b}[2Jb", "'a b'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
