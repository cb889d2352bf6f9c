//! Data that is a hook: Helm deletes it at every upgrade.

use hooks::{
    DeletePolicy, Event, Hook, Object,
    annotations::{DELETE_POLICY, HOOK, RESOURCE_POLICY},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    rule::{Meta, Rule},
    settings::Gitops,
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// A PersistentVolumeClaim, PersistentVolume, StatefulSet or database is a hook, and Helm deletes it in the normal life of the release:
    /// before it creates it again at an upgrade or a rollback (the default), or because of `hook-succeeded` or `hook-failed`. Under
    /// Argo CD install hooks run at every sync.
    ///
    /// ## Why it matters
    ///
    /// The data go with the object. `helm.sh/resource-policy: keep` does not help: Helm does not look at it when it deletes hooks.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: PersistentVolumeClaim
    /// metadata: {name: shop-data, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: PersistentVolumeClaim
    /// metadata: {name: shop-data, annotations: {helm.sh/resource-policy: keep}}
    /// ```
    HookDataKindRecreated, "hook-data-kind-recreated",
    severity: Critical, release: Deny, object: Deny, options: Options
}

/// Options of this rule.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The kinds that hold data, as `Kind.group`; `Kind` alone for those of the core group.
    data_kinds: Vec<String>,
}

/// Kinds of Kubernetes, then of the operators that most charts use.
const DATA_KINDS: [&str; 20] = [
    "PersistentVolume",
    "PersistentVolumeClaim",
    "StatefulSet.apps",
    "CassandraDatacenter.cassandra.datastax.com",
    "CephCluster.ceph.rook.io",
    "ClickHouseInstallation.clickhouse.altinity.com",
    "Cluster.postgresql.cnpg.io",
    "Elasticsearch.elasticsearch.k8s.elastic.co",
    "InnoDBCluster.mysql.oracle.com",
    "Kafka.kafka.strimzi.io",
    "MariaDB.k8s.mariadb.com",
    "MongoDBCommunity.mongodbcommunity.mongodb.com",
    "ObjectBucketClaim.objectbucket.io",
    "PerconaServerMongoDB.psmdb.percona.com",
    "PerconaXtraDBCluster.pxc.percona.com",
    "PostgresCluster.postgres-operator.crunchydata.com",
    "RabbitmqCluster.rabbitmq.com",
    "RedisCluster.redis.redis.opstreelabs.in",
    "VolumeSnapshot.snapshot.storage.k8s.io",
    "postgresql.acid.zalan.do",
];

impl Default for Options {
    fn default() -> Self {
        Self { data_kinds: DATA_KINDS.map(str::to_owned).to_vec() }
    }
}

impl Options {
    fn holds_data(&self, object: Object<'_>) -> bool {
        self.data_kinds.iter().any(|entry| {
            let (kind, group) = entry.split_once('.').unwrap_or((entry, ""));
            object.is(group, kind)
        })
    }
}

impl Rule for HookDataKindRecreated {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        if cx.hook.events.is_dropped() || !cx.options::<Options>().holds_data(cx.object) {
            return;
        }
        let is_argo = cx.engine.gitops == Gitops::Argocd;
        let (field, when, help) = if let Some(when) = recreated(cx.hook, is_argo) {
            let help = format!(
                "make it an ordinary resource with {RESOURCE_POLICY}: keep, or leave it to pre-install alone"
            );
            let argo_help = format!("make it an ordinary resource with {RESOURCE_POLICY}: keep");
            (HOOK, when, if is_argo { argo_help } else { help })
        } else if cx.hook.delete_policies.contains(DeletePolicy::HookSucceeded) {
            (
                DELETE_POLICY,
                "as soon as the hooks of its event have succeeded".to_owned(),
                "remove hook-succeeded".to_owned(),
            )
        } else if cx.hook.delete_policies.contains(DeletePolicy::HookFailed) {
            (DELETE_POLICY, "when the hook fails".to_owned(), "remove hook-failed".to_owned())
        } else {
            return;
        };
        let what = if cx.object.kind() == "StatefulSet" { "with its pods" } else { "with its data" };
        let message = format!("{} is deleted {what} {when}", cx.object);
        findings.push(
            Finding::new(wording::annotation(field), message, help)
                .label("Helm deletes it, and makes an empty one"),
        );
    }
}

/// When Helm deletes the object to create it again, if it does.
pub(crate) fn recreated(hook: &Hook<'_>, is_argo: bool) -> Option<String> {
    if !hook.delete_policies.deletes_before_creation() {
        return None;
    }
    let when = |event: Event| match event {
        Event::PreUpgrade => "before every upgrade",
        Event::PostUpgrade => "after every upgrade",
        Event::PreRollback => "before every rollback",
        _ => "after every rollback",
    };
    if is_argo && hook.events.known().next().is_some() {
        return Some("at every sync of Argo CD".to_owned());
    }
    hook.events.known().find(|event| event.repeats()).map(|event| when(event).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::{Engine, Settings},
        testing::{accepts, findings, rejects},
    };

    fn object(kind: &str, annotations: &str) -> String {
        format!("{{{kind}, metadata: {{name: a, annotations: {{{annotations}}}}}}}")
    }

    const CLAIM: &str = "apiVersion: v1, kind: PersistentVolumeClaim";

    #[test]
    fn every_event_that_repeats_deletes() {
        for (event, when) in
            [("pre-upgrade", "before every upgrade"), ("post-rollback", "after every rollback")]
        {
            rejects(&HookDataKindRecreated, &object(CLAIM, &format!("helm.sh/hook: {event}")), when);
        }
    }

    #[test]
    fn keep_does_not_help_a_hook() {
        rejects(
            &HookDataKindRecreated,
            &object(CLAIM, "helm.sh/hook: pre-upgrade, helm.sh/resource-policy: keep"),
            "with its data",
        );
    }

    #[test]
    fn install_alone_keeps_it_but_for_argo_cd() {
        let yaml = object(CLAIM, "helm.sh/hook: pre-install");
        accepts(&HookDataKindRecreated, &yaml);
        let settings = Settings {
            engine: Some(Engine { gitops: Gitops::Argocd, ..Engine::default() }),
            ..Settings::default()
        };
        assert!(
            findings(&HookDataKindRecreated, None, &settings, &yaml)[0]
                .finding
                .message
                .ends_with("at every sync of Argo CD")
        );
    }

    #[test]
    fn policies_that_clean_up_take_the_data() {
        rejects(
            &HookDataKindRecreated,
            &object(CLAIM, "helm.sh/hook: pre-install, helm.sh/hook-delete-policy: hook-succeeded"),
            "as soon as the hooks of its event have succeeded",
        );
        accepts(
            &HookDataKindRecreated,
            &object(CLAIM, "helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: never"),
        );
    }

    #[test]
    fn databases_of_operators_count_and_the_list_can_be_replaced() {
        let yaml = object("apiVersion: postgresql.cnpg.io/v1, kind: Cluster", "helm.sh/hook: pre-upgrade");
        rejects(&HookDataKindRecreated, &yaml, "Cluster \"a\" is deleted with its data");
        let options = serde_json::json!({"dataKinds": ["Cache.example.org"]});
        assert!(findings(&HookDataKindRecreated, Some(options), &Settings::default(), &yaml).is_empty());
        accepts(
            &HookDataKindRecreated,
            &object("apiVersion: example.org/v1, kind: PersistentVolumeClaim", "helm.sh/hook: pre-upgrade"),
        );
    }

    #[test]
    fn the_claim_of_a_test_was_let_go() {
        let yaml = object(CLAIM, "helm.sh/hook: test, helm.sh/hook-delete-policy: hook-succeeded");
        rejects(&HookDataKindRecreated, &yaml, "with its data");
    }
}
