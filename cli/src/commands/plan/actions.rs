//! Which revisions there are, and which of them each action is about.

use lifecycle::{Command, answer::Action, command::Flags};

use super::Args;
use crate::{
    inputs::Text,
    judge::Read,
    rehearsal::{
        charts::{Rendered, Sources, Supply},
        play::{self, Stage},
    },
    report::Problem,
};

/// The texts of all versions of the release that the actions need.
#[derive(Debug)]
pub(super) struct Texts<'s> {
    actions: Vec<Action>,
    /// Where the revision before comes from.
    earlier: &'s Supply,
    /// Where the newest comes from.
    newest: &'s Supply,
    first: Sources,
    second: Option<Sources>,
}

/// The versions of the release that the actions need.
#[derive(Debug)]
pub(super) struct Versions<'t> {
    actions: &'t [Action],
    /// The revision before, as installed; of one version it is the only one.
    first: Version<'t>,
    /// The newest, as upgraded to; `None` when nothing upgrades, or when it is the same.
    second: Option<Version<'t>>,
    /// Whether the newest is another version than the one before.
    has_previous: bool,
}

/// One version, as Helm sees it and as rules do.
#[derive(Debug)]
pub(super) struct Version<'t> {
    pub(super) rendered: Rendered,
    pub(super) texts: &'t [Text],
    pub(super) documents: Vec<Read<'t>>,
}

impl<'t> Version<'t> {
    fn read(supply: &Supply, sources: &'t Sources) -> Result<Self, Vec<Problem>> {
        let (rendered, documents) = supply.read(sources)?;
        Ok(Self { rendered, texts: &sources.texts, documents })
    }
}

impl<'s> Texts<'s> {
    pub(super) fn of(
        args: &Args,
        supply: &'s Supply,
        previous: Option<&'s Supply>,
    ) -> Result<Self, Vec<Problem>> {
        let actions = args.actions();
        let begins = actions.first();
        // Whoever installs and never upgrades has no revision before.
        let upgrades = actions.contains(&Action::Upgrade)
            || (previous.is_some() && begins != Some(&Action::Install))
            || begins == Some(&Action::Rollback);
        let earlier = previous.filter(|_| upgrades);
        // What is no chart is the same at an install and at an upgrade.
        let is_rendered_again = upgrades && (earlier.is_some() || supply.has_charts());
        let earlier = earlier.unwrap_or(supply);
        let first = earlier.sources(false)?;
        let second = is_rendered_again.then(|| supply.sources(true)).transpose()?;
        Ok(Self { actions, earlier, newest: supply, first, second })
    }

    pub(super) fn read(&self) -> Result<Versions<'_>, Vec<Problem>> {
        let first = Version::read(self.earlier, &self.first)?;
        let second = self.second.as_ref().map(|sources| Version::read(self.newest, sources)).transpose()?;
        let has_previous = !std::ptr::eq(self.earlier, self.newest);
        Ok(Versions { actions: &self.actions, first, second, has_previous })
    }
}

impl<'t> Versions<'t> {
    /// The version that PATH stands for.
    pub(super) fn newest(&self) -> &Rendered {
        &self.second.as_ref().unwrap_or(&self.first).rendered
    }

    /// Every rendering of PATH, which rules are to judge.
    pub(super) fn judged(&self) -> impl Iterator<Item = &Version<'t>> {
        let first = (!self.has_previous).then_some(&self.first);
        first.into_iter().chain(&self.second)
    }

    pub(super) fn notes(&self) -> impl Iterator<Item = &String> {
        self.rendered().flat_map(|rendered| &rendered.notes)
    }

    /// Plays what the first action finds, and then all that is asked; gives how many commands nobody asked for.
    pub(super) fn play(
        &self,
        args: &Args,
        release: &str,
        namespace: &str,
    ) -> Result<(Stage, usize, Vec<String>), Vec<Problem>> {
        let outcomes = args.outcomes();
        let charts = self.rendered().map(|rendered| &*rendered.chart);
        if let Some(message) = play::misnamed(&outcomes, charts) {
            return Err(vec![Problem::new("--outcome", message)]);
        }
        let mut notes = Vec::new();
        if args.previous.is_some() && !self.has_previous {
            notes.push("--previous has no effect: none of the actions needs a revision before".to_owned());
        }
        let mut stage = self.found(args, release, namespace, true);
        if stage.is_none() {
            stage = self.found(args, release, namespace, false);
            notes.push(
                "the revision before is taken to be deployed, although its own hooks would not let it"
                    .to_owned(),
            );
        }
        let mut stage = stage.unwrap_or_else(|| Stage::new(args.profile(), release, namespace));
        let left_out = stage.played();
        for (index, action) in self.actions.iter().enumerate() {
            if index + left_out > 0 {
                stage.rest(args.after);
            }
            let rendered = match action {
                Action::Install => Some(&self.first.rendered),
                Action::Upgrade => Some(self.newest()),
                Action::Rollback | Action::Uninstall | Action::Test => None,
            };
            stage.play(&Command {
                action: *action,
                chart: rendered.map(|rendered| rendered.chart.clone()),
                flags: args.flags.of(*action, &args.profile()),
                outcomes: outcomes.clone(),
            });
        }
        Ok((stage, left_out, notes))
    }

    /// The cluster as the first action finds it: whatever must have been deployed before it is, and its hooks went well, or were left
    /// out. `None` when that fails.
    fn found(&self, args: &Args, release: &str, namespace: &str, with_hooks: bool) -> Option<Stage> {
        let mut stage = Stage::new(args.profile(), release, namespace);
        let deploy = |stage: &mut Stage, action, rendered: &Rendered| {
            let flags = Flags { no_hooks: !with_hooks, ..Flags::default() };
            let outcomes = play::all_well(&rendered.chart);
            let chart = Some(rendered.chart.clone());
            stage.play(&Command { action, chart, flags, outcomes }).exit == 0
        };
        let are_two = match self.actions.first() {
            None | Some(Action::Install) => return Some(stage),
            Some(Action::Upgrade) => false,
            Some(Action::Rollback) => true,
            Some(Action::Uninstall | Action::Test) => self.has_previous,
        };
        if !deploy(&mut stage, Action::Install, &self.first.rendered) {
            return None;
        }
        // What is stored has its number, and the one before that the number before.
        let before = || self.newest().revision?.checked_sub(1).filter(|number| *number > 0);
        if let Some(number) = are_two.then(before).flatten().or(self.first.rendered.revision) {
            stage.renumber(number);
        }
        let is_found = !are_two || deploy(&mut stage, Action::Upgrade, self.newest());
        is_found.then_some(stage)
    }

    fn rendered(&self) -> impl Iterator<Item = &Rendered> + Clone {
        [&self.first].into_iter().chain(&self.second).map(|version| &version.rendered)
    }
}
