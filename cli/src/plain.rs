//! Text from files made safe for a terminal: no escape sequence, no control character, no hidden reordering gets through.

use std::borrow::Cow;

pub use hooks::plain::REPLACEMENT;
use hooks::plain::is_unsafe;

/// The character, or what is shown in its place; one for one, so that columns stay.
#[must_use]
pub const fn shown(character: char) -> char {
    match character {
        '\t' => ' ',
        _ if is_unsafe(character) => REPLACEMENT,
        _ => character,
    }
}

/// The text as it may be shown, on one line.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| shown(character) == character) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(shown).collect())
}

/// Characters that a terminal shows: a sequence that colours shows nothing.
#[must_use]
pub fn visible(word: &str) -> usize {
    let mut pieces = word.split('\u{1b}');
    let first = pieces.next().unwrap_or_default().chars().count();
    first
        + pieces
            .map(|piece| piece.split_once('m').map_or(piece, |(_, shown)| shown).chars().count())
            .sum::<usize>()
}

/// Breaks a text between words so that no line is wider than `width`, but for a single word that is.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut current, mut used) = (Vec::new(), String::new(), 0);
    for word in text.trim_end().split(' ') {
        let length = visible(word);
        if !current.is_empty() && used + 1 + length > width {
            lines.push(std::mem::take(&mut current));
            used = 0;
        }
        if !current.is_empty() {
            current.push(' ');
            used += 1;
        }
        current.push_str(word);
        used += length;
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_reordering_do_not_get_through() {
        assert_eq!(line("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(line("a\r\nb\u{9b}c\u{202e}d"), "a\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}d");
        assert_eq!(line("naïve \t→ ok"), "naïve  → ok");
    }

    #[test]
    fn words_are_kept_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("\u{1b}[1mone\u{1b}[0m two three", 7).len(), 2, "colours take no room");
    }
}
