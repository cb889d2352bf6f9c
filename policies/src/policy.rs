//! The policy in force for one namespace: every rule with its mode, its fix and its options, resolved.

use std::{any::Any, sync::Arc};

use crate::{
    exception::Exception,
    mode::{Mode, Profile},
    rule::{Fix, Meta, Rule},
    rules::RULES,
    settings::{Engine, RecoveryEvents, RuleSettings, Settings},
};

/// What is judged: a release as a whole, or one object at admission. A rule has a mode for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judging {
    /// `check` and the release gate.
    Release,
    /// `/validate` and `/mutate`.
    Object,
}

/// The policy in force for one namespace.
#[derive(Debug)]
pub struct Policy {
    /// The profile it starts from.
    pub profile: Profile,
    /// The engine that runs the hooks.
    pub engine: Engine,
    /// Whether hooks of rollback and delete events are denied like others.
    pub recovery_events: RecoveryEvents,
    pub(crate) exceptions: Arc<[Exception]>,
    pub(crate) rules: Vec<Active>,
}

/// A rule with its settings.
pub(crate) struct Active {
    pub(crate) rule: &'static dyn Rule,
    release: Mode,
    object: Mode,
    /// Whether a policy names the mode, so that it does not come from the profile.
    pub(crate) is_told: bool,
    pub(crate) fix: bool,
    pub(crate) options: Arc<dyn Any + Send + Sync>,
}

impl std::fmt::Debug for Active {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}/{} fix={}", self.rule.meta().id, self.release, self.object, self.fix)
    }
}

impl Active {
    pub(crate) const fn mode(&self, judging: Judging) -> Mode {
        match judging {
            Judging::Release => self.release,
            Judging::Object => self.object,
        }
    }

    pub(crate) fn meta(&self) -> &'static Meta {
        self.rule.meta()
    }
}

/// Why settings cannot be put in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No rule has this id.
    #[error("there is no rule {id:?}{}", suggestion(.id))]
    UnknownRule {
        /// As written.
        id: String,
    },
    /// The rule repairs nothing.
    #[error("rule {id} repairs nothing, so it has no fix to switch on")]
    NoFix {
        /// The rule.
        id: &'static str,
    },
    /// The rule does not know these options.
    #[error("options of rule {id}: {problem}")]
    Options {
        /// The rule.
        id: &'static str,
        /// What is wrong with them.
        problem: String,
    },
    /// A number makes no sense.
    #[error("engine.timeoutSeconds is {seconds}; it must be at least 1")]
    Timeout {
        /// As written.
        seconds: i64,
    },
    /// Only two versions of Helm are known.
    #[error("engine.helmVersion is {version}; it must be 3 or 4")]
    HelmVersion {
        /// As written.
        version: u8,
    },
}

impl Policy {
    /// Resolves settings, the most important first, on top of `profile`.
    ///
    /// # Errors
    ///
    /// When they name a rule that does not exist, or options that a rule does not have.
    pub fn resolve<'s>(
        settings: impl IntoIterator<Item = &'s Settings>,
        profile: Profile,
        exceptions: Arc<[Exception]>,
    ) -> Result<Self, Error> {
        let settings: Vec<_> = settings.into_iter().collect();
        for one in &settings {
            verify(one)?;
        }
        let profile = settings.iter().find_map(|one| one.profile).unwrap_or(profile);
        let rules = RULES
            .iter()
            .map(|rule| {
                let own = settings.iter().find_map(|one| one.rules.get(rule.meta().id));
                activate(*rule, own, profile)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            profile,
            engine: settings.iter().find_map(|one| one.engine.clone()).unwrap_or_default(),
            recovery_events: settings.iter().find_map(|one| one.recovery_events).unwrap_or_default(),
            exceptions,
            rules,
        })
    }

    /// How many rules are on.
    #[must_use]
    pub fn active(&self) -> usize {
        self.rules.iter().filter(|active| active.release.max(active.object) > Mode::Off).count()
    }

    /// The mode of a rule, before any finding lowers it; `None` for an unknown id.
    #[must_use]
    pub fn mode(&self, id: &str, judging: Judging) -> Option<Mode> {
        self.rules.iter().find(|active| active.meta().id == id).map(|active| active.mode(judging))
    }
}

/// Checks what serde cannot.
fn verify(settings: &Settings) -> Result<(), Error> {
    if let Some(id) = settings.rules.keys().find(|id| crate::rules::find(id).is_none()) {
        return Err(Error::UnknownRule { id: id.clone() });
    }
    if let Some(engine) = &settings.engine {
        if engine.timeout_seconds < 1 {
            return Err(Error::Timeout { seconds: engine.timeout_seconds });
        }
        if let Some(version) = engine.helm_version.filter(|version| !(3..=4).contains(version)) {
            return Err(Error::HelmVersion { version });
        }
    }
    Ok(())
}

fn activate(rule: &'static dyn Rule, own: Option<&RuleSettings>, profile: Profile) -> Result<Active, Error> {
    let meta = rule.meta();
    let derived = |baseline| {
        own.and_then(|own| own.mode).unwrap_or_else(|| profile.mode(baseline, meta.severity, meta.strict))
    };
    let fix = match (meta.fix, own.and_then(|own| own.fix)) {
        (Fix::None, Some(true)) => return Err(Error::NoFix { id: meta.id }),
        (Fix::None, _) => false,
        (Fix::OptIn, written) => written.unwrap_or(false),
        (Fix::Default, written) => written.unwrap_or(profile.fixes()),
    };
    let options = (meta.options.parse)(own.and_then(|own| own.options.as_ref()))
        .map_err(|problem| Error::Options { id: meta.id, problem })?;
    let is_told = own.is_some_and(|own| own.mode.is_some());
    Ok(Active { rule, release: derived(meta.release), object: derived(meta.object), is_told, fix, options })
}

/// `, did you mean "…"?` for the rule whose id shares most of the words.
fn suggestion(id: &str) -> String {
    let words = |id: &str| id.split('-').map(str::to_owned).collect::<Vec<_>>();
    let wanted = words(id);
    let shared = |other: &str| words(other).iter().filter(|word| wanted.contains(word)).count();
    let best = RULES.iter().map(|rule| rule.meta().id).max_by_key(|other| shared(other));
    best.filter(|best| shared(best) > 0).map(|best| format!(", did you mean {best:?}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(settings: &[serde_json::Value], profile: Profile) -> Result<Policy, Error> {
        let settings: Vec<Settings> =
            settings.iter().map(|value| serde_json::from_value(value.clone()).unwrap()).collect();
        Policy::resolve(&settings, profile, Arc::default())
    }

    #[test]
    fn the_most_important_policy_wins_rule_by_rule() {
        let policy = resolve(
            &[
                serde_json::json!({"rules": {"job-suspended": {"mode": "warn"}}}),
                serde_json::json!({"rules": {"job-suspended": {"mode": "off"}, "hook-crd": {"mode": "deny"}}}),
            ],
            Profile::Baseline,
        )
        .unwrap();
        assert_eq!(policy.mode("job-suspended", Judging::Object), Some(Mode::Warn));
        assert_eq!(policy.mode("hook-crd", Judging::Release), Some(Mode::Deny));
    }

    #[test]
    fn an_unknown_rule_is_named_with_a_suggestion() {
        let error =
            resolve(&[serde_json::json!({"rules": {"job-suspend": {}}})], Profile::Baseline).unwrap_err();
        assert!(error.to_string().contains("did you mean \"job-"), "{error}");
    }

    #[test]
    fn options_of_another_rule_are_refused() {
        let rules = serde_json::json!({"rules": {"job-suspended": {"options": {"speed": 1}}}});
        assert!(matches!(
            resolve(&[rules], Profile::Baseline),
            Err(Error::Options { id: "job-suspended", .. })
        ));
    }

    #[test]
    fn a_fix_cannot_be_switched_on_where_there_is_none() {
        let rules = serde_json::json!({"rules": {"job-suspended": {"fix": true}}});
        assert_eq!(resolve(&[rules], Profile::Baseline).unwrap_err(), Error::NoFix { id: "job-suspended" });
    }

    #[test]
    fn a_profile_in_a_policy_beats_the_one_of_the_process() {
        let policy = resolve(&[serde_json::json!({"profile": "audit"})], Profile::Strict).unwrap();
        assert_eq!(policy.mode("job-suspended", Judging::Object), Some(Mode::Audit));
        assert!(policy.rules.iter().all(|active| !active.fix));
    }
}
