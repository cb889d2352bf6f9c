//! What a step is expected to do, and whether it did.

use hooks::release::Status;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Played, Verb};

/// What is expected of a step; what is `None` may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// Helm's exit code.
    pub exit: Option<i32>,
    /// What the error says somewhere.
    pub error: Option<String>,
    /// Where the newest revision stands.
    pub status: Option<Newest>,
    /// The hooks that Helm sends, as `Job/migrate`, in order.
    pub hooks: Option<Vec<String>>,
    /// The hook objects that are alive afterwards, as `Job/migrate`, in any order.
    pub leftovers: Option<Vec<String>>,
}

/// Where the newest revision stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Newest {
    /// There is none.
    Absent,
    /// Helm's word.
    Status(String),
}

/// One thing that was expected, and what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Expectation {
    /// The place of the step in the scenario, from 0.
    pub step: usize,
    /// What was looked at.
    pub field: Field,
    /// What it should be.
    pub expected: Value,
    /// What it is.
    pub actual: Value,
    /// Whether that is well.
    pub ok: bool,
}

/// What can be expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// Helm's exit code.
    Exit,
    /// A part of the error.
    Error,
    /// The status of the newest revision.
    Status,
    /// The hooks that are sent, in order.
    Hooks,
    /// The hook objects that are left.
    Leftovers,
    /// Something in which a real run is not like the simulation.
    Simulation,
}

/// What is expected or found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// An exit code.
    Number(i32),
    /// A text; null when there is none.
    Text(Option<String>),
    /// Objects, as `Job/migrate`.
    Names(Vec<String>),
}

impl Expect {
    /// Whether anything will do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Compares with what happened in the step at `step`.
    #[must_use]
    pub fn judge(&self, step: usize, played: &Played) -> Vec<Expectation> {
        let one = |field, expected, actual, ok| Expectation { step, field, expected, actual, ok };
        let mut judged = Vec::new();
        if let Some(exit) = self.exit {
            judged.push(one(
                Field::Exit,
                Value::Number(exit),
                Value::Number(played.exit),
                exit == played.exit,
            ));
        }
        if let Some(part) = &self.error {
            // Helm 4 says in a later line that it is a timeout.
            let ok = played.said.as_ref().is_some_and(|error| error.contains(part.as_str()));
            let actual = Value::Text(played.said.clone());
            judged.push(one(Field::Error, Value::Text(Some(part.clone())), actual, ok));
        }
        if let Some(status) = &self.status {
            let actual = played.history.last().map(|newest| newest.status.clone());
            let expected = match status {
                Newest::Absent => None,
                Newest::Status(status) => Some(status.clone()),
            };
            // Of a release that is gone with its history Helm says the same.
            let is_gone = actual.is_none() && expected.as_deref() == Some(Status::Uninstalled.name());
            let ok = expected == actual || is_gone;
            judged.push(one(Field::Status, Value::Text(expected), Value::Text(actual), ok));
        }
        if let Some(hooks) = &self.hooks {
            let actual = sent(played);
            let ok = *hooks == actual;
            judged.push(one(Field::Hooks, Value::Names(hooks.clone()), Value::Names(actual), ok));
        }
        if let Some(leftovers) = &self.leftovers {
            let actual: Vec<_> = played.leftovers.iter().map(ToString::to_string).collect();
            let sorted = |names: &[String]| {
                let mut names = names.to_vec();
                names.sort_unstable();
                names
            };
            let ok = sorted(leftovers) == sorted(&actual);
            judged.push(one(Field::Leftovers, Value::Names(leftovers.clone()), Value::Names(actual), ok));
        }
        judged
    }
}

/// The hook objects that Helm sent, in order; one that it sent twice stands there twice.
fn sent(played: &Played) -> Vec<String> {
    let is_sent = |verb| matches!(verb, Verb::Create | Verb::Apply);
    let hooks = played.steps.iter().filter(|step| step.event.is_some() && is_sent(step.verb));
    hooks.filter_map(|step| Some(step.object.as_ref()?.to_string())).collect()
}

impl Field {
    /// Its name in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Error => "error",
            Self::Status => "status",
            Self::Hooks => "hooks",
            Self::Leftovers => "leftovers",
            Self::Simulation => "simulation",
        }
    }
}

/// As people would write it.
impl std::fmt::Display for Value {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(None) => formatter.write_str("none"),
            Self::Text(Some(text)) => formatter.write_str(text),
            Self::Names(names) if names.is_empty() => formatter.write_str("none"),
            Self::Names(names) => formatter.write_str(&names.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Action, ObjectId, Revision, Step, StepResult};

    fn played() -> Played {
        let object = |name: &str| ObjectId {
            api_version: "batch/v1".to_owned(),
            kind: "Job".to_owned(),
            namespace: Some("demo".to_owned()),
            name: name.to_owned(),
        };
        let step = |verb, name| Step {
            at: 0.0,
            event: Some(hooks::Event::PreUpgrade),
            verb,
            object: Some(object(name)),
            result: StepResult::Ok,
            message: None,
        };
        Played {
            action: Action::Upgrade,
            revision: Some(2),
            exit: 1,
            error: Some("UPGRADE FAILED: pre-upgrade hooks failed: job b failed".to_owned()),
            said: Some(
                "UPGRADE FAILED: pre-upgrade hooks failed: job b failed\ncontext deadline exceeded"
                    .to_owned(),
            ),
            steps: vec![step(Verb::Delete, "a"), step(Verb::Create, "b"), step(Verb::Apply, "a")],
            history: vec![Revision { revision: 2, status: "failed".to_owned() }],
            leftovers: vec![object("a"), object("b")],
        }
    }

    fn ok(expect: &Expect) -> bool {
        let judged = expect.judge(3, &played());
        assert!(judged.len() == 1 && judged[0].step == 3, "{judged:?}");
        judged[0].ok
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_error_is_looked_up_for_a_part_of_it() {
        assert!(ok(&Expect { error: Some("hooks failed".to_owned()), ..Expect::default() }));
        assert!(!ok(&Expect { error: Some("timed out".to_owned()), ..Expect::default() }));
    }

    #[test]
    fn the_last_line_of_an_error_counts_as_its_first() {
        assert!(ok(&Expect { error: Some("deadline exceeded".to_owned()), ..Expect::default() }));
    }

    #[test]
    fn what_was_found_ended_before_the_cause() {
        let judged = Expect { error: Some("no such".to_owned()), ..Expect::default() }.judge(0, &played());
        assert!(
            judged[0].actual.to_string().ends_with("job b failed\ncontext deadline exceeded"),
            "{judged:?}"
        );
    }

    #[test]
    fn the_status_is_that_of_the_newest_revision() {
        assert!(ok(&Expect { status: Some(Newest::Status("failed".to_owned())), ..Expect::default() }));
        assert!(!ok(&Expect { status: Some(Newest::Absent), ..Expect::default() }));
    }

    #[test]
    fn a_release_that_is_gone_is_uninstalled() {
        let gone = Played { history: Vec::new(), ..played() };
        let ok = |status| Expect { status: Some(status), ..Expect::default() }.judge(0, &gone)[0].ok;
        let word = |word: &str| Newest::Status(word.to_owned());
        assert!(ok(Newest::Absent) && ok(word("uninstalled")) && !ok(word("deployed")));
    }

    #[test]
    fn hooks_are_those_that_were_sent_and_their_order_counts() {
        assert!(ok(&Expect { hooks: Some(names(&["Job/b", "Job/a"])), ..Expect::default() }));
        assert!(!ok(&Expect { hooks: Some(names(&["Job/a", "Job/b"])), ..Expect::default() }));
        assert!(!ok(&Expect { hooks: Some(names(&[])), ..Expect::default() }));
    }

    #[test]
    fn leftovers_have_no_order() {
        assert!(ok(&Expect { leftovers: Some(names(&["Job/b", "Job/a"])), ..Expect::default() }));
        assert!(!ok(&Expect { leftovers: Some(names(&["Job/b"])), ..Expect::default() }));
    }

    #[test]
    fn what_is_not_expected_is_not_judged() {
        assert!(Expect::default().judge(0, &played()).is_empty() && Expect::default().is_empty());
    }
}
