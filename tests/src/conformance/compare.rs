//! In what the two differ, once what is chance in Helm is taken out.

use std::{collections::HashSet, fmt::Write as _};

use lifecycle::answer;

use super::{
    observed::{Observed, Outcome, Request, object},
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
    /// Jobs that go by themselves, soon.
    expiring: HashSet<String>,
    /// What stands in the `crds/` folder, of which the simulation tells no step.
    brought: HashSet<String>,
}

impl Roles {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let mut roles = Self {
            resources: HashSet::new(),
            items: HashSet::new(),
            expiring: HashSet::new(),
            brought: HashSet::new(),
        };
        for (document, item) in scenario.objects() {
            let text = |name: &str| item["metadata"][name].as_str().unwrap_or_default();
            let kind = item["kind"].as_str().unwrap_or_default();
            let namespace = match (text("namespace"), kind) {
                (_, "Namespace" | "CustomResourceDefinition") => "",
                ("", _) => &scenario.namespace,
                (written, _) => written,
            };
            let id = object(kind, namespace, text("name"));
            if item["spec"]["ttlSecondsAfterFinished"] == 1 {
                roles.expiring.insert(id.clone());
            }
            if kind == "CustomResourceDefinition" && !is_hook(document) {
                roles.brought.insert(id);
            } else if !is_hook(document) {
                roles.resources.insert(id);
            } else if document["items"].is_array() {
                roles.items.insert(id);
            }
        }
        roles
    }

    /// Items of a list that are of one kind are sent at the same time: who is first is chance. So it is who deletes a Job first, Helm
    /// or the one that deletes it when its time has come, which Kubernetes counts in whole seconds.
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
            for request in &mut run {
                if request.result == Outcome::Absent && self.expiring.contains(&request.object()) {
                    request.result = Outcome::Deleted;
                }
            }
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
            (None, requests) => requests.is_none(),
            (Some((Item::Request(item), rest)), requests) => {
                requests.is_some_and(|(request, later)| item == request && self.fits(rest, later))
            }
            (Some((Item::Resources, rest)), _) => {
                self.fits(rest, requests)
                    || requests
                        .split_first()
                        .is_some_and(|(request, later)| self.has_resource(request) && self.fits(items, later))
            }
        }
    }
}

impl Roles {
    /// Whether it may be about an ordinary resource; one that cannot be read has no name.
    fn has_resource(&self, request: &Request) -> bool {
        let object = request.object();
        let is_nameless = request.name.is_empty();
        self.resources.iter().any(|one| *one == object || (is_nameless && one.starts_with(&object)))
    }
}

/// What differs in one command, in words; nothing when they agree.
pub(super) fn differences(
    roles: &Roles,
    real: &Observed,
    simulated: &Observed,
    items: &[Item],
    prints_logs: bool,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |what: &str, real: String, simulated: String| {
        if real != simulated {
            found.push(format!("{what}\n      Helm       {real}\n      simulation {simulated}"));
        }
    };
    // The test cluster has no kubelet to ask for logs.
    let lacks_logs =
        prints_logs && real.error.as_deref().is_some_and(|error| error.contains("/containerLogs/"));
    if !lacks_logs {
        note("exit code", real.exit.to_string(), simulated.exit.to_string());
        let [said, expected] =
            [real, simulated].map(|seen| seen.error.clone().unwrap_or_else(|| "none".to_owned()));
        if !answer::is_like(&expected, &said) {
            note("error", said, expected);
        }
    }
    note("revisions", format!("{:?}", real.history), format!("{:?}", simulated.history));
    note("leftovers", real.leftovers.join(", "), simulated.leftovers.join(", "));
    let asked = real.requests.iter().filter(|request| !roles.brought.contains(&request.object()));
    let requests = roles.ordered(&asked.cloned().collect::<Vec<_>>());
    let items = roles.ordered_items(items);
    if !roles.fits(&items, &requests) {
        let mut text = "requests\n      Helm".to_owned();
        for request in requests {
            let mark = if roles.has_resource(&request) { " (resource)" } else { "" };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::observed::Verb;

    fn request(verb: Verb, object: &str, result: Outcome) -> Request {
        let (kind, name) = object.split_once('/').unwrap();
        Request { verb, kind: kind.to_owned(), namespace: "here".to_owned(), name: name.to_owned(), result }
    }

    fn roles() -> Roles {
        let ids = |names: &[&str]| names.iter().map(|name| format!("Job/here/{name}")).collect();
        Roles {
            resources: ids(&["web", "both"]),
            items: ids(&["one", "two"]),
            expiring: ids(&["short"]),
            brought: HashSet::new(),
        }
    }

    fn observed(requests: &[Request]) -> Observed {
        Observed {
            exit: 0,
            error: None,
            history: vec![(1, "deployed".to_owned())],
            leftovers: vec!["Job/here/a".to_owned()],
            requests: requests.to_vec(),
        }
    }

    fn agrees(real: &[Request], items: &[Item]) -> bool {
        differences(&roles(), &observed(real), &observed(&[]), items, false).is_empty()
    }

    #[test]
    fn every_part_of_what_is_seen_counts() {
        let same = observed(&[]);
        let others = [
            Observed { exit: 1, ..same.clone() },
            Observed { error: Some("no".to_owned()), ..same.clone() },
            Observed { history: Vec::new(), ..same.clone() },
            Observed { leftovers: Vec::new(), ..same.clone() },
            observed(&[request(Verb::Create, "Job/a", Outcome::Made)]),
        ];
        assert!(differences(&roles(), &same, &same, &[], false).is_empty());
        for other in others {
            assert_eq!(differences(&roles(), &other, &same, &[], false).len(), 1, "{other:?}");
        }
    }

    #[test]
    fn verb_object_result_and_order_of_requests_count() {
        let [made, other] = ["Job/a", "Job/b"].map(|job| request(Verb::Create, job, Outcome::Made));
        let items = [Item::Request(made.clone()), Item::Request(other.clone())];
        assert!(agrees(&[made.clone(), other.clone()], &items));
        assert!(!agrees(&[other.clone(), made.clone()], &items));
        assert!(!agrees(std::slice::from_ref(&made), &items));
        assert!(!agrees(&[made.clone(), other.clone(), other.clone()], &items));
        let refused = Request { result: Outcome::Refused, ..other.clone() };
        assert!(!agrees(&[made.clone(), refused], &items));
        assert!(!agrees(&[made, Request { verb: Verb::Patch, ..other }], &items));
    }

    #[test]
    fn ordinary_resources_come_where_they_are_due_and_nowhere_else() {
        let hook = request(Verb::Create, "Job/a", Outcome::Made);
        let web = request(Verb::Create, "Job/web", Outcome::Made);
        let items = [Item::Request(hook.clone()), Item::Resources];
        assert!(agrees(&[hook.clone(), web.clone(), web.clone()], &items));
        assert!(agrees(std::slice::from_ref(&hook), &items));
        assert!(!agrees(&[web, hook.clone()], &items));
        assert!(!agrees(&[hook.clone(), hook], &items));
    }

    #[test]
    fn what_is_hook_and_ordinary_resource_counts_once_for_each() {
        let both = request(Verb::Create, "Job/both", Outcome::Made);
        let items = [Item::Request(both.clone()), Item::Resources];
        assert!(agrees(&[both.clone(), both.clone()], &items));
        assert!(!agrees(&[], &items));
    }

    #[test]
    fn only_items_of_one_list_come_in_any_order() {
        let [one, two, other] =
            ["Job/one", "Job/two", "Job/a"].map(|job| request(Verb::Create, job, Outcome::Made));
        let items = [&one, &two, &other].map(|request| Item::Request(request.clone()));
        assert!(agrees(&[two.clone(), one.clone(), other.clone()], &items));
        assert!(!agrees(&[other, two, one], &items));
    }

    #[test]
    fn who_deletes_a_job_whose_time_has_come_is_chance_and_of_no_other() {
        let delete = |job: &str, result| request(Verb::Delete, job, result);
        let items = |job: &str| [Item::Request(delete(job, Outcome::Deleted))];
        assert!(agrees(&[delete("Job/short", Outcome::Absent)], &items("Job/short")));
        assert!(!agrees(&[delete("Job/a", Outcome::Absent)], &items("Job/a")));
    }
}
