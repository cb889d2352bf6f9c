//! Which revisions there are, and which of them each action is about.

use lifecycle::{Chart, Command, answer::Action, command::Flags};

use super::Args;
use crate::{
    rehearsal::{
        charts::{Rendered, Supply},
        play::{self, Stage},
    },
    report::Problem,
};

/// The versions of the release that the actions need.
#[derive(Debug)]
pub(super) struct Versions {
    actions: Vec<Action>,
    /// The revision before, as installed; of one version it is the only one.
    first: Rendered,
    /// The newest, as upgraded to; `None` when nothing upgrades.
    second: Option<Rendered>,
    /// Whether the newest is another version than the one before.
    has_previous: bool,
}

impl Versions {
    pub(super) fn render(
        args: &Args,
        supply: &Supply,
        previous: Option<&Supply>,
    ) -> Result<Self, Vec<Problem>> {
        let actions = args.actions();
        // Nobody who only installs has a revision before.
        let upgrades = actions.contains(&Action::Upgrade)
            || (previous.is_some() && actions != [Action::Install])
            || actions.first() == Some(&Action::Rollback);
        let first = previous.filter(|_| upgrades).unwrap_or(supply);
        let has_previous = !std::ptr::eq(first, supply);
        let installed = first.render(false)?;
        let second = match upgrades {
            false => None,
            true if !has_previous && !supply.has_charts() => Some(installed.clone()),
            true => Some(supply.render(true)?),
        };
        Ok(Self { actions, first: installed, second, has_previous })
    }

    /// The version that PATH stands for.
    pub(super) fn newest(&self) -> &Rendered {
        self.second.as_ref().unwrap_or(&self.first)
    }

    /// Every rendering of PATH, which rules are to judge.
    pub(super) fn judged(&self) -> impl Iterator<Item = &Rendered> {
        let first = (!self.has_previous).then_some(&self.first);
        first.into_iter().chain(&self.second)
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for note in [&self.first].into_iter().chain(&self.second).flat_map(|rendered| &rendered.notes) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        notes
    }

    /// Plays what the first action finds, and then all that is asked; gives how many commands nobody asked for.
    pub(super) fn play(
        &self,
        args: &Args,
        release: &str,
        namespace: &str,
    ) -> Result<(Stage, usize, Vec<String>), Vec<Problem>> {
        let outcomes = args.outcomes();
        let charts = || self.charts().into_iter();
        if let Some(message) = play::misnamed(&outcomes, charts()) {
            return Err(vec![Problem::new("--outcome", message)]);
        }
        let mut notes = Vec::new();
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
                Action::Install => Some(&self.first),
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
        let mut deploy = |action, rendered: &Rendered| {
            let flags = Flags { no_hooks: !with_hooks, ..Flags::default() };
            let outcomes = play::all_well(&rendered.chart);
            let chart = Some(rendered.chart.clone());
            stage.play(&Command { action, chart, flags, outcomes }).exit == 0
        };
        let is_found = match self.actions.first() {
            None | Some(Action::Install) => true,
            Some(Action::Upgrade) => deploy(Action::Install, &self.first),
            Some(Action::Rollback) => {
                deploy(Action::Install, &self.first) && deploy(Action::Upgrade, self.newest())
            }
            Some(Action::Uninstall | Action::Test) => {
                deploy(Action::Install, &self.first)
                    && (!self.has_previous || deploy(Action::Upgrade, self.newest()))
            }
        };
        is_found.then_some(stage)
    }

    fn charts(&self) -> Vec<&Chart> {
        [Some(&self.first), self.second.as_ref()]
            .into_iter()
            .flatten()
            .map(|rendered| &*rendered.chart)
            .collect()
    }
}
