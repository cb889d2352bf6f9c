//! The weight that orders the hooks of one event.

use crate::annotations::Written;

/// A weight as Helm understands it: text that Go's `strconv.Atoi` refuses counts as 0, and nobody is told.
///
/// Source: Helm 4.2.4 `pkg/release/v1/util/manifest_sorter.go`, `calculateHookWeight`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight<'a> {
    /// What was written; `None` when the annotation is absent.
    pub written: Option<Written<'a>>,
    /// The number Helm sorts by; lower runs first.
    pub effective: i64,
    /// Whether a weight was written and Helm sorts as if it were not.
    pub is_ignored: bool,
}

impl<'a> Weight<'a> {
    /// Reads the annotation; absent weighs 0.
    #[must_use]
    pub fn parse(written: Option<Written<'a>>) -> Self {
        let read = written.as_ref().map(|written| atoi(&written.text));
        Self { written, effective: read.flatten().unwrap_or(0), is_ignored: read == Some(None) }
    }
}

/// Go's `strconv.Atoi`: a sign or none, then ASCII digits, within 64 bits; no space, no underscore, no prefix.
fn atoi(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn weight(text: &str) -> (i64, bool) {
        let weight = Weight::parse(Some(Written { text: Cow::Borrowed(text), is_text: true }));
        (weight.effective, weight.is_ignored)
    }

    #[test]
    fn signs_and_leading_zeros_are_read() {
        assert_eq!(weight("5"), (5, false));
        assert_eq!(weight("+5"), (5, false));
        assert_eq!(weight("-5"), (-5, false));
        assert_eq!(weight("007"), (7, false));
        assert_eq!(weight("-9223372036854775808"), (i64::MIN, false));
    }

    #[test]
    fn what_atoi_refuses_is_zero_and_known_to_be_ignored() {
        for text in [
            "",
            " 5",
            "5 ",
            "1.5",
            "abc",
            "+",
            "--5",
            "+-5",
            "1_000",
            "0x10",
            "\u{662}",
            "9223372036854775808",
        ] {
            assert_eq!(weight(text), (0, true), "{text:?}");
        }
    }

    #[test]
    fn absent_is_zero_and_nothing_is_ignored() {
        let absent = Weight::parse(None);
        assert_eq!((absent.effective, absent.is_ignored), (0, false));
    }
}
