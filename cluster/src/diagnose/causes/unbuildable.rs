//! The hook is nothing that the API server could take: no such kind, a wrong field, no name.

use super::{super::evidence::Evidence, between, cause, template};
use crate::diagnose::Cause;

/// How Helm and the API server say so, and what that means.
const WORDS: [(&str, &str); 8] = [
    ("no matches for kind ", "the cluster does not know its kind"),
    ("resource mapping not found", "the cluster does not know its kind"),
    ("field not declared in schema", "it has a field that there is not"),
    ("unknown field ", "it has a field that there is not"),
    ("error validating data", "it is not what its kind must be"),
    ("resource name may not be empty", "it has no name"),
    ("unable to build kubernetes object", "it cannot be read as an object"),
    (" is invalid: ", "the API server calls it invalid"),
];

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let said = evidence.release.description.as_str();
    let told = evidence.refused().any(|text| text == said);
    // That one has a cause of its own.
    if !told || said.contains("field is immutable") {
        return None;
    }
    let (_, meaning) = WORDS.into_iter().find(|(words, _)| said.contains(words))?;
    let found = cause("unbuildable", format!("could not be created: {meaning}")).said(said);
    Some(match between(said, "no matches for kind \"", "\"") {
        Some(kind) => found.advice(format!(
            "install what brings {kind:?} first: a CustomResourceDefinition must be there before a hook can use it"
        )),
        None => found.advice(format!("mend {}", template(evidence))),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    fn of(description: &str) -> Option<Cause> {
        find(&evidence(&json!({"kind": "Widget", "description": description})))
    }

    #[test]
    fn a_kind_that_nobody_knows_is_named() {
        let found = of("unable to build kubernetes object for deleting hook a.yaml: resource mapping not found for name: \"x\" namespace: \"\" from \"\": no matches for kind \"Widget\" in version \"a/v1\"").unwrap();
        assert_eq!(found.what, "could not be created: the cluster does not know its kind");
        assert!(found.repair[0].text.contains("\"Widget\""));
    }

    #[test]
    fn wrong_fields_are_told() {
        assert!(
            of("failed to create typed patch object: .spec.volumes: field not declared in schema")
                .unwrap()
                .what
                .contains("a field that there is not")
        );
        assert!(of("Job.batch \"a\" is invalid: spec.template: field is immutable").is_none());
        assert!(of("timed out").is_none());
    }
}
