//! Release records among the documents: found, decoded, and taken apart into manifests.

use hooks::{
    Events, Interest, Node, Object, Written,
    manifest::{self, Manifest},
    release::{self as record, Limits, Record},
    template_source, yaml,
};
use policies::{finding::Place, release::Dropped};

use crate::report::Problem;

/// How Helm names the Secrets of its releases.
const NAME: &str = "sh.helm.release.v1.";

/// The records in a document: a release Secret, or a list of them. The error is a sentence.
pub(crate) fn secrets(manifest: &Manifest<'_>) -> Vec<Result<Record, String>> {
    let candidates =
        || std::iter::once(&manifest.root).chain(manifest.root.get("items").map_or(&[][..], Node::items));
    if !candidates().any(|node| is_candidate(node)) {
        return Vec::new();
    }
    let document = &manifest.document;
    // Read again, since data of Secrets is not kept where rules look.
    match document.read(Interest::Everything, &yaml::Limits::default()) {
        Err(_) => vec![Err("this release Secret cannot be read again".to_owned())],
        Ok(Manifest { root, .. }) => {
            let items = std::iter::once(&root).chain(root.get("items").map_or(&[][..], Node::items));
            items.filter(|node| is_candidate(node)).map(decode).collect()
        }
    }
}

fn is_candidate(node: &Node<'_>) -> bool {
    let object = Object::new(node);
    record::secret(node).is_some()
        || (object.is("", "Secret") && object.name().is_some_and(|name| name.starts_with(NAME)))
}

fn decode(node: &Node<'_>) -> Result<Record, String> {
    let object = Object::new(node);
    let name = crate::plain::line(object.name().unwrap_or("")).into_owned();
    let Some(secret) = record::secret(node) else {
        return Err(format!(
            "Secret \"{name}\" is named like a release and has another type; give the Secret as Helm wrote it"
        ));
    };
    let again = "; get it again with kubectl get secret -o yaml";
    secret
        .decode(&Limits::default())
        .map_err(|error| format!("Secret \"{name}\" holds no release: {error}{again}"))
}

/// A document of a record, with the path of its template.
pub(super) type Stored<'r> = (&'r str, Result<Manifest<'r>, yaml::Error>);

/// All documents of a record: ordinary resources, then hooks.
pub(super) fn manifests(record: &Record) -> Vec<Stored<'_>> {
    let read = |text| manifest::read(text, Interest::Judged, &yaml::Limits::default());
    let mut all = Vec::new();
    for manifest in read(&record.manifest) {
        let path = manifest.as_ref().ok().and_then(|manifest| manifest.document.source).unwrap_or("");
        all.push((path, manifest));
    }
    for hook in &record.hooks {
        all.extend(read(&hook.manifest).into_iter().map(|manifest| (hook.path.as_str(), manifest)));
    }
    all
}

/// That a document of a record cannot be read, or not whole.
pub(crate) fn unreadable(shown: &str, record: &Record) -> Problem {
    let Record { name, version, .. } = record;
    Problem::new(shown, format!("release {name} revision {version}: a manifest in it cannot be read"))
}

/// The hooks that Helm will have dropped, as far as unrendered templates can tell.
pub(super) fn dropped(record: &Record) -> Vec<Dropped> {
    let mut dropped = Vec::new();
    for template in &record.templates {
        for literal in template_source::hook_values(&template.text) {
            let events = Events::parse(Written { text: literal.value.as_str().into(), is_text: true });
            if events.is_dropped() {
                let path = format!("{}/{}", record.chart_name, template.name);
                let place = Some(Place { path, line: Some(literal.line) });
                dropped.push(Dropped { events: literal.value, place, is_certain: false });
            }
        }
    }
    dropped
}
