//! Values of telling names: `password=x`, `"token": "x"`, `--api-key x`, `PASSWORD 'x'`.

use super::{
    super::HIDDEN,
    names::is_telling,
    prose::{goes_on, is_image, is_named_object, is_of_url},
    values::{Extent, extent, follows_key, is_closed},
};

/// Words after which a quoted value may come without any sign between: `PASSWORD 'x'`.
const BEFORE_QUOTES: [&str; 3] = ["password", "passphrase", "token"];

/// What stands around a value.
struct Place {
    /// Bytes between the name and the value.
    gap: usize,
    /// How far an unquoted value goes.
    extent: Extent,
}

/// Hides the values of telling names.
pub(super) fn hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut rest, mut counted, mut is_inside) = (text, 0, false);
    while let Some(at) = rest.find(is_of_name) {
        let end = rest[at..].find(|character| !is_of_name(character)).map_or(rest.len(), |end| at + end);
        let name = &rest[at..end];
        shown.push_str(&rest[..end]);
        rest = &rest[end..];
        let before = &shown[..shown.len() - name.len()];
        let Some(place) = place(before, name, rest) else { continue };
        let (sign, value) = rest.split_at(place.gap);
        let is_odd = |text: &str| text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
        is_inside ^= is_odd(&before[counted..]);
        counted = before.len();
        let opened = before.chars().next_back().filter(|last| "'\"`".contains(*last));
        let opened = opened.filter(|_| !rest.starts_with(['"', '\'', '`', '\\']));
        let around = opened.or((is_inside ^ is_odd(sign)).then_some('"'));
        let is_empty = opened.is_some_and(|quote| value.strip_prefix(quote).is_some_and(is_closed));
        let found = if is_empty { continue } else { extent(place.extent, around, value) };
        if found.secret.is_empty() {
            continue;
        }
        shown.push_str(sign);
        shown.push_str(&value[..found.secret.start]);
        shown.push_str(HIDDEN);
        shown.push_str(&value[found.secret.end..found.end]);
        rest = &value[found.end..];
    }
    shown + rest
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Where the value of a telling name is; `None` where there is none, or the name tells nothing.
fn place(before: &str, name: &str, rest: &str) -> Option<Place> {
    let bare = name.trim_start_matches('-');
    let is_after_blank = rest.starts_with(' ') && rest.trim_start().starts_with(['\'', '"']);
    if is_after_blank && is_before_quotes(before, bare) {
        return Some(Place { gap: blanks(rest), extent: Extent::Word });
    }
    if !is_telling(bare) {
        return None;
    }
    if let Some(gap) = name.starts_with("--").then(|| to_argument(rest)).flatten() {
        return Some(Place { gap, extent: Extent::Word });
    }
    let closed = rest.len() - rest.trim_start_matches(['"', '\'', '`', '\\', ']']).len();
    let at = closed + blanks(&rest[closed..]);
    let sign = ["=>", ":=", "=", ":"].into_iter().find(|sign| rest[at..].starts_with(sign))?;
    let after = at + sign.len();
    let gap = after + blanks(&rest[after..]);
    let value = &rest[gap..];
    let is_spaced = gap > after;
    if sign == ":" && is_spoken(before, bare, (closed, is_spaced), value) {
        return None;
    }
    if sign == "=" && (at == closed && is_spaced && follows_key(value) || is_count(bare, value)) {
        return None;
    }
    let small = bare.to_ascii_lowercase();
    let extent = if small.contains("authorization") || small.contains("cookie") {
        if closed > 0 || sign == "=" { Extent::Header } else { Extent::Whole }
    } else if is_spaced {
        Extent::Line
    } else {
        Extent::Word
    };
    Some(Place { gap, extent })
}

/// How many bytes stand between a flag and its argument, `--x y` or `"--x", "y"`.
fn to_argument(rest: &str) -> Option<usize> {
    let is_quote = |character: char| "\"'\\".contains(character);
    let after = rest.trim_start_matches(is_quote);
    let is_listed = after.len() < rest.len();
    let value = if is_listed { after.trim_start().strip_prefix(',')? } else { after.strip_prefix(' ')? };
    let value = value.trim_start();
    let is_one = !value.is_empty() && !value.trim_start_matches(is_quote).starts_with('-');
    is_one.then(|| rest.len() - value.len())
}

fn is_before_quotes(before: &str, name: &str) -> bool {
    BEFORE_QUOTES.iter().any(|word| name.eq_ignore_ascii_case(word))
        || (name.eq_ignore_ascii_case("by") && {
            let last = before.trim_end().rsplit(' ').next().unwrap_or_default();
            last.eq_ignore_ascii_case("identified")
        })
}

/// Whether the colon is one of a sentence, an address or an image.
fn is_spoken(before: &str, name: &str, (closed, is_spaced): (usize, bool), value: &str) -> bool {
    if closed > 0 {
        let is_plain = !value.trim_start_matches('\\').starts_with(['"', '\'', '`']);
        return is_plain && (is_of_url(before) || is_named_object(before));
    }
    if is_spaced { goes_on(before, name, value) } else { is_image(before, name, value) }
}

/// As quotas of Kubernetes count: `secrets=1`.
fn is_count(name: &str, value: &str) -> bool {
    let digits = value.len() - value.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    name == "secrets" && digits > 0 && !value[digits..].starts_with(char::is_alphanumeric)
}
