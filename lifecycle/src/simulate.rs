//! What Helm does with a release and its hooks, command by command, in virtual time.

use std::{collections::BTreeSet, sync::Arc};

use hooks::{Event, release::Status};

use crate::{
    Chart, Command, Outcome, Profile, World,
    answer::{Action, Answer, ObjectId, Played, Revision, Step, StepResult, Verb},
    chart::Object,
    command::{Flags, Wait},
    outcome,
    profile::{Engine, Waiter},
    world::{Millis, Origin},
};

mod adopt;
mod argocd;
mod assume;
mod create;
mod delete;
mod errors;
mod hooks_of_event;
mod install;
mod logs;
mod manifest;
mod readiness;
mod rollback;
mod storage;
mod test_run;
mod uninstall;
mod upgrade;
mod wait;
mod why;

use errors::Failure;
use storage::Storage;

/// How long it takes to start a command after another has ended.
const MOMENT: Millis = 250;

/// One release on a simulated cluster; what one command leaves behind, the next one finds.
#[derive(Debug)]
pub struct Simulation {
    profile: Profile,
    release: Arc<str>,
    namespace: String,
    world: World,
    assumes: bool,
    storage: Storage,
    /// The uid of the namespace that holds what is stored.
    home: Option<u64>,
    /// Objects of hooks whose fields belong to a POST, so that an apply that changes them is a conflict.
    posted: BTreeSet<u64>,
    /// Deployments whose pods were ready before their last change: the old pods stay until the new ones are.
    rolled: BTreeSet<u64>,
    played: Vec<Played>,
}

impl Simulation {
    /// An empty cluster that has the namespace, every other namespace that objects name, everything that pods need, and every kind that
    /// objects are of, unless the chart itself makes it.
    #[must_use]
    pub fn new(profile: Profile, release: &str, namespace: &str) -> Self {
        Self { assumes: true, ..Self::on(World::new(), profile, release, namespace) }
    }

    /// On a cluster of which all is known: what is not in it does not exist. The namespace of the release does.
    #[must_use]
    pub fn on(mut world: World, profile: Profile, release: &str, namespace: &str) -> Self {
        world.assume_namespace(namespace);
        Self {
            profile,
            release: release.into(),
            namespace: namespace.to_owned(),
            world,
            assumes: false,
            storage: Storage::default(),
            home: None,
            posted: BTreeSet::new(),
            rolled: BTreeSet::new(),
            played: Vec::new(),
        }
    }

    /// Plays one command.
    pub fn play(&mut self, command: &Command) -> Played {
        if self.assumes {
            assume::assume(&mut self.world, command.chart.as_deref());
        }
        let mut play = Play::new(self, command);
        play.forget_what_is_gone();
        let failure = play.command().err();
        play.forget_what_is_gone();
        let (revision, steps) = (play.revision, play.steps);
        // What goes by itself within a moment is gone when anybody looks.
        self.rest(MOMENT);
        let played = Played {
            action: command.action,
            revision,
            exit: i32::from(failure.is_some()),
            error: failure.as_ref().map(|failure| failure.first_line().to_owned()),
            said: failure.map(|failure| failure.0),
            steps,
            history: self.storage.history(),
            leftovers: self.world.leftovers(),
        };
        self.played.push(played.clone());
        played
    }

    /// Takes the newest revision for another one of which its number and its status are known; gives all that is stored then.
    pub fn restate(&mut self, revision: u32, status: Status) -> Vec<Revision> {
        self.storage.restate(revision, status);
        self.storage.history()
    }

    /// The cluster as it stands.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Lets time pass between two commands, in milliseconds.
    pub fn rest(&mut self, duration: Millis) {
        self.world.advance(self.world.now() + duration);
    }

    /// All that was played.
    #[must_use]
    pub fn answer(self) -> Answer {
        Answer {
            helm: self.profile.version.to_owned(),
            release: self.release.to_string(),
            namespace: self.namespace,
            actions: self.played,
        }
    }
}

/// One command while it is played.
struct Play<'a> {
    profile: Profile,
    release: &'a Arc<str>,
    namespace: &'a str,
    world: &'a mut World,
    storage: &'a mut Storage,
    home: &'a mut Option<u64>,
    posted: &'a mut BTreeSet<u64>,
    rolled: &'a mut BTreeSet<u64>,
    command: &'a Command,
    /// As given, then as the command in its course changes them for itself.
    flags: Flags,
    /// How ends and deletions of hooks are awaited.
    waiter: Waiter,
    /// Whether objects are sent by server-side apply.
    applies: bool,
    /// When the command began.
    began: Millis,
    revision: Option<u32>,
    /// What it waits for without an end: nothing happens after that.
    endless: Option<ObjectId>,
    /// The ordinary resources that the last update made.
    created: Vec<Arc<Object>>,
    steps: Vec<Step>,
}

impl<'a> Play<'a> {
    fn new(simulation: &'a mut Simulation, command: &'a Command) -> Self {
        let profile = simulation.profile;
        let mut play = Self {
            profile,
            release: &simulation.release,
            namespace: &simulation.namespace,
            began: simulation.world.now(),
            world: &mut simulation.world,
            storage: &mut simulation.storage,
            home: &mut simulation.home,
            posted: &mut simulation.posted,
            rolled: &mut simulation.rolled,
            command,
            flags: command.flags.clone(),
            waiter: profile.waiter(command.flags.wait),
            applies: profile.applies,
            revision: None,
            endless: None,
            created: Vec::new(),
            steps: Vec::new(),
        };
        let waits_to_undo = matches!(command.action, Action::Install | Action::Upgrade)
            && play.flags.rollback_on_failure
            && play.flags.wait == Wait::HookOnly;
        if waits_to_undo || (command.action == Action::Test && profile.engine != Engine::Helm3) {
            play.wait_by(Wait::Watcher);
        }
        play
    }

    /// Waits in another way from now on.
    fn wait_by(&mut self, wait: Wait) {
        self.flags.wait = wait;
        self.waiter = self.profile.waiter(wait);
    }

    fn command(&mut self) -> Result<(), Failure> {
        if self.profile.engine == Engine::ArgoCd {
            return self.argocd();
        }
        // The words are those of Helm's command line, which what embeds Helm has not.
        let is_helm = matches!(self.profile.engine, Engine::Helm3 | Engine::Helm4);
        let prefixed = |words: &'static str| {
            move |failure: Failure| if is_helm { failure.after(words) } else { failure }
        };
        let ended = match self.command.action {
            Action::Install => self.install(false).map_err(prefixed("INSTALLATION FAILED")),
            Action::Upgrade if self.flags.install && self.installs_instead() => self.install(true),
            Action::Upgrade => self.upgrade().map_err(prefixed("UPGRADE FAILED")),
            Action::Rollback => self.rollback(self.flags.to),
            Action::Uninstall => self.uninstall(),
            Action::Test => self.test(),
        };
        // Helm says nothing then, and never ends.
        match &self.endless {
            Some(id) => Err(Failure(format!("waiting for ever for {id}, since the timeout is 0"))),
            None => ended,
        }
    }

    /// What is stored goes with the namespace of the release; nobody tells Helm.
    fn forget_what_is_gone(&mut self) {
        let home = self.world.namespace(self.namespace).map(|live| live.uid);
        if home != *self.home {
            self.storage.purge();
            *self.home = home;
        }
    }

    /// What is installed or upgraded to.
    fn chart(&self) -> Arc<Chart> {
        self.command.chart.clone().unwrap_or_default()
    }

    /// What this version of an object belongs to when it is an ordinary resource.
    fn owned(&self) -> Origin {
        Origin::Resource { release: Arc::clone(self.release) }
    }

    /// What the pods of an object will do.
    fn outcome(&self, object: &Object) -> Outcome {
        let annotated = || object.run.as_ref().and_then(|run| run.outcome);
        outcome::of(&self.command.outcomes, &object.id).or_else(annotated).unwrap_or_default()
    }

    /// Seconds since the command began.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a simulation fit")]
    fn seconds(&self, at: Millis) -> f64 {
        at.saturating_sub(self.began) as f64 / 1000.0
    }

    /// Something happens now; gives its place among the steps.
    fn step(
        &mut self,
        event: Option<Event>,
        verb: Verb,
        object: Option<&ObjectId>,
        result: StepResult,
    ) -> usize {
        let at = self.seconds(self.world.now());
        self.steps.push(Step { at, event, verb, object: object.cloned(), result, message: None });
        self.steps.len() - 1
    }

    /// Says why.
    fn explain(&mut self, step: usize, message: impl Into<String>) {
        self.steps[step].message = Some(message.into());
    }
}

#[cfg(test)]
mod tests;
