//! Hookward as people have it: our chart, installed on a cluster by real Helm.

use std::{path::PathBuf, time::Duration};

use crate::cluster::{Cluster, Helm, Ran};

/// The name of the release, and so of most of its objects.
pub const NAME: &str = "hookward";
/// Where it is installed.
pub const NAMESPACE: &str = "hookward-system";

/// Longer than a rollout takes on a busy machine, and shorter than what ends a command.
const ROLLOUT: &str = "--timeout=110s";
/// A hook that every profile but `audit` refuses.
const SUSPENDED: &str = r#"{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "suspended-",
    "annotations": {"helm.sh/hook": "EVENT"}}, "spec": {"suspend": true, "template": {"spec": {
    "restartPolicy": "Never", "containers": [{"name": "main", "image": "shop:1"}]}}}}"#;

/// The chart in the hands of one Helm.
#[derive(Debug, Clone, Copy)]
pub struct Installed<'c> {
    cluster: &'c Cluster,
    helm: Helm,
}

impl<'c> Installed<'c> {
    /// Nothing is installed yet.
    #[must_use]
    pub const fn new(cluster: &'c Cluster, helm: Helm) -> Self {
        Self { cluster, helm }
    }

    /// The same release in the hands of another Helm.
    #[must_use]
    pub const fn with(self, helm: Helm) -> Self {
        Self { helm, ..self }
    }

    /// The folder of the chart.
    #[must_use]
    pub fn chart() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/chart")
    }

    /// Runs Helm in the namespace of the release.
    #[must_use]
    #[track_caller]
    pub fn helm(&self, args: &[&str]) -> Ran {
        self.cluster.helm(self.helm).args(args).namespace(NAMESPACE).run()
    }

    /// `helm install` with these values, as `--set` takes them, until every replica is ready.
    ///
    /// # Panics
    /// When Helm fails.
    #[track_caller]
    pub fn install(&self, values: &[&str]) {
        self.apply("install", &["--create-namespace", "--wait", ROLLOUT], values);
    }

    /// `helm upgrade` with these values and no others, until every replica is ready.
    ///
    /// # Panics
    /// When Helm fails.
    #[track_caller]
    pub fn upgrade(&self, values: &[&str]) {
        self.apply("upgrade", &["--reset-values", "--wait", ROLLOUT], values);
    }

    /// `helm uninstall`.
    ///
    /// # Panics
    /// When Helm fails.
    #[track_caller]
    pub fn uninstall(&self) {
        let _ = self.helm(&["uninstall", NAME, "--wait", ROLLOUT]).expect_ok();
    }

    #[track_caller]
    fn apply(&self, verb: &str, flags: &[&str], values: &[&str]) {
        let helm = self.cluster.helm(self.helm).args([verb, NAME]).path(&Self::chart()).namespace(NAMESPACE);
        let helm = helm.args(flags).args(values.iter().flat_map(|value| ["--set", value]));
        let _ = helm.run().expect_ok();
    }

    /// The names of the pods that are meant to stay.
    ///
    /// # Panics
    /// When they cannot be listed.
    #[must_use]
    #[track_caller]
    pub fn pods(&self) -> Vec<String> {
        let staying = "-o=go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}} {{end}}{{end}}";
        let selector = "-l=app.kubernetes.io/component=server";
        let list = self.cluster.kubectl(&["get", "pods", "--namespace", NAMESPACE, selector, staying]);
        list.expect_ok().stdout.split_whitespace().map(str::to_owned).collect()
    }

    /// Changes the number of replicas beside Helm, and waits until there are as many pods, those that leave included.
    ///
    /// # Panics
    /// When that does not happen within two minutes.
    #[track_caller]
    pub fn scale(&self, replicas: usize) {
        let count = format!("--replicas={replicas}");
        let _ = self
            .cluster
            .kubectl(&["scale", "deployment", NAME, "--namespace", NAMESPACE, &count])
            .expect_ok();
        self.cluster.wait_for("the pods", Duration::from_secs(120), || {
            let ready =
                "-o=jsonpath={.status.replicas} {.status.readyReplicas} {.status.terminatingReplicas}";
            let status = self.cluster.kubectl(&["get", "deployment", NAME, "--namespace", NAMESPACE, ready]);
            let numbers: Vec<_> = status.stdout.split(' ').map(|one| one.parse().unwrap_or(0)).collect();
            (numbers == [replicas, replicas, 0]).then_some(())
        });
    }

    /// Asks for a hook of this event in the namespace `default` that ought to be refused; nothing is stored.
    #[must_use]
    #[track_caller]
    pub fn suspended_hook(&self, event: &str) -> Ran {
        let hook = SUSPENDED.replace("EVENT", event);
        self.cluster.kubectl_with(&["create", "--dry-run=server", "--filename=-"], &hook)
    }

    /// Waits until a suspended hook that goes forward is refused by a rule, and not for want of an answer.
    ///
    /// # Panics
    /// When that does not happen within a minute.
    #[track_caller]
    pub fn wait_until_judging(&self) {
        self.cluster.wait_for("a judgement", Duration::from_secs(60), || {
            self.suspended_hook("pre-install").stderr.contains("`job-suspended`").then_some(())
        });
    }
}
