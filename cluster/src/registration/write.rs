//! What is written: the bundle, and by a leader who may, everything else.
//!
//! All writes are JSON patches of a version: one that is late is refused. Server-side apply would not do: a webhook that the next version
//! of the chart leaves out would live on as the few fields that we own, which the API server refuses, and so would Helm's upgrade.

use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, PostParams},
};
use serde_json::{Value, json};

use super::{Configuration, Expected, GROUP, VERSION, authorities::Authorities, ours};
use crate::client::{self, FIELD_MANAGER};

/// The configurations of one kind.
pub(super) fn api(client: Client, configuration: Configuration) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk(GROUP, VERSION, configuration.kind());
    Api::all_with(client, &ApiResource::from_gvk_with_plural(&kind, configuration.plural()))
}

/// A patch that gives this bundle to every webhook of `live` that leads to us and whose bundle does not do; `None` when all do.
pub(super) fn bundle_patch(
    live: &Value,
    expected: Option<&Expected>,
    bundle: &Authorities,
    does: impl Fn(&Authorities) -> bool,
) -> Option<Value> {
    let field = bundle.field();
    let mut operations = Vec::new();
    for (index, webhook) in ours::webhooks(live, expected) {
        if !does(&ours::trusted(webhook)) {
            let path = format!("/webhooks/{index}/clientConfig/caBundle");
            operations.push(json!({"op": "add", "path": path, "value": field}));
        }
    }
    (!operations.is_empty()).then(|| versioned(live, operations))
}

/// A patch that puts what was installed in the place of all webhooks.
pub(super) fn repair_patch(live: &Value, expected: &Value, bundle: &Authorities) -> Value {
    let webhooks = with_bundle(expected, bundle)["webhooks"].take();
    let mut operations = vec![json!({"op": "add", "path": "/webhooks", "value": webhooks})];
    operations.extend(ours::restored_revision(live, expected));
    versioned(live, operations)
}

/// What was installed, with the bundle in every webhook.
pub(super) fn with_bundle(expected: &Value, bundle: &Authorities) -> Value {
    let mut expected = expected.clone();
    for webhook in expected["webhooks"].as_array_mut().into_iter().flatten() {
        if let Some(client) = webhook["clientConfig"].as_object_mut() {
            client.insert("caBundle".to_owned(), json!(bundle.field()));
        }
    }
    expected
}

/// A patch that gives up the ownership of all that a repair has written but the bundles; `None` when no more is owned.
///
/// Helm's next upgrade with server-side apply would otherwise meet a conflict over fields that are its own; and it would also if nobody
/// owned anything, since the API server then invents an owner of all there was before the first apply.
pub(super) fn disown_patch(live: &Value) -> Option<Value> {
    let mut managers = live["metadata"]["managedFields"].as_array()?.clone();
    let mut is_changed = false;
    for entry in managers.iter_mut().filter(|entry| entry["manager"] == FIELD_MANAGER) {
        let kept = only_bundles(&entry["fieldsV1"]);
        is_changed |= entry["fieldsV1"] != kept;
        entry["fieldsV1"] = kept;
    }
    let patch = || json!({"op": "replace", "path": "/metadata/managedFields", "value": managers});
    is_changed.then(|| versioned(live, vec![patch()]))
}

/// What is owned of the bundles.
///
/// Source: the format `FieldsV1` of Kubernetes `k8s.io/apimachinery/pkg/apis/meta/v1`.
fn only_bundles(fields: &Value) -> Value {
    let bundle = json!({"f:clientConfig": {"f:caBundle": {}}});
    let webhooks = fields["f:webhooks"].as_object().into_iter().flatten();
    let owned = webhooks.filter(|(_, webhook)| webhook.pointer("/f:clientConfig/f:caBundle").is_some());
    let owned: serde_json::Map<_, _> = owned.map(|(name, _)| (name.clone(), bundle.clone())).collect();
    json!({"f:webhooks": owned})
}

fn versioned(live: &Value, mut operations: Vec<Value>) -> Value {
    let version = &live["metadata"]["resourceVersion"];
    operations.insert(0, json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version}));
    Value::Array(operations)
}

/// Sends a patch and returns the configuration as it is now.
pub(super) async fn patch(
    api: &Api<DynamicObject>,
    name: &str,
    operations: Value,
) -> Result<Value, kube::Error> {
    client::patch(api, name, operations).await.map(plain)
}

/// Makes a configuration and returns it as it is now.
pub(super) async fn create(api: &Api<DynamicObject>, configuration: Value) -> Result<Value, kube::Error> {
    let object: DynamicObject = serde_json::from_value(configuration).map_err(kube::Error::SerdeError)?;
    let params = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
    api.create(&params, &object).await.map(plain)
}

/// A configuration as the JSON that it came as.
pub(super) fn plain(object: DynamicObject) -> Value {
    serde_json::to_value(object).expect("what came as JSON can be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registration::authorities::stand_in;

    fn live() -> Value {
        let webhook = |name: &str, host: &str| json!({"name": name, "clientConfig": {"url": format!("https://{host}/{name}")}});
        json!({
            "metadata": {"resourceVersion": "7", "managedFields": [{"manager": "helm"}]},
            "webhooks": [webhook("a", "ours"), webhook("b", "ours:8443"), webhook("c", "theirs")],
        })
    }

    fn bundle(name: &str) -> Authorities {
        Authorities::of_pem(&stand_in(name))
    }

    fn expected(webhook: &Value) -> (Value, Expected) {
        let configuration = json!({"kind": "ValidatingWebhookConfiguration", "webhooks": [webhook]});
        let expected = Expected::parse(&configuration.to_string()).unwrap();
        (configuration, expected)
    }

    #[test]
    fn only_what_does_not_do_is_written_and_only_at_this_version() {
        let (mut live, bundle) = (live(), bundle("one"));
        live["webhooks"].as_array_mut().unwrap().pop();
        live["webhooks"][0]["clientConfig"]["caBundle"] = json!(bundle.field());
        let patch = |live: &Value| bundle_patch(live, None, &bundle, |given| given.is_same(&bundle));
        let wanted = json!([
            {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
            {"op": "add", "path": "/webhooks/1/clientConfig/caBundle", "value": bundle.field()},
        ]);
        assert_eq!(patch(&live), Some(wanted));
        live["webhooks"][1]["clientConfig"]["caBundle"] = json!(bundle.field());
        assert_eq!(patch(&live), None);
    }

    #[test]
    fn a_webhook_that_an_upgrade_added_got_no_bundle_from_the_replicas_before_it() {
        let (_, expected) = expected(&json!({"name": "b", "clientConfig": {"url": "https://ours:443/b"}}));
        let patch = bundle_patch(&live(), Some(&expected), &bundle("one"), |_| false).unwrap();
        let paths: Vec<_> = patch.as_array().unwrap()[1..].iter().map(|one| one["path"].clone()).collect();
        assert_eq!(paths, ["/webhooks/0/clientConfig/caBundle", "/webhooks/1/clientConfig/caBundle"]);
    }

    #[test]
    fn a_repair_puts_back_what_was_installed_with_the_bundle_and_its_mark() {
        let (mut configuration, _) = expected(&json!({"name": "b", "clientConfig": {}}));
        let patch = repair_patch(&live(), &configuration, &bundle("one"));
        let client = json!({"caBundle": bundle("one").field()});
        assert_eq!(patch[1]["value"], json!([{"name": "b", "clientConfig": client}]));
        assert_eq!(patch.as_array().unwrap().len(), 2);
        let annotations = json!({"hookward.dev/registration": "1"});
        configuration["metadata"] = json!({"annotations": annotations});
        assert_eq!(repair_patch(&live(), &configuration, &bundle("one"))[2]["value"], annotations);
    }

    #[test]
    fn what_a_repair_owns_is_given_up_and_the_bundles_are_not() {
        let own =
            |webhook: Value| json!({"manager": FIELD_MANAGER, "fieldsV1": {"f:webhooks": {"k:{}": webhook}}});
        let managed = |entry: Value| {
            let mut live = live();
            live["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
            live
        };
        let bundle = own(json!({"f:clientConfig": {"f:caBundle": {}}}));
        assert_eq!(disown_patch(&live()), None);
        assert_eq!(disown_patch(&managed(bundle.clone())), None);
        let all = own(json!({".": {}, "f:clientConfig": {"f:caBundle": {}, "f:url": {}}, "f:rules": {}}));
        assert_eq!(disown_patch(&managed(all)).unwrap()[1]["value"], json!([{"manager": "helm"}, bundle]));
        let none = json!({"manager": FIELD_MANAGER, "fieldsV1": {"f:webhooks": {}}});
        let patch = disown_patch(&managed(own(json!({"f:failurePolicy": {}})))).unwrap();
        assert_eq!(patch[1]["value"], json!([{"manager": "helm"}, none]));
        assert_eq!(disown_patch(&managed(none)), None);
    }
}
