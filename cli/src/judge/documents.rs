//! The documents of a text, and what is to be said of those that cannot be read, or that nobody looks at.

use hooks::{
    Interest, Node, Object,
    manifest::{self, Document, Manifest},
    node::Value,
    yaml::{self, Limits},
};

use super::{foreign, is_object};
use crate::{
    inputs::Text,
    locate::Lines,
    report::{Problem, Report},
};

/// Reads the documents of a text; each that cannot be read, or not whole, is a problem, and the others still count.
pub(crate) fn read<'t>(text: &'t Text, interest: Interest, report: &mut Report) -> Vec<Manifest<'t>> {
    let lines = Lines::new(&text.text);
    let documents = manifest::read(&text.text, interest, &Limits::default());
    let manifests = || documents.iter().flatten();
    let whole = manifests().filter(|manifest| manifest.fault.is_none()).count();
    let others = match whole {
        0 => String::new(),
        1 => "; the other document was checked".to_owned(),
        count => format!("; the other {count} documents were checked"),
    };
    for document in &documents {
        match document {
            Ok(manifest) => {
                report.problems.extend(fault(text, &lines, manifest, &others));
                report.problems.extend(without_items(text, &lines, manifest));
                report.notes.extend(unread(text, &lines, manifest));
            }
            Err(error) => report.problems.push(unreadable(text, &lines, error, &others)),
        }
    }
    if whole == documents.len() {
        let roots = || manifests().map(|manifest| &manifest.root);
        report.problems.extend(without_object(text, roots()));
        report.notes.extend(foreign::note(text, &roots()));
        if are_released(text, &documents) {
            let kindless_ones = manifests().filter(|manifest| is_kindless(text, manifest));
            report.notes.extend(kindless_ones.map(|manifest| kindless(text, &lines, manifest)));
        }
    }
    documents.into_iter().flatten().collect()
}

/// That a document cannot be read, and what became of the others: nothing to be said where they do not count either.
pub(crate) fn unreadable(text: &Text, lines: &Lines<'_>, error: &yaml::Error, others: &str) -> Problem {
    let is_template = lines.line(error.offset).2.contains("{{");
    let hint = if is_template { ": it looks like a template; give the chart's folder instead" } else { "" };
    let message = format!("this document cannot be read: {}{hint}{others}", error.message);
    Problem::new(text.shown.clone(), message).at(error.line, error.column)
}

/// The same of one that can be read in part.
fn fault(text: &Text, lines: &Lines<'_>, manifest: &Manifest<'_>, others: &str) -> Option<Problem> {
    let problem = unreadable(text, lines, manifest.fault.as_ref()?, others);
    Some(in_chart(text, &manifest.document, problem))
}

/// That Helm does not look at a part of a text, which is not judged either.
pub(crate) fn unread(text: &Text, lines: &Lines<'_>, manifest: &Manifest<'_>) -> Option<String> {
    let offset = manifest.unread?;
    let (place, what) = if let Some(template) = template(text, &manifest.document) {
        (template, "a part of it")
    } else {
        let (line, column) = lines.line_column(offset);
        let file = manifest.document.source.map(|source| format!(" ({source})"));
        (format!("{}:{line}:{column}{}", text.shown, file.unwrap_or_default()), "what begins here")
    };
    Some(format!(
        "{place}: Helm does not look at {what}, nor does hookward: a document ends before it; put --- on a line of its own between them"
    ))
}

/// Whether the documents of a text are a release. What holds no object at all is a file of values, or nothing of Kubernetes.
pub(crate) fn are_released(text: &Text, documents: &[Result<Manifest<'_>, yaml::Error>]) -> bool {
    text.chart.is_some() || documents.iter().flatten().any(|manifest| is_object(&manifest.root))
}

/// Whether a document does not say what it is. Helm takes it for a resource all the same, and then refuses the release. Of what Helm has
/// not rendered only what resembles an object is meant: `helm install --dry-run` prints a heading before the objects.
pub(crate) fn is_kindless(text: &Text, manifest: &Manifest<'_>) -> bool {
    let Manifest { root, document, .. } = manifest;
    let is_rendered = text.chart.is_some() || document.source.is_some();
    let resembles = || ["apiVersion", "kind", "metadata"].iter().any(|name| root.get(name).is_some());
    matches!(root.value, Value::Map(_)) && !is_object(root) && (is_rendered || resembles())
}

/// That Helm will refuse the release for a document of which [`is_kindless`] is true.
pub(crate) fn kindless(text: &Text, lines: &Lines<'_>, manifest: &Manifest<'_>) -> String {
    let object = Object::new(&manifest.root);
    let missing = match (object.api_version().is_empty(), object.kind().is_empty()) {
        (true, false) => "no apiVersion",
        (false, true) => "no kind",
        _ => "no apiVersion and no kind",
    };
    let message = format!("this document says {missing}: Helm refuses a release with it");
    at(text, lines, &manifest.document, manifest.root.span.start as usize, message).to_string()
}

/// What is wrong with a text that was named and holds no object at all.
pub(crate) fn without_object<'n, 't: 'n>(
    text: &Text,
    mut documents: impl Iterator<Item = &'n Node<'t>>,
) -> Option<Problem> {
    if text.is_walked || documents.any(is_object) {
        return None;
    }
    let message = "no Kubernetes object in it; give rendered manifests, a chart or a release Secret";
    Some(Problem::new(text.shown.clone(), message))
}

/// What is wrong with a `List` whose items are none: nobody could say what is in it.
fn without_items(text: &Text, lines: &Lines<'_>, manifest: &Manifest<'_>) -> Option<Problem> {
    let items = manifest.root.get("items").filter(|_| Object::new(&manifest.root).is("", "List"))?;
    if matches!(items.value, Value::List(_) | Value::Null) {
        return None;
    }
    let offset = items.span.start as usize;
    Some(at(text, lines, &manifest.document, offset, "items of this List is no list"))
}

/// What is wrong at a byte of a document.
pub(super) fn at(
    text: &Text,
    lines: &Lines<'_>,
    document: &Document<'_>,
    offset: usize,
    message: impl Into<String>,
) -> Problem {
    let (line, column) = lines.line_column(offset);
    in_chart(text, document, Problem::new(text.shown.clone(), message).at(line, column))
}

/// The problem, of the template alone if the text was rendered from a chart.
fn in_chart(text: &Text, document: &Document<'_>, problem: Problem) -> Problem {
    match template(text, document) {
        Some(template) => Problem::new(template, problem.message),
        None => problem,
    }
}

/// The template, or else the chart, that a document was rendered from; nobody has the lines that were rendered.
fn template(text: &Text, document: &Document<'_>) -> Option<String> {
    let chart = text.chart.as_ref()?;
    Some(document.source.map_or_else(|| text.shown.clone(), |source| chart.shown(source)))
}
