//! Durations as Go writes them: in Helm's flags, and in what the API server says of its patience.

use std::time::Duration;

/// The most nanoseconds that Go can count.
const MOST: u64 = i64::MAX.unsigned_abs();
/// As many digits of a fraction count: what is left is less than a nanosecond of any unit.
const DIGITS: usize = 19;

/// Reads a duration: `90s`, `1m30s`, `1.5h`, `500us`, `0`; `None` if it is none, or a negative one.
///
/// Source: Go 1.26 `time/format.go`, `ParseDuration`.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = (!rest.is_empty()).then_some(0_u64)?;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = nanoseconds(unit)?;
        let whole = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let part = unit.checked_mul(whole)?.checked_add(part_of(unit, fraction))?;
        total = total.checked_add(part).filter(|total| *total <= MOST)?;
        rest = after;
    }
    Some(Duration::from_nanos(total))
}

/// The digits that the text begins with, and what follows.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()))
}

fn nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // The micro sign, and the letter that looks like it.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// This fraction of a unit, by the steps in which Go rounds it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "less than a unit, cut to whole nanoseconds"
)]
fn part_of(unit: u64, fraction: &str) -> u64 {
    let digits = &fraction[..fraction.len().min(DIGITS)];
    let scale = digits.bytes().fold(1.0, |scale, _| scale * 10.0);
    let fraction: u64 = digits.parse().unwrap_or_default();
    (fraction as f64 * (unit as f64 / scale)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_reads_is_read() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("+0", 0),
            ("+5s", 5_000_000_000),
            ("90s", 90_000_000_000),
            ("1m30s", 90_000_000_000),
            ("10.5s4m", 250_500_000_000),
            ("1h2m3s4ms5us6ns", 3_723_004_005_006),
            ("5.s", 5_000_000_000),
            (".5s", 500_000_000),
            ("1m.5s", 60_500_000_000),
            ("100.00100s", 100_001_000_000),
            ("500us", 500_000),
            ("12\u{b5}s", 12_000),
            ("12\u{3bc}s", 12_000),
            ("1.9ns", 1),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.100000000000000000000h", 360_000_000_000),
            ("0.830103483285477580700h", 2_988_372_539_827),
            ("9007199254740993ns", 9_007_199_254_740_993),
            ("9223372036854775.807us", MOST),
            ("2562047h47m16.854775807s", MOST),
        ] {
            assert_eq!(parse(text), Some(Duration::from_nanos(nanoseconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "", "+", "++1s", "-1s", "5", "s", ".", ".s", "+.s", "1d", "5 s", "1s ", "1..5s", "1S", "NaNs",
            "infs", "\u{663}s", "9e99h", "1e400h", "\u{b5}", "1\u{b5}", "00",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn more_than_go_can_count_is_none() {
        for text in [
            "9223372036854775808ns",
            "9223372036854775.808us",
            "9223372036854ms775us808ns",
            "2562048h",
            "18446744073709551616ns",
            "99999999999999999999h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
