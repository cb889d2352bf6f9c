//! The scenario with real Helm on the test cluster.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

use tempfile::TempDir;

use super::{
    api::Api,
    observed::{Observed, Outcome, Request, Verb},
    scenario::{Move, Scenario},
    settle::settled,
};
use crate::rig::{AuditEvent, Helm, Ran, Rig};

/// What the API server calls kinds.
const RESOURCES: [(&str, &str); 13] = [
    ("jobs", "Job"),
    ("pods", "Pod"),
    ("configmaps", "ConfigMap"),
    ("secrets", "Secret"),
    ("serviceaccounts", "ServiceAccount"),
    ("persistentvolumeclaims", "PersistentVolumeClaim"),
    ("namespaces", "Namespace"),
    ("customresourcedefinitions", "CustomResourceDefinition"),
    ("widgets", "Widget"),
    ("deployments", "Deployment"),
    ("statefulsets", "StatefulSet"),
    ("daemonsets", "DaemonSet"),
    ("services", "Service"),
];

/// Plays a scenario.
pub(super) struct Player<'a> {
    rig: &'a Rig,
    helm: Helm,
    scenario: &'a Scenario,
    api: Api,
    folder: TempDir,
    defines: bool,
    others: bool,
}

impl<'a> Player<'a> {
    /// Makes the namespace and writes the charts.
    ///
    /// # Panics
    /// When the test cluster refuses, or the disk.
    pub(super) fn new(rig: &'a Rig, helm: Helm, scenario: &'a Scenario) -> Self {
        let folder = TempDir::new_in(rig.folder()).expect("the folder of the rig can be written");
        for (index, version) in scenario.versions.iter().enumerate() {
            version.write(&folder.path().join(format!("v{index}"))).expect("a chart can be written");
        }
        let namespace = &scenario.namespace;
        let _ = rig.kubectl(&["create", "namespace", namespace]).expect_ok();
        let api = Api::new(rig);
        rig.wait_for("the default service account", std::time::Duration::from_secs(60), || {
            api.get(&format!("/api/v1/namespaces/{namespace}/serviceaccounts/default"))
        });
        let has = |kind: &str| scenario.objects().any(|(_, object)| object["kind"] == kind);
        let (defines, others) = (has("CustomResourceDefinition"), has("Namespace"));
        Self { rig, helm, scenario, api, folder, defines, others }
    }

    /// Plays one command, and waits until all it set in motion has come to rest.
    pub(super) fn play(&self, command: &Move) -> Observed {
        let log = self.rig.servers().audit_log();
        let from = fs::metadata(&log).map_or(0, |metadata| metadata.len());
        let ran = self.run(command);
        let snapshot = settled(&self.api, &self.scenario.namespace, self.defines, self.others);
        Observed {
            exit: ran.code.unwrap_or(-1),
            error: error(&ran),
            history: snapshot.history(),
            leftovers: snapshot.leftovers(),
            requests: self.requests(&log, from),
        }
    }

    fn run(&self, command: &Move) -> Ran {
        let mut helm = self.rig.helm(self.helm).args(command.args(self.helm));
        if command.needs_chart() {
            helm = helm.path(&self.folder.path().join(format!("v{}", command.version)));
        }
        if self.defines {
            // What Helm remembers of the kinds that were served is not the cluster's.
            let forgotten = TempDir::new_in(self.folder.path()).expect("a folder can be made");
            return helm.namespace(&self.scenario.namespace).env("KUBECACHEDIR", forgotten.path()).run();
        }
        helm.namespace(&self.scenario.namespace).run()
    }

    /// What Helm asked for since then that concerns this scenario.
    fn requests(&self, log: &PathBuf, from: u64) -> Vec<Request> {
        let mut text = String::new();
        let read = File::open(log).and_then(|mut file| {
            file.seek(SeekFrom::Start(from))?;
            file.read_to_string(&mut text)
        });
        read.expect("the audit log can be read");
        let namespace = self.scenario.namespace.as_str();
        let lines =
            text.lines().filter(|line| line.contains(r#""userAgent":"Helm/"#) && line.contains(namespace));
        let events = lines.filter_map(AuditEvent::parse);
        events.filter(AuditEvent::is_from_helm).filter_map(|event| request(&event)).collect()
    }
}

/// Takes away what costs the cluster something.
impl Drop for Player<'_> {
    fn drop(&mut self) {
        let namespace = &self.scenario.namespace;
        if std::thread::panicking() {
            return;
        }
        for namespace in [namespace.clone(), format!("{namespace}-x")] {
            self.api
                .delete(&format!("/apis/batch/v1/namespaces/{namespace}/jobs?propagationPolicy=Background"));
            self.api.delete(&format!(
                "/apis/apps/v1/namespaces/{namespace}/deployments?propagationPolicy=Background"
            ));
            self.api.delete(&format!("/api/v1/namespaces/{namespace}/pods?gracePeriodSeconds=0"));
        }
        if self.defines {
            let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            self.api.delete(&format!("{definitions}/widgets.{namespace}.example.com"));
        }
    }
}

fn request(event: &AuditEvent) -> Option<Request> {
    if let Some(job) = job_with_logs(event) {
        let (kind, namespace) = ("Job".to_owned(), event.namespace.clone());
        return Some(Request {
            verb: Verb::Log,
            kind,
            namespace,
            name: job.to_owned(),
            result: Outcome::Changed,
        });
    }
    if !event.is_write() {
        return None;
    }
    if event.name.starts_with("sh.helm.release.") {
        return None;
    }
    let kind = RESOURCES.iter().find(|(resource, _)| *resource == event.resource);
    let verb = match event.verb.as_str() {
        "create" => Verb::Create,
        "patch" => Verb::Patch,
        "delete" => Verb::Delete,
        _ => Verb::Update,
    };
    let result = match (event.code, verb) {
        (404, Verb::Delete) => Outcome::Absent,
        (400.., _) => Outcome::Refused,
        (_, Verb::Delete) => Outcome::Deleted,
        (201, _) => Outcome::Made,
        _ => Outcome::Changed,
    };
    // The end of the name is the API server's; one without a name is refused.
    let is_generated = verb == Verb::Create && (event.name.is_empty() || event.name.starts_with("gen-"));
    let is_generated = is_generated && result == Outcome::Made;
    Some(Request {
        verb,
        kind: kind.map_or(event.resource.clone(), |(_, kind)| (*kind).to_owned()),
        // That of a cluster-scoped object is its own name in the log, for namespaces only.
        namespace: if event.resource == "namespaces" { String::new() } else { event.namespace.clone() },
        name: if is_generated { "gen-*".to_owned() } else { event.name.clone() },
        result,
    })
}

/// The Job whose pods are looked for, which is what Helm does before it prints their logs.
fn job_with_logs(event: &AuditEvent) -> Option<&str> {
    let is_list = event.verb == "list" && event.resource == "pods";
    let (_, job) = event.uri.split_once("labelSelector=job-name%3D").filter(|_| is_list)?;
    job.split('&').next()
}

/// The first line that Helm prints after `Error: `.
fn error(ran: &Ran) -> Option<String> {
    ran.stderr.lines().find_map(|line| line.strip_prefix("Error: ")).map(str::to_owned)
}
