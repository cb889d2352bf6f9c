//! Words for people: durations, moments, numbers of things.

pub(super) use hooks::plain::shown;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Seconds since 1970 of a moment as Helm stores it.
pub(super) fn seconds(rfc3339: &str) -> Option<i64> {
    // Go's zero time means «never».
    let moment = OffsetDateTime::parse(rfc3339, &Rfc3339).ok()?.unix_timestamp();
    (moment > 0).then_some(moment)
}

/// `4m`, `1h 5m`, `12s`; never negative.
pub(super) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes, rest) =
        (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let two = |large: i64, name: &str, small: i64, smaller: &str| match small {
        0 => format!("{large}{name}"),
        _ => format!("{large}{name} {small}{smaller}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => two(minutes, "m", rest, "s"),
        (0, _, _) => two(hours, "h", minutes, "m"),
        _ => two(days, "d", hours, "h"),
    }
}

/// `14:02:11 UTC`, with the date where that is another day.
pub(super) fn moment(at: i64, now: i64) -> String {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(at) else { return "an unknown time".to_owned() };
    let (hour, minute, second) = moment.to_hms();
    let time = format!("{hour:02}:{minute:02}:{second:02} UTC");
    let is_today = OffsetDateTime::from_unix_timestamp(now).is_ok_and(|now| now.date() == moment.date());
    if is_today { time } else { format!("{} {time}", moment.date()) }
}

/// `pod`, `pods`.
pub(super) fn plural(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_parts_at_most() {
        let texts = [0, 59, 60, 61, 300, 3_600, 3_660, 90_000, -5].map(duration);
        assert_eq!(texts, ["0s", "59s", "1m", "1m 1s", "5m", "1h", "1h 1m", "1d 1h", "0s"]);
    }

    #[test]
    fn a_moment_of_another_day_has_its_date() {
        assert_eq!(moment(1_795_237_331, 1_795_237_400), "05:02:11 UTC");
        assert_eq!(moment(1_795_237_331, 1_795_337_400), "2026-11-21 05:02:11 UTC");
        assert_eq!(moment(i64::MAX, 0), "an unknown time");
    }

    #[test]
    fn gos_zero_time_is_no_moment() {
        assert_eq!(seconds("0001-01-01T00:00:00Z"), None);
        assert_eq!(seconds("2026-11-21T06:02:11.123+01:00"), Some(1_795_237_331));
        assert_eq!(seconds("yesterday"), None);
    }
}
