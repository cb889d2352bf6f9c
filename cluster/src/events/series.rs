//! Which matters were told of lately, and how often they have come up since.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::Matter;

/// A matter that comes up again within this is the same Event.
const WINDOW: Duration = Duration::from_secs(600);
/// Matters that are remembered, about 1 KB each.
const MATTERS: usize = 2048;

/// Repetitions that are written at once; the others wait for the next time.
const WRITTEN: usize = 25;

/// The matters of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Series {
    told: HashMap<Matter, Told>,
}

#[derive(Debug)]
struct Told {
    name: String,
    count: i32,
    written: i32,
    last: Instant,
    /// When it was written, or its count last.
    at: Instant,
}

/// An Event whose count is to be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) matter: Matter,
    /// The name of the Event.
    pub(super) name: String,
    /// How often the matter has come up, the first time included.
    pub(super) count: i32,
}

impl Series {
    /// Whether there is an Event for this already; then it is counted.
    pub(super) fn repeats(&mut self, matter: &Matter, now: Instant) -> bool {
        let told = self.told.get_mut(matter).filter(|told| told.is_current(now));
        if let Some(told) = told {
            told.count = told.count.saturating_add(1);
            told.last = now;
            return true;
        }
        false
    }

    /// Remembers that the Event `name` has been written.
    pub(super) fn begin(&mut self, matter: Matter, name: String, now: Instant) {
        if self.told.len() >= MATTERS {
            let oldest = self.told.iter().min_by_key(|(_, told)| told.last).map(|(matter, _)| matter.clone());
            oldest.map(|oldest| self.told.remove(&oldest));
        }
        self.told.insert(matter, Told { name, count: 1, written: 1, last: now, at: now });
    }

    /// Some of the Events whose counts have grown since they were written, first those that waited longest; what is too old is
    /// forgotten.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Due> {
        let mut grown: Vec<_> = self.told.iter_mut().filter(|(_, told)| told.has_grown()).collect();
        grown.sort_by_key(|(_, told)| told.at);
        let due = grown.into_iter().take(WRITTEN).map(|(matter, told)| {
            (told.written, told.at) = (told.count, now);
            Due { matter: matter.clone(), name: told.name.clone(), count: told.count }
        });
        let due = due.collect();
        self.told.retain(|_, told| told.is_current(now) || told.has_grown());
        due
    }

    /// The next time is the first time again.
    pub(super) fn forget(&mut self, matter: &Matter) {
        self.told.remove(matter);
    }
}

impl Told {
    const fn has_grown(&self) -> bool {
        self.count > self.written
    }

    fn is_current(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) < WINDOW
    }
}

#[cfg(test)]
mod tests {
    use policies::decision::Identity;

    use super::*;

    fn matter(topic: &str) -> Matter {
        Matter { about: Identity::default(), reason: "HookDenied", topic: topic.into() }
    }

    #[test]
    fn what_comes_again_is_counted_and_written_once() {
        let (mut series, now) = (Series::default(), Instant::now());
        assert!(!series.repeats(&matter("a"), now));
        series.begin(matter("a"), "hookward-x".into(), now);
        assert_eq!(series.due(now), []);
        assert!(series.repeats(&matter("a"), now) && series.repeats(&matter("a"), now));
        assert_eq!(series.due(now), [Due { matter: matter("a"), name: "hookward-x".into(), count: 3 }]);
        assert_eq!(series.due(now), []);
    }

    #[test]
    fn another_rule_is_another_matter() {
        let (mut series, now) = (Series::default(), Instant::now());
        series.begin(matter("a"), "hookward-x".into(), now);
        assert!(!series.repeats(&matter("b"), now));
    }

    #[test]
    fn of_many_that_come_again_a_few_are_written_at_a_time_and_all_in_the_end() {
        let (mut series, now) = (Series::default(), Instant::now());
        for index in 0..3 * WRITTEN {
            series.begin(matter(&index.to_string()), index.to_string(), now);
        }
        let mut names = std::collections::BTreeSet::new();
        for round in 1..=3 {
            for index in 0..3 * WRITTEN {
                assert!(series.repeats(&matter(&index.to_string()), now));
            }
            let due = series.due(now + Duration::from_secs(round));
            assert_eq!(due.len(), WRITTEN);
            names.extend(due.into_iter().map(|due| due.name));
        }
        assert_eq!(names.len(), 3 * WRITTEN);
    }

    #[test]
    fn after_ten_quiet_minutes_it_is_news_again() {
        let (mut series, now) = (Series::default(), Instant::now());
        series.begin(matter("a"), "hookward-x".into(), now);
        assert!(series.repeats(&matter("a"), now + WINDOW / 2));
        assert!(series.repeats(&matter("a"), now + WINDOW));
        assert!(!series.repeats(&matter("a"), now + WINDOW * 3));
        assert_eq!(series.due(now + WINDOW * 3).len(), 1, "what was counted is still written");
        assert!(series.told.is_empty());
    }

    #[test]
    fn the_memory_is_bounded_and_the_oldest_goes_first() {
        let (mut series, now) = (Series::default(), Instant::now());
        for index in 0..=MATTERS {
            let at = now + Duration::from_millis(u64::try_from(index).unwrap());
            series.begin(matter(&index.to_string()), String::new(), at);
        }
        assert_eq!(series.told.len(), MATTERS);
        assert!(!series.repeats(&matter("0"), now) && series.repeats(&matter("1"), now));
    }
}
