//! Names, numbers and times as people read them.

use lifecycle::{answer::ObjectId, scenario::Value};

use crate::rehearsal::Rehearsed;

/// `Job/migrate`, and the namespace where it is another than that of the release.
pub(in crate::output::lifecycle) fn name(object: &ObjectId, namespace: &str) -> String {
    match &object.namespace {
        Some(other) if other != namespace => format!("{object} in {other}"),
        _ => object.to_string(),
    }
}

/// The names of scenarios, with the file where several have the same.
pub(in crate::output::lifecycle) fn names(scenarios: &[Rehearsed]) -> Vec<String> {
    let is_shared = |name: &str| scenarios.iter().filter(|scenario| scenario.name == name).count() > 1;
    let name = |Rehearsed { name, file, .. }: &Rehearsed| {
        if is_shared(name) { format!("{name} ({file})") } else { name.clone() }
    };
    scenarios.iter().map(name).collect()
}

/// `3 hooks`.
pub(in crate::output::lifecycle) fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// What was said in several lines, on one: a cause follows its heading, all else stands apart.
pub(in crate::output::lifecycle) fn one_line(text: &str) -> String {
    let mut joined = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !joined.is_empty() {
            joined.push_str(if joined.ends_with(':') || line.starts_with("* ") { " " } else { "; " });
        }
        joined.push_str(line);
    }
    joined
}

/// What was expected or found, on one line.
pub(in crate::output::lifecycle) fn value(value: &Value) -> String {
    one_line(&value.to_string())
}

/// How much is expected of a scenario. Of a step that says nothing of it, that it exits with 0.
pub(in crate::output::lifecycle) fn expected(scenario: &Rehearsed) -> String {
    match scenario.expectations.len() {
        0 => "nothing expected but exit 0".to_owned(),
        number => counted(number, "expectation"),
    }
}

/// In seconds.
const DAY: u64 = 86_400;

/// A message in which times are as people read them: `86401s ago` is `1d ago`.
pub(super) fn aged(message: &str) -> String {
    let words = ["s ago", "s more"].into_iter().find_map(|words| Some((words, message.split_once(words)?)));
    let Some((words, (before, after))) = words else { return message.to_owned() };
    let digits = before.rsplit(' ').next().unwrap_or_default();
    match digits.parse::<u32>() {
        Ok(seconds) if seconds >= 60 => {
            let start = &before[..before.len() - digits.len()];
            format!("{start}{}{}{after}", span(f64::from(seconds)), &words[1..])
        }
        _ => message.to_owned(),
    }
}

/// `0.1s`, `1m10s`, `2h05m`, `1d`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of an action fit")]
pub(in crate::output::lifecycle) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    // What rounds to a minute is one.
    if seconds < 59.95 {
        let tenths = format!("{seconds:.1}");
        return match tenths.strip_suffix(".0") {
            Some(whole) if seconds >= 9.95 => format!("{whole}s"),
            _ => format!("{tenths}s"),
        };
    }
    let whole = seconds.round() as u64;
    if whole >= DAY {
        let hours = whole % DAY / 3600;
        let days = format!("{}d", whole / DAY);
        return if hours == 0 { days } else { format!("{days}{hours:02}h") };
    }
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (hours, minutes, seconds) {
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, 0, 0) => format!("{hours}h"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let times = [
            (0.0, "0.0s"),
            (0.25, "0.2s"),
            (9.96, "10s"),
            (12.5, "12.5s"),
            (59.97, "1m"),
            (70.0, "1m10s"),
            (300.0, "5m"),
            (3600.0, "1h"),
            (7500.0, "2h05m"),
            (86_401.0, "1d"),
            (93_600.0, "1d02h"),
            (-1.0, "0.0s"),
        ];
        for (seconds, shown) in times {
            assert_eq!(span(seconds), shown);
        }
    }

    #[test]
    fn seconds_of_a_day_are_a_day() {
        let told = "an earlier run succeeded 86401s ago, and nothing ran now";
        assert_eq!(aged(told), "an earlier run succeeded 1d ago, and nothing ran now");
        assert_eq!(aged("its deadline lets it try for 337s more"), "its deadline lets it try for 5m37s more");
        for told in ["it ran 5s ago", "pods more", "the pods ago", "", "xs ago"] {
            assert_eq!(aged(told), told);
        }
    }

    #[test]
    fn what_stands_below_the_first_line_of_an_error_was_cut_off() {
        let said = "UPGRADE FAILED: 2 errors occurred:\n\t* job a failed: BackoffLimitExceeded\n\t* b\n\n";
        let told = "UPGRADE FAILED: 2 errors occurred: * job a failed: BackoffLimitExceeded * b";
        assert_eq!(one_line(said), told);
        assert_eq!(one_line("not ready\ncontext deadline exceeded"), "not ready; context deadline exceeded");
        assert_eq!(value(&Value::Text(None)), "none");
    }

    #[test]
    fn an_object_elsewhere_says_where() {
        let mut object = ObjectId {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: Some("demo".to_owned()),
            name: "db".to_owned(),
        };
        assert_eq!(name(&object, "demo"), "Secret/db");
        assert_eq!(name(&object, "shop"), "Secret/db in demo");
        object.namespace = None;
        assert_eq!(name(&object, "shop"), "Secret/db");
    }
}
