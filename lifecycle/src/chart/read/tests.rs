//! Renderings are read as Helm reads them.

use std::time::Duration;

use super::*;
use crate::Outcome;

fn read(text: &str) -> Chart {
    Chart::read(text, "demo").unwrap()
}

/// The only hook of a document with these annotations.
fn hook(annotations: &str) -> Hook {
    let text =
        format!("{{apiVersion: v1, kind: Secret, metadata: {{name: x, annotations: {{{annotations}}}}}}}");
    let mut chart = read(&text);
    assert!(chart.resources.is_empty(), "it is no hook");
    chart.hooks.remove(0)
}

fn names<'a>(objects: impl IntoIterator<Item = &'a Arc<Object>>) -> Vec<String> {
    objects.into_iter().map(|object| object.id.to_string()).collect()
}

#[test]
fn hooks_and_resources_are_told_apart() {
    let chart = read(
        "---\n# Source: shop/templates/a.yaml\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\n# Source: shop/templates/b.yaml\napiVersion: v1\nkind: Secret\nmetadata: {name: b, annotations: {helm.sh/hook: test}}\n",
    );
    assert_eq!(names(&chart.resources), ["Secret/a"]);
    let [hook] = &chart.hooks[..] else { panic!("{:?}", chart.hooks) };
    assert_eq!((hook.path.as_str(), hook.name.as_str()), ("shop/templates/b.yaml", "b"));
    assert_eq!(names(&hook.objects), ["Secret/b"]);
}

#[test]
fn hooks_come_by_kind_then_path_then_document() {
    let document = |path: &str, kind: &str, name: &str| {
        format!(
            "---\n# Source: {path}\napiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}, annotations: {{helm.sh/hook: test}}}}\n"
        )
    };
    let text = [
        document("b.yaml", "Pod", "p"),
        document("b.yaml", "Secret", "s1"),
        document("b.yaml", "Secret", "s0"),
        document("a.yaml", "Secret", "s2"),
    ];
    let chart = read(&text.concat());
    let order: Vec<_> = chart.hooks.iter().map(|hook| hook.name.as_str()).collect();
    assert_eq!(order, ["s2", "s1", "s0", "p"]);
}

#[test]
fn events_keep_their_duplicates_and_an_unknown_one_drops_the_document() {
    use hooks::Event::{PreInstall, Test};
    assert_eq!(hook(r#"helm.sh/hook: "test, Pre-Install ,test-success""#).events, [Test, PreInstall, Test]);
    for dropped in ["pre-instal", "\"test,\"", "\"\""] {
        let text = format!(
            "{{apiVersion: v1, kind: Secret, metadata: {{name: x, annotations: {{helm.sh/hook: {dropped}}}}}}}"
        );
        let chart = read(&text);
        let told = chart.dropped.iter().map(|dropped| (dropped.name.as_str(), dropped.events.as_str()));
        assert_eq!(told.collect::<Vec<_>>(), [("Secret/x", dropped.trim_matches('"'))]);
        assert_eq!(Chart { dropped: Vec::new(), ..chart }, Chart::default(), "{dropped}");
    }
}

#[test]
fn a_weight_that_is_no_number_is_nothing() {
    assert_eq!(hook(r#"helm.sh/hook: test, helm.sh/hook-weight: "-5""#).weight, -5);
    assert_eq!(hook(r#"helm.sh/hook: test, helm.sh/hook-weight: " 5""#).weight, 0);
}

#[test]
fn the_default_policy_is_there_only_without_the_annotation() {
    use DeletePolicy::{BeforeHookCreation, HookFailed};
    assert_eq!(hook("helm.sh/hook: test").delete_policies, [BeforeHookCreation]);
    assert_eq!(hook(r#"helm.sh/hook: test, helm.sh/hook-delete-policy: """#).delete_policies, []);
    let failed = hook("helm.sh/hook: test, helm.sh/hook-delete-policy: hook-failed");
    assert!(failed.deletes(HookFailed) && !failed.deletes(BeforeHookCreation));
}

#[test]
fn logs_have_no_default() {
    assert_eq!(hook("helm.sh/hook: test").log_policies, []);
    let logged = hook("helm.sh/hook: test, helm.sh/hook-output-log-policy: hook-failed");
    assert_eq!(logged.log_policies, [DeletePolicy::HookFailed]);
}

#[test]
fn a_list_is_one_hook_of_many_objects() {
    let chart = read(
        "{apiVersion: v1, kind: List, metadata: {name: l, annotations: {helm.sh/hook: test}}, items: [{apiVersion: v1, kind: Secret, metadata: {name: a}}, {apiVersion: v1, kind: Secret, metadata: {name: b}}]}",
    );
    assert_eq!(chart.hooks[0].kind, "List");
    assert_eq!(names(&chart.hooks[0].objects), ["Secret/a", "Secret/b"]);
}

#[test]
fn an_annotation_on_an_item_of_a_list_makes_no_hook() {
    let chart = read(
        "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: a, annotations: {helm.sh/hook: test}}}]}",
    );
    assert!(chart.hooks.is_empty());
    assert_eq!(names(&chart.resources), ["Secret/a"]);
}

#[test]
fn items_of_a_typed_list_have_its_kind() {
    let chart = read("{apiVersion: v1, kind: SecretList, items: [{metadata: {name: a}}]}");
    assert_eq!(names(&chart.resources), ["Secret/a"]);
    assert_eq!(chart.resources[0].id.api_version, "v1");
    assert_eq!(chart.resources[0].id.namespace.as_deref(), Some("demo"));
}

#[test]
fn the_namespace_is_filled_in_where_there_is_one() {
    let namespace = |text: &str| read(text).resources[0].id.namespace.clone();
    assert_eq!(namespace("{apiVersion: v1, kind: Secret, metadata: {name: x}}").as_deref(), Some("demo"));
    assert_eq!(
        namespace("{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: other}}").as_deref(),
        Some("other")
    );
    assert_eq!(namespace("{apiVersion: v1, kind: Namespace, metadata: {name: x}}"), None);
}

#[test]
fn a_definition_says_whether_its_objects_have_a_namespace() {
    let chart = read(
        "{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}\n---\n{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, spec: {group: example.com, names: {kind: Widget}, scope: Cluster, versions: [{name: v1, served: true}]}}",
    );
    let widget = chart.resources.iter().find(|object| object.id.kind == "Widget").unwrap();
    assert_eq!(widget.id.namespace, None);
}

#[test]
fn what_stands_in_a_folder_of_definitions_is_no_hook() {
    let definition = |path: &str| {
        read(&format!(
            "# Source: {path}\napiVersion: v1\nkind: Secret\nmetadata: {{name: x, annotations: {{helm.sh/hook: test}}}}\n"
        ))
    };
    assert_eq!(definition("shop/crds/x.yaml").crds.len(), 1);
    assert_eq!(definition("shop/charts/sub/crds/x.yaml").crds.len(), 1);
    assert_eq!(definition("shop/templates/crds/x.yaml").hooks.len(), 1);
}

#[test]
fn annotations_that_are_no_text_sort_and_cannot_be_built() {
    let odd = hook("helm.sh/hook: test, helm.sh/hook-weight: 5");
    assert_eq!(odd.weight, 5);
    assert_eq!(
        odd.unbuildable.unwrap(),
        "unable to decode \"\": json: cannot unmarshal number into Go struct field ObjectMeta.metadata.annotations of type string"
    );
    assert_eq!(hook("helm.sh/hook: test").unbuildable, None);
}

#[test]
fn what_has_no_kind_cannot_be_built_and_its_values_stay_unsaid() {
    let text = "{apiVersion: v1, metadata: {name: x, annotations: {}}, stringData: {password: hunter2}}";
    let said = Some("error validating \"\": error validating data: kind not set");
    assert_eq!(read(text).unbuildable.as_deref(), said);
    let hook = read(&text.replace("annotations: {}", "annotations: {helm.sh/hook: test}")).hooks.remove(0);
    assert_eq!(hook.unbuildable.as_deref(), Some("unable to decode \"\": Object 'Kind' is missing"));
    assert_eq!(hook.unsaid.as_deref(), said);
}

#[test]
fn what_vanished_without_a_kind_was_named_by_a_slash() {
    let chart =
        read("{apiVersion: v1, knd: Job, metadata: {name: x, annotations: {helm.sh/hook: pre-instal}}}");
    assert_eq!(chart.dropped[0].name, "x");
}

#[test]
fn of_a_list_in_a_list_nothing_is_built() {
    let inner = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: x}}]}";
    let said = Some("*unstructured.Unstructured is not a list: no Items field in this object");
    let outer = format!("{{apiVersion: v1, kind: List, items: [{inner}], metadata: {{annotations: {{}}}}}}");
    assert_eq!(read(&outer).unbuildable.as_deref(), said);
    let hook = read(&outer.replace("annotations: {}", "annotations: {helm.sh/hook: test}")).hooks.remove(0);
    assert_eq!((hook.unbuildable.as_deref(), names(&hook.objects)), (said, vec!["Secret/x".to_owned()]));
    assert_eq!(read(inner).unbuildable, None);
    let inner = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}]}"#;
    let first = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"y"}}"#;
    assert_eq!(read(&format!("{first}\n{inner}")).unbuildable, None, "a stream may hold lists");
}

#[test]
fn items_that_are_no_list_cannot_be_decoded_but_in_an_item() {
    let odd = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, items: word}";
    assert_eq!(
        read(odd).unbuildable.as_deref(),
        Some(
            "unable to decode \"\": json: cannot unmarshal string into Go struct field decodeList.items of type []json.RawMessage"
        )
    );
    let chart = read(&format!("{{apiVersion: v1, kind: List, items: [{odd}]}}"));
    assert_eq!((chart.unbuildable, names(&chart.resources)), (None, vec!["ConfigMap/x".to_owned()]));
}

#[test]
fn a_made_up_name_shows_its_prefix() {
    let chart = read(
        "{apiVersion: v1, kind: Secret, metadata: {generateName: x-, annotations: {helm.sh/hook: test}}}",
    );
    assert_eq!(chart.hooks[0].name, "");
    assert_eq!(names(&chart.hooks[0].objects), ["Secret/x-*"]);
}

#[test]
fn the_annotation_of_the_pods_says_how_they_end() {
    let outcome = |word: &str| {
        let text = format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: x}}, spec: {{template: {{metadata: {{annotations: {{hookward.dev/outcome: {word}}}}}, spec: {{}}}}}}}}"
        );
        Chart::read(&text, "demo").map(|chart| chart.resources[0].run.as_ref().unwrap().outcome)
    };
    assert_eq!(outcome("hang").unwrap(), Some(Outcome::Hangs));
    assert_eq!(outcome("90s").unwrap(), Some(Outcome::Succeeds(Duration::from_secs(90))));
    let error = outcome("faill").unwrap_err();
    assert_eq!(error.to_string(), "Job \"x\": annotation hookward.dev/outcome");
    assert!(outcome("5").is_err() && outcome("").is_err(), "only text is an annotation");
}

#[test]
fn a_document_that_cannot_be_read_is_named_with_its_place() {
    let text =
        "# Source: shop/templates/a.yaml\nkind: Secret\n---\n# Source: shop/templates/b.yaml\nkind: [\n";
    let error = Chart::read(text, "demo").unwrap_err();
    assert!(
        matches!(&error, ReadError::Unreadable { path, .. } if path == "shop/templates/b.yaml"),
        "{error}"
    );
}

#[test]
fn a_list_with_many_annotations_and_items_took_time_squared() {
    let many = |written: fn(usize) -> String| (0..30_000).map(written).collect::<Vec<_>>().join(", ");
    let annotations = many(|number| format!("a{number}: b"));
    let items = many(|number| format!("{{kind: A, metadata: {{name: a{number}}}}}"));
    let text = format!("{{kind: List, metadata: {{annotations: {{{annotations}}}}}, items: [{items}]}}");
    assert_eq!(read(&text).resources.len(), 30_000);
}
