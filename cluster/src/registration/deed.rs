//! What is to be written next, by whom. Pure.

use serde_json::Value;

use super::{
    Configuration, Drift, DriftKind, Expected, Live,
    authorities::Authorities,
    compare, ours,
    write::{bundle_patch, disown_patch, repair_patch, with_bundle},
};

/// One write.
#[derive(Debug)]
pub(super) enum Deed {
    Bundle(Value),
    Create(Value),
    Disown(Value),
    Repair(Value),
}

impl Deed {
    pub(super) const fn is_repair(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Repair(_))
    }

    pub(super) const fn text(&self) -> &'static str {
        match self {
            Self::Bundle(_) => "the CA bundle of the webhooks is registered",
            Self::Create(_) => "the webhook configuration was gone and is made again",
            Self::Disown(_) => "the fields of the webhooks belong to whoever installed them",
            Self::Repair(_) => "the webhooks are put right",
        }
    }
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Writes everything, and differences only when it may.
    Leader { may_repair: bool },
    /// Adds the authorities that it needs itself.
    Follower,
}

/// What is known when the next write is chosen.
pub(super) struct Task<'a> {
    pub(super) live: &'a Live,
    pub(super) expected: Option<&'a Expected>,
    /// The authorities that this replica needs.
    pub(super) needed: &'a Authorities,
    pub(super) role: Role,
    /// Whether an authority that is registered and not needed has stayed long enough.
    pub(super) is_over: &'a dyn Fn(&[u8]) -> bool,
}

impl Task<'_> {
    /// The next write to one configuration, if there is one.
    pub(super) fn next(&self, configuration: Configuration) -> Option<Deed> {
        let live = self.live.get(&configuration)?.as_ref();
        let bundle = self.bundle();
        let may_repair = self.role == Role::Leader { may_repair: true };
        let expected = self.expected.and_then(|expected| expected.configuration(configuration));
        if let Some(expected) = expected.filter(|_| may_repair && self.is_wrong(configuration)) {
            return Some(match live {
                Some(live) => Deed::Repair(repair_patch(live, expected, &bundle)),
                None => Deed::Create(with_bundle(expected, &bundle)),
            });
        }
        let does = |given: &Authorities| match self.role {
            Role::Leader { .. } => given.is_same(&bundle),
            Role::Follower => given.contains_all(self.needed),
        };
        let bundles = bundle_patch(live?, self.expected, &bundle, does).map(Deed::Bundle);
        let is_leader = self.role != Role::Follower;
        bundles.or_else(|| disown_patch(live?).filter(|_| is_leader).map(Deed::Disown))
    }

    /// What is needed, and all that is registered already: other replicas may need it. Only a leader leaves anything out.
    fn bundle(&self) -> Authorities {
        let mut others = ours::anywhere(&ours::bundles(self.live, self.expected));
        if self.role != Role::Follower {
            others.retain(|certificate| !(self.is_over)(certificate));
        }
        let mut bundle = self.needed.clone();
        bundle.extend(&others);
        bundle
    }

    fn is_wrong(&self, configuration: Configuration) -> bool {
        let differs =
            |drift: &Drift| drift.configuration == configuration && drift.kind != DriftKind::CaBundle;
        compare::registered(self.live, self.expected, None).drift.iter().any(differs)
    }
}
