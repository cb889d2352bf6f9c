//! All policies and exceptions in force, and which of them select a namespace.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    agreement,
    exception::Exception,
    mode::Profile,
    policy::{Error, Policy},
    settings::Settings,
};

/// The label that every namespace has: its name.
const NAME: &str = "kubernetes.io/metadata.name";

/// A `HookPolicy` by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// Name of the object.
    pub name: String,
    /// Its spec.
    pub settings: Settings,
    /// Whether it comes from a file that lies below the objects of a cluster: each of those wins over it, whatever the priorities.
    pub is_base: bool,
}

/// All policies and exceptions in force; replaced as a whole, never changed.
#[derive(Debug)]
pub struct PolicySet {
    policies: Vec<Named>,
    exceptions: Arc<[Exception]>,
    profile: Profile,
    /// Counts the sets that this process has put in force.
    generation: u64,
    /// By which policies select; there are far fewer combinations than namespaces.
    resolved: RwLock<HashMap<Vec<usize>, Arc<Policy>>>,
    /// Whether a selector asks for anything, and for more than the name.
    has_selectors: bool,
    needs_labels: bool,
    /// What applies where no selector is asked: to cluster-scoped objects, and everywhere if there are no selectors.
    unselected: Arc<Policy>,
}

/// A policy that cannot be put in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("HookPolicy {name}: {error}")]
pub struct BadPolicy {
    /// Its name.
    pub name: String,
    /// Why.
    pub error: Error,
}

/// A namespace, as selectors see it.
#[derive(Debug, Clone, Copy)]
pub struct Namespace<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its labels, if they are known; `kubernetes.io/metadata.name` is added.
    pub labels: Option<&'a BTreeMap<String, String>>,
}

impl PolicySet {
    /// Verifies and orders the policies: higher priority first, then by name.
    ///
    /// # Errors
    ///
    /// The first policy that names an unknown rule or option or contradicts itself, or those without a selector if they contradict
    /// each other.
    pub fn new(
        policies: Vec<Named>,
        exceptions: Vec<Exception>,
        profile: Profile,
        generation: u64,
    ) -> Result<Self, BadPolicy> {
        match Self::together(policies, exceptions, profile, generation)? {
            (set, None) => Ok(set),
            (_, Some(contradiction)) => Err(contradiction),
        }
    }

    /// The same for policies that nobody can change all at once: each must be good by itself, and that those without a selector
    /// contradict each other is told beside the set, since what is in force should follow from the policies and not from the order in
    /// which they came.
    ///
    /// # Errors
    ///
    /// The first policy that names an unknown rule or option or contradicts itself.
    pub fn together(
        mut policies: Vec<Named>,
        exceptions: Vec<Exception>,
        profile: Profile,
        generation: u64,
    ) -> Result<(Self, Option<BadPolicy>), BadPolicy> {
        policies.sort_by(|left, right| {
            let by_priority = right.settings.priority.cmp(&left.settings.priority);
            left.is_base.cmp(&right.is_base).then(by_priority).then_with(|| left.name.cmp(&right.name))
        });
        let exceptions: Arc<[Exception]> = exceptions.into();
        for policy in &policies {
            Policy::resolve([&policy.settings], profile, Arc::default())
                .map_err(|error| BadPolicy { name: policy.name.clone(), error })?;
        }
        let everywhere: Vec<_> =
            policies.iter().filter(|policy| policy.settings.namespace_selector.is_none()).collect();
        let settings = everywhere.iter().map(|policy| &policy.settings);
        let bad = |error| {
            let names: Vec<_> = everywhere.iter().map(|policy| &*policy.name).collect();
            BadPolicy { name: names.join(", "), error }
        };
        let unselected = Policy::merge(settings, profile, Arc::clone(&exceptions)).map_err(bad)?;
        let contradiction = agreement::verify(&unselected).err().map(bad);
        let selectors = || policies.iter().filter_map(|policy| policy.settings.namespace_selector.as_ref());
        let set = Self {
            has_selectors: selectors().next().is_some(),
            needs_labels: selectors().any(|selector| selector.keys().any(|key| key != NAME)),
            policies,
            exceptions,
            profile,
            generation,
            resolved: RwLock::default(),
            unselected: Arc::new(unselected),
        };
        Ok((set, contradiction))
    }

    /// The rules as they ship, under `profile`.
    ///
    /// # Panics
    ///
    /// Never: without a policy there is no mistake in one.
    #[must_use]
    pub fn shipped(profile: Profile) -> Self {
        Self::new(Vec::new(), Vec::new(), profile, 0).expect("no policy, no mistake in one")
    }

    /// The same set for those who know no label of a namespace but its name.
    ///
    /// # Errors
    ///
    /// The first policy that asks for another label: it would silently select the wrong namespaces.
    pub fn by_name_only(self) -> Result<Self, BadPolicy> {
        for policy in &self.policies {
            let key = policy
                .settings
                .namespace_selector
                .as_ref()
                .and_then(|selector| selector.keys().find(|key| *key != NAME));
            if let Some(key) = key {
                let error = Error::UnknownLabel { key: key.to_owned() };
                return Err(BadPolicy { name: policy.name.clone(), error });
            }
        }
        Ok(self)
    }

    /// Counts the sets that this process has put in force.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The profile where no policy names one.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The exceptions in force.
    #[must_use]
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// The policies, the most important first.
    #[must_use]
    pub fn policies(&self) -> &[Named] {
        &self.policies
    }

    /// Whether a policy selects namespaces by another label than their name, so that their labels must be known.
    #[must_use]
    pub const fn needs_labels(&self) -> bool {
        self.needs_labels
    }

    /// The policy for a namespace; `None` is for cluster-scoped objects, which fall under the policies without a selector.
    #[must_use]
    pub fn policy(&self, namespace: Option<Namespace<'_>>) -> Arc<Policy> {
        let Some(namespace) = namespace.filter(|_| self.has_selectors) else {
            return Arc::clone(&self.unselected);
        };
        let selecting = self.selecting(namespace);
        if let Some(policy) = self.resolved.read().unwrap_or_else(PoisonError::into_inner).get(&selecting) {
            return Arc::clone(policy);
        }
        let settings = selecting.iter().map(|index| &self.policies[*index].settings);
        let policy = Policy::merge(settings, self.profile, Arc::clone(&self.exceptions))
            .map_or_else(|_| Arc::clone(&self.unselected), Arc::new);
        let mut resolved = self.resolved.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(resolved.entry(selecting).or_insert(policy))
    }

    fn selecting(&self, namespace: Namespace<'_>) -> Vec<usize> {
        let label = |key: &str| match key {
            NAME => Some(namespace.name),
            _ => namespace.labels?.get(key).map(String::as_str),
        };
        let selects = |settings: &Settings| {
            settings.namespace_selector.as_ref().is_none_or(|selector| selector.matches(label))
        };
        let selecting = self.policies.iter().enumerate().filter(|(_, policy)| selects(&policy.settings));
        selecting.map(|(index, _)| index).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mode::Mode, policy::Judging};

    fn set(policies: &[serde_json::Value]) -> Result<PolicySet, BadPolicy> {
        let named = policies.iter().enumerate().map(|(index, spec)| Named {
            name: format!("p{index}"),
            settings: serde_json::from_value(spec.clone()).unwrap(),
            is_base: false,
        });
        PolicySet::new(named.collect(), Vec::new(), Profile::Baseline, 1)
    }

    fn mode(set: &PolicySet, namespace: &str) -> Mode {
        let policy = set.policy(Some(Namespace { name: namespace, labels: None }));
        policy.mode("job-suspended", Judging::Object).unwrap()
    }

    #[test]
    fn a_selector_decides_by_the_namespace_name() {
        let set = set(&[
            serde_json::json!({"rules": {"job-suspended": {"mode": "warn"}}}),
            serde_json::json!({
                "priority": 10,
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "legacy"}},
                "rules": {"job-suspended": {"mode": "audit"}},
            }),
        ])
        .unwrap();
        assert_eq!(mode(&set, "legacy"), Mode::Audit);
        assert_eq!(mode(&set, "shop"), Mode::Warn);
        assert_eq!(set.policy(None).mode("job-suspended", Judging::Object), Some(Mode::Warn));
    }

    #[test]
    fn a_selector_by_labels_that_nobody_knows_was_silently_wrong() {
        let selector =
            serde_json::json!({"namespaceSelector": {"matchLabels": {"env": "prod"}}, "profile": "strict"});
        let error = set(&[selector]).unwrap().by_name_only().unwrap_err();
        assert!(error.to_string().contains("\"env\""), "{error}");
        let named = serde_json::json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}});
        assert!(set(&[named]).unwrap().by_name_only().is_ok());
    }

    #[test]
    fn labels_decide_where_they_are_known() {
        let prod = serde_json::json!({
            "namespaceSelector": {"matchLabels": {"env": "prod"}}, "rules": {"job-suspended": {"mode": "audit"}},
        });
        let set = set(&[prod]).unwrap();
        assert!(set.needs_labels());
        let mode_with = |value: &str| {
            let labels = BTreeMap::from([("env".to_owned(), value.to_owned())]);
            let policy = set.policy(Some(Namespace { name: "shop", labels: Some(&labels) }));
            policy.mode("job-suspended", Judging::Object).unwrap()
        };
        assert_eq!((mode_with("prod"), mode_with("dev")), (Mode::Audit, Mode::Deny));
    }

    #[test]
    fn nobody_needs_labels_to_select_by_name() {
        let named = serde_json::json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}});
        assert!(!set(&[named]).unwrap().needs_labels());
        assert!(!set(&[serde_json::json!({})]).unwrap().needs_labels());
    }

    #[test]
    fn a_policy_lost_to_the_file_below_it_when_its_name_came_later() {
        let named = |name: &str, is_base, settings| Named {
            name: name.to_owned(),
            settings: serde_json::from_value(settings).unwrap(),
            is_base,
        };
        let base = named("chart-values", true, serde_json::json!({"profile": "audit", "priority": 5}));
        for name in ["aaa", "zzz"] {
            let object = named(name, false, serde_json::json!({"profile": "strict"}));
            let set = PolicySet::new(vec![base.clone(), object], Vec::new(), Profile::Baseline, 1).unwrap();
            assert_eq!(set.policy(None).profile, Profile::Strict, "{name}");
        }
    }

    #[test]
    fn a_bad_policy_is_named() {
        let error = set(&[serde_json::json!({"rules": {"nonsense": {}}})]).unwrap_err();
        assert!(error.to_string().starts_with("HookPolicy p0: there is no rule \"nonsense\""), "{error}");
    }

    #[test]
    fn policies_that_contradict_each_other_were_put_in_force() {
        let low = serde_json::json!({"rules": {"job-ttl-missing": {"options": {"default": 120}}}});
        let mut high = serde_json::json!({
            "engine": {"timeoutSeconds": 900},
            "rules": {"job-ttl-too-low": {"options": {"min": 600}}},
        });
        let problem = set(&[low.clone(), high.clone()]).unwrap_err();
        assert_eq!((&*problem.name, matches!(problem.error, Error::Disagreement { .. })), ("p0, p1", true));
        // In a cluster nobody can change both at once, and whichever came last must not win.
        let named = |(index, spec): (usize, &serde_json::Value)| {
            let settings = serde_json::from_value(spec.clone()).unwrap();
            Named { name: format!("p{index}"), settings, is_base: false }
        };
        let both = [&low, &high].into_iter().enumerate().map(named).collect();
        let (_, contradiction) = PolicySet::together(both, Vec::new(), Profile::Baseline, 1).unwrap();
        assert_eq!(contradiction, Some(problem));
        // Where they only may meet, both hold.
        high["namespaceSelector"] = serde_json::json!({"matchLabels": {"a": "b"}});
        assert!(set(&[low, high]).is_ok());
    }
}
