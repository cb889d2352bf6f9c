//! `hookward plan`: what Helm will do with a release, in simulated time.

use std::{path::PathBuf, time::Duration};

use clap::ArgMatches;
use lifecycle::{Answer, Outcomes, Profile, answer::Action, profile::Engine};
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
        Rehearsal, Rehearsed,
        charts::{NAMESPACE, Rendered, Supply},
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
    /// The revision before; PATH itself unless it is given.
    #[arg(long, value_name = "PATH")]
    pub previous: Option<PathBuf>,
    /// Which tool plays it: 3, 4, argocd or flux. The program that renders charts is --helm-bin.
    ///
    /// 3 and 4 are held to the real Helm; argocd and flux are from source, not run.
    #[arg(long, value_name = "TOOL", default_value = "4", value_parser = words::tool)]
    pub helm: String,
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
        if let Some((flag, message)) = self.flags.misplaced(&self.actions()) {
            return self.failed(vec![Problem::new(flag, message)]);
        }
        if let Some((flag, message)) = self.flags.foreign(self.profile().engine) {
            return self.failed(vec![Problem::new(flag, message)]);
        }
        let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
        if self.previous.as_ref().is_some_and(is_stdin) && self.paths.iter().any(is_stdin) {
            let message = "the standard input can be read only once; give the revision before as a file";
            return self.failed(vec![Problem::new("-", message)]);
        }
        let mut of = |paths| Supply::new(self.inputs(paths), self.profile().engine, io);
        let supply = of(self.paths.clone());
        let previous = self.previous.as_ref().map(|path| of(vec![path.clone()]));
        // Flags are for both revisions, and one of them may be a chart.
        let no_effect = match &previous {
            Some(previous) if previous.has_charts() => None,
            _ => supply.without_effect(),
        };
        match self.play(policies, &supply, previous.as_ref()) {
            Ok((rehearsed, notes)) => {
                let notes = no_effect.into_iter().chain(notes).collect();
                Rehearsal { scenarios: vec![rehearsed], notes, problems: Vec::new() }
            }
            Err(problems) => self.failed(problems),
        }
    }

    fn play(
        &self,
        policies: &PolicySet,
        supply: &Supply,
        previous: Option<&Supply>,
    ) -> Result<(Rehearsed, Vec<String>), Vec<Problem>> {
        let texts = actions::Texts::of(self, supply, previous)?;
        let versions = texts.read()?;
        let (release, namespace) = self.names(versions.newest());
        let asked = self.within(policies, &namespace);
        let (stage, left_out, mut notes) = versions.play(&asked, &release, &namespace)?;
        let (answer, asked) = stage.finish(left_out);
        let (marks, of_rules) = marks::of(&versions, policies, &release, &namespace);
        notes.extend(versions.notes().cloned().chain(of_rules));
        report::once(&mut notes);
        let rehearsed = Rehearsed {
            name: release,
            file: supply.shown(),
            profile: self.profile(),
            player: self.profile().shown.to_owned(),
            place: String::new(),
            answer,
            asked,
            expectations: Vec::new(),
            passed: true,
            marks,
        };
        Ok((rehearsed, notes))
    }

    /// With the timeout that the policies name, where none is given: what is judged and what is played have the same.
    fn within(&self, policies: &PolicySet, namespace: &str) -> Self {
        let mut asked = self.clone();
        if asked.flags.timeout.is_none() && self.profile().engine != Engine::ArgoCd {
            let named = Namespace { name: namespace, labels: None };
            let seconds = policies.policy(Some(named)).engine.timeout_seconds;
            asked.flags.timeout = Some(Duration::from_secs(seconds.unsigned_abs()));
        }
        asked
    }

    /// What is known when nothing could be played.
    fn failed(&self, problems: Vec<Problem>) -> Rehearsal {
        let answer = Answer {
            helm: self.profile().version.to_owned(),
            release: self.release.clone().unwrap_or_else(|| "release".to_owned()),
            namespace: self.namespace.clone().unwrap_or_else(|| NAMESPACE.to_owned()),
            actions: Vec::new(),
        };
        let rehearsed = Rehearsed {
            name: answer.release.clone(),
            file: self.paths.first().map(|path| path.display().to_string()).unwrap_or_default(),
            profile: self.profile(),
            player: self.profile().shown.to_owned(),
            place: String::new(),
            answer,
            asked: Vec::new(),
            expectations: Vec::new(),
            passed: false,
            marks: Vec::new(),
        };
        Rehearsal { scenarios: vec![rehearsed], problems, notes: Vec::new() }
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
        words::profile(&self.helm)
    }

    fn outcomes(&self) -> Outcomes {
        words::outcomes(&self.outcomes)
    }
}
