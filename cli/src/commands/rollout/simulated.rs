//! One scenario, played on a simulated cluster.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use lifecycle::{
    Chart,
    answer::Action,
    scenario::{Source, Step},
};

use super::{Args, files::Written};
use crate::{
    inputs,
    rehearsal::{
        Rehearsed,
        charts::{Rendered, Supply},
        play::{self, Stage},
    },
    report::Problem,
};

/// Plays a scenario to its end, whatever its steps exit with.
pub(super) fn play(args: &Args, written: &Written) -> Result<(Rehearsed, Vec<String>), Vec<Problem>> {
    let scenario = &written.scenario;
    let profile = scenario.profile();
    let mut stage = Stage::new(profile, &scenario.release, &scenario.namespace);
    let mut charts = Charts::new(args, written);
    let mut expectations = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        stage.rest(step.after);
        let is_upgrade = step.action == Action::Upgrade && !(step.flags.install && stage.is_empty());
        let chart = match &step.chart {
            Some(source) => Some(charts.render(source, step, is_upgrade)?),
            None => None,
        };
        let played = stage.play(&step.command(chart));
        expectations.extend(step.judge(index, &played));
    }
    charts.check_outcomes()?;
    let (answer, asked) = stage.finish(0);
    let rehearsed = Rehearsed {
        name: scenario.name.clone(),
        file: written.file.clone(),
        player: profile.shown,
        answer,
        asked,
        passed: expectations.iter().all(|expectation| expectation.ok),
        expectations,
        marks: Vec::new(),
    };
    Ok((rehearsed, charts.notes()))
}

/// The charts of a scenario, each rendered once for installs and once for upgrades.
pub(super) struct Charts<'a> {
    args: &'a Args,
    written: &'a Written,
    rendered: BTreeMap<(Source, bool), Rendered>,
}

impl<'a> Charts<'a> {
    /// None yet.
    pub(super) const fn new(args: &'a Args, written: &'a Written) -> Self {
        Self { args, written, rendered: BTreeMap::new() }
    }

    /// Those that were rendered.
    pub(super) fn all(&self) -> impl Iterator<Item = Arc<Chart>> {
        self.rendered.values().map(|rendered| Arc::clone(&rendered.chart))
    }

    /// What is to be said of them.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> =
            self.rendered.values().flat_map(|rendered| rendered.notes.clone()).collect();
        notes.dedup();
        notes
    }

    /// Renders a chart, or finds it.
    pub(super) fn render(
        &mut self,
        source: &Source,
        step: &Step,
        is_upgrade: bool,
    ) -> Result<Arc<Chart>, Vec<Problem>> {
        let key = (source.clone(), is_upgrade);
        if let Some(rendered) = self.rendered.get(&key) {
            return Ok(Arc::clone(&rendered.chart));
        }
        let supply = Supply::of_files(self.inputs(source));
        let rendered = supply.render(is_upgrade).map_err(|problems| self.blame(step, problems))?;
        let chart = Arc::clone(&rendered.chart);
        self.rendered.insert(key, rendered);
        Ok(chart)
    }

    fn inputs(&self, source: &Source) -> inputs::Args {
        let scenario = &self.written.scenario;
        let mut inputs = self.args.inputs(vec![self.path(&source.chart)]);
        inputs.namespace = Some(scenario.namespace.clone());
        inputs.release = Some(scenario.release.clone());
        inputs.helm.rendering.values = source.values.iter().map(|file| self.path(file)).collect();
        inputs.helm.rendering.set.clone_from(&source.set);
        inputs.helm.rendering.set_string.clone_from(&source.set_string);
        inputs
    }

    /// A path of the scenario, from where the command is run.
    pub(super) fn path(&self, written: &Path) -> PathBuf {
        let joined = self.written.folder.join(written);
        joined.components().filter(|part| *part != Component::CurDir).collect()
    }

    /// A chart that is not there is a fault of the scenario that names it.
    fn blame(&self, step: &Step, problems: Vec<Problem>) -> Vec<Problem> {
        let (line, column) = step.place;
        let name = |problem: Problem| Problem {
            message: format!("{} (for {}:{line}:{column})", problem.message, self.written.file),
            ..problem
        };
        problems.into_iter().map(name).collect()
    }

    /// A name that is in no chart of the scenario is a slip, and nothing would ever come of it.
    pub(super) fn check_outcomes(&self) -> Result<(), Vec<Problem>> {
        let charts = || self.rendered.values().map(|rendered| &*rendered.chart);
        let mut problems = Vec::new();
        for step in &self.written.scenario.steps {
            if let Some(message) = play::misnamed(&step.outcomes, charts()) {
                let (line, column) = step.place;
                problems.push(Problem::new(&self.written.file, message).at(line, column));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}
