//! `helm test`.

use hooks::{Event, order};

use super::{Play, errors::Failure, hooks_of_event::Ending, storage::Stored};
use crate::{
    answer::{ObjectId, StepResult, Verb},
    chart::Hook,
    profile::Engine,
};

/// `--filter`, as Helm reads it.
#[derive(Debug, Default)]
struct Filters<'a> {
    only: Vec<&'a str>,
    without: Vec<&'a str>,
}

impl<'a> Filters<'a> {
    /// Source: Helm 4.2.4 `pkg/cmd/release_testing.go`: what it does not understand it passes over.
    fn read(filters: &'a [String]) -> Self {
        let mut read = Self::default();
        for filter in filters.iter().flat_map(|filter| filter.split(',')) {
            if let Some(name) = filter.strip_prefix("name=") {
                read.only.push(name);
            } else if let Some(name) =
                filter.strip_prefix("!name=").or_else(|| filter.strip_prefix("! name="))
            {
                read.without.push(name);
            }
        }
        read
    }

    fn takes(&self, hook: &Hook) -> bool {
        let name = hook.name.as_str();
        !self.without.contains(&name) && (self.only.is_empty() || self.only.contains(&name))
    }
}

impl Play<'_> {
    /// Runs the test hooks of the last revision, whatever its status.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/release_testing.go`, `Run`.
    pub(super) fn test(&mut self) -> Result<(), Failure> {
        let mut stored = self.storage.last().ok_or_else(|| Failure("release: not found".to_owned()))?;
        self.revision = Some(stored.revision);
        self.applies = self.profile.applies && stored.applied;
        let filters = self.flags.filters.clone();
        let filters = Filters::read(&filters);
        let all = std::mem::take(&mut stored.hooks);
        let (taken, skipped): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|index| filters.takes(&stored.chart.hooks[*index]));
        stored.hooks.clone_from(&taken);
        let ending = self.run_hooks(Event::Test, &stored);
        if let (Some(_), Ending::Stopped(failure)) = (&self.endless, &ending) {
            return Err(failure.clone());
        }
        if self.profile.engine == Engine::Helm3 {
            let ran = self.clean_up(Event::Test, &stored, ending);
            self.store_test(&mut stored, skipped, taken);
            self.print_test_logs(&stored, &filters)?;
            return ran;
        }
        let tested = stored.clone();
        self.store_test(&mut stored, skipped, taken);
        let failed = match &ending {
            Ending::Succeeded => None,
            Ending::Failed(_, failure) | Ending::Stopped(failure) => Some(failure.clone()),
        };
        let printed = self.print_test_logs(&stored, &filters);
        let cleaned = self.clean_up(Event::Test, &tested, ending);
        failed.map_or(Ok(()), Err).and(printed).and(cleaned)
    }

    /// Helm puts the hooks that a filter left out before those it took, and stores them so.
    fn store_test(&mut self, stored: &mut Stored, skipped: Vec<usize>, taken: Vec<usize>) {
        stored.hooks = skipped;
        stored.hooks.extend(taken);
        self.storage.update(stored);
    }

    /// `--logs`: of pods that are named like the test hooks, whatever the hooks are.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/release_testing.go`, `GetPodLogs`.
    fn print_test_logs(&mut self, stored: &Stored, filters: &Filters<'_>) -> Result<(), Failure> {
        if !self.flags.logs {
            return Ok(());
        }
        let mut hooks: Vec<_> = stored.hooks().collect();
        order::by_weight(&mut hooks, |hook| (hook.weight, &hook.name));
        let tests = hooks.iter().flat_map(|hook| hook.events.iter().map(move |event| (*hook, *event)));
        for (hook, _) in tests.filter(|(hook, event)| *event == Event::Test && filters.takes(hook)) {
            let pod = ObjectId {
                api_version: "v1".to_owned(),
                kind: "Pod".to_owned(),
                namespace: Some(self.namespace.to_owned()),
                name: hook.name.clone(),
            };
            let result = self.logs_of(&pod);
            let step = self.step(Some(Event::Test), Verb::Log, Some(&pod), result);
            if result == StepResult::Ok {
                continue;
            }
            let before = if self.profile.engine == Engine::Helm3 { " logs for" } else { "" };
            let cause = if result == StepResult::Absent {
                format!("pods \"{}\" not found", hook.name)
            } else {
                format!("a container in pod \"{}\" is waiting to start: ContainerCreating", hook.name)
            };
            let why = if hook.kind == "Pod" {
                "its pod has gone, or has not started"
            } else {
                "Helm looks for a pod with the name of the hook"
            };
            self.explain(step, why);
            return Err(Failure(format!("unable to get pod{before} {}: {cause}", hook.name)));
        }
        Ok(())
    }
}
