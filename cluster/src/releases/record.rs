//! What a record says of its hooks: for each that may be running, which release it belongs to.

use hooks::{
    Interest, Object,
    manifest::{self, Document},
    release::{Phase, Record, RecordedHook, Status},
    yaml,
};
use policies::{HookKey, Membership, Moment, exception::seconds};

use super::index::HOOKS;

/// Bytes of memory for the values of one hook.
const MEMORY: usize = 8 << 20;

/// One hook of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) hook: HookKey,
    pub(super) membership: Membership,
    /// Whether Secret, release and hook are in the same namespace. Who writes elsewhere proves nothing here.
    pub(super) is_at_home: bool,
    /// When it began to run, in seconds since 1970; `None` when it is not running.
    pub(super) running_since: Option<i64>,
}

/// The hooks that Helm runs now, and while something is under way also those it has not come to or has run already; `stored_in` is the
/// namespace of the Secret, which its author needs the right to write in, whatever the record says.
pub(super) fn claims(record: &Record, stored_in: &str) -> Vec<Claim> {
    let is_under_way = record.is_pending() || record.status == Status::Uninstalling;
    let is_wanted = |hook: &&RecordedHook| is_under_way || hook.phase == Some(Phase::Running);
    let claims = record.hooks.iter().filter(is_wanted).flat_map(|hook| claims_of(record, stored_in, hook));
    // One more than are ever kept says enough.
    claims.take(HOOKS + 1).collect()
}

fn claims_of(record: &Record, stored_in: &str, hook: &RecordedHook) -> Vec<Claim> {
    let is_running = hook.phase == Some(Phase::Running);
    let membership = Membership {
        release: record.name.clone(),
        namespace: record.namespace.clone(),
        revision: u64::try_from(record.version).unwrap_or_default(),
        moment: moment(record.status),
    };
    let running_since = is_running.then(|| hook.started_at.as_deref().and_then(seconds).unwrap_or_default());
    let limits = yaml::Limits { memory: MEMORY, ..yaml::Limits::default() };
    let Ok(read) = Document::of_hook(&hook.manifest).read(Interest::Judged, &limits) else {
        return Vec::new();
    };
    let claim = |node| {
        let object = Object::new(node);
        let hook = HookKey::of(object, Some(object.namespace().unwrap_or(&record.namespace)))?;
        let is_at_home = record.namespace == stored_in && hook.namespace.as_deref() == Some(stored_in);
        Some(Claim { hook, membership: membership.clone(), is_at_home, running_since })
    };
    manifest::objects(&read.root).filter_map(|(_, object)| claim(object)).take(HOOKS + 1).collect()
}

/// What Helm does to a release with this status while one of its hooks runs; a release that is at rest is tested. While something is
/// under way, Helm begins nothing else with the release, so that a hook which it has not come to yet has the same moment.
const fn moment(status: Status) -> Moment {
    match status {
        Status::PendingInstall => Moment::Install,
        Status::PendingUpgrade => Moment::Upgrade,
        Status::PendingRollback => Moment::Rollback,
        Status::Uninstalling => Moment::Uninstall,
        Status::Deployed | Status::Failed => Moment::Test,
        Status::Unknown | Status::Uninstalled | Status::Superseded | Status::Other => Moment::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use hooks::release::{Limits, encode};
    use serde_json::{Value, json};

    use super::*;

    const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}";

    fn claims_in(status: &str, hooks: &Value) -> Vec<Claim> {
        stored_in("demo", status, hooks)
    }

    fn stored_in(namespace: &str, status: &str, hooks: &Value) -> Vec<Claim> {
        let record = json!({"name": "shop", "namespace": "demo", "version": 3, "info": {"status": status}, "hooks": hooks});
        let record = Record::decode(encode(record.to_string().as_bytes()).as_bytes(), &Limits::default());
        claims(&record.unwrap(), namespace)
    }

    fn hook(manifest: &str, phase: &str) -> Value {
        let run = json!({"phase": phase, "started_at": "2026-11-21T06:00:00.5+01:00"});
        json!({"kind": "Job", "name": "migrate", "manifest": manifest, "last_run": run})
    }

    fn moment_of(status: &str, phase: &str) -> Option<Moment> {
        claims_in(status, &json!([hook(JOB, phase)])).first().map(|claim| claim.membership.moment)
    }

    #[test]
    fn a_running_hook_has_the_moment_of_its_release() {
        assert_eq!(moment_of("pending-install", "Running"), Some(Moment::Install));
        assert_eq!(moment_of("pending-upgrade", "Running"), Some(Moment::Upgrade));
        assert_eq!(moment_of("pending-rollback", "Running"), Some(Moment::Rollback));
        assert_eq!(moment_of("uninstalling", "Running"), Some(Moment::Uninstall));
        assert_eq!(moment_of("deployed", "Running"), Some(Moment::Test));
    }

    #[test]
    fn a_hook_that_does_not_run_yet_has_the_moment_of_what_is_under_way() {
        assert_eq!(moment_of("pending-rollback", "Succeeded"), Some(Moment::Rollback));
        assert_eq!(moment_of("uninstalling", ""), Some(Moment::Uninstall));
        assert_eq!(moment_of("deployed", "Succeeded"), None);
    }

    #[test]
    fn a_hook_is_known_by_its_manifest() {
        let claims = claims_in("pending-upgrade", &json!([hook(JOB, "Running")]));
        let key = HookKey {
            group: "batch".into(),
            kind: "Job".into(),
            namespace: Some("demo".into()),
            name: "migrate".into(),
        };
        assert_eq!(claims[0].hook, key);
        assert_eq!(claims[0].running_since, Some(1_795_237_200));
        assert_eq!((claims[0].membership.release.as_str(), claims[0].membership.revision), ("shop", 3));
        let elsewhere = JOB.replace("name: migrate", "name: migrate, namespace: other");
        let claims = claims_in("pending-upgrade", &json!([hook(&elsewhere, "Running")]));
        assert_eq!(claims[0].hook.namespace.as_deref(), Some("other"));
    }

    #[test]
    fn a_secret_of_another_namespace_spoke_for_the_release() {
        let is_at_home = |secret: &str, manifest: &str| {
            let claims = stored_in(secret, "pending-rollback", &json!([hook(manifest, "Running")]));
            claims[0].is_at_home
        };
        let elsewhere = JOB.replace("name: migrate", "name: migrate, namespace: other");
        assert!(is_at_home("demo", JOB));
        assert!(!is_at_home("other", JOB), "the record names a namespace that its Secret is not in");
        assert!(!is_at_home("demo", &elsewhere), "the hook is in another namespace than the Secret");
        assert!(!is_at_home("other", &elsewhere), "the release is in another namespace than the Secret");
    }

    #[test]
    fn a_list_is_its_items_and_what_cannot_be_read_is_left_out() {
        let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}";
        let claims = claims_in("pending-install", &json!([hook(list, "Running"), hook("a: [", "Running")]));
        let names: Vec<_> = claims.iter().map(|claim| claim.hook.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
