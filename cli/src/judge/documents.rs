//! The documents of a text, and what is to be said of those that cannot be read, or that nobody looks at.

use hooks::{
    Interest, Node, Object,
    manifest::{self, Manifest},
    node::Value,
    yaml::{self, Limits},
};

use super::{foreign, is_object};
use crate::{
    inputs::Text,
    locate::Lines,
    report::{Problem, Report},
};

/// Reads the documents of a text; each that cannot be read is a problem, and the others still count.
pub(super) fn read<'t>(text: &'t Text, report: &mut Report) -> Vec<Manifest<'t>> {
    let lines = Lines::new(&text.text);
    let mut manifests = Vec::new();
    let mut broken = Vec::new();
    for document in manifest::read(&text.text, Interest::Judged, &Limits::default()) {
        match document {
            Ok(manifest) => {
                broken.extend(manifest.fault.clone());
                manifests.push(manifest);
            }
            Err(error) => broken.push(error),
        }
    }
    let others = match manifests.len() {
        0 => String::new(),
        1 => "; the other document was checked".to_owned(),
        count => format!("; the other {count} documents were checked"),
    };
    report.problems.extend(broken.iter().map(|error| unreadable(text, &lines, error, &others)));
    for manifest in &manifests {
        report.problems.extend(without_items(text, &lines, &manifest.root));
        report.notes.extend(unread(text, &lines, manifest));
    }
    if broken.is_empty() {
        report.problems.extend(without_object(text, manifests.iter().map(|manifest| &manifest.root)));
        report.notes.extend(foreign::note(text, &manifests.iter().map(|manifest| &manifest.root)));
    }
    manifests
}

/// That a document cannot be read, and what became of the others: nothing to be said where they do not count either.
pub(crate) fn unreadable(text: &Text, lines: &Lines<'_>, error: &yaml::Error, others: &str) -> Problem {
    let is_template = lines.line(error.offset).2.contains("{{");
    let hint = if is_template { ": it looks like a template; give the chart's folder instead" } else { "" };
    let message = format!("this document cannot be read: {}{hint}{others}", error.message);
    Problem::new(text.shown.clone(), message).at(error.line, error.column)
}

/// That Helm does not look at a part of a text, which is not judged either.
pub(crate) fn unread(text: &Text, lines: &Lines<'_>, manifest: &Manifest<'_>) -> Option<String> {
    let (line, column) = lines.line_column(manifest.unread?);
    let (shown, file) = (&text.shown, manifest.document.source.map(|source| format!(" ({source})")));
    let place = format!("{shown}:{line}:{column}{}", file.unwrap_or_default());
    Some(format!(
        "{place}: Helm does not look at what begins here, nor does hookward: a document ends before it; put --- on a line of its own between them"
    ))
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
pub(crate) fn without_items(text: &Text, lines: &Lines<'_>, root: &Node<'_>) -> Option<Problem> {
    let items = root.get("items").filter(|_| Object::new(root).is("", "List"))?;
    if matches!(items.value, Value::List(_) | Value::Null) {
        return None;
    }
    Some(at(text, lines, items.span.start as usize, "items of this List is no list"))
}

/// What is wrong at a byte of a text.
pub(super) fn at(text: &Text, lines: &Lines<'_>, offset: usize, message: impl Into<String>) -> Problem {
    let (line, column) = lines.line_column(offset);
    Problem::new(text.shown.clone(), message).at(line, column)
}
