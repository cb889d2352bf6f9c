//! The rule engine: one file per rule, verdicts, fixes, settings, profiles. Pure: no I/O, no clock, no async.

mod agreement;
pub mod context;
pub mod decision;
mod dependencies;
pub mod documents;
pub mod evaluate;
mod event_meaning;
pub mod exception;
pub mod finding;
mod job;
pub mod mode;
pub mod patch;
pub mod policy;
pub mod policy_set;
mod range;
mod ratchet;
pub mod references;
pub mod release;
pub mod rule;
pub mod rules;
pub mod schema;
pub mod selector;
pub mod settings;
#[cfg(test)]
mod testing;
mod wording;

pub use context::{Context, Moment, Operation, Origin, ReleaseContext};
pub use decision::{Decision, HookKey, Membership, Occasion};
pub use finding::{Finding, Judged, Verdict};
pub use mode::{Mode, Profile, Severity};
pub use policy::{Judging, Policy};
pub use policy_set::{Namespace, PolicySet};
pub use release::{Item, Release};
pub use rule::{Fix, Meta, Rule};
pub use rules::RULES;
pub use settings::Settings;
