//! Durations as Go writes them, which is how the API server says how long it waits.

use std::time::Duration;

/// Reads what Go's `time.ParseDuration` reads, without a sign: `10s`, `1m30s`, `1.5h`, `250ms`, `0`. `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let unit_at = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, tail) = rest.split_at(unit_at);
        let unit_ends =
            tail.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_ends);
        seconds += number.parse::<f64>().ok()? * seconds_of(unit)?;
        rest = tail;
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(seconds).ok() }
}

/// The same for a flag of the command line, with a sentence for what it refuses.
///
/// # Errors
/// When the text is no duration.
pub(crate) fn flag(text: &str) -> Result<Duration, String> {
    parse(text).ok_or_else(|| format!("`{text}` is no duration; write it like 10s, 1m30s or 250ms"))
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" | "μs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_prints_is_read() {
        assert_eq!(parse("10s"), Some(Duration::from_secs(10)));
        assert_eq!(parse("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(parse("1h0m0.5s"), Some(Duration::from_millis(3_600_500)));
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse("3µs"), Some(Duration::from_micros(3)));
        assert_eq!(parse("0"), Some(Duration::ZERO));
    }

    #[test]
    fn anything_else_is_not() {
        for text in ["", "10", "s", "-1s", "1d", "1s ", "1..5s", "10 s", "1e400h", "NaNs", "infs", "٣s"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_flag_says_how_to_write_one() {
        assert_eq!(flag("soon").unwrap_err(), "`soon` is no duration; write it like 10s, 1m30s or 250ms");
    }
}
