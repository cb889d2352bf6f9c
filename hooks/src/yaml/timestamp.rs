//! Which texts Go's YAML reader accepts under `!!timestamp`.

/// Whether `text` is a date, alone or with a time of day, as the reader's four layouts allow.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `resolve.go`, `parseTimestamp`, over Go's `time.Parse`.
pub(super) fn is_timestamp(text: &str) -> bool {
    let Some(end) = text.find(['T', 't', ' ']) else { return is_date(text) };
    let (date, rest) = text.split_at(end);
    if !is_date(date) {
        return false;
    }
    if let Some(time) = rest.strip_prefix(' ') {
        return is_time(time);
    }
    let time = &rest[1..];
    match time.find(['Z', '+', '-']) {
        Some(zone) => is_time(&time[..zone]) && is_zone(&time[zone..]),
        None => false,
    }
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Some(year) = digits(year, 4, 4) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match digits(month, 1, 2) {
        Some(2) => 28 + u32::from(leap),
        Some(4 | 6 | 9 | 11) => 30,
        Some(1..=12) => 31,
        _ => return false,
    };
    digits(day, 1, 2).is_some_and(|day| (1..=last).contains(&day))
}

fn is_time(text: &str) -> bool {
    let mut parts = text.split(':');
    let (Some(hour), Some(minute), Some(second), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (second, fraction) = match second.find(['.', ',']) {
        Some(point) => (&second[..point], &second[point + 1..]),
        None => (second, "0"),
    };
    let below = |text, limit| digits(text, 1, 2).is_some_and(|number| number < limit);
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    below(hour, 24) && below(minute, 60) && below(second, 60) && is_fraction
}

fn is_zone(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else { return text == "Z" };
    let Some((hours, minutes)) = offset.split_once(':') else { return false };
    digits(hours, 2, 2).is_some_and(|hours| hours <= 24)
        && digits(minutes, 2, 2).is_some_and(|minutes| minutes < 60)
}

/// The number that `text` spells with `least` to `most` digits.
fn digits(text: &str, least: usize, most: usize) -> Option<u32> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_timestamps() {
        for text in [
            "2026-11-20",
            "2026-1-2",
            "2024-02-29",
            "2026-11-20T10:00:00Z",
            "2026-11-20t1:2:3.5+02:00",
            "2026-11-20 10:00:00.123",
        ] {
            assert!(is_timestamp(text), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not() {
        for text in [
            "",
            "2026",
            "26-11-20",
            "2026-13-01",
            "2026-02-29",
            "2026-11-20T10:00:00",
            "2026-11-20 10:00",
            "2026-11-20 10:00:00 Z",
            "2026-11-20T25:00:00Z",
        ] {
            assert!(!is_timestamp(text), "{text}");
        }
    }
}
