//! Where an object of a release comes to be: exceptions go by that, and not by where the release is.

use hooks::{
    Object,
    scope::{Scope, built_in},
};

/// The namespaces that `object` of a release in `release` may come to be in; `None` stands for no namespace at all.
///
/// Of a kind that Kubernetes does not have by itself nobody here knows whether a namespace that is written counts: an exception must
/// then be about both.
///
/// Source: Helm 4.2.4 `pkg/kube/client.go`, where the builder has the release's namespace by default and does not insist on it; Kubernetes
/// `k8s.io/apiserver/pkg/registry/rest`, `BeforeCreate`, which takes the namespace off what has none.
pub(super) fn of<'a>(release: Option<&'a str>, object: Object<'a>) -> impl Iterator<Item = Option<&'a str>> {
    let written = object.namespace().or(release);
    let (first, second) = match built_in(object.api_version(), object.kind()) {
        Some(Scope::Namespaced) => (written, None),
        Some(Scope::Cluster) => (None, None),
        None => (written, release),
    };
    std::iter::once(first).chain(second.map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(release: Option<&str>, json: &str) -> Vec<Option<String>> {
        let root = hooks::json::object(json.as_bytes(), hooks::Interest::Judged).unwrap();
        of(release, Object::new(&root)).map(|place| place.map(str::to_owned)).collect()
    }

    fn named(names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|name| Some((*name).to_owned())).collect()
    }

    #[test]
    fn a_namespace_that_is_written_wins_over_that_of_the_release() {
        let job =
            |metadata: &str| format!(r#"{{"apiVersion":"batch/v1","kind":"Job","metadata":{metadata}}}"#);
        assert_eq!(places(Some("geo"), &job(r#"{"namespace":"prod"}"#)), named(&["prod"]));
        assert_eq!(places(None, &job(r#"{"namespace":"prod"}"#)), named(&["prod"]));
        for metadata in ["{}", r#"{"namespace":""}"#] {
            assert_eq!(places(Some("geo"), &job(metadata)), named(&["geo"]), "{metadata}");
            assert_eq!(places(None, &job(metadata)), [None], "{metadata}");
        }
    }

    #[test]
    fn what_has_no_namespace_gets_none_by_writing_one() {
        for metadata in ["{}", r#"{"namespace":"geo"}"#, r#"{"namespace":"prod"}"#] {
            let role = format!(
                r#"{{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{metadata}}}"#
            );
            assert_eq!(places(Some("geo"), &role), [None], "{metadata}");
        }
        assert_eq!(
            places(Some("geo"), r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"geo"}}"#),
            [None]
        );
    }

    #[test]
    fn a_kind_that_nobody_knows_is_where_it_says_and_where_the_release_is() {
        let other =
            |metadata: &str| format!(r#"{{"apiVersion":"a.io/v1","kind":"Task","metadata":{metadata}}}"#);
        assert_eq!(places(Some("geo"), &other(r#"{"namespace":"prod"}"#)), named(&["prod", "geo"]));
        assert!(places(Some("geo"), &other("{}")).iter().all(|place| place.as_deref() == Some("geo")));
        assert_eq!(places(None, &other(r#"{"namespace":"prod"}"#)), named(&["prod"]));
    }
}
