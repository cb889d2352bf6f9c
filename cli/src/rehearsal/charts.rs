//! From paths to what Helm would play: charts rendered by helm, manifests that are rendered already, stored releases.

use std::{path::Path, sync::Arc};

use hooks::{
    Interest,
    manifest::{self, Manifest},
    release::{Record, Status},
    yaml::Limits,
};
use lifecycle::{
    Chart,
    chart::{Dropped, ReadError},
    profile::Engine,
};

use crate::{
    Io,
    inputs::{self, Breadth, Contents, Plan, Source, Text},
    judge::{
        Read,
        documents::{are_released, is_kindless, kindless, unread, unreadable, without_object},
        foreign, is_released, stored,
    },
    locate::Lines,
    report::Problem,
};

use super::outcomes;

mod together;

/// The namespace of a release for which nobody has named one, as with kubectl.
pub const NAMESPACE: &str = "default";

/// Where one version of a release comes from.
#[derive(Debug)]
pub struct Supply {
    args: inputs::Args,
    plan: Plan,
    engine: Engine,
}

/// One version of a release as text: files as they are, charts as helm renders them.
#[derive(Debug)]
pub struct Sources {
    /// One for each file or chart.
    pub texts: Vec<Text>,
    /// What a document without a path of its own is named after, by text.
    paths: Vec<String>,
    notes: Vec<String>,
    is_upgrade: bool,
}

/// One version of a release, ready to be played.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// What Helm sees.
    pub chart: Arc<Chart>,
    /// The name of the release, as far as it follows from what was read.
    pub release: Option<String>,
    /// Its namespace, if what was read says so.
    pub namespace: Option<String>,
    /// Where it stands, if what was read is a release that Helm has stored.
    pub stored: Option<Standing>,
    /// Lines for stderr that are no error.
    pub notes: Vec<String>,
}

/// What is known of a stored revision besides what it was rendered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its number.
    pub revision: u32,
    /// Its status.
    pub status: Status,
    /// Whether its objects were sent by server-side apply.
    pub is_applied: bool,
}

impl Standing {
    fn of(record: &Record) -> Self {
        // Half of what can be counted leaves room for those that follow.
        let number = i32::try_from(record.version).ok().and_then(|number| u32::try_from(number).ok());
        let revision = number.filter(|number| *number > 0).unwrap_or(1);
        Self { revision, status: record.status, is_applied: record.is_applied }
    }
}

impl Supply {
    /// What the paths of `args` stand for, to be read as `engine` reads it; only the standard input is read yet.
    #[must_use]
    pub fn new(args: inputs::Args, engine: Engine, io: &mut Io<'_>) -> Self {
        let plan = args.plan(io, Breadth::Release);
        Self { args, plan, engine }
    }

    /// As [`Supply::new`], for paths of which none is the standard input.
    #[must_use]
    pub fn of_files(args: inputs::Args, engine: Engine) -> Self {
        let plan = args.plan_files();
        Self { args, plan, engine }
    }

    /// Takes the name and the namespace of the release that is stored in `other`, where nobody has said others.
    pub fn take_names(&mut self, other: &Self) {
        if let Some(Rendered { release, namespace, .. }) = other.stored() {
            let inputs::Args { release: name, namespace: place, .. } = &mut self.args;
            *name = name.take().or(release);
            *place = place.take().or(namespace);
        }
    }

    /// The release that is stored in it, if one is. What cannot be read is told by who plays it.
    #[must_use]
    pub fn stored(&self) -> Option<Rendered> {
        if self.has_charts() {
            return None;
        }
        let sources = self.sources(false).ok()?;
        // Most texts need not be read for that: no type of a release Secret stands in them.
        if !sources.texts.iter().any(|text| text.text.contains("release.v1")) {
            return None;
        }
        self.read(&sources).ok().map(|(rendered, _)| rendered).filter(|rendered| rendered.stored.is_some())
    }

    /// Has it read as `engine` does.
    pub const fn read_by(&mut self, engine: Engine) {
        self.engine = engine;
    }

    /// Whether there is a chart, which may render to something else for an upgrade than for an install.
    #[must_use]
    pub fn has_charts(&self) -> bool {
        self.plan.has_charts()
    }

    /// What to say of flags for charts where there is none.
    #[must_use]
    pub fn without_effect(&self) -> Option<String> {
        self.args.without_effect(&self.plan)
    }

    /// Reads it, and renders it as for an install or an upgrade.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn render(&self, is_upgrade: bool) -> Result<Rendered, Vec<Problem>> {
        self.read(&self.sources(is_upgrade)?).map(|(rendered, _)| rendered)
    }

    /// All of it as text, rendered as for an install or an upgrade.
    ///
    /// # Errors
    /// What cannot be read or rendered.
    pub fn sources(&self, is_upgrade: bool) -> Result<Sources, Vec<Problem>> {
        if !self.plan.problems.is_empty() {
            return Err(self.plan.problems.clone());
        }
        let mut args = self.args.clone();
        args.helm.is_upgrade = is_upgrade;
        args.helm.include_crds = true;
        args.namespace.get_or_insert_with(|| NAMESPACE.to_owned());
        let mut all = Contents::default();
        for unit in &self.plan.units {
            let Contents { texts, notes, problems, skipped } = args.read(unit);
            all.texts.extend(texts);
            all.notes.extend(notes);
            all.problems.extend(problems);
            all.skipped += skipped;
        }
        if all.skipped > 0 && all.problems.is_empty() {
            all.problems.push(self.needs_helm());
        }
        // What else is skipped is a library.
        if all.texts.is_empty() && all.problems.is_empty() && !all.notes.is_empty() {
            all.problems.push(Problem::new(self.shown(), "a library chart renders nothing"));
        }
        if all.texts.iter().filter(|text| text.chart.is_some()).count() > 1 {
            let shown = self.shown();
            all.problems
                .push(Problem::new(shown, "there is more than one chart here; name the one that is meant"));
        }
        if !all.problems.is_empty() {
            return Err(all.problems);
        }
        let paths = all.texts.iter().map(|text| self.within(text)).collect();
        Ok(Sources { texts: all.texts, paths, notes: all.notes, is_upgrade })
    }

    /// Reads the texts: what Helm sees in them, and the documents that rules are asked about, each with the index of its text.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn read<'t>(&self, sources: &'t Sources) -> Result<(Rendered, Vec<Read<'t>>), Vec<Problem>> {
        let Sources { texts, paths, notes, is_upgrade } = sources;
        let mut reading = Reading::default();
        for (index, (text, path)) in texts.iter().zip(paths).enumerate() {
            reading.text(index, text, path);
        }
        let of_texts = std::mem::take(&mut reading.notes);
        let mut documents = std::mem::take(&mut reading.documents);
        // Whoever names several paths says by it that they belong together.
        let together = (self.args.paths.len() == 1 && texts.len() > 1)
            .then(|| together::note(&self.shown(), texts, &documents, reading.released()))
            .flatten();
        let mut rendered = reading.finish(&documents, &self.args, &self.shown(), texts, self.engine)?;
        let left_out = rendered.chart.notes.clone();
        rendered.notes.extend(notes.iter().cloned().chain(together).chain(of_texts).chain(left_out));
        let charts = texts.iter().filter_map(|text| text.chart.as_ref());
        rendered.notes.extend(charts.flat_map(|chart| chart.unknowns(*is_upgrade)));
        let dropped: Vec<_> = texts.iter().flat_map(dropped).collect();
        if !dropped.is_empty() {
            Arc::make_mut(&mut rendered.chart).dropped.extend(dropped);
        }
        documents.retain_mut(|(text, manifest)| {
            Interest::Judged.prune(&mut manifest.root);
            !(texts[*text].chart.is_some() && is_of_crds(manifest))
        });
        Ok((rendered, documents))
    }

    /// That charts were met in a folder, and there is no helm.
    fn needs_helm(&self) -> Problem {
        let sources = || self.plan.units.iter().flat_map(|unit| &unit.sources);
        let charts = sources().filter_map(|source| match source {
            Source::Chart(found) => Some(found.shown.as_str()),
            Source::File(_) | Source::Stdin(_) => None,
        });
        let charts: Vec<_> = charts.collect();
        let (first, others) = (charts.first().copied().unwrap_or_default(), sources().count() - 1);
        let more = match charts.len().saturating_sub(1) {
            0 => String::new(),
            1 => " and 1 more chart".to_owned(),
            more => format!(" and {more} more charts"),
        };
        let hint = match others {
            0 => "",
            _ => {
                "; a plan is of one release: name one chart, or what holds the manifests of one release alone"
            }
        };
        let flag = self.args.helm.flag;
        let message = format!("{first}{more} cannot be rendered without helm on PATH, or {flag} FILE{hint}");
        Problem::new(self.shown(), message)
    }

    /// The paths as they were given.
    #[must_use]
    pub fn shown(&self) -> String {
        self.args.paths.first().map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// The name of a file that is no chart, from the last part of the path that was given.
    fn within(&self, text: &Text) -> String {
        let path = Path::new(&text.shown);
        let mut parents = self.args.paths.iter().filter_map(|given| given.parent());
        let below = parents.find_map(|parent| path.strip_prefix(parent).ok());
        below.unwrap_or(path).display().to_string()
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reading<'a> {
    documents: Vec<Read<'a>>,
    /// Which of them belong to the release, each with its path.
    released: Vec<(&'a str, usize)>,
    records: Vec<Record>,
    problems: Vec<Problem>,
    notes: Vec<String>,
}

impl<'a> Reading<'a> {
    fn text(&mut self, index: usize, text: &'a Text, within: &'a str) {
        let documents = manifest::read(&text.text, Interest::Everything, &Limits::default());
        if documents.iter().all(Result::is_ok) {
            let roots = || documents.iter().flatten().map(|manifest| &manifest.root);
            self.problems.extend(without_object(text, roots()));
            self.notes.extend(foreign::note(text, &roots()));
        }
        let are_released = are_released(text, &documents);
        let lines = Lines::new(&text.text);
        for document in documents {
            match document {
                Ok(manifest) => {
                    let outcomes::Said { problems, notes } = outcomes::of(text, &lines, &manifest);
                    self.problems.extend(problems);
                    self.notes.extend(notes.into_iter().chain(unread(text, &lines, &manifest)));
                    for record in stored::secrets(&manifest) {
                        match record {
                            Ok(record) => self.records.push(record),
                            Err(message) => self.problems.push(Problem::new(&text.shown, message)),
                        }
                    }
                    let is_kindless = are_released && is_kindless(text, &manifest);
                    self.notes.extend(is_kindless.then(|| kindless(text, &lines, &manifest)));
                    if is_kindless || is_released(&manifest.root) {
                        let path = manifest.document.source.unwrap_or(within);
                        self.released.push((path, self.documents.len()));
                    }
                    self.documents.push((index, manifest));
                }
                Err(error) => self.problems.push(unreadable(text, &lines, &error, "")),
            }
        }
    }

    /// The places of the documents that belong to the release.
    fn released(&self) -> impl Iterator<Item = usize> {
        self.released.iter().map(|(_, place)| *place)
    }

    fn finish(
        mut self,
        documents: &[Read<'_>],
        args: &inputs::Args,
        shown: &str,
        texts: &[Text],
        engine: Engine,
    ) -> Result<Rendered, Vec<Problem>> {
        // Of several revisions the newest one is meant.
        self.records.sort_by_key(|record| std::cmp::Reverse(record.version));
        let (mut text_of_record, mut stored) = (None, None);
        let (mut release, mut namespace) = (texts.first().map(|text| text.release.clone()), None);
        if let Some(record) = self.records.first().cloned() {
            if !self.released.is_empty() || self.records.iter().any(|other| other.name != record.name) {
                let message = "there is more than one release here; give the one that is meant";
                self.problems.push(Problem::new(shown, message));
            }
            if self.records.len() > 1 {
                let (name, version) = (&record.name, record.version);
                self.notes.push(format!(
                    "{shown}: of the revisions of {name} only the newest is played, {version}"
                ));
            }
            text_of_record = Some(record.rendered());
            stored = Some(Standing::of(&record));
            release = Some(record.name);
            namespace = Some(record.namespace).filter(|namespace| !namespace.is_empty());
        } else if self.problems.is_empty()
            && self.released.is_empty()
            && texts.iter().all(|text| text.chart.is_none())
        {
            let message = "there is nothing of a release in it; hookward rollout plays a RolloutScenario";
            self.problems.push(Problem::new(shown, message));
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let of_objects = args.namespace.as_deref().or(namespace.as_deref()).unwrap_or(NAMESPACE);
        let released = self.released.iter().map(|(path, index)| (*path, &documents[*index].1));
        let chart = text_of_record.map_or_else(
            || Chart::of(released, of_objects, engine),
            |text| Chart::read_by(engine, &text, of_objects),
        );
        let chart = chart.map_err(|error| vec![unusable(shown, &error)])?;
        Ok(Rendered { chart: Arc::new(chart), release, namespace, stored, notes: self.notes })
    }
}

fn unusable(shown: &str, error: &ReadError) -> Problem {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let sentence = causes.fold(error.to_string(), |sentence, cause| format!("{sentence}: {cause}"));
    Problem::new(shown, sentence)
}

/// What helm dropped while it rendered is not in what it rendered; only its own words tell.
fn dropped(text: &Text) -> impl Iterator<Item = Dropped> {
    let said = text.dropped.iter().filter(|dropped| dropped.is_certain);
    said.map(|dropped| Dropped {
        name: dropped.place.as_ref().map_or_else(|| "a template".to_owned(), |place| place.path.clone()),
        events: dropped.events.clone(),
    })
}

/// Whether it stands in a `crds/` folder, which `helm template` leaves out unless it is told otherwise: rules are not asked about it.
fn is_of_crds(manifest: &Manifest<'_>) -> bool {
    manifest.document.source.is_some_and(manifest::is_of_crds)
}
