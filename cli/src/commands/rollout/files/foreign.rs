//! A file in which there is no scenario, told in one sentence: what it is, what a scenario begins with, and where to go instead.

use hooks::{Interest, manifest, yaml::Limits};
use lifecycle::scenario::{API_VERSION, Error, KIND, spelling};

use crate::{inputs::Text, plain, report::Problem};

/// How many kinds are named.
const NAMED: usize = 3;
/// Kinds of ours, which neither `plan` nor `check` reads as manifests.
const POLICIES: [&str; 2] = ["HookPolicy", "HookException"];

/// The sentence, at the first thing that shows it.
pub(super) fn told(text: &Text, first: Option<&Error>) -> Problem {
    let documents = manifest::read(&text.text, Interest::Everything, &Limits::default());
    let mut kinds: Vec<String> = Vec::new();
    for kind in documents.iter().flatten().filter_map(|manifest| manifest.root.str_at("kind")) {
        let kind = plain::line(kind).into_owned();
        if !kind.is_empty() && !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let begins = format!("that begins with apiVersion: {API_VERSION} and kind: {KIND}");
    let message = match kinds.as_slice() {
        [] => format!("there is no {KIND} in it: {begins}"),
        [kind] if spelling::nearest(kind, [KIND]).is_some() => {
            format!("{kind} is no kind of ours; did you mean {KIND}?")
        }
        kinds if kinds.iter().all(|kind| POLICIES.contains(&kind.as_str())) => {
            format!(
                "this is a file of {}, not a {KIND}: {begins}; hookward check --policy reads it",
                list(kinds)
            )
        }
        kinds => format!(
            "this is a file of {}, not a {KIND}: {begins}; hookward plan and hookward check read manifests",
            list(kinds)
        ),
    };
    let problem = Problem::new(&text.shown, message);
    first.map_or(problem.clone(), |error| problem.at(error.line, error.column))
}

/// `Job`, `Job and Secret`, `Job, Secret, ServiceAccount and 2 other kinds`.
fn list(kinds: &[String]) -> String {
    let named = &kinds[..kinds.len().min(NAMED)];
    match (kinds.len() - named.len(), named) {
        (0, [one]) => one.clone(),
        (0, [before @ .., last]) => format!("{} and {last}", before.join(", ")),
        (more, _) => {
            let word = if more == 1 { "kind" } else { "kinds" };
            format!("{} and {more} other {word}", named.join(", "))
        }
    }
}
