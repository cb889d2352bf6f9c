//! What is asked about: a release as Helm would record it, and its hooks as Helm would create them.

use hooks::{
    Events, Interest, Node, Object, Written,
    annotations::HOOK,
    manifest::{self, Manifest},
    release::Record,
    yaml::Limits,
};
use policies::release::Dropped;
use serde_json::Value;

use super::record::{Hook, Parts};
use crate::{
    inputs::{self, Text},
    judge::{Judge, documents, is_released, stored},
    report::{ObjectName, Problem, Report},
};

/// The namespace of a release for which nobody has named one, as with kubectl.
pub(super) const NAMESPACE: &str = "default";

/// Why nobody is asked about a hook that never reaches the cluster.
const DROPPED: &str = "Helm drops it for its unknown event";
/// Why nobody is asked about an object that Helm runs as a part of a hook.
const NO_HOOK: &str = "its own annotations make it no hook";

/// One release.
#[derive(Debug, Default)]
pub(super) struct Subject {
    pub(super) parts: Parts,
    pub(super) questions: Vec<Question>,
    pub(super) objects: usize,
    pub(super) hook_objects: usize,
    pub(super) unasked: Vec<String>,
}

/// One hook object.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) object: Value,
    pub(super) name: ObjectName,
}

/// The release in these texts, if they hold any object of one, and every stored release in them. The server answers; of what `check`
/// finds, the notes about texts and exceptions are worth knowing here too.
pub(super) fn of_texts(
    texts: &[Text],
    args: &inputs::Args,
    judge: &Judge<'_>,
    report: &mut Report,
) -> Vec<Subject> {
    let (mut subjects, mut documents) = (Vec::new(), Vec::new());
    let mut whole = Subject::default();
    for (index, text) in texts.iter().enumerate() {
        for mut manifest in documents::read(text, Interest::Everything, report) {
            for record in stored::secrets(&manifest) {
                match record {
                    Ok(record) => subjects.push(of_record(&text.shown, &record, &mut report.problems)),
                    Err(message) => report.problems.push(Problem::new(&text.shown, message)),
                }
            }
            if is_released(&manifest.root) {
                whole.take(&manifest, manifest.document.source.unwrap_or(""));
            }
            Interest::Judged.prune(&mut manifest.root);
            documents.push((index, manifest));
        }
        whole.unasked.extend(text.dropped.iter().map(|one| dropped(text, one)));
    }
    report.notes.extend(judge.notes(texts, &documents));
    let Some(first) = texts.first().filter(|_| whole.objects > 0 || !whole.unasked.is_empty()) else {
        return subjects;
    };
    let chart = texts.iter().find_map(|text| text.chart.as_ref());
    let templates = chart.map(inputs::ChartSource::templates).unwrap_or_default();
    let within = |(path, text): (String, String)| {
        (path.split_once('/').map_or(path.clone(), |(_, within)| within.to_owned()), text)
    };
    whole.parts.name = args.release.clone().unwrap_or_else(|| first.release.clone());
    whole.parts.namespace = args.namespace.clone().unwrap_or_else(|| NAMESPACE.to_owned());
    whole.parts.is_upgrade = args.helm.is_upgrade;
    whole.parts.revision = if args.helm.is_upgrade { 2 } else { 1 };
    let named = || {
        let (chart, _) = whole.parts.hooks.first()?.path.split_once('/')?;
        Some(chart.to_owned())
    };
    whole.parts.chart =
        chart.and_then(inputs::ChartSource::name).or_else(named).unwrap_or_else(|| whole.parts.name.clone());
    whole.parts.templates = templates.into_iter().map(within).collect();
    subjects.insert(0, whole.placed());
    subjects
}

/// That nobody is asked about a hook, and why.
fn unasked(hook: &str, why: &str) -> String {
    format!("{hook}: nobody is asked, {why}")
}

fn label(kind: &str, object: Object<'_>) -> String {
    format!("{kind}/{}", object.name().or_else(|| object.generate_name()).unwrap_or("(no name)"))
}

/// A hook that Helm dropped while it rendered a chart, and the template that it comes from, or else the chart.
fn dropped(text: &Text, dropped: &Dropped) -> String {
    let known = text.chart.as_ref().zip(dropped.place.as_ref());
    let place = known.map_or_else(
        || text.shown.clone(),
        |(chart, place)| {
            let line = place.line.map_or_else(String::new, |line| format!(":{line}"));
            format!("{}{line}", chart.shown(&place.path))
        },
    );
    unasked(&format!("a hook for {:?} in {place}", dropped.events), DROPPED)
}

/// A stored revision, as if Helm were about to store it.
fn of_record(shown: &str, record: &Record, problems: &mut Vec<Problem>) -> Subject {
    let mut subject = Subject::default();
    let texts = std::iter::once(("", record.manifest.as_str()));
    let hooks = record.hooks.iter().map(|hook| (hook.path.as_str(), hook.manifest.as_str()));
    for (path, text) in texts.chain(hooks) {
        for read in manifest::read(text, Interest::Everything, &Limits::default()) {
            if read.as_ref().map_or(true, |manifest| manifest.fault.is_some()) {
                problems.push(stored::unreadable(shown, record));
            }
            if let Ok(manifest) = read {
                subject.take(&manifest, manifest.document.source.unwrap_or(path));
            }
        }
    }
    subject.parts.name.clone_from(&record.name);
    subject.parts.namespace =
        if record.namespace.is_empty() { NAMESPACE.to_owned() } else { record.namespace.clone() };
    subject.parts.revision = record.version;
    subject.parts.is_upgrade = record.version > 1;
    subject.parts.chart.clone_from(&record.chart_name);
    subject.parts.templates =
        record.templates.iter().map(|one| (one.name.clone(), one.text.clone())).collect();
    subject.placed()
}

impl Subject {
    /// Takes one document over, as an ordinary resource or as a hook.
    fn take(&mut self, manifest: &Manifest<'_>, path: &str) {
        let Manifest { document, root, .. } = manifest;
        let object = Object::new(root);
        let items = || manifest::objects(root).map(|(_, item)| item);
        let Some(hook) = object.hook() else {
            self.objects += items().count();
            let source = if path.is_empty() { String::new() } else { format!("# Source: {path}\n") };
            self.parts.manifest.extend(["---\n", &source, document.text.trim_end(), "\n"]);
            return;
        };
        if hook.events.is_dropped() {
            let written = object.annotations().and_then(|annotations| Written::of(annotations, HOOK));
            let events = written.map(|written| written.text.into_owned()).unwrap_or_default();
            let label = format!("{} for {events:?}", label(manifest.kind(), object));
            self.unasked.push(unasked(&label, DROPPED));
            return;
        }
        self.objects += items().count();
        self.hook_objects += items().count();
        let (kind, name) = (manifest.kind().to_owned(), object.name().unwrap_or("").to_owned());
        let manifest = document.own_text().to_owned();
        self.parts.hooks.push(Hook { path: path.to_owned(), kind, name, manifest });
        // Webhooks are asked about the items of a List, each by itself.
        for item in items() {
            let object = Object::new(item);
            if !is_hook(item) {
                self.unasked.push(unasked(&label(object.kind(), object), NO_HOOK));
                continue;
            }
            let name = ObjectName {
                api_version: object.api_version().to_owned(),
                kind: object.kind().to_owned(),
                namespace: object.namespace().map(str::to_owned),
                name: object.name().map(str::to_owned),
            };
            self.questions.push(Question { object: item.to_json(), name });
        }
    }

    /// Gives every object that has none the namespace of the release, and takes it off what can have none, as the API server does.
    fn placed(mut self) -> Self {
        for question in &mut self.questions {
            if super::review::is_cluster_scoped(&question.name) {
                question.name.namespace = None;
            } else {
                question.name.namespace.get_or_insert_with(|| self.parts.namespace.clone());
            }
        }
        self
    }
}

fn is_hook(item: &Node<'_>) -> bool {
    let written = Object::new(item).annotations().and_then(|annotations| Written::of(annotations, HOOK));
    written.is_some_and(|written| !Events::parse(written).is_dropped())
}
