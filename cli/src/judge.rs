//! From text to findings: reads the documents, makes releases of them, asks the rules, and finds the places again.

use std::{cell::RefCell, collections::HashMap};

use hooks::{Interest, Node, Object, manifest::Manifest, release as record};
use policies::{
    Judged, Moment, Namespace, Policy, PolicySet, Release, documents::GROUP, evaluate, release::Item,
};
use time::OffsetDateTime;

use crate::{
    inputs::Text,
    locate::{Lines, Spot},
    report::{Entry, Excerpt, ObjectName, Place, Report},
};

pub(crate) mod documents;
pub(crate) mod foreign;
pub(crate) mod stored;

/// What all releases of one run share.
#[derive(Debug)]
pub struct Judge<'p> {
    /// The policies and exceptions in force.
    pub policies: &'p PolicySet,
    /// The namespace of the releases, if somebody said so.
    pub namespace: Option<&'p str>,
    /// Their name, if somebody said so.
    pub release: Option<&'p str>,
    /// Seconds since 1970.
    pub now: i64,
}

/// A document, and the index of the text that it stands in.
pub type Read<'t> = (usize, Manifest<'t>);

/// The documents of one text.
struct Source<'t> {
    text: &'t Text,
    lines: Lines<'t>,
    /// Templates of the chart that findings were looked up in.
    templates: RefCell<HashMap<String, Option<String>>>,
}

impl Judge<'_> {
    /// Judges the texts of one release, and every stored release in them by itself.
    #[must_use]
    pub fn texts(&self, texts: &[Text]) -> Report {
        let mut report = Report::default();
        let mut manifests = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let read = documents::read(text, Interest::Judged, &mut report);
            manifests.extend(read.into_iter().map(|manifest| (index, manifest)));
        }
        report.absorb(self.manifests(texts, &manifests));
        report
    }

    /// The same of texts that have been read already, by all their documents.
    #[must_use]
    pub fn manifests<'t>(&self, texts: &'t [Text], manifests: &[Read<'t>]) -> Report {
        self.report(texts, manifests, |sources, judged, item| {
            match item.and_then(|item| manifests.get(item.document)) {
                Some((source, manifest)) => sources[*source].place(manifest, &judged.finding.field),
                None => template_place(sources, judged),
            }
        })
    }

    /// The same without the places of findings, for those who do not show them.
    #[must_use]
    pub fn said<'t>(&self, texts: &'t [Text], manifests: &[Read<'t>]) -> Report {
        self.report(texts, manifests, |_, _, _| Place::default())
    }

    fn report<'t>(
        &self,
        texts: &'t [Text],
        manifests: &[Read<'t>],
        place: impl Fn(&[Source<'t>], &Judged, Option<&Item<'_>>) -> Place,
    ) -> Report {
        let mut report = Report::default();
        let sources: Vec<Source<'_>> = texts.iter().map(Source::new).collect();
        let rendered = texts.iter().find(|text| text.chart.is_some()).map(|text| text.release.as_str());
        let mut release =
            Release { name: self.release.or(rendered), namespace: self.namespace, ..Release::default() };
        for (index, (source, manifest)) in manifests.iter().enumerate() {
            let text = sources[*source].text;
            for secret in stored::secrets(manifest) {
                match secret {
                    Ok(record) => report.absorb(self.record(&text.shown, &record)),
                    Err(message) => {
                        let (lines, document) = (&sources[*source].lines, &manifest.document);
                        report.problems.push(documents::at(text, lines, document, document.offset, message));
                    }
                }
            }
            add(&mut release, index, manifest);
        }
        release.dropped = texts.iter().flat_map(|text| text.dropped.clone()).collect();
        let verdict = evaluate::release(&self.policy(self.namespace), &release, self.now);
        count(&release, &mut report);
        for judged in verdict.findings {
            let item = judged.finding.item.and_then(|index| release.items.get(index));
            report.notes.extend(self.run_out(&judged, item, self.namespace));
            let place = place(&sources, &judged, item);
            report.findings.push(entry(judged, item, self.namespace, place));
        }
        report
    }

    /// What [`Judge::said`] notes; where no exception has ended, that is nothing.
    #[must_use]
    pub fn notes<'t>(&self, texts: &'t [Text], manifests: &[Read<'t>]) -> Vec<String> {
        let has_ended = self.policies.exceptions().iter().any(|one| one.expires_at <= self.now);
        if has_ended { self.said(texts, manifests).notes } else { Vec::new() }
    }

    /// The exceptions that would cover a finding, and ended before.
    fn run_out(&self, judged: &Judged, item: Option<&Item<'_>>, namespace: Option<&str>) -> Vec<String> {
        let Some(item) = item.filter(|_| judged.excepted.is_none()) else { return Vec::new() };
        let exceptions = self.policies.exceptions().iter();
        exceptions
            .filter(|one| one.expires_at <= self.now)
            .filter(|one| one.covers_in_release(judged.rule.id, namespace, item.object))
            .map(|one| {
                let end = OffsetDateTime::from_unix_timestamp(one.expires_at);
                let day = end.map_or_else(|_| one.spec.expires_at.clone(), |end| end.date().to_string());
                format!("HookException {} ended on {day}", one.name)
            })
            .collect()
    }

    fn policy(&self, namespace: Option<&str>) -> std::sync::Arc<Policy> {
        self.policies.policy(namespace.map(|name| Namespace { name, labels: None }))
    }

    /// Judges a stored release, which has no text that anybody could look at.
    pub(crate) fn record(&self, shown: &str, record: &record::Record) -> Report {
        let mut report = Report::default();
        let namespace = Some(record.namespace.as_str()).filter(|name| !name.is_empty());
        let manifests = stored::manifests(record);
        let mut release = Release {
            name: Some(&record.name),
            namespace,
            moment: moment(record.status),
            ..Release::default()
        };
        for (index, (path, manifest)) in manifests.iter().enumerate() {
            match manifest {
                Ok(manifest) if is_object(&manifest.root) => release.add(index, path, &manifest.root),
                Ok(_) | Err(_) => {}
            }
            if manifest.as_ref().map_or(true, |manifest| manifest.fault.is_some()) {
                report.problems.push(stored::unreadable(shown, record));
            }
        }
        release.dropped = stored::dropped(record);
        count(&release, &mut report);
        for judged in evaluate::release(&self.policy(namespace), &release, self.now).findings {
            let item = judged.finding.item.and_then(|index| release.items.get(index));
            report.notes.extend(self.run_out(&judged, item, namespace));
            let template =
                judged.finding.template.as_ref().map(|place| format!(", {}", place.path)).unwrap_or_default();
            let place = Place { file: shown.to_owned(), ..Place::default() };
            let mut entry = entry(judged, item, namespace, place);
            entry.release = Some(format!("release {} revision {}{template}", record.name, record.version));
            report.findings.push(entry);
        }
        report
    }
}

/// What Helm is doing, as the status of the revision tells; a finished one tells nothing.
const fn moment(status: record::Status) -> Moment {
    match status {
        record::Status::PendingInstall => Moment::Install,
        record::Status::PendingUpgrade => Moment::Upgrade,
        record::Status::PendingRollback => Moment::Rollback,
        record::Status::Uninstalling => Moment::Uninstall,
        _ => Moment::Unknown,
    }
}

/// Whether this is an object at all: values files and other YAML have no kind.
fn is_object(root: &Node<'_>) -> bool {
    let object = Object::new(root);
    (!object.kind().is_empty() && !object.api_version().is_empty()) || object.hook().is_some()
}

/// Whether an object belongs to a release; a list does if anything in it does.
pub(crate) fn is_released(root: &Node<'_>) -> bool {
    let items = root.get("items").filter(|_| Object::new(root).kind().ends_with("List"));
    let items = items.map_or(&[][..], Node::items);
    is_object(root) && !is_other(root) && (items.is_empty() || !items.iter().all(is_other))
}

/// What never belongs to a release: our own documents, and stored releases, which are releases themselves.
fn is_other(root: &Node<'_>) -> bool {
    is_ours(Object::new(root)) || record::secret(root).is_some()
}

fn is_ours(object: Object<'_>) -> bool {
    object.group() == GROUP
}

fn add<'m>(release: &mut Release<'m>, index: usize, manifest: &'m Manifest<'_>) {
    let first = release.items.len();
    if is_released(&manifest.root) {
        release.add(index, manifest.document.source.unwrap_or(""), &manifest.root);
    }
    let is_list = release.items.len() > first + 1
        || release.items.get(first).is_some_and(|item| !item.pointer.is_empty());
    if is_list {
        let mut items = release.items.split_off(first);
        items.retain(|item| item.hook.is_some() || is_released(item.object.root()));
        release.items.append(&mut items);
    }
}

fn count(release: &Release<'_>, report: &mut Report) {
    report.objects += release.items.len();
    report.hooks += release.items.iter().filter(|item| item.hook.is_some()).count();
}

fn entry(judged: Judged, item: Option<&Item<'_>>, namespace: Option<&str>, place: Place) -> Entry {
    let Judged { rule, mode, severity, fixable, finding, excepted } = judged;
    Entry {
        rule,
        mode,
        severity,
        message: finding.message,
        help: finding.help,
        label: finding.label,
        fixable,
        exception: excepted.map(|excepted| excepted.by),
        object: item.map(|item| object_name(item.object, namespace)),
        field: item.map(|_| finding.field),
        release: None,
        place,
    }
}

fn object_name(object: Object<'_>, namespace: Option<&str>) -> ObjectName {
    ObjectName {
        api_version: object.api_version().to_owned(),
        kind: object.kind().to_owned(),
        namespace: object.namespace().or(namespace).map(str::to_owned),
        name: object.name().map(str::to_owned),
    }
}

/// The place of a finding that has no object: a template that Helm dropped, or else the whole text.
fn template_place(sources: &[Source<'_>], judged: &Judged) -> Place {
    let source = sources.iter().find(|source| source.text.chart.is_some()).or_else(|| sources.first());
    let file = source.map(|source| source.text.shown.clone()).unwrap_or_default();
    let chart = source.and_then(|source| source.text.chart.as_ref());
    let (Some(template), Some(chart)) = (&judged.finding.template, chart) else {
        return Place { file, ..Place::default() };
    };
    let line = template.line.and_then(|number| {
        let text = chart.template(&template.path)?;
        let line = crate::plain::line(text.lines().nth(number - 1)?).into_owned();
        let indent = line.len() - line.trim_start().len();
        let caret = line.find(": ").map_or(indent, |colon| colon + 2)..line.trim_end().len();
        let column = line[..indent].chars().count() + 1;
        Some(Spot { line: number, column, excerpt: Some(Excerpt { text: line, caret }) })
    });
    placed(chart.shown(&template.path), line)
}

fn placed(file: String, spot: Option<Spot>) -> Place {
    match spot {
        None => Place { file, ..Place::default() },
        Some(Spot { line, column, excerpt }) => {
            Place { file, line: Some(line), column: Some(column), excerpt }
        }
    }
}

impl<'t> Source<'t> {
    fn new(text: &'t Text) -> Self {
        Self { text, lines: Lines::new(&text.text), templates: RefCell::default() }
    }

    fn place(&self, manifest: &Manifest<'t>, pointer: &str) -> Place {
        let spot = self.lines.spot(manifest, pointer);
        match (&self.text.chart, manifest.document.source) {
            (None, _) => placed(self.text.shown.clone(), Some(spot)),
            (Some(chart), Some(source)) => {
                let mut templates = self.templates.borrow_mut();
                let template = templates.entry(source.to_owned()).or_insert_with(|| chart.template(source));
                let spot = template.as_deref().and_then(|template| in_template(template, spot));
                placed(chart.shown(source), spot)
            }
            (Some(_), None) => placed(self.text.shown.clone(), None),
        }
    }
}

/// The place in a template of a line that was rendered from it, if exactly one line of it reads the same.
pub(crate) fn in_template(template: &str, spot: Spot) -> Option<Spot> {
    let excerpt = spot.excerpt?;
    let wanted = excerpt.text.trim();
    let mut same = template.lines().enumerate().filter(|(_, line)| line.trim() == wanted);
    let (index, line) = same.next()?;
    if wanted.is_empty() || same.next().is_some() {
        return None;
    }
    let indent = |text: &str| text.len() - text.trim_start().len();
    let (before, after) = (indent(&excerpt.text), indent(line));
    let caret =
        excerpt.caret.start.checked_sub(before)? + after..excerpt.caret.end.checked_sub(before)? + after;
    let column = (spot.column + after).saturating_sub(before);
    Some(Spot { line: index + 1, column, excerpt: Some(Excerpt { text: line.to_owned(), caret }) })
}
