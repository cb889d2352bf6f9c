//! What an exception may ask for: known rules, patterns that can match, and a day that is not too far.

use super::{Error, Exception, ExceptionSpec, glob, seconds};
use crate::{
    rules::{RULES, suggestion},
    wording::one,
};

/// Seconds of ninety days: the longest an exception may last.
const LONGEST: i64 = 90 * 24 * 60 * 60;
/// Seconds by which clocks may differ.
const SKEW: i64 = 5 * 60;
/// Bytes of one pattern; a name in Kubernetes has at most 253.
const PATTERN: usize = 253;

/// What is asked of an exception that is made or changed.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Seconds since 1970.
    pub now: i64,
    /// What it says until now; `None` for a new one. An old one may be given a day in the past, which ends it.
    pub old: Option<&'a ExceptionSpec>,
}

/// Which of the terms is broken, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It could not be put in force by anybody.
    #[error(transparent)]
    Unusable(#[from] Error),
    /// No rule is called like that.
    #[error("there is no rule {}{}", one(.written), suggestion(.written))]
    UnknownRule {
        /// Its place in the list.
        index: usize,
        /// As written.
        written: String,
    },
    /// A pattern that can match nothing.
    #[error("{} can match nothing: {why}", one(.written))]
    Pattern {
        /// The list.
        field: &'static str,
        /// Its place in the list.
        index: usize,
        /// As written.
        written: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It would begin with its end.
    #[error("expiresAt {} has passed", one(.written))]
    Past {
        /// As written.
        written: String,
    },
    /// It would last too long.
    #[error("expiresAt {} is more than 90 days ahead", one(.written))]
    TooLate {
        /// As written.
        written: String,
    },
}

impl Broken {
    /// The field in the object that it is about, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        match self {
            Self::Unusable(error) => error.pointer().to_owned(),
            Self::UnknownRule { index, .. } => format!("/spec/rules/{index}"),
            Self::Pattern { field, index, .. } => format!("/spec/{field}/{index}"),
            Self::Past { .. } | Self::TooLate { .. } => "/spec/expiresAt".to_owned(),
        }
    }
}

impl Terms<'_> {
    /// Holds an exception to the terms.
    ///
    /// # Errors
    /// The first that is broken.
    pub fn verify(&self, name: &str, spec: &ExceptionSpec) -> Result<(), Broken> {
        let expires_at = usable(name, spec)?.expires_at;
        if self.old.is_none() && expires_at <= self.now {
            return Err(Broken::Past { written: spec.expires_at.clone() });
        }
        if !self.keeps_the_day(expires_at) && expires_at > self.now + LONGEST + SKEW {
            return Err(Broken::TooLate { written: spec.expires_at.clone() });
        }
        Ok(())
    }

    /// Whether the day is as it was, however it is written: it was near enough then.
    fn keeps_the_day(&self, expires_at: i64) -> bool {
        self.old.is_some_and(|old| seconds(&old.expires_at) == Some(expires_at))
    }
}

/// Reads an exception that could cover something, wherever it is written.
///
/// # Errors
/// When a list that must say something is empty, a pattern can match nothing, or a rule is not known.
pub fn usable(name: &str, spec: &ExceptionSpec) -> Result<Exception, Broken> {
    let exception = Exception::new(name, spec.clone())?;
    let lists = [
        ("rules", &spec.rules),
        ("namespaces", &spec.namespaces),
        ("kinds", &spec.kinds),
        ("names", &spec.names),
    ];
    for (field, patterns) in lists {
        for (index, pattern) in patterns.iter().enumerate() {
            if let Some(why) = flaw(field, pattern) {
                return Err(Broken::Pattern { field, index, written: pattern.clone(), why });
            }
        }
    }
    let is_known = |pattern: &String| RULES.iter().any(|rule| glob(pattern, rule.meta().id));
    if let Some(index) = spec.rules.iter().position(|pattern| !is_known(pattern)) {
        return Err(Broken::UnknownRule { index, written: spec.rules[index].clone() });
    }
    Ok(exception)
}

/// Why a pattern can match nothing in this list.
fn flaw(field: &str, pattern: &str) -> Option<&'static str> {
    let is_star = |character: char| matches!(character, '*' | '?');
    let allowed =
        |more: fn(char) -> bool| pattern.chars().all(|character| is_star(character) || more(character));
    if pattern.is_empty() {
        return Some("it is empty; * matches everything");
    }
    if pattern.len() > PATTERN {
        return Some("it is longer than any name");
    }
    match field {
        "rules" | "namespaces" => (!allowed(|character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        }))
        .then_some("only lower case letters, digits, -, * and ? can be in it"),
        "kinds" => (!allowed(|character| character.is_ascii_alphanumeric()))
            .then_some("only letters, digits, * and ? can be in it"),
        _ => (!allowed(|character| {
            !character.is_whitespace() && !character.is_control() && !"/%[]{}\\".contains(character)
        }))
        .then_some("of special characters only * and ? are known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exception::timestamp;

    const NOW: i64 = 1_800_000_000;
    const DAY: i64 = 24 * 60 * 60;

    fn spec(change: impl FnOnce(&mut ExceptionSpec)) -> ExceptionSpec {
        let mut spec = ExceptionSpec {
            rules: vec!["job-suspended".into()],
            namespaces: vec!["shop-*".into()],
            kinds: vec!["Job".into()],
            names: vec!["migrate-?".into()],
            reason: "ticket 7".into(),
            expires_at: timestamp(NOW + DAY),
            requested_by: None,
            changed_by: None,
            authors: Vec::new(),
        };
        change(&mut spec);
        spec
    }

    fn verify(spec: &ExceptionSpec, old: Option<&ExceptionSpec>) -> Result<(), (String, String)> {
        let terms = Terms { now: NOW, old };
        terms.verify("x", spec).map_err(|broken| (broken.pointer(), broken.to_string()))
    }

    #[track_caller]
    fn refused(spec: &ExceptionSpec, pointer: &str, words: &str) {
        let (at, said) = verify(spec, None).unwrap_err();
        assert!(at == pointer && said.contains(words), "{at}: {said}");
    }

    #[test]
    fn ninety_days_are_the_longest_and_clocks_may_differ_a_little() {
        let until = |seconds: i64| spec(|spec| spec.expires_at = timestamp(NOW + seconds));
        assert_eq!(verify(&until(90 * DAY + SKEW), None), Ok(()));
        refused(&until(90 * DAY + SKEW + 1), "/spec/expiresAt", "more than 90 days ahead");
    }

    #[test]
    fn a_new_exception_ends_in_the_future_and_an_old_one_can_be_ended() {
        let ended = spec(|spec| spec.expires_at = timestamp(NOW));
        refused(&ended, "/spec/expiresAt", "has passed");
        assert_eq!(verify(&ended, Some(&spec(|_| ()))), Ok(()));
    }

    #[test]
    fn a_day_that_stays_was_near_enough_when_it_was_written() {
        let far = spec(|spec| spec.expires_at = timestamp(NOW + 100 * DAY));
        let other = spec(|spec| spec.expires_at = timestamp(NOW + 99 * DAY));
        assert_eq!(verify(&far, Some(&far)), Ok(()));
        assert!(verify(&far, Some(&other)).is_err());
        let written = |day: &str| spec(|spec| spec.expires_at = day.into());
        let (here, there) = (written("2030-01-01T00:00:00Z"), written("2030-01-01T01:00:00+01:00"));
        assert_eq!(verify(&there, Some(&here)), Ok(()), "the same day in another place");
    }

    #[test]
    fn rules_are_known_or_nothing_is_excepted() {
        refused(
            &spec(|spec| spec.rules = vec!["job-*".into(), "job-suspend".into()]),
            "/spec/rules/1",
            "did you mean \"job-suspended\"?",
        );
        refused(
            &spec(|spec| spec.rules = vec!["nothing-*".into()]),
            "/spec/rules/0",
            "there is no rule \"nothing-*\"",
        );
        assert_eq!(verify(&spec(|spec| spec.rules = vec!["*".into()]), None), Ok(()));
    }

    #[test]
    fn patterns_that_can_match_nothing_are_refused() {
        refused(
            &spec(|spec| spec.namespaces = vec![String::new()]),
            "/spec/namespaces/0",
            "* matches everything",
        );
        refused(&spec(|spec| spec.namespaces = vec!["Shop".into()]), "/spec/namespaces/0", "lower case");
        refused(
            &spec(|spec| spec.kinds = vec!["Job".into(), "batch/Job".into()]),
            "/spec/kinds/1",
            "only letters",
        );
        refused(&spec(|spec| spec.names = vec!["migrate-[0-9]".into()]), "/spec/names/0", "only * and ?");
        refused(&spec(|spec| spec.names = vec!["x".repeat(254)]), "/spec/names/0", "longer");
        assert_eq!(verify(&spec(|spec| spec.names = vec!["system:*".into()]), None), Ok(()));
    }

    #[test]
    fn a_reason_is_more_than_white_space() {
        refused(&spec(|spec| spec.reason = " \n".into()), "/spec/reason", "empty");
    }
}
