//! What is told while a rollout is played: a tree that lives on a terminal, plain lines elsewhere.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lifecycle::{Scenario, run::Told, scenario::Step};

use crate::plain;

const TICK: Duration = Duration::from_millis(120);

/// One rollout while it is played.
pub(super) struct Live {
    name: String,
    /// The steps as people would say them.
    steps: Vec<String>,
    began: Instant,
    tree: Option<Tree>,
}

/// What stands on the terminal.
struct Tree {
    all: MultiProgress,
    step: Option<ProgressBar>,
    objects: Vec<(String, ProgressBar)>,
}

impl Live {
    /// Begins.
    pub(super) fn new(scenario: &Scenario, is_terminal: bool) -> Self {
        let tree = is_terminal.then(|| Tree {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            step: None,
            objects: Vec::new(),
        });
        let steps = scenario.steps.iter().map(words).collect();
        Self { name: plain::line(&scenario.name).into_owned(), steps, began: Instant::now(), tree }
    }

    /// Something happened. Nobody is left to hear of it when it cannot be written.
    pub(super) fn tell(&mut self, told: &Told, stderr: &mut (dyn Write + Send)) {
        let line = match told {
            Told::Begins(index) => format!("step {}: {}", index + 1, self.steps[*index]),
            Told::Saw(object, word) => format!("  {} {word}", plain::line(object)),
            Told::Ends(index, exit) => format!("step {} ended with {exit}", index + 1),
            Told::Cleans => "cleaning up".to_owned(),
        };
        if let Some(tree) = &mut self.tree {
            tree.tell(told, &line);
            return;
        }
        let seconds = self.began.elapsed().as_secs_f64();
        let _ = writeln!(stderr, "{} {seconds:>6.1}s {line}", self.name);
    }

    /// Takes the tree away.
    pub(super) fn end(self) {
        if let Some(tree) = self.tree {
            let _ = tree.all.clear();
        }
    }
}

impl Tree {
    fn tell(&mut self, told: &Told, line: &str) {
        match told {
            Told::Begins(_) | Told::Cleans => {
                self.close("");
                self.step = Some(self.bar("{spinner} {msg} {elapsed}", line));
            }
            Told::Saw(object, word) => {
                let known = self.objects.iter().position(|(known, _)| known == object);
                let place = known.unwrap_or_else(|| {
                    let bar = self.bar("    {prefix} {msg} {elapsed}", "");
                    bar.set_prefix(plain::line(object).into_owned());
                    self.objects.push((object.clone(), bar));
                    self.objects.len() - 1
                });
                let bar = &self.objects[place].1;
                if *word == "sent" {
                    bar.reset_elapsed();
                }
                if matches!(*word, "sent" | "goes") {
                    bar.set_message(*word);
                } else {
                    bar.abandon_with_message(*word);
                }
            }
            Told::Ends(_, exit) => self.close(if *exit == 0 { " ✓" } else { " ✗" }),
        }
    }

    /// The step stands still, with its objects below it.
    fn close(&mut self, sign: &str) {
        if let Some(bar) = self.step.take() {
            let message = format!("{}{sign}", bar.message());
            bar.abandon_with_message(message);
        }
        for (_, bar) in self.objects.drain(..) {
            bar.abandon();
        }
    }

    fn bar(&self, template: &str, message: &str) -> ProgressBar {
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = self.all.add(ProgressBar::new_spinner().with_style(style));
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(TICK);
        bar
    }
}

fn words(step: &Step) -> String {
    let chart = step.chart.as_ref().and_then(|source| source.chart.file_name());
    let chart = chart.map(|chart| format!(" {}", plain::line(&chart.to_string_lossy())));
    format!("{}{}", step.action.name(), chart.unwrap_or_default())
}
