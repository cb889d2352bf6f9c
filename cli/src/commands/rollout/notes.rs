//! What is said beside a result that would otherwise deceive: names of nothing, hooks that Helm drops, outcomes that change nothing.

use lifecycle::chart::Dropped;

use super::{Args, files::Written, simulated::Charts, words};
use crate::{
    rehearsal::{Rehearsed, idle, play},
    report::{self, Problem},
};

impl Charts<'_> {
    /// What is to be said of them, and of what is expected of them; each once.
    pub(super) fn notes(&self) -> Vec<String> {
        let of_charts = self.rendered().flat_map(|rendered| rendered.notes.clone());
        let mut notes = of_charts.chain(self.dropped()).chain(self.slips()).collect();
        report::once(&mut notes);
        notes
    }

    /// What Helm drops of them, where it is first met: a rollout that passes has not played it.
    fn dropped(&self) -> Vec<String> {
        let mut told: Vec<&Dropped> = Vec::new();
        let mut notes = Vec::new();
        for source in self.written.scenario.steps.iter().filter_map(|step| step.chart.as_ref()) {
            for dropped in self.renderings(source).flat_map(|rendered| &rendered.chart.dropped) {
                if !told.contains(&dropped) {
                    told.push(dropped);
                    notes.push(at(self.written, source.place, idle::dropped(dropped)));
                }
            }
        }
        notes
    }

    /// Names that a step expects, or filters by, and that no chart has: it cannot but fail, or nothing runs and all is well, and nobody
    /// would see that it is a slip.
    fn slips(&self) -> Vec<String> {
        let mut slips = Vec::new();
        for step in &self.written.scenario.steps {
            let expected = step.expect.iter().flat_map(|expect| expect.hooks.iter().chain(&expect.leftovers));
            let unmet = play::no_hooks(expected.flatten(), self.charts());
            for message in unmet.into_iter().chain(play::no_tests(&step.flags.filters, self.charts())) {
                slips.push(at(self.written, step.place, message));
            }
        }
        slips
    }
}

fn at(written: &Written, (line, column): (usize, usize), message: String) -> String {
    Problem::new(&written.file, message).at(line, column).to_string()
}

/// The outcomes of a scenario that its steps have no use for.
pub(super) fn idle(args: &Args, written: &Written, rehearsed: &Rehearsed) -> Vec<String> {
    let given = words::outcomes(&args.outcomes);
    let mut notes = Vec::new();
    for (index, step) in written.scenario.steps.iter().enumerate() {
        let names = step.outcomes.keys().filter(|name| !given.contains_key(*name));
        let told = names.filter_map(|name| idle::there(name, rehearsed, index));
        notes.extend(told.map(|message| at(written, step.place, message)));
    }
    notes
}
