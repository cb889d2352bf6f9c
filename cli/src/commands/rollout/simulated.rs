//! One scenario, played on a simulated cluster.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use lifecycle::{Chart, answer::Action, scenario::Source};

use super::{Args, files::Written, notes, words};
use crate::{
    inputs::{self, no_effect},
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
            Some(source) => Some(charts.render(source, is_upgrade)?),
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
        profile,
        player: profile.shown.to_owned(),
        place: "simulated".to_owned(),
        answer,
        asked,
        passed: expectations.iter().all(|expectation| expectation.ok),
        expectations,
        marks: Vec::new(),
    };
    let mut notes = charts.notes();
    notes.extend(notes::idle(args, written, &rehearsed));
    Ok((rehearsed, notes))
}

/// The charts of a scenario, each rendered once for installs and once for upgrades.
pub(super) struct Charts<'a> {
    args: &'a Args,
    pub(super) written: &'a Written,
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

    /// Renders a chart, or finds it.
    pub(super) fn render(&mut self, source: &Source, is_upgrade: bool) -> Result<Arc<Chart>, Vec<Problem>> {
        let key = (anywhere(source), is_upgrade);
        if let Some(rendered) = self.rendered.get(&key) {
            return Ok(Arc::clone(&rendered.chart));
        }
        let supply = Supply::of_files(self.inputs(source), self.written.scenario.profile().engine);
        let mut rendered = supply.render(is_upgrade).map_err(|problems| self.blame(source, problems))?;
        if !supply.has_charts() {
            rendered.notes.extend(self.without_effect(source));
        }
        let chart = Arc::clone(&rendered.chart);
        self.rendered.insert(key, rendered);
        Ok(chart)
    }

    /// What to say of values that a step gives to what is no chart.
    fn without_effect(&self, source: &Source) -> Option<String> {
        let given = [
            ("values", source.values.is_empty()),
            ("set", source.set.is_empty()),
            ("setString", source.set_string.is_empty()),
        ];
        let given: Vec<_> =
            given.into_iter().filter(|(_, is_empty)| !is_empty).map(|(name, _)| name).collect();
        let (line, column) = source.place;
        let message = no_effect::without_a_chart(&given)?;
        Some(Problem::new(&self.written.file, message).at(line, column).to_string())
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
        self.written.path(written)
    }

    /// What is wrong with a chart, with the place that names it.
    fn blame(&self, source: &Source, problems: Vec<Problem>) -> Vec<Problem> {
        let (line, column) = source.place;
        let name = |problem: Problem| Problem {
            message: format!("{} (for {}:{line}:{column})", problem.message, self.written.file),
            ..problem
        };
        problems.into_iter().map(name).collect()
    }

    /// A name that is in no chart of the scenario is a slip, and nothing would ever come of it. Names that the command line gives are
    /// meant for all scenarios, and need not be in each.
    pub(super) fn check_outcomes(&self) -> Result<(), Vec<Problem>> {
        let given = words::outcomes(&self.args.outcomes);
        let mut problems = Vec::new();
        for step in &self.written.scenario.steps {
            let mut outcomes = step.outcomes.clone();
            outcomes.retain(|name, _| !given.contains_key(name));
            if let Some(message) = play::misnamed(&outcomes, self.charts()) {
                let (line, column) = step.place;
                problems.push(Problem::new(&self.written.file, message).at(line, column));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Each chart, as rendered for installs and as rendered for upgrades.
    pub(super) fn rendered(&self) -> impl Iterator<Item = &Rendered> + Clone {
        self.rendered.values()
    }

    /// What a source was rendered to.
    pub(super) fn renderings(&self, source: &Source) -> impl Iterator<Item = &Rendered> {
        let source = anywhere(source);
        self.rendered.iter().filter(move |((of, _), _)| *of == source).map(|(_, rendered)| rendered)
    }

    pub(super) fn charts(&self) -> impl Iterator<Item = &Chart> + Clone {
        self.rendered().map(|rendered| &*rendered.chart)
    }
}

/// The same chart is the same wherever it is named.
fn anywhere(source: &Source) -> Source {
    Source { place: (0, 0), ..source.clone() }
}
