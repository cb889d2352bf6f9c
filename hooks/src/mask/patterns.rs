//! What looks like a secret: passwords in URLs, values of telling names, tokens, keys.

use super::HIDDEN;

mod addresses;
mod assignments;
mod commands;
mod elements;
pub(super) mod keys;
mod names;
mod prose;
mod values;

pub(super) use names::is_telling;

/// How tokens begin that are known by their beginning, and how long they are at least.
const BEGINNINGS: [(&str, usize); 22] = [
    ("eyJ", 20),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("ghr_", 20),
    ("github_pat_", 30),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxa-", 16),
    ("sk-", 20),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("hvs.", 16),
    ("npm_", 20),
    ("dop_v1_", 20),
    ("ya29.", 20),
    ("SG.", 30),
];

/// Hides what looks like a secret in one line.
pub(super) fn hidden(line: &str) -> String {
    let line = commands::hidden(&addresses::hidden(&elements::hidden(&keys::hidden(line))));
    shapes(&assignments::hidden(&line))
}

/// Hides a word where it stands alone.
pub(super) fn without_word(text: &str, word: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, None);
    while let Some(at) = rest.find(word) {
        let (head, tail) = (&rest[..at], &rest[at + word.len()..]);
        let before_it = head.chars().next_back().or(before);
        let is_alone = !before_it.is_some_and(char::is_alphanumeric)
            && !tail.chars().next().is_some_and(char::is_alphanumeric);
        shown.push_str(head);
        shown.push_str(if is_alone { HIDDEN } else { word });
        before = word.chars().next_back();
        rest = tail;
    }
    shown + rest
}

/// Tokens by their shape, and what follows `Bearer` and `Basic`.
fn shapes(text: &str) -> String {
    let is_of_token = |character: char| character.is_ascii_alphanumeric() || "+/=_.-".contains(character);
    let mut shown = String::with_capacity(text.len());
    let (mut rest, mut is_announced) = (text, false);
    while let Some(at) = rest.find(is_of_token) {
        let end = rest[at..].find(|character| !is_of_token(character)).map_or(rest.len(), |end| at + end);
        let word = &rest[at..end];
        is_announced &= &rest[..at] == " " && word.len() >= 8;
        shown.push_str(&rest[..at]);
        let is_digest = shown.ends_with("sha256:");
        shown.push_str(if is_announced || (is_token(word) && !is_digest) { HIDDEN } else { word });
        is_announced = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
        rest = &rest[end..];
    }
    shown + rest
}

fn is_token(word: &str) -> bool {
    // After a sign, as in `key=AKIA…`, too.
    let word = word.rsplit_once('=').filter(|(_, value)| value.len() >= 16).map_or(word, |(_, value)| value);
    if BEGINNINGS.iter().any(|(beginning, length)| word.starts_with(beginning) && word.len() >= *length) {
        return true;
    }
    let count = |is: fn(&u8) -> bool| word.bytes().filter(is).count();
    let (digits, upper, lower) =
        (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let is_hexadecimal = word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_dense = word.len() >= 32 && digits >= 2 && upper >= 4 && lower >= 4 && !word.contains('.');
    is_hexadecimal || is_dense
}

#[cfg(test)]
mod tests;
