//! What a PATH on the command line stands for: files, the standard input, charts, stored releases; and how each becomes text.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::builder::RangedI64ValueParser;

use crate::{Io, report::Problem};

mod archive;
mod chart;
mod dropped;
mod file;
pub(crate) mod names;
pub(crate) mod no_effect;
mod passed_on;
mod unknown;
mod walk;

pub use chart::ChartSource;
pub(crate) use file::refused;
pub use passed_on::PassedOn;
pub use walk::Breadth;

/// The helm on PATH.
pub const PROGRAM: &str = "helm";
/// More than any policy file needs, in bytes.
const POLICY_LIMIT: u64 = 8 << 20;

/// Where manifests come from, and how charts are rendered.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Folders, files or `-`: rendered manifests (YAML or JSON), charts (folder or .tgz), stored release Secrets.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Take each folder for one release, not each file in it.
    #[arg(long)]
    pub join: bool,
    /// Refuse files larger than this.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = number(1..=1024))]
    pub max_file_size: u64,
    /// The namespace of the release.
    #[arg(short, long, value_name = "NAME", value_parser = names::namespace)]
    pub namespace: Option<String>,
    /// The name of the release.
    #[arg(long, value_name = "NAME", value_parser = names::release)]
    pub release: Option<String>,
    /// How charts are rendered.
    #[command(flatten)]
    pub helm: HelmArgs,
}

/// How charts are rendered; the words are Helm's.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Charts")]
pub struct HelmArgs {
    /// The helm that renders charts.
    #[arg(long, visible_alias = "helm-bin", value_name = "FILE", default_value = PROGRAM)]
    pub helm: PathBuf,
    /// The flag that names it.
    #[arg(skip = "--helm")]
    pub flag: &'static str,
    /// Render as for an upgrade.
    #[arg(long)]
    pub is_upgrade: bool,
    /// Render what stands in `crds/` folders too.
    #[arg(skip)]
    pub include_crds: bool,
    /// With which values.
    #[command(flatten)]
    pub rendering: Rendering,
}

/// What charts are rendered with; the words are Helm's.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Charts")]
pub struct Rendering {
    /// Values in a YAML file, or `-` (repeatable).
    #[arg(short = 'f', long, value_name = "FILE")]
    pub values: Vec<PathBuf>,
    /// One value: `key=value` (repeatable).
    #[arg(long, value_name = "VALUE")]
    pub set: Vec<String>,
    /// One value that is text (repeatable).
    #[arg(long, value_name = "VALUE")]
    pub set_string: Vec<String>,
    /// One value from a file: `key=path` (repeatable).
    #[arg(long, value_name = "VALUE")]
    pub set_file: Vec<String>,
    /// One value that is JSON, `key=value`, or an object of values with Helm 4 (repeatable).
    #[arg(long, value_name = "VALUE")]
    pub set_json: Vec<String>,
    /// One value that is text to its end, commas and all (repeatable).
    #[arg(long, value_name = "VALUE")]
    pub set_literal: Vec<String>,
    /// Values on the standard input.
    #[arg(skip)]
    pub passed_on: PassedOn,
    /// What they are rendered for.
    #[command(flatten)]
    pub target: Target,
}

/// What charts are rendered for, and how long that may take.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Charts")]
pub struct Target {
    /// The version of Kubernetes that charts see.
    #[arg(long, value_name = "VERSION", default_value = "1.36.0")]
    pub kube_version: String,
    /// An API that charts see (repeatable).
    #[arg(short = 'a', long, value_name = "VERSION")]
    pub api_versions: Vec<String>,
    /// Give up on a chart after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = number(1..=3600))]
    pub helm_timeout: u64,
}

/// A whole number, which is told its bounds even when it is negative.
pub(crate) fn number(bounds: std::ops::RangeInclusive<i64>) -> RangedI64ValueParser<u64> {
    RangedI64ValueParser::new().range(bounds)
}

impl HelmArgs {
    const fn timeout(&self) -> Duration {
        Duration::from_secs(self.rendering.target.helm_timeout)
    }
}

/// One thing to read.
#[derive(Debug)]
pub enum Source {
    /// The standard input, read already since there is only one.
    Stdin(Result<String, Problem>),
    /// A file.
    File(Found),
    /// A chart, folder or archive.
    Chart(Found),
}

/// A path, how it was given, and whether somebody asked for it by name.
#[derive(Debug, Clone)]
pub struct Found {
    /// As people know it.
    pub shown: String,
    /// As the system knows it.
    pub path: PathBuf,
    /// Whether it was met in a folder, not named.
    pub is_walked: bool,
}

/// The sources of one release.
#[derive(Debug)]
pub struct Unit {
    /// More than one only with `--join`.
    pub sources: Vec<Source>,
}

/// What there is to read, and what is wrong before anything was read.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order given, folders sorted.
    pub units: Vec<Unit>,
    /// Paths that stand for nothing.
    pub problems: Vec<Problem>,
}

/// A source as text.
#[derive(Debug)]
pub struct Text {
    /// The file as given.
    pub shown: String,
    /// Manifests.
    pub text: String,
    /// Whether the file was met in a folder: then it may hold no object at all.
    pub is_walked: bool,
    /// The name of the release, as far as it follows from the path.
    pub release: String,
    /// The chart it was rendered from.
    pub chart: Option<ChartSource>,
    /// Hooks that Helm dropped while it rendered.
    pub dropped: Vec<policies::release::Dropped>,
}

/// What became of a source.
#[derive(Debug)]
pub enum Loaded {
    /// Text.
    Text(Box<Text>),
    /// Nothing, which is no error; a line for stderr.
    Skipped(String),
    /// A chart that needs a helm which is not there; a line for stderr.
    NeedsHelm(String),
    /// Nothing, which is.
    Problem(Problem),
}

/// The sources of one release as text, and what is to be said about the others.
#[derive(Debug, Default)]
pub struct Contents {
    /// What could be read.
    pub texts: Vec<Text>,
    /// Lines for stderr that are no error.
    pub notes: Vec<String>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// How many charts were left out because there is no helm.
    pub skipped: usize,
}

impl Plan {
    /// Whether helm is needed to read it.
    pub(crate) fn has_charts(&self) -> bool {
        self.units.iter().flat_map(|unit| &unit.sources).any(|source| matches!(source, Source::Chart(_)))
    }
}

impl Args {
    /// Finds out what the paths stand for; only the standard input is read yet.
    #[must_use]
    pub fn plan(&self, io: &mut Io<'_>, breadth: Breadth) -> Plan {
        let mut plan = Plan::default();
        let mut stdin_is_read = self.helm.rendering.is_on_stdin();
        for path in &self.paths {
            if path.as_os_str() == "-" {
                let text = if stdin_is_read {
                    Err(Problem::new(
                        "-",
                        "the standard input can be read only once; name it once, as PATH or for values",
                    ))
                } else {
                    file::read_stream(&mut *io.stdin, "-", self.limit())
                };
                stdin_is_read = true;
                plan.units.push(Unit { sources: vec![Source::Stdin(text)] });
            } else {
                self.plan_path(path, breadth, &mut plan);
            }
        }
        if self.helm.rendering.is_on_stdin() && plan.has_charts() {
            self.helm.rendering.passed_on.read(&mut *io.stdin, self.limit());
        }
        plan
    }

    /// As [`Args::plan`], for paths of one release of which none is the standard input.
    #[must_use]
    pub fn plan_files(&self) -> Plan {
        let mut plan = Plan::default();
        for path in &self.paths {
            self.plan_path(path, Breadth::Release, &mut plan);
        }
        plan
    }

    fn plan_path(&self, path: &Path, breadth: Breadth, plan: &mut Plan) {
        let found = Found { shown: path.display().to_string(), path: path.to_owned(), is_walked: false };
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return plan.problems.push(refused(&found.shown, &error)),
        };
        if !metadata.is_dir() {
            let is_archive = [".tgz", ".tar.gz"].iter().any(|end| found.shown.ends_with(end));
            let source = if is_archive { Source::Chart(found) } else { Source::File(found) };
            return plan.units.push(Unit { sources: vec![source] });
        }
        if chart::is_chart(path) {
            return plan.units.push(Unit { sources: vec![Source::Chart(found)] });
        }
        let mut walked = walk::folder(&found, breadth);
        plan.problems.append(&mut walked.problems);
        if self.join {
            if !walked.sources.is_empty() {
                plan.units.push(Unit { sources: walked.sources });
            }
        } else {
            plan.units.extend(walked.sources.into_iter().map(|source| Unit { sources: vec![source] }));
        }
    }

    /// Reads the sources of one release.
    #[must_use]
    pub fn read(&self, unit: &Unit) -> Contents {
        self.read_all(&unit.sources)
    }

    /// Reads one source.
    #[must_use]
    pub fn read_one(&self, source: &Source) -> Contents {
        self.read_all(std::slice::from_ref(source))
    }

    fn read_all(&self, sources: &[Source]) -> Contents {
        let mut contents = Contents::default();
        for source in sources {
            match self.load(source) {
                Loaded::Text(text) => contents.texts.push(*text),
                Loaded::Skipped(note) => contents.notes.push(note),
                Loaded::NeedsHelm(note) => {
                    contents.notes.push(note);
                    contents.skipped += 1;
                }
                Loaded::Problem(problem) => contents.problems.push(problem),
            }
        }
        contents
    }

    /// The one sentence for a run in which there was nothing but charts, and no helm to render them.
    #[must_use]
    pub fn nothing_checked(&self, skipped: usize) -> Problem {
        let charts = if skipped == 1 { "1 chart needs" } else { &*format!("{skipped} charts need") };
        let shown = self.paths.first().map(|path| path.display().to_string()).unwrap_or_default();
        Problem::new(
            shown,
            format!("nothing could be rendered: {charts} helm on PATH, or {} FILE", self.helm.flag),
        )
    }

    /// Reads a source, or renders it.
    #[must_use]
    fn load(&self, source: &Source) -> Loaded {
        let text = |shown: &str, is_walked, text| {
            Loaded::Text(Box::new(Text {
                shown: shown.to_owned(),
                text,
                is_walked,
                release: stem(shown),
                chart: None,
                dropped: Vec::new(),
            }))
        };
        match source {
            Source::Stdin(Ok(read)) => text("-", false, read.clone()),
            Source::Stdin(Err(problem)) => Loaded::Problem(problem.clone()),
            Source::File(found) => match file::read(&found.path, &found.shown, self.limit()) {
                Ok(read) => text(&found.shown, found.is_walked, read),
                Err(problem) => Loaded::Problem(problem),
            },
            Source::Chart(found) => chart::render(found, self),
        }
    }

    /// In bytes.
    const fn limit(&self) -> u64 {
        self.max_file_size << 20
    }
}

/// `shop` of `charts/shop.yaml`; the standard input has no name.
fn stem(shown: &str) -> String {
    let stem =
        Path::new(shown).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    if stem.is_empty() || stem == "-" { "release".to_owned() } else { stem }
}

/// Reads a file that is no manifest: a policy.
///
/// # Errors
/// When it cannot be read, is binary, or is larger than any policy.
pub fn read_file(path: &Path, shown: &str) -> Result<String, Problem> {
    file::read(path, shown, POLICY_LIMIT)
}
