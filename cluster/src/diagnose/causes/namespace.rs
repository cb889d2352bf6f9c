//! The namespace of the hook is not there, or is about to go.

use super::{super::evidence::Evidence, cause, template};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let name = &evidence.hook.namespace;
    let missing = format!("namespaces \"{name}\" not found");
    if let Some(text) = evidence.refused().find(|text| text.contains(&missing)) {
        let found =
            cause("namespace", format!("could not be created: there is no namespace {name:?}")).said(text);
        return Some(
            found.advice(format!("make the namespace first, or leave it out of {}", template(evidence))),
        );
    }
    let text = evidence.refused().find(|text| text.contains("because it is being terminated"))?;
    let what = format!("could not be created: the namespace {name:?} is being deleted");
    Some(cause("namespace", what).said(text).advice("wait until it is gone; then begin anew"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    #[test]
    fn a_namespace_that_is_missing_or_goes_is_told() {
        let of = |said: &str| find(&evidence(&json!({"description": said}))).map(|found| found.what);
        assert_eq!(
            of("namespaces \"demo\" not found").as_deref(),
            Some("could not be created: there is no namespace \"demo\"")
        );
        assert!(
            of("unable to create new content in namespace demo because it is being terminated").is_some()
        );
        assert_eq!(of("namespaces \"other\" not found"), None);
    }
}
