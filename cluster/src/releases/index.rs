//! The memory of the lookup: hooks by name, bounded.

use std::collections::{HashMap, HashSet};

use policies::{HookKey, Membership, context::Moment};

use super::record::Claim;

/// The most releases with something under way.
const RELEASES: usize = 2_000;
/// The most hooks of all of them.
pub(super) const HOOKS: usize = 20_000;
/// How far the clock of whoever runs Helm may be ahead of ours, in seconds.
const AHEAD: i64 = 300;

/// Which Secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Hooks by kind and name; the namespace is compared later, since it is not always known.
type Name = (String, String, String);

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Index {
    claims: HashMap<Name, Vec<(Place, Claim)>>,
    places: HashMap<Place, Vec<Name>>,
    count: usize,
}

impl Index {
    /// Replaces what this Secret has said; `false` when there is no room, and then nothing is known of it.
    pub(super) fn put(&mut self, place: Place, claims: Vec<Claim>) -> bool {
        self.forget(&place);
        if claims.is_empty() {
            return true;
        }
        if self.places.len() >= RELEASES || self.count + claims.len() > HOOKS {
            return false;
        }
        self.count += claims.len();
        let mut names = Vec::with_capacity(claims.len());
        for claim in claims {
            let name = name(&claim.hook);
            self.claims.entry(name.clone()).or_default().push((place.clone(), claim));
            names.push(name);
        }
        self.places.insert(place, names);
        true
    }

    /// Nothing is known of this Secret any more.
    pub(super) fn forget(&mut self, place: &Place) {
        for name in self.places.remove(place).unwrap_or_default() {
            let Some(claims) = self.claims.get_mut(&name) else { continue };
            let before = claims.len();
            claims.retain(|(other, _)| other != place);
            self.count -= before - claims.len();
            if claims.is_empty() {
                self.claims.remove(&name);
            }
        }
    }

    /// Forgets every Secret that is not among these.
    pub(super) fn retain(&mut self, listed: &[Place]) {
        let listed: HashSet<_> = listed.iter().collect();
        let gone: Vec<_> = self.places.keys().filter(|place| !listed.contains(place)).cloned().collect();
        for place in &gone {
            self.forget(place);
        }
    }

    /// The release of a hook at `now`, in seconds since 1970; the one that began last of those that run it, else the one with the
    /// highest revision. Where it does not run yet and could be of several releases, what is being done is not known.
    ///
    /// Only a record that is stored in the hook's own namespace, of a release there, says what is being done; any other comes after those
    /// and gives no more than a name. A hook without a namespace has no such record. A beginning that has not come yet counts as one that
    /// nobody told.
    pub(super) fn membership(&self, hook: &HookKey, now: i64) -> Option<Membership> {
        let is_same = |claim: &&Claim| hook.namespace.is_none() || hook.namespace == claim.hook.namespace;
        let claims = self.claims.get(&name(hook))?.iter().map(|(_, claim)| claim).filter(is_same);
        let proves = |claim: &Claim| claim.is_at_home && hook.namespace.is_some();
        let since = |claim: &Claim| claim.running_since.map(|at| if at > now + AHEAD { 0 } else { at });
        let rank = |claim: &&Claim| (proves(claim), since(claim), claim.membership.revision);
        let best = claims.clone().max_by_key(rank)?;
        let release = |claim: &Claim| (claim.membership.namespace.clone(), claim.membership.release.clone());
        let mut rivals = claims.filter(|claim| proves(claim));
        let is_sure = proves(best)
            && (best.running_since.is_some() || rivals.all(|claim| release(claim) == release(best)));
        let moment = if is_sure { best.membership.moment } else { Moment::Unknown };
        Some(Membership { moment, ..best.membership.clone() })
    }
}

fn name(hook: &HookKey) -> Name {
    (hook.group.clone(), hook.kind.clone(), hook.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000;

    fn moment(index: &Index) -> Option<Moment> {
        index.membership(&hook(Some("demo"), "migrate"), NOW).map(|known| known.moment)
    }

    fn hook(namespace: Option<&str>, name: &str) -> HookKey {
        let namespace = namespace.map(str::to_owned);
        HookKey { group: "batch".into(), kind: "Job".into(), namespace, name: name.into() }
    }

    fn claim(release: &str, revision: u64, running_since: Option<i64>) -> Claim {
        let membership = Membership {
            release: release.into(),
            namespace: "demo".into(),
            revision,
            moment: Moment::Rollback,
        };
        Claim { hook: hook(Some("demo"), "migrate"), membership, is_at_home: true, running_since }
    }

    fn place(name: &str) -> Place {
        Place { namespace: "demo".into(), name: name.into() }
    }

    fn release(index: &Index, namespace: Option<&str>) -> Option<String> {
        index.membership(&hook(namespace, "migrate"), NOW).map(|membership| membership.release)
    }

    #[test]
    fn the_one_that_runs_comes_first_and_the_latest_of_those() {
        let mut index = Index::default();
        index.put(place("a"), vec![claim("waiting", 9, None)]);
        assert_eq!(release(&index, Some("demo")).as_deref(), Some("waiting"));
        index.put(place("b"), vec![claim("early", 8, Some(1))]);
        index.put(place("c"), vec![claim("late", 1, Some(2))]);
        assert_eq!(release(&index, Some("demo")).as_deref(), Some("late"));
        index.forget(&place("c"));
        assert_eq!(release(&index, Some("demo")).as_deref(), Some("early"));
    }

    #[test]
    fn what_is_done_is_known_unless_it_could_be_another_release() {
        let mut index = Index::default();
        index.put(place("a"), vec![claim("shop", 1, None)]);
        index.put(place("b"), vec![claim("shop", 2, None)]);
        assert_eq!(moment(&index), Some(Moment::Rollback));
        index.put(place("c"), vec![claim("other", 1, None)]);
        assert_eq!(moment(&index), Some(Moment::Unknown));
        index.put(place("b"), vec![claim("shop", 2, Some(1))]);
        assert_eq!(moment(&index), Some(Moment::Rollback));
    }

    #[test]
    fn a_secret_elsewhere_said_what_is_done_to_a_hook_here() {
        let foreign = Claim { is_at_home: false, ..claim("any", 7, Some(NOW)) };
        let mut index = Index::default();
        index.put(place("foreign"), vec![foreign.clone()]);
        assert_eq!(
            (moment(&index), release(&index, Some("demo"))),
            (Some(Moment::Unknown), Some("any".into()))
        );
        for running_since in [None, Some(1)] {
            index.put(place("own"), vec![claim("shop", 1, running_since)]);
            let known = (moment(&index), release(&index, Some("demo")));
            assert_eq!(known, (Some(Moment::Rollback), Some("shop".into())), "{running_since:?}");
        }
    }

    #[test]
    fn any_namespace_said_what_is_done_to_a_hook_without_one() {
        let mut index = Index::default();
        index.put(place("a"), vec![claim("shop", 1, Some(1))]);
        let known = index.membership(&hook(None, "migrate"), NOW).unwrap();
        assert_eq!((known.release.as_str(), known.moment), ("shop", Moment::Unknown));
    }

    #[test]
    fn a_hook_that_began_tomorrow_was_the_latest() {
        let mut index = Index::default();
        index.put(place("forged"), vec![claim("forged", 9, Some(NOW + 86_400))]);
        index.put(place("own"), vec![claim("shop", 1, Some(NOW - 60))]);
        assert_eq!(release(&index, Some("demo")).as_deref(), Some("shop"));
        index.put(place("own"), vec![claim("shop", 1, Some(NOW + AHEAD))]);
        assert_eq!(release(&index, Some("demo")).as_deref(), Some("shop"), "clocks differ a little");
    }

    #[test]
    fn the_namespace_counts_where_it_is_known() {
        let mut index = Index::default();
        index.put(place("a"), vec![claim("shop", 1, None)]);
        assert_eq!(release(&index, None).as_deref(), Some("shop"));
        assert_eq!(release(&index, Some("other")), None);
    }

    #[test]
    fn what_was_said_before_is_replaced_and_what_is_gone_is_forgotten() {
        let mut index = Index::default();
        index.put(place("a"), vec![claim("shop", 1, None)]);
        index.put(place("a"), vec![]);
        assert_eq!(release(&index, None), None);
        index.put(place("a"), vec![claim("shop", 1, None)]);
        index.put(place("b"), vec![claim("other", 2, None)]);
        index.retain(&[place("a")]);
        assert_eq!(release(&index, None).as_deref(), Some("shop"));
        index.retain(&[]);
        assert!(index.claims.is_empty() && index.places.is_empty() && index.count == 0);
    }

    #[test]
    fn there_is_room_for_so_much_and_no_more() {
        let mut index = Index::default();
        for number in 0..RELEASES {
            assert!(index.put(place(&number.to_string()), vec![claim("shop", 1, None)]));
        }
        assert!(!index.put(place("more"), vec![claim("shop", 1, None)]));
        assert!(index.put(place("0"), vec![claim("shop", 1, None); 2]), "one that is known may change");
        assert!(!index.put(place("0"), vec![claim("shop", 1, None); HOOKS]));
        assert_eq!(index.places.len(), RELEASES - 1);
    }
}
