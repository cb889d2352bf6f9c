//! In what the two differ, once what is chance in Helm is taken out.

use std::{collections::HashSet, fmt::Write as _};

use super::{
    observed::{Observed, Request, object},
    scenario::{Scenario, is_hook},
};

/// What the simulation says was asked of the API server.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// For the object of a hook.
    Request(Request),
    /// For all ordinary resources.
    Resources,
}

/// Which objects of a scenario are what.
pub(super) struct Roles {
    /// Objects that are ordinary resources of some version.
    resources: HashSet<String>,
    /// Items of lists that are hooks.
    items: HashSet<String>,
}

impl Roles {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let mut roles = Self { resources: HashSet::new(), items: HashSet::new() };
        for (document, item) in scenario.objects() {
            let text = |name: &str| item["metadata"][name].as_str().unwrap_or_default();
            let kind = item["kind"].as_str().unwrap_or_default();
            let namespace = match (text("namespace"), kind) {
                (_, "Namespace" | "CustomResourceDefinition") => "",
                ("", _) => &scenario.namespace,
                (written, _) => written,
            };
            let id = object(kind, namespace, text("name"));
            if !is_hook(document) {
                roles.resources.insert(id);
            } else if document["items"].is_array() {
                roles.items.insert(id);
            }
        }
        roles
    }

    /// Items of a list that are of one kind are sent at the same time: who is first is chance.
    fn ordered(&self, requests: &[Request]) -> Vec<Request> {
        let is_batch = |one: &Request, other: &Request| {
            one.verb == other.verb
                && one.kind == other.kind
                && self.items.contains(&one.object())
                && self.items.contains(&other.object())
        };
        let runs = requests.chunk_by(is_batch);
        let sorted = runs.flat_map(|run| {
            let mut run = run.to_vec();
            run.sort();
            run
        });
        sorted.collect()
    }

    fn ordered_items(&self, items: &[Item]) -> Vec<Item> {
        let runs = items.chunk_by(|one, other| matches!((one, other), (Item::Request(_), Item::Request(_))));
        let ordered = runs.flat_map(|run| match run {
            [Item::Resources] => vec![Item::Resources],
            run => {
                let requests = run.iter().filter_map(|item| match item {
                    Item::Request(request) => Some(request.clone()),
                    Item::Resources => None,
                });
                let requests: Vec<_> = requests.collect();
                self.ordered(&requests).into_iter().map(Item::Request).collect()
            }
        });
        ordered.collect()
    }

    /// Whether the requests are those of the items, one after the other; where ordinary resources are due there may be any number for
    /// them, since who is first among those of one kind is chance.
    fn fits(&self, items: &[Item], requests: &[Request]) -> bool {
        match (items.split_first(), requests.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some((Item::Request(item), rest)), Some((request, later))) => {
                item == request && self.fits(rest, later)
            }
            (Some((Item::Request(_), _)), None) => false,
            (Some((Item::Resources, rest)), _) => {
                self.fits(rest, requests)
                    || requests.split_first().is_some_and(|(request, later)| {
                        self.resources.contains(&request.object()) && self.fits(items, later)
                    })
            }
        }
    }
}

/// What differs in one command, in words; nothing when they agree.
pub(super) fn differences(
    roles: &Roles,
    real: &Observed,
    simulated: &Observed,
    items: &[Item],
) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |what: &str, real: String, simulated: String| {
        if real != simulated {
            found.push(format!("{what}\n      Helm       {real}\n      simulation {simulated}"));
        }
    };
    note("exit code", real.exit.to_string(), simulated.exit.to_string());
    note("error", line(real.error.as_deref()), line(simulated.error.as_deref()));
    note("revisions", format!("{:?}", real.history), format!("{:?}", simulated.history));
    note("leftovers", real.leftovers.join(", "), simulated.leftovers.join(", "));
    let requests = roles.ordered(&real.requests);
    let items = roles.ordered_items(items);
    if !roles.fits(&items, &requests) {
        let mut text = "requests\n      Helm".to_owned();
        for request in requests {
            let mark = if roles.resources.contains(&request.object()) { " (resource)" } else { "" };
            let _ = write!(text, "\n        {request}{mark}");
        }
        text.push_str("\n      simulation");
        for item in items {
            let _ = match item {
                Item::Request(request) => write!(text, "\n        {request}"),
                Item::Resources => write!(text, "\n        (resources)"),
            };
        }
        found.push(text);
    }
    found
}

/// The line without what nobody could foresee.
fn line(error: Option<&str>) -> String {
    let Some(error) = error else { return "none".to_owned() };
    // The API server prints the value as Go shows it, with pointers in it.
    let (start, end) = ("Invalid value: ", ": field is immutable");
    if let (Some(from), Some(to)) = (error.find(start), error.rfind(end)) {
        return format!("{}{start}…{}", &error[..from], &error[to..]);
    }
    error.to_owned()
}
