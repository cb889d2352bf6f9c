//! What chart authors write about how the pods of a hook end, looked at before it is played.

use hooks::{Node, Object, manifest::Manifest};
use lifecycle::{
    Outcome,
    outcome::{ANNOTATION, NoOutcome},
};

use crate::{inputs::Text, judge::in_template, locate::Lines, report::Problem};

/// What there is to be said of the outcomes in a document.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Annotations that say nothing.
    pub(super) problems: Vec<Problem>,
    /// Annotations that nobody reads; lines for stderr.
    pub(super) notes: Vec<String>,
}

/// Looks at the objects of a document.
pub(super) fn of(text: &Text, lines: &Lines<'_>, manifest: &Manifest<'_>) -> Said {
    let items = manifest.root.get("items").map_or(&[][..], Node::items).iter().enumerate();
    let items = items.map(|(index, item)| (format!("/items/{index}"), item));
    let mut said = Said::default();
    for (pointer, node) in std::iter::once((String::new(), &manifest.root)).chain(items) {
        let object = Object::new(node);
        let shown = format!("{} \"{}\"", object.kind(), object.name().unwrap_or_default());
        let annotated = |metadata: Option<&Node<'_>>| {
            metadata?.get("annotations")?.member(ANNOTATION).map(|member| Outcome::read(&member.node))
        };
        let Some(pods) = object.pods() else { continue };
        let at = |metadata: &str, message: String| {
            let field = format!("{pointer}{metadata}/annotations/{}", ANNOTATION.replace('/', "~1"));
            place(text, lines, manifest, &field, message)
        };
        let problem =
            |metadata, error: NoOutcome| at(metadata, format!("{shown}: annotation {ANNOTATION}: {error}"));
        match (annotated(pods.metadata), annotated(object.metadata())) {
            (Some(Err(error)), _) => said.problems.push(problem(pods.metadata_pointer, error)),
            (None, Some(_)) => {
                let message = format!(
                    "{shown}: annotation {ANNOTATION} counts in the metadata of the pod template, not here"
                );
                said.notes.push(at("/metadata", message).to_string());
            }
            (Some(Ok(_)) | None, _) => {}
        }
    }
    said
}

/// A problem at a field: in the file, or in the template that it was rendered from as far as that can be told.
fn place(text: &Text, lines: &Lines<'_>, manifest: &Manifest<'_>, field: &str, message: String) -> Problem {
    let spot = lines.spot(manifest, field);
    match (&text.chart, manifest.document.source) {
        (Some(chart), source) => {
            let spot = source
                .and_then(|source| chart.template(source))
                .and_then(|template| in_template(&template, spot));
            let shown = source.map_or_else(|| text.shown.clone(), |source| chart.shown(source));
            let problem = Problem::new(shown, message);
            spot.map_or(problem.clone(), |spot| problem.at(spot.line, spot.column))
        }
        (None, _) => Problem::new(&text.shown, message).at(spot.line, spot.column),
    }
}
