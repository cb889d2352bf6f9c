//! `hookward plan`: what Helm will do with a release, in simulated time.

use std::{path::PathBuf, time::Duration};

use clap::ArgMatches;
use lifecycle::{Outcomes, Profile, answer::Action, profile::Engine};
use policies::{Namespace, PolicySet};

use crate::{
    Io,
    args::Global,
    commands::check::Level,
    exit,
    inputs::{self, HelmArgs},
    output::{self, RolloutFormat},
    policy_file,
    rehearsal::{
        Known, Rehearsal, Rehearsed,
        charts::{NAMESPACE, Rendered, Supply},
        idle,
    },
    report::{self, Problem},
};

mod actions;
mod flags;
mod marks;
pub(super) mod words;

/// What is asked when nothing is said.
const USUAL: [Action; 2] = [Action::Install, Action::Upgrade];

/// What to plan, and how.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// One release: folders, files or `-`, taken together; manifests, a chart (folder or .tgz), a stored release Secret.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// What is asked of the release, in order (repeatable) [default: install, upgrade].
    #[arg(long = "action", value_enum, value_name = "ACTION")]
    pub actions: Vec<words::ActionWord>,
    /// The revision before, which install plays, and upgrade replaces by PATH [default: PATH itself]. Values (`--set`, `-f`) are for both.
    #[arg(long, value_name = "PATH")]
    pub previous: Option<PathBuf>,
    /// Which tool plays it: 3, 4, argocd or flux [default: engine of the policies, or else 4]. The program that renders charts is --helm-bin.
    ///
    /// 3 and 4 are held to the real Helm; argocd and flux are from source, not run.
    #[arg(long, value_name = "TOOL", value_parser = words::tool)]
    pub helm: Option<String>,
    /// What the pods of a hook do: `Job/migrate=ok|fail|hang|90s` (repeatable) [default: ok after 1 s].
    #[arg(long = "outcome", value_name = "OUTCOME", value_parser = words::outcome)]
    pub outcomes: Vec<words::Outcome>,
    /// How much time passes between two actions.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = words::duration)]
    pub after: Duration,
    /// The namespace of the release.
    #[arg(short, long, value_name = "NAME", value_parser = inputs::names::namespace)]
    pub namespace: Option<String>,
    /// The name of the release.
    #[arg(long, value_name = "NAME", value_parser = inputs::names::release)]
    pub release: Option<String>,
    /// Helm's own flags.
    #[command(flatten)]
    pub flags: flags::Args,
    /// The helm that renders charts.
    #[arg(long, value_name = "FILE", default_value = inputs::PROGRAM, help_heading = "Charts")]
    pub helm_bin: PathBuf,
    /// With which values.
    #[command(flatten)]
    pub rendering: inputs::Rendering,
    /// Refuse files larger than this.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = inputs::number(1..=1024))]
    pub max_file_size: u64,
    /// What the rules may do.
    #[command(flatten)]
    pub policy: policy_file::Args,
    /// Exit with 1 when a finding is at or above this [default: never].
    #[arg(long, value_enum, value_name = "MODE", help_heading = "Policy")]
    pub fail_on: Option<Level>,
    /// Where results go.
    #[command(flatten)]
    pub output: output::Args<RolloutFormat>,
}

impl Args {
    /// Plays, judges, prints.
    ///
    /// # Errors
    /// When nothing could be printed; what could not be read is told.
    pub fn run(&self, global: &Global, matches: &ArgMatches, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let targets = self.output.targets(matches)?;
        let rehearsal = match self.policy.load_within(self.flags.timeout, 0) {
            Ok((policies, notes)) => {
                let mut rehearsal = self.rehearse(&policies, io);
                rehearsal.notes.extend(notes);
                rehearsal
            }
            Err(problem) => self.failed(vec![problem]),
        };
        let kind = output::lifecycle::Kind::Plan(self.fail_on);
        output::lifecycle::print(&rehearsal, kind, &targets, global, true, io)?;
        let worst =
            || rehearsal.scenarios.iter().flat_map(|scenario| &scenario.marks).map(|mark| mark.mode).max();
        Ok(match self.fail_on {
            _ if !rehearsal.problems.is_empty() => exit::FAILED,
            Some(level) if level.is_reached(worst()) => exit::FINDINGS,
            _ => exit::CLEAN,
        })
    }

    fn rehearse(&self, policies: &PolicySet, io: &mut Io<'_>) -> Rehearsal {
        let mut asked = self.within(policies, self.namespace.as_deref().unwrap_or(NAMESPACE));
        if let Some((flag, message)) = self.flags.misplaced(&self.actions()) {
            return asked.failed(vec![Problem::new(flag, message)]);
        }
        let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
        if self.previous.as_ref().is_some_and(is_stdin) && self.paths.iter().any(is_stdin) {
            let message = "the standard input can be read only once; give the revision before as a file";
            return asked.failed(vec![Problem::new("-", message)]);
        }
        let mut of = |paths| Supply::new(self.inputs(paths), asked.profile().engine, io);
        let mut supply = of(self.paths.clone());
        let mut previous = self.previous.as_ref().map(|path| of(vec![path.clone()]));
        if let Some(previous) = &mut previous {
            supply.take_names(previous);
            previous.take_names(&supply);
        }
        // Which policies name the tool follows from the namespace, which a stored release brings along.
        if self.helm.is_none() && self.namespace.is_none() && !self.policy.policy.is_empty() {
            let stored = supply.stored().or_else(|| previous.as_ref()?.stored());
            if let Some(namespace) = stored.and_then(|stored| stored.namespace) {
                asked = self.within(policies, &namespace);
                [Some(&mut supply), previous.as_mut()]
                    .into_iter()
                    .flatten()
                    .for_each(|one| one.read_by(asked.profile().engine));
            }
        }
        // Flags are for both revisions, and one of them may be a chart.
        let no_effect = match &previous {
            Some(previous) if previous.has_charts() => None,
            _ => supply.without_effect(),
        };
        match self.play(policies, &supply, previous.as_ref()) {
            Ok((rehearsed, notes)) => {
                let notes = no_effect.into_iter().chain(notes).collect();
                Rehearsal { scenarios: vec![rehearsed], notes, ..Rehearsal::default() }
            }
            Err(problems) => asked.failed(problems),
        }
    }

    /// What is wrong with a flag that the tool does not have.
    fn foreign(&self, profile: &Profile) -> Option<Problem> {
        let (flag, message) = self.flags.foreign(profile.engine)?;
        let why =
            if self.helm.is_some() { "" } else { " (the policies name the tool; --helm names another)" };
        Some(Problem::new(flag, format!("{message}{why}")))
    }

    fn play(
        &self,
        policies: &PolicySet,
        supply: &Supply,
        previous: Option<&Supply>,
    ) -> Result<(Rehearsed, Vec<String>), Vec<Problem>> {
        let texts = actions::Texts::of(self, supply, previous)?;
        let versions = texts.read()?;
        let (release, namespace) = self.names(versions.stored().unwrap_or(versions.newest()));
        let asked = self.within(policies, &namespace);
        let profile = asked.profile();
        if let Some(problem) = self.foreign(&profile) {
            return Err(vec![problem]);
        }
        let (stage, left_out, mut notes) = versions.play(&asked, &release, &namespace)?;
        let (answer, asked) = stage.finish(left_out);
        let (marks, of_rules) = marks::of(&versions, policies, &release, &namespace);
        notes.extend(versions.notes().cloned().chain(of_rules));
        report::once(&mut notes);
        let rehearsed = Rehearsed {
            name: release,
            file: supply.shown(),
            profile,
            player: profile.shown.to_owned(),
            place: String::new(),
            answer,
            asked,
            expectations: Vec::new(),
            passed: true,
            marks,
        };
        let outcomes = self.outcomes();
        let idle = outcomes.keys().filter_map(|name| idle::anywhere(name, std::slice::from_ref(&rehearsed)));
        notes.extend(idle.map(|note| format!("--outcome: {note}")));
        Ok((rehearsed, notes))
    }

    /// With the tool and the timeout that the policies name, where none is given: what is judged and what is played have the same.
    fn within(&self, policies: &PolicySet, namespace: &str) -> Self {
        let mut asked = self.clone();
        let named = &policies.policy(Some(Namespace { name: namespace, labels: None })).engine;
        asked.helm.get_or_insert_with(|| words::tool_of(named).to_owned());
        if asked.flags.timeout.is_none() && asked.profile().engine != Engine::ArgoCd {
            asked.flags.timeout = Some(Duration::from_secs(named.timeout_seconds.unsigned_abs()));
        }
        asked
    }

    /// What is known when nothing could be played.
    fn failed(&self, problems: Vec<Problem>) -> Rehearsal {
        let known = Known {
            helm: self.helm.as_deref().map(|word| words::profile(word).version.to_owned()),
            release: self.release.clone(),
            namespace: self.namespace.clone(),
        };
        Rehearsal { known, problems, ..Rehearsal::default() }
    }

    fn names(&self, rendered: &Rendered) -> (String, String) {
        let release = self.release.clone().or_else(|| rendered.release.clone());
        let namespace = self.namespace.clone().or_else(|| rendered.namespace.clone());
        (release.unwrap_or_else(|| "release".to_owned()), namespace.unwrap_or_else(|| NAMESPACE.to_owned()))
    }

    fn inputs(&self, paths: Vec<PathBuf>) -> inputs::Args {
        inputs::Args {
            paths,
            join: true,
            max_file_size: self.max_file_size,
            namespace: self.namespace.clone(),
            release: self.release.clone(),
            helm: HelmArgs {
                helm: self.helm_bin.clone(),
                flag: "--helm-bin",
                is_upgrade: false,
                include_crds: true,
                rendering: self.rendering.clone(),
            },
        }
    }

    /// What is asked, in order.
    fn actions(&self) -> Vec<Action> {
        match self.actions.as_slice() {
            [] => USUAL.to_vec(),
            asked => asked.iter().map(|word| (*word).into()).collect(),
        }
    }

    fn profile(&self) -> Profile {
        self.helm.as_deref().map(words::profile).unwrap_or_default()
    }

    fn outcomes(&self) -> Outcomes {
        words::outcomes(&self.outcomes)
    }
}
