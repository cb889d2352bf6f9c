//! The files of scenarios: what stands in them, and which folder their paths are relative to.

use std::path::{Path, PathBuf};

use lifecycle::{
    Scenario,
    scenario::{self, KIND},
};

use super::{Args, words};
use crate::{
    Io,
    inputs::{self, Contents, HelmArgs, Source, Unit},
    report::Problem,
};

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
    let plan = inputs.plan(io);
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
    let documents = scenario::read(&text.text);
    if documents.is_empty() && !text.is_walked {
        problems.push(Problem::new(&text.shown, format!("no {KIND} in it")));
    }
    for document in documents {
        match document {
            Ok(mut scenario) => {
                if let Some(helm) = &args.helm {
                    scenario.helm.clone_from(helm);
                }
                let outcomes = words::outcomes(&args.outcomes);
                for step in &mut scenario.steps {
                    step.outcomes.extend(outcomes.clone());
                }
                let (file, folder) = (text.shown.clone(), folder.to_owned());
                written.push(Written { scenario, file, folder });
            }
            Err(error) if error.is_foreign && text.is_walked => {}
            Err(error) => {
                problems.push(Problem::new(&text.shown, error.message).at(error.line, error.column));
            }
        }
    }
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
                    target: self.target.clone(),
                },
            },
        }
    }
}
