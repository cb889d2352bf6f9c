//! The one task that hears of every change, puts it in force, and says what became of it.

use std::{collections::BTreeSet, pin::pin, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use futures::StreamExt as _;
use kube::{
    Client, ResourceExt as _,
    api::DynamicObject,
    runtime::watcher::{self, Event},
};
use policies::PolicySet;
use serde_json::json;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{Options, Synced};
use crate::{
    changed::changed,
    client,
    exceptions::{Exceptions, expiring::Told},
    metrics::Watch,
    policies::Policies,
    resource::Kind,
    status::{
        desk::{Desk, Write},
        now,
    },
    watching::Trouble,
};

/// How often the leader looks at the clock: for exceptions whose day has come, and for pods that are gone.
const TICK: Duration = Duration::from_secs(5);
/// Pods that are gone are looked for at every so many ticks.
const PRUNE: u32 = 6;

/// What is known, and where it goes.
pub(super) struct Keeper {
    options: Options,
    in_force: Arc<ArcSwap<PolicySet>>,
    desk: Desk,
    policies: Policies,
    exceptions: Exceptions,
    /// Names that the list under way has told of, by kind.
    listed: [BTreeSet<String>; 2],
    /// What waits for the first list, by kind; `None` when it is there.
    waiting: [Option<Box<dyn Send>>; 2],
    /// Whether all of a kind has been read once.
    read: [bool; 2],
    labels: watch::Receiver<bool>,
    told: Told,
    /// Events on their way; they end with the keeper.
    events: JoinSet<()>,
    ticks: u32,
}

impl Keeper {
    pub(super) fn new(
        options: Options,
        in_force: Arc<ArcSwap<PolicySet>>,
        synced: Synced,
        desk: Desk,
        labels: watch::Receiver<bool>,
    ) -> Self {
        Self {
            policies: Policies::new(options.profile),
            exceptions: Exceptions::default(),
            waiting: [Some(synced.policies), Some(synced.exceptions)],
            listed: Default::default(),
            read: [false; 2],
            told: Told::default(),
            events: JoinSet::new(),
            ticks: 0,
            options,
            in_force,
            desk,
            labels,
        }
    }

    /// Goes on for ever.
    pub(super) async fn run(mut self, api: Client) {
        let (mut base, mut leader) = (self.options.base.clone(), self.options.leader.clone());
        let mut labels = self.labels.clone();
        let all = watcher::Config::default;
        let mut policies = pin!(client::watch(Kind::HookPolicy.api(api.clone()), all()));
        let mut exceptions = pin!(client::watch(Kind::HookException.api(api.clone()), all()));
        let watches = [Watch::HookPolicies, Watch::HookExceptions];
        let mut trouble = watches.map(|watch| Trouble::new(watch, &self.options.metrics));
        let mut clock = interval(TICK);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(event) = policies.next() => {
                    if let Some(event) = trouble[0].event(event) {
                        self.take(Kind::HookPolicy, event);
                    }
                }
                Some(event) = exceptions.next() => {
                    if let Some(event) = trouble[1].event(event) {
                        self.take(Kind::HookException, event);
                    }
                }
                () = changed(&mut base) => self.exchange(),
                () = changed(&mut labels) => self.let_go(),
                () = changed(&mut leader) => self.lead(&api),
                _ = clock.tick() => self.tick(&api),
                Some(_) = self.events.join_next() => {}
            }
            self.count();
        }
    }

    fn count(&self) {
        let refused = i64::try_from(self.policies.refused()).unwrap_or(i64::MAX);
        self.options.metrics.policies_refused.set(refused);
    }

    fn take(&mut self, kind: Kind, event: Event<DynamicObject>) {
        let listed = &mut self.listed[kind as usize];
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(object) => {
                listed.insert(object.name_any());
                let changed = self.apply(kind, &object);
                // The first list is put in force as a whole, at its end; later ones tell of changes like the watch.
                if changed && self.read[kind as usize] {
                    self.exchange();
                }
                self.report(kind, &object.name_any());
            }
            Event::InitDone => self.listed(kind),
            Event::Apply(object) => {
                if self.apply(kind, &object) {
                    self.exchange();
                }
                self.report(kind, &object.name_any());
            }
            Event::Delete(object) => {
                if self.remove(kind, &object.name_any()) {
                    self.exchange();
                }
            }
        }
    }

    fn apply(&mut self, kind: Kind, object: &DynamicObject) -> bool {
        match kind {
            Kind::HookPolicy => self.policies.apply(object),
            Kind::HookException => self.exceptions.apply(object),
        }
    }

    fn remove(&mut self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::HookPolicy => self.policies.remove(name),
            Kind::HookException => self.exceptions.remove(name),
        }
    }

    /// The end of a list: what it did not tell of is gone.
    fn listed(&mut self, kind: Kind) {
        let listed = std::mem::take(&mut self.listed[kind as usize]);
        let gone: Vec<_> = self.names(kind).into_iter().filter(|name| !listed.contains(name)).collect();
        let mut has_changed = !std::mem::replace(&mut self.read[kind as usize], true);
        for name in gone {
            has_changed |= self.remove(kind, &name);
        }
        if has_changed {
            self.exchange();
        }
        self.let_go();
        self.report_all(Kind::HookPolicy);
        self.report_all(Kind::HookException);
    }

    fn names(&self, kind: Kind) -> Vec<String> {
        match kind {
            Kind::HookPolicy => self.policies.names().map(str::to_owned).collect(),
            Kind::HookException => self.exceptions.iter().map(|(name, _)| name.to_owned()).collect(),
        }
    }

    /// Puts everything that is known in force, as soon as everything has been read once.
    fn exchange(&mut self) {
        if self.read != [true; 2] {
            return;
        }
        let base = Arc::clone(&self.options.base.borrow());
        let policies = base.policies.iter().cloned().chain(self.policies.in_force()).collect();
        let exceptions = base.exceptions.iter().cloned().chain(self.exceptions.approved()).collect();
        let generation = self.in_force.load().generation() + 1;
        match PolicySet::together(policies, exceptions, self.options.profile, generation) {
            Ok((set, contradiction)) => {
                self.in_force.store(Arc::new(set));
                tracing::info!(generation, "the policies have changed");
                if self.policies.contradict(contradiction.map(|error| error.to_string())) {
                    self.report_all(Kind::HookPolicy);
                }
            }
            // Each policy of the cluster was tried alone, so it is one of the file, which was tried before it came here.
            Err(error) => tracing::error!(%error, "the policies stay as they were"),
        }
    }

    /// Lets go of what waited for the first lists, when they are in force.
    fn let_go(&mut self) {
        let [policies, exceptions] = self.read;
        let has_labels = *self.labels.borrow() || !self.in_force.load().needs_labels();
        if policies && exceptions && has_labels {
            self.waiting[Kind::HookPolicy as usize] = None;
        }
        if policies && exceptions {
            self.waiting[Kind::HookException as usize] = None;
        }
    }

    /// Says what became of an object, where that is not said yet; before everything has been read, nothing has become of any.
    fn report(&self, kind: Kind, name: &str) {
        if self.read != [true; 2] {
            return;
        }
        let (pod, is_leader) = (&self.options.pod, *self.options.leader.borrow());
        let entry = if kind == Kind::HookPolicy { self.policies.entry(name, pod, now()) } else { None };
        if let Some(entry) = entry {
            let status = json!({"replicas": [entry]});
            self.desk.put(Write::Replica { policy: name.to_owned(), pod: pod.clone(), status });
        }
        let condition = match kind {
            _ if !is_leader => None,
            Kind::HookPolicy => {
                let summary = self.policies.summary(name);
                summary.and_then(|(wanted, said)| wanted.change(&said.conditions, now()))
            }
            Kind::HookException => self.exceptions.condition(name, now()),
        };
        if let Some(condition) = condition {
            let status = json!({"conditions": [condition]});
            self.desk.put(Write::Conditions { kind, name: name.to_owned(), status });
        }
    }

    fn report_all(&self, kind: Kind) {
        for name in self.names(kind) {
            self.report(kind, &name);
        }
    }

    /// Takes over what a leader does, or leaves it.
    fn lead(&mut self, client: &Client) {
        if *self.options.leader.borrow() {
            self.report_all(Kind::HookPolicy);
            self.ticks = 0;
            self.tick(client);
        }
    }

    /// What only time brings.
    fn tick(&mut self, client: &Client) {
        if !*self.options.leader.borrow() || self.read != [true; 2] {
            return;
        }
        self.report_all(Kind::HookException);
        let due = if self.options.events { self.told.due(&self.exceptions, now()) } else { Vec::new() };
        for warning in due {
            self.events.spawn(warning.tell(client.clone(), self.options.pod.clone(), self.told.clone()));
        }
        if self.ticks.is_multiple_of(PRUNE) {
            self.prune();
        }
        self.ticks = self.ticks.wrapping_add(1);
    }

    fn prune(&self) {
        let Some(namespace) = &self.options.namespace else { return };
        for (pod, policies) in self.policies.pods() {
            if pod != self.options.pod {
                let policies = policies.into_iter().map(str::to_owned).collect();
                let namespace = namespace.clone();
                self.desk.put(Write::Prune { namespace, pod: pod.to_owned(), policies });
            }
        }
    }
}

#[cfg(test)]
mod tests;
