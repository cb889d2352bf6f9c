//! What is told while a rollout is played: a tree that lives on a terminal, plain lines elsewhere.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lifecycle::{
    Scenario,
    run::{Became, Told},
    scenario::Step,
};

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
            Told::Saw(object, became) => format!("  {} {became}", plain::line(object)),
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

/// A step: what moves or what came of it, for how long, what it is. Only the last is cut where the terminal is narrow.
const STEP: &str = "{spinner} {elapsed:>4} {wide_msg}";
const ENDED: &str = "{prefix} {elapsed:>4} {wide_msg}";
/// An object below it: for how long, what became of it, which.
const OBJECT: &str = "  {elapsed:>4} {prefix:6} {wide_msg}";

impl Tree {
    fn tell(&mut self, told: &Told, line: &str) {
        match told {
            Told::Begins(_) | Told::Cleans => {
                self.close(" ");
                self.step = Some(self.bar(STEP, line));
            }
            Told::Saw(object, became) => {
                let known = self.objects.iter().position(|(known, _)| known == object);
                let place = known.unwrap_or_else(|| {
                    let bar = self.bar(OBJECT, &plain::line(object));
                    self.objects.push((object.clone(), bar));
                    self.objects.len() - 1
                });
                let bar = &self.objects[place].1;
                if *became == Became::Sent {
                    bar.reset_elapsed();
                }
                bar.set_prefix(became.to_string());
                if !matches!(became, Became::Sent | Became::Goes) {
                    bar.abandon();
                }
            }
            Told::Ends(_, exit) => self.close(if *exit == 0 { "✓" } else { "✗" }),
        }
    }

    /// The step stands still, with its objects below it.
    fn close(&mut self, sign: &'static str) {
        if let Some(bar) = self.step.take() {
            bar.set_style(style(ENDED));
            bar.set_prefix(sign);
            bar.abandon();
        }
        for (_, bar) in self.objects.drain(..) {
            bar.abandon();
        }
    }

    fn bar(&self, template: &str, message: &str) -> ProgressBar {
        let bar = self.all.add(ProgressBar::new_spinner().with_style(style(template)));
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(TICK);
        bar
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn words(step: &Step) -> String {
    let chart = step.chart.as_ref().and_then(|source| source.chart.file_name());
    let chart = chart.map(|chart| format!(" {}", plain::line(&chart.to_string_lossy())));
    format!("{}{}", step.action.name(), chart.unwrap_or_default())
}
