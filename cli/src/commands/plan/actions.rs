//! Which revisions there are, and which of them each action is about.

use hooks::release::Status;
use lifecycle::{Command, answer::Action, command::Flags};

use super::Args;
use crate::{
    inputs::Text,
    judge::Read,
    rehearsal::{
        charts::{Rendered, Sources, Standing, Supply},
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
        if let Some(Version { rendered: newest, .. }) = &second
            && newest.stored.and(first.rendered.stored).is_some()
            && (&newest.release, &newest.namespace) != (&first.rendered.release, &first.rendered.namespace)
        {
            let message = "another release than PATH; give the revision before of the same one";
            return Err(vec![Problem::new("--previous", message)]);
        }
        let has_previous = !std::ptr::eq(self.earlier, self.newest);
        Ok(Versions { actions: &self.actions, first, second, has_previous })
    }
}

impl<'t> Versions<'t> {
    /// The version that PATH stands for.
    pub(super) fn newest(&self) -> &Rendered {
        &self.second.as_ref().unwrap_or(&self.first).rendered
    }

    /// The version that the first of `actions` installs: the one before, if another is upgraded to.
    fn installed(&self, actions: &[Action]) -> &Rendered {
        let is_upgraded = actions.contains(&Action::Upgrade);
        if self.has_previous && !is_upgraded { self.newest() } else { &self.first.rendered }
    }

    /// The release that is stored, if one of the versions is: its name and its namespace are those of all.
    pub(super) fn stored(&self) -> Option<&Rendered> {
        [self.newest(), &self.first.rendered].into_iter().find(|rendered| rendered.stored.is_some())
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
        let mut notes: Vec<_> = self.taken_to_be_deployed().into_iter().collect();
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
                Action::Install => Some(self.installed(&self.actions[index..])),
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
        let is_found = self.before().into_iter().all(|(action, rendered, standing)| {
            let server_side = rendered.stored.map(|stored| stored.is_applied);
            let flags = Flags { no_hooks: !with_hooks, server_side, ..Flags::default() };
            let outcomes = play::all_well(&rendered.chart);
            let command = Command { action, chart: Some(rendered.chart.clone()), flags, outcomes };
            let is_deployed = stage.play(&command).exit == 0;
            if let Some(standing) = standing.filter(|_| is_deployed) {
                leave(&mut stage, standing, command);
            }
            is_deployed
        });
        is_found.then_some(stage)
    }

    /// What must have been played before the first action; and where it stands since then, if that is known.
    fn before(&self) -> Vec<(Action, &Rendered, Option<Standing>)> {
        let (first, newest) = (&self.first.rendered, self.newest());
        let stands = |rendered: &Rendered| rendered.stored.map(|stored| self.stands(stored));
        let has_two = match self.actions.first() {
            None | Some(Action::Install) => return Vec::new(),
            Some(Action::Upgrade) => false,
            // The first revision of all has none before it.
            Some(Action::Rollback) => {
                self.has_previous || newest.stored.is_none_or(|stored| stored.revision > 1)
            }
            Some(Action::Uninstall | Action::Test) => self.has_previous,
        };
        // Whatever became of it, it was deployed before the next one was.
        let deployed = |back: u32| {
            move |stored: Standing| {
                let revision = stored.revision.checked_sub(back).filter(|revision| *revision > 0)?;
                Some(Standing { revision, status: Status::Deployed, ..stored })
            }
        };
        let before_newest = || newest.stored.and_then(deployed(1));
        if !has_two {
            return vec![(Action::Install, first, stands(first).or_else(before_newest))];
        }
        let stored = first.stored.filter(|_| self.has_previous).and_then(deployed(0));
        vec![
            (Action::Install, first, stored.or_else(before_newest)),
            (Action::Upgrade, newest, stands(newest)),
        ]
    }

    /// Where a stored revision stands. Whoever asks about one that is only on its way means what comes of it.
    fn stands(&self, stored: Standing) -> Standing {
        let status = if self.is_on_its_way(stored.status) { Status::Deployed } else { stored.status };
        Standing { status, ..stored }
    }

    fn taken_to_be_deployed(&self) -> Option<String> {
        let Standing { revision, status, .. } = self.newest().stored?;
        let is_asked = self.actions.first() != Some(&Action::Install) && self.is_on_its_way(status);
        is_asked.then(|| {
            let status = status.name();
            format!("revision {revision} is stored as {status} and taken to be deployed; as long as it is {status}, Helm refuses to upgrade it")
        })
    }

    fn is_on_its_way(&self, status: Status) -> bool {
        !self.has_previous && status.is_pending()
    }

    fn rendered(&self) -> impl Iterator<Item = &Rendered> + Clone {
        [&self.first].into_iter().chain(&self.second).map(|version| &version.rendered)
    }
}

/// Leaves what has been deployed as the record has it. Who gives a superseded revision means it as the one that is deployed.
fn leave(stage: &mut Stage, Standing { revision, status, .. }: Standing, deployed: Command) {
    let is_deployed =
        matches!(status, Status::Superseded | Status::Uninstalled | Status::Unknown | Status::Other);
    stage.restate(revision, if is_deployed { Status::Deployed } else { status });
    if status == Status::Uninstalled {
        let flags = Flags { keep_history: true, ..deployed.flags };
        stage.play(&Command { action: Action::Uninstall, chart: None, flags, ..deployed });
    }
}
