//! In what a real run differs from the simulation.

use std::fmt;

use super::Real;
use crate::answer::{self, ObjectId, Played, Step, StepResult, Verb};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In the simulation; `None` where it has nothing of the kind.
    pub simulated: Option<String>,
    /// Really.
    pub real: Option<String>,
}

/// All differences, and none where only times and words of explanation differ. What is on its way out is there by chance.
///
/// Of what Helm prints of logs only that of `--logs` can be seen from outside, and is compared.
#[must_use]
pub fn differences(simulated: &Played, real: &Real) -> Vec<Difference> {
    let mut found = of_played(simulated, &real.played, &real.going);
    if let Some(printed) = &real.printed {
        let (ours, theirs) = (names(will_print(simulated)), names(printed.iter().map(String::as_str)));
        if ours != theirs {
            let say = |names: String| Some(format!("logs: {names}"));
            found.push(Difference { simulated: say(ours), real: say(theirs) });
        }
    }
    found
}

/// The pods whose logs `--logs` prints: it looks for them last.
fn will_print(simulated: &Played) -> impl Iterator<Item = &str> {
    let logs = simulated.steps.iter().rev().filter(|step| step.verb == Verb::Log);
    let pods = logs.filter_map(|step| Some((step.object.as_ref()?, step.result)));
    let mut last = Vec::<(&ObjectId, StepResult)>::new();
    for (id, result) in pods.filter(|(id, _)| id.kind == "Pod") {
        if !last.iter().any(|(known, _)| known.is_same(id)) {
            last.push((id, result));
        }
    }
    last.into_iter().filter(|(_, result)| *result == StepResult::Ok).map(|(id, _)| id.name.as_str())
}

fn names<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn of_played(simulated: &Played, real: &Played, going: &[ObjectId]) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut note = |what: &str, simulated: String, real: String| {
        if simulated != real {
            let say = |value: String| Some(format!("{what}: {value}"));
            found.push(Difference { simulated: say(simulated), real: say(real) });
        }
    };
    note("exit code", simulated.exit.to_string(), real.exit.to_string());
    let shown = |error: &Option<String>| error.clone().unwrap_or_else(|| "none".to_owned());
    let is_same = match (&simulated.error, &real.error) {
        (Some(simulated), Some(real)) => answer::is_like(simulated, real),
        (simulated, real) => simulated == real,
    };
    if !is_same {
        note("error", shown(&simulated.error), shown(&real.error));
    }
    note("revisions", revisions(simulated), revisions(real));
    note("left behind", left(simulated, going), left(real, going));
    found.extend(steps(simulated, real));
    found
}

fn revisions(played: &Played) -> String {
    let words: Vec<_> = played.history.iter().map(|one| format!("{} {}", one.revision, one.status)).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn left(played: &Played, going: &[ObjectId]) -> String {
    let stays = |id: &&ObjectId| !going.iter().any(|other| other.is_same(id));
    let words: Vec<_> = played.leftovers.iter().filter(stays).map(ToString::to_string).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// What of a step is compared.
struct Compared<'a>(&'a Step);

impl fmt::Display for Compared<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Step { event, verb, object, result, .. } = self.0;
        if let Some(event) = event {
            write!(formatter, "{event} ")?;
        }
        write!(formatter, "{}", word(*verb))?;
        if let Some(object) = object {
            write!(formatter, " {object}")?;
        }
        match result {
            StepResult::Ok if *verb == Verb::Manifest => formatter.write_str(&counts(self.0)),
            StepResult::Ok => Ok(()),
            result => write!(formatter, ": {}", how(*result)),
        }
    }
}

/// How many ordinary resources went, as in `: 2 deleted`. An update that changes nothing nobody sees, and what was there before the
/// rollout, as definitions that an earlier release has kept, is not created.
fn counts(step: &Step) -> String {
    // Behind a count may stand which ones.
    let parts = step.message.as_deref().unwrap_or_default().split([',', ':', ';']).map(str::trim);
    let is_seen =
        |part: &&str| part.strip_suffix(" deleted").is_some_and(|count| count.parse::<usize>().is_ok());
    let parts: Vec<_> = parts.filter(is_seen).collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}

const fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Delete => "delete",
        Verb::Create => "create",
        Verb::Apply => "apply",
        Verb::Wait => "wait",
        Verb::Log => "log",
        Verb::Manifest => "resources",
    }
}

const fn how(result: StepResult) -> &'static str {
    match result {
        StepResult::Ok => "ok",
        StepResult::Absent => "absent",
        StepResult::Failed => "failed",
        StepResult::Denied => "denied",
        StepResult::Timeout => "timeout",
        StepResult::Stale => "stale",
        StepResult::Skipped => "skipped",
    }
}

fn lines(played: &Played) -> Vec<String> {
    let steps = played.steps.iter().filter(|step| step.verb != Verb::Log);
    let mut lines: Vec<(bool, String)> =
        steps.map(|step| (step.verb == Verb::Wait, Compared(step).to_string())).collect();
    // Items of one list are awaited together, in no order.
    for run in lines.chunk_by_mut(|one, other| one.0 && other.0) {
        run.sort();
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The steps that only one of them has; those at the same place are put beside each other.
fn steps(simulated: &Played, real: &Played) -> Vec<Difference> {
    let (ours, theirs) = (lines(simulated), lines(real));
    let common = common(&ours, &theirs);
    let (mut found, mut from) = (Vec::new(), (0, 0));
    for (one, other) in common.into_iter().chain([(ours.len(), theirs.len())]) {
        let (only, really) = (&ours[from.0..one], &theirs[from.1..other]);
        for index in 0..only.len().max(really.len()) {
            found.push(Difference { simulated: only.get(index).cloned(), real: really.get(index).cloned() });
        }
        from = (one + 1, other + 1);
    }
    found
}

/// The places of a longest common run of lines in both.
fn common(ours: &[String], theirs: &[String]) -> Vec<(usize, usize)> {
    let mut longest = vec![vec![0_usize; theirs.len() + 1]; ours.len() + 1];
    for one in (0..ours.len()).rev() {
        for other in (0..theirs.len()).rev() {
            longest[one][other] = if ours[one] == theirs[other] {
                longest[one + 1][other + 1] + 1
            } else {
                longest[one + 1][other].max(longest[one][other + 1])
            };
        }
    }
    let (mut one, mut other, mut places) = (0, 0, Vec::new());
    while one < ours.len() && other < theirs.len() {
        if ours[one] == theirs[other] {
            places.push((one, other));
            (one, other) = (one + 1, other + 1);
        } else if longest[one + 1][other] >= longest[one][other + 1] {
            one += 1;
        } else {
            other += 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Action, Revision};

    fn step(verb: Verb, name: &str, result: StepResult) -> Step {
        let object = ObjectId {
            api_version: "batch/v1".to_owned(),
            kind: "Job".to_owned(),
            namespace: Some("demo".to_owned()),
            name: name.to_owned(),
        };
        Step {
            at: 0.0,
            event: Some(hooks::Event::PreInstall),
            verb,
            object: Some(object),
            result,
            message: None,
        }
    }

    fn played(steps: &[Step]) -> Played {
        Played {
            action: Action::Install,
            revision: Some(1),
            exit: 1,
            error: Some("spec.template: Invalid value: …: field is immutable".to_owned()),
            said: None,
            steps: steps.to_vec(),
            history: vec![Revision { revision: 1, status: "failed".to_owned() }],
            leftovers: steps.iter().filter_map(|step| step.object.clone()).collect(),
        }
    }

    #[test]
    fn times_and_explanations_are_no_difference() {
        let one = step(Verb::Wait, "a", StepResult::Ok);
        let other = Step { at: 9.0, message: Some("slow".to_owned()), ..one.clone() };
        assert_eq!(of_played(&played(&[one]), &played(&[other]), &[]), []);
    }

    #[test]
    fn a_resource_that_went_on_one_side_alone_is_a_difference() {
        let resources = |words: &str| {
            let step = step(Verb::Manifest, "a", StepResult::Ok);
            played(&[Step { event: None, object: None, message: Some(words.to_owned()), ..step }])
        };
        let of = |one: &str, other: &str| steps(&resources(one), &resources(other));
        assert_eq!(of("3 updated, 1 deleted", "1 updated, 1 deleted"), []);
        assert_eq!(of("1 deleted: Job/old; Job/a is gone", "1 deleted"), []);
        assert_eq!(of("23 created", "21 created"), [], "an earlier release has kept two definitions");
        let found = of("3 updated, 1 deleted", "1 updated");
        assert_eq!(found[0].simulated.as_deref(), Some("resources: 1 deleted"));
        assert_eq!(found[0].real.as_deref(), Some("resources"));
    }

    #[test]
    fn an_ellipsis_stands_for_anything() {
        let simulated = played(&[]);
        let of = |said: &str| {
            of_played(&simulated, &Played { error: Some(said.to_owned()), ..simulated.clone() }, &[])
        };
        assert_eq!(of("spec.template: Invalid value: {\"a\":0xc0}: field is immutable"), []);
        assert_eq!(of("spec.template: Invalid value: {\"a\":0xc0}: must be set").len(), 1);
    }

    #[test]
    fn exit_error_revisions_and_leftovers_count() {
        let same = played(&[]);
        let others = [
            Played { exit: 0, ..same.clone() },
            Played { error: None, ..same.clone() },
            Played { history: Vec::new(), ..same.clone() },
            Played { leftovers: vec![step(Verb::Wait, "a", StepResult::Ok).object.unwrap()], ..same.clone() },
        ];
        for other in others {
            assert_eq!(of_played(&same, &other, &[]).len(), 1, "{other:?}");
        }
    }

    #[test]
    fn what_is_on_its_way_out_may_be_there_or_not() {
        let with = played(&[step(Verb::Log, "a", StepResult::Ok)]);
        let without = Played { leftovers: Vec::new(), ..with.clone() };
        assert_eq!(of_played(&without, &with, &with.leftovers), []);
        assert_eq!(of_played(&without, &with, &[]).len(), 1);
    }

    #[test]
    fn steps_that_differ_stand_beside_each_other() {
        let [made, ok, stale] = [
            step(Verb::Apply, "a", StepResult::Ok),
            step(Verb::Wait, "a", StepResult::Ok),
            step(Verb::Wait, "a", StepResult::Stale),
        ];
        let found = of_played(&played(&[made.clone(), ok]), &played(&[made, stale]), &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].simulated.as_deref(), Some("pre-install wait Job/a"));
        assert_eq!(found[0].real.as_deref(), Some("pre-install wait Job/a: stale"));
    }

    #[test]
    fn a_step_that_only_one_has_stands_alone() {
        let [one, other] = ["a", "b"].map(|name| step(Verb::Create, name, StepResult::Ok));
        let found = steps(&played(&[one.clone(), other.clone()]), &played(&[other]));
        assert_eq!(
            found,
            [Difference { simulated: Some("pre-install create Job/a".to_owned()), real: None }]
        );
    }

    #[test]
    fn logs_that_helm_did_not_print_were_no_difference() {
        let mut log = step(Verb::Log, "check", StepResult::Ok);
        log.object.as_mut().unwrap().kind = "Pod".to_owned();
        let simulated = played(&[log]);
        let real = |printed: Option<&[&str]>| Real {
            played: simulated.clone(),
            going: Vec::new(),
            logs: Vec::new(),
            printed: printed.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        };
        assert_eq!(differences(&simulated, &real(Some(&["check"]))), []);
        assert_eq!(differences(&simulated, &real(None)), [], "nobody asked for them");
        let found = differences(&simulated, &real(Some(&[])));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].simulated.as_deref(), Some("logs: check"));
        assert_eq!(found[0].real.as_deref(), Some("logs: none"));
    }
}
