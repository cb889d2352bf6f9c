//! The files of scenarios: what stands in them, and which folder their paths are relative to.

use std::{
    io::ErrorKind,
    path::{Component, Path, PathBuf},
};

use lifecycle::{
    Scenario,
    scenario::{self, KIND},
};

use super::{Args, words};
use crate::{
    Io,
    inputs::{self, Breadth, Contents, HelmArgs, Source, Unit},
    plain,
    report::Problem,
};

mod foreign;

/// One scenario, and where it was found.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) scenario: Scenario,
    /// The file as given.
    pub(super) file: String,
    /// What its paths are relative to.
    pub(super) folder: PathBuf,
}

/// Reads all files; what is wrong with one does not keep the others from being read.
pub(super) fn read(args: &Args, io: &mut Io<'_>, problems: &mut Vec<Problem>) -> Vec<Written> {
    let inputs = args.inputs(args.files.clone());
    let plan = inputs.plan(io, Breadth::Any);
    problems.extend(plan.problems);
    let mut written = Vec::new();
    for unit in &plan.units {
        let is_chart = |source: &Source| matches!(source, Source::Chart(found) if !found.is_walked);
        if let Some(Source::Chart(found)) = unit.sources.iter().find(|source| is_chart(source)) {
            let message = "this is a chart, not a file of rollouts; hookward plan plays it";
            problems.push(Problem::new(&found.shown, message));
            continue;
        }
        let sources = unit.sources.iter().filter(|source| !matches!(source, Source::Chart(_)));
        let (mut found, mut is_folder) = (0, false);
        for source in sources {
            is_folder |= matches!(source, Source::File(found) if found.is_walked);
            let Contents { texts, problems: unread, .. } = inputs.read_one(source);
            problems.extend(unread);
            for text in texts {
                // In a folder there are other files, too, and nobody asked about those.
                if text.is_walked && !text.text.contains(KIND) {
                    continue;
                }
                let before = (written.len(), problems.len());
                take(args, &text, &mut written, problems);
                found += written.len() - before.0 + problems.len() - before.1;
            }
        }
        if found == 0 && is_folder {
            problems.push(nothing(args, unit));
        }
    }
    written
}

fn nothing(args: &Args, unit: &Unit) -> Problem {
    let of_file = unit.sources.iter().find_map(|source| match source {
        Source::File(found) => Some(&found.path),
        Source::Chart(_) | Source::Stdin(_) => None,
    });
    let folder = args.files.iter().find(|given| of_file.is_some_and(|file| file.starts_with(given)));
    let shown = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
    Problem::new(shown, format!("no {KIND} in this folder"))
}

fn take(args: &Args, text: &inputs::Text, written: &mut Vec<Written>, problems: &mut Vec<Problem>) {
    let folder = Path::new(&text.shown).parent().filter(|_| text.shown != "-").unwrap_or(Path::new(""));
    let documents = scenario::read_for(&text.text, args.helm.as_deref());
    let is_foreign =
        |read: &Result<Scenario, scenario::Error>| read.as_ref().is_err_and(|error| error.is_foreign);
    if !text.is_walked && documents.iter().all(is_foreign) {
        return problems.push(foreign::told(text, documents.iter().find_map(|read| read.as_ref().err())));
    }
    for document in documents {
        match document {
            Ok(mut scenario) => {
                let outcomes = words::outcomes(&args.outcomes);
                for step in &mut scenario.steps {
                    step.outcomes.retain(|name, _| !outcomes.contains_key(&everywhere(name)));
                    step.outcomes.extend(outcomes.clone());
                }
                let found = Written { scenario, file: text.shown.clone(), folder: folder.to_owned() };
                match found.missing() {
                    missing if missing.is_empty() => written.push(found),
                    missing => problems.extend(missing),
                }
            }
            Err(error) if error.is_foreign && text.is_walked => {}
            Err(error) => {
                problems.push(Problem::new(&text.shown, error.message).at(error.line, error.column));
            }
        }
    }
}

/// `Job/migrate` for what is written as `Job/shop/migrate`.
fn everywhere(name: &str) -> String {
    let parts: Vec<_> = name.split('/').collect();
    match parts.as_slice() {
        [kind, _, name] => format!("{kind}/{name}"),
        _ => name.to_owned(),
    }
}

impl Written {
    /// A path of the scenario, from where the command is run.
    pub(super) fn path(&self, written: &Path) -> PathBuf {
        let joined = self.folder.join(written);
        let path: PathBuf = joined.components().filter(|part| *part != Component::CurDir).collect();
        if path.as_os_str().is_empty() { Path::new(".").to_owned() } else { path }
    }

    /// The charts and the files of values that are not there: the fault of the line that names them.
    fn missing(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for source in self.scenario.steps.iter().filter_map(|step| step.chart.as_ref()) {
            let charts = std::iter::once(("chart", &source.chart));
            for (what, named) in charts.chain(source.values.iter().map(|file| ("file of values", file))) {
                let shown = self.path(named);
                if !is_missing(&shown) {
                    continue;
                }
                let far = named.to_string_lossy().contains("://");
                let shown = if far { named.clone() } else { shown };
                let shown = plain::line(&shown.display().to_string()).into_owned();
                let hint = if far { "; fetch it first: only what is on this disk is read" } else { "" };
                let (line, column) = source.place;
                let message = format!("there is no {what} at {shown}{hint}");
                problems.push(Problem::new(&self.file, message).at(line, column));
            }
        }
        problems
    }
}

fn is_missing(path: &Path) -> bool {
    path.metadata().is_err_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
}

impl Args {
    /// What reads `paths`.
    pub(super) fn inputs(&self, paths: Vec<PathBuf>) -> inputs::Args {
        let helm = self.helm_bin.first().cloned().unwrap_or_else(|| inputs::PROGRAM.into());
        inputs::Args {
            paths,
            join: true,
            max_file_size: self.max_file_size,
            namespace: None,
            release: None,
            helm: HelmArgs {
                helm,
                flag: "--helm-bin",
                is_upgrade: false,
                include_crds: true,
                rendering: inputs::Rendering {
                    values: Vec::new(),
                    set: Vec::new(),
                    set_string: Vec::new(),
                    set_file: Vec::new(),
                    set_json: Vec::new(),
                    set_literal: Vec::new(),
                    passed_on: inputs::PassedOn::default(),
                    target: self.target.clone(),
                },
            },
        }
    }
}
