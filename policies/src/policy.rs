//! The policy in force for one namespace: every rule with its mode, its fix and its options, resolved.

use std::{any::Any, sync::Arc};

use hooks::node::escape;

use crate::{
    agreement,
    exception::Exception,
    mode::{Mode, Profile, Severity},
    rule::{Fix, Meta, Rule},
    rules::{RULES, suggestion},
    settings::{Engine, Gitops, RecoveryEvents, RuleSettings, Settings},
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
    profile: Profile,
    /// The modes to start from, for a release and for an object.
    release: Mode,
    object: Mode,
    /// The mode that a policy names; otherwise it comes from the profile.
    told: Option<Mode>,
    /// Whether the rule repairs what it finds.
    pub(crate) fix: bool,
    /// Whether it does, or would but for the profile.
    pub(crate) would_fix: bool,
    pub(crate) options: Arc<dyn Any + Send + Sync>,
}

impl std::fmt::Debug for Active {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (release, object) = (self.mode(Judging::Release), self.mode(Judging::Object));
        write!(formatter, "{} {release}/{object} fix={}", self.meta().id, self.fix)
    }
}

impl Active {
    /// The mode before any finding lowers it.
    pub(crate) fn mode(&self, judging: Judging) -> Mode {
        self.mode_at(judging, self.meta().severity, Mode::Deny)
    }

    /// The mode of a finding of this severity, whose baseline is at most `unless_told`: a profile asks how bad it is, not how bad
    /// the rule can be.
    pub(crate) fn mode_at(&self, judging: Judging, severity: Severity, unless_told: Mode) -> Mode {
        let baseline = match judging {
            Judging::Release => self.release,
            Judging::Object => self.object,
        };
        self.told
            .unwrap_or_else(|| self.profile.mode(baseline.min(unless_told), severity, self.meta().strict))
    }

    /// Whether it looks at anything.
    pub(crate) fn is_on(&self) -> bool {
        self.mode(Judging::Release).max(self.mode(Judging::Object)) > Mode::Off
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
    /// A label of namespaces that cannot be known here.
    #[error(
        "namespaceSelector asks for the label {key:?}; without a cluster only kubernetes.io/metadata.name is known"
    )]
    UnknownLabel {
        /// The label.
        key: String,
    },
    /// A number makes no sense.
    #[error("engine.timeoutSeconds is {seconds}; it must be from 1 to {WEEK}, a week")]
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
    /// What one rule would write is what another one finds fault with.
    #[error("rule {writer} would set {value}, and rule {judge} wants {bound}: change one of the two")]
    Disagreement {
        /// The rule that repairs.
        writer: &'static str,
        /// What it would set.
        value: String,
        /// The rule that would find fault with it.
        judge: &'static str,
        /// What that asks for.
        bound: String,
    },
}

impl Error {
    /// The field of the settings that is wrong, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        match self {
            Self::UnknownRule { id } => format!("/rules/{}", escape(id)),
            Self::NoFix { id } => format!("/rules/{id}/fix"),
            Self::Options { id, .. } => format!("/rules/{id}/options"),
            Self::Disagreement { writer, .. } => format!("/rules/{writer}"),
            Self::UnknownLabel { .. } => "/namespaceSelector".to_owned(),
            Self::Timeout { .. } => "/engine/timeoutSeconds".to_owned(),
            Self::HelmVersion { .. } => "/engine/helmVersion".to_owned(),
        }
    }
}

impl Policy {
    /// Resolves settings, the most important first, on top of `profile`.
    ///
    /// # Errors
    ///
    /// When they name a rule that does not exist, or options that a rule does not have, or when rules would contradict each other.
    pub fn resolve<'s>(
        settings: impl IntoIterator<Item = &'s Settings>,
        profile: Profile,
        exceptions: Arc<[Exception]>,
    ) -> Result<Self, Error> {
        let policy = Self::merge(settings, profile, exceptions)?;
        agreement::verify(&policy)?;
        Ok(policy)
    }

    /// Like [`Policy::resolve`], for settings that agree each by itself: that they may not agree with each other is no reason to
    /// do without them.
    pub(crate) fn merge<'s>(
        settings: impl IntoIterator<Item = &'s Settings>,
        profile: Profile,
        exceptions: Arc<[Exception]>,
    ) -> Result<Self, Error> {
        let settings: Vec<_> = settings.into_iter().collect();
        for one in &settings {
            verify(one)?;
        }
        let profile = settings.iter().find_map(|one| one.profile).unwrap_or(profile);
        let engine = settings.iter().find_map(|one| one.engine.clone()).unwrap_or_default();
        let rules = RULES
            .iter()
            .map(|rule| {
                let own = settings.iter().find_map(|one| one.rules.get(rule.meta().id));
                activate(*rule, own, profile, &engine)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            profile,
            engine,
            recovery_events: settings.iter().find_map(|one| one.recovery_events).unwrap_or_default(),
            exceptions,
            rules,
        })
    }

    /// How many rules are on.
    #[must_use]
    pub fn active(&self) -> usize {
        self.rules.iter().filter(|active| active.is_on()).count()
    }

    /// The mode of a rule, before any finding lowers it; `None` for an unknown id.
    #[must_use]
    pub fn mode(&self, id: &str, judging: Judging) -> Option<Mode> {
        self.rules.iter().find(|active| active.meta().id == id).map(|active| active.mode(judging))
    }
}

/// Seconds of a week: longer waits are mistakes, and would inject a TTL that the API server refuses.
const WEEK: i64 = 604_800;

/// Checks what serde cannot.
fn verify(settings: &Settings) -> Result<(), Error> {
    if let Some(id) = settings.rules.keys().find(|id| crate::rules::find(id).is_none()) {
        return Err(Error::UnknownRule { id: id.clone() });
    }
    if let Some(engine) = &settings.engine {
        if !(1..=WEEK).contains(&engine.timeout_seconds) {
            return Err(Error::Timeout { seconds: engine.timeout_seconds });
        }
        if let Some(version) = engine.helm_version.filter(|version| !(3..=4).contains(version)) {
            return Err(Error::HelmVersion { version });
        }
    }
    Ok(())
}

fn activate(
    rule: &'static dyn Rule,
    own: Option<&RuleSettings>,
    profile: Profile,
    engine: &Engine,
) -> Result<Active, Error> {
    let meta = rule.meta();
    let here = meta.argocd.filter(|_| engine.gitops == Gitops::Argocd);
    let written = own.and_then(|own| own.fix);
    if meta.fix == Fix::None && written == Some(true) {
        return Err(Error::NoFix { id: meta.id });
    }
    let would_fix = written.unwrap_or(meta.fix == Fix::Default);
    let fix = would_fix && (profile.fixes() || written.is_some());
    let options = (meta.options.parse)(own.and_then(|own| own.options.as_ref()))
        .map_err(|problem| Error::Options { id: meta.id, problem })?;
    let (release, object) = (here.unwrap_or(meta.release), here.unwrap_or(meta.object));
    let told = own.and_then(|own| own.mode);
    Ok(Active { rule, profile, release, object, told, fix, would_fix, options })
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
    fn argo_cd_has_baselines_of_its_own() {
        let mode = |engine: serde_json::Value, profile| {
            let policy = resolve(&[serde_json::json!({"engine": engine})], profile).unwrap();
            [Judging::Release, Judging::Object]
                .map(|judging| policy.mode("job-deadline-missing", judging).unwrap())
        };
        let argocd = serde_json::json!({"gitops": "argocd"});
        assert_eq!(mode(serde_json::json!({}), Profile::Baseline), [Mode::Audit; 2]);
        assert_eq!(mode(argocd.clone(), Profile::Baseline), [Mode::Warn; 2]);
        assert_eq!(mode(argocd, Profile::Audit), [Mode::Audit; 2]);
    }

    #[test]
    fn a_profile_in_a_policy_beats_the_one_of_the_process() {
        let policy = resolve(&[serde_json::json!({"profile": "audit"})], Profile::Strict).unwrap();
        assert_eq!(policy.mode("job-suspended", Judging::Object), Some(Mode::Audit));
        assert!(policy.rules.iter().all(|active| !active.fix));
    }
}
