//! An alert that fires a minute sooner or later, or a little below or above its threshold, is another alert: its unit tests notice.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::{ALERTS, UNIT_TESTS, read, run};

/// What becomes of the number that a query compares with.
type Move = fn(f64) -> f64;

/// A tenth more, or more than one where anything is too much.
const UP: Move = |bound| if bound == 0.0 { 1.5 } else { bound * 1.1 };

/// A tenth less, or less than nothing where anything is too much.
const DOWN: Move = |bound| if bound == 0.0 { -0.5 } else { bound * 0.9 };

/// The unit tests fail for each of the alerts that `change` makes other ones, and for no other.
#[track_caller]
fn is_noticed(change: impl Fn(&mut Value) -> bool) {
    let mut file: Value = serde_saphyr::from_str(&read(ALERTS)).unwrap();
    let mut changed = BTreeSet::new();
    for group in file["groups"].as_array_mut().unwrap() {
        for alert in group["rules"].as_array_mut().unwrap() {
            if change(alert) {
                changed.insert(alert["alert"].as_str().unwrap().to_owned());
            }
        }
    }
    assert!(!changed.is_empty(), "nothing was changed");
    let folder = tempfile::tempdir().unwrap();
    let tests = folder.path().join(UNIT_TESTS);
    for (path, text) in [(ALERTS, file.to_string()), (UNIT_TESTS, read(UNIT_TESTS))] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let Some(ran) = run(&["test", "rules", tests.to_str().unwrap()]) else { return };
    let noticed = differing(&String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()));
    assert_eq!(noticed, changed);
}

/// The alerts that fired and should not have, or the other way round, as `promtool` tells of them.
fn differing(said: &str) -> BTreeSet<String> {
    let names = |line: &str| -> BTreeSet<String> {
        line.split("alertname=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let lines = |prefix| said.lines().filter_map(move |line| line.trim_start().strip_prefix(prefix));
    let pairs = lines("exp:").zip(lines("got:"));
    pairs.flat_map(|(expected, got)| &names(expected) ^ &names(got)).collect()
}

/// Makes the time for which it has to be true another one.
fn wait(alert: &mut Value, minutes: i64) -> bool {
    let Some(text) = alert["for"].as_str() else { return false };
    let (number, unit) = text.split_at(text.len() - 1);
    let in_minutes = match unit {
        "m" => 1,
        "h" => 60,
        _ => panic!("{text} is neither minutes nor hours"),
    };
    alert["for"] = format!("{}m", number.parse::<i64>().unwrap() * in_minutes + minutes).into();
    true
}

/// Moves the number after one of the comparisons of its query.
fn compare(alert: &mut Value, which: usize, by: Move) -> bool {
    let query = alert["expr"].as_str().unwrap();
    let mut words: Vec<_> = query.split_whitespace().map(str::to_owned).collect();
    let bounds = (1..words.len()).filter(|&place| ["<", ">"].contains(&words[place - 1].as_str()));
    let bounds: Vec<_> =
        bounds.filter_map(|place| Some((place, words[place].parse::<f64>().ok()?))).collect();
    let Some(&(place, bound)) = bounds.get(which) else { return false };
    words[place] = by(bound).to_string();
    alert["expr"] = words.join(" ").into();
    true
}

#[test]
fn an_alert_that_fires_a_minute_later_is_noticed() {
    is_noticed(|alert| wait(alert, 1));
}

#[test]
fn an_alert_that_fires_a_minute_sooner_is_noticed() {
    is_noticed(|alert| wait(alert, -1));
}

#[test]
fn an_alert_whose_threshold_is_higher_is_noticed() {
    is_noticed(|alert| compare(alert, 0, UP));
    is_noticed(|alert| compare(alert, 1, UP));
}

#[test]
fn an_alert_whose_threshold_is_lower_is_noticed() {
    is_noticed(|alert| compare(alert, 0, DOWN));
    is_noticed(|alert| compare(alert, 1, DOWN));
}
