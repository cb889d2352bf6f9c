//! Which hook of a release failed, as its record tells.

use hooks::{
    DeletePolicy, Event, Hook, Interest, Node, Object,
    manifest::{self, Document},
    release::{Phase, Record, RecordedHook, Status, Told},
    yaml,
};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Pod, PodSpec},
};

use super::{evidence::HookFacts, words};

/// Seconds by which a run may seem to begin before its revision: both are written by one clock, in parts of a second.
const SLACK: i64 = 1;

/// The hook that failed, or runs and may be about to.
pub(super) fn of_record(record: &Record, told: &Told) -> Option<HookFacts> {
    let since = words::seconds(&told.deleted_at).or_else(|| words::seconds(&told.deployed_at));
    // A rollback takes the runs of the revision that it returns to into its own record.
    let is_of_this_run = |hook: &&RecordedHook| {
        let began = hook.started_at.as_deref().and_then(words::seconds);
        began.zip(since).is_none_or(|(began, since)| began >= since - SLACK)
    };
    let runs = || record.hooks.iter().filter(is_of_this_run);
    let latest = |phase| {
        let of_phase = runs().filter(move |hook| hook.phase == Some(phase));
        of_phase.max_by_key(|hook| hook.started_at.as_deref().and_then(words::seconds))
    };
    let is_under_way = record.is_pending() || record.status == Status::Uninstalling;
    let hook = if is_under_way {
        // Only what ended well, or was seen to fail on an install or upgrade, is stored again.
        latest(Phase::Running).or_else(|| latest(Phase::Failed))
    } else {
        latest(Phase::Failed).or_else(|| never_run(record, told, since))
    }?;
    Some(facts(record, told, hook))
}

/// The hook that Helm came to and could not even begin with: it is in Helm's words, or was next.
fn never_run<'r>(record: &'r Record, told: &Told, since: Option<i64>) -> Option<&'r RecordedHook> {
    if record.status != Status::Failed {
        return None;
    }
    let said = &told.description;
    let event = event_in(said)?;
    let mut of_event: Vec<(i64, &RecordedHook)> = Vec::new();
    for hook in &record.hooks {
        let read = read(hook);
        let root = read.as_ref();
        let Some(annotations) = root.and_then(|root| Hook::parse(Object::new(root).annotations())) else {
            continue;
        };
        if annotations.events.contains(event) {
            of_event.push((annotations.weight.effective, hook));
        }
    }
    // Source: Helm 4.2.4 `pkg/action/hooks.go`, `hookByWeight`.
    of_event.sort_by(|(left, one), (right, other)| (left, &one.name).cmp(&(right, &other.name)));
    let hooks = || of_event.iter().map(|(_, hook)| *hook);
    let is_named = |hook: &&RecordedHook| {
        let object = format!("{}/{}/{} ", hook.kind, record.namespace, hook.name);
        said.contains(&format!("hook {} ", hook.path))
            || said.contains(&format!("hook {}:", hook.path))
            || said.contains(&object)
    };
    let has_run = |hook: &&RecordedHook| {
        let began = hook.started_at.as_deref().and_then(words::seconds);
        hook.phase == Some(Phase::Succeeded)
            && began.zip(since).is_none_or(|(began, since)| began >= since - SLACK)
    };
    hooks().find(is_named).or_else(|| hooks().find(|hook| !has_run(hook)))
}

/// The event that Helm's words after a failed install or upgrade are about.
///
/// Source: Helm 4.2.4 `pkg/action/install.go` and `upgrade.go`.
fn event_in(said: &str) -> Option<Event> {
    Event::ALL.into_iter().find(|event| {
        let words =
            [format!("failed {event}: "), format!("{event} hooks failed: "), format!("Hook {event} ")];
        words.iter().any(|words| said.contains(words))
    })
}

/// The event that a hook ran for: the one in Helm's words, else the one that the status leaves.
fn event_of(status: Status, said: &str, of_hook: &[Event]) -> Option<Event> {
    let told = event_in(said).filter(|event| status == Status::Failed && of_hook.contains(event));
    let possible: &[Event] = match status {
        Status::PendingInstall => &[Event::PreInstall, Event::PostInstall],
        Status::PendingUpgrade => &[Event::PreUpgrade, Event::PostUpgrade],
        Status::PendingRollback => &[Event::PreRollback, Event::PostRollback],
        Status::Uninstalling | Status::Uninstalled => &[Event::PreDelete, Event::PostDelete],
        _ => &[],
    };
    let is_test = of_hook.contains(&Event::Test).then_some(Event::Test);
    let only = (of_hook.len() == 1).then(|| of_hook[0]);
    told.or_else(|| possible.iter().copied().find(|event| of_hook.contains(event))).or(only).or(is_test)
}

/// What the record says of one hook.
pub(super) fn facts(record: &Record, told: &Told, hook: &RecordedHook) -> HookFacts {
    let mut facts = HookFacts {
        kind: hook.kind.clone(),
        name: hook.name.clone(),
        namespace: record.namespace.clone(),
        path: hook.path.clone(),
        phase: hook.phase,
        began: hook.started_at.as_deref().and_then(words::seconds),
        deletes_before_creation: true,
        ..HookFacts::default()
    };
    if matches!(hook.phase, Some(Phase::Failed | Phase::Succeeded)) {
        facts.ended = words::seconds(told.completed_at(&hook.path, &hook.kind, &hook.name));
    }
    let Some(root) = read(hook) else { return facts };
    if let Some(annotations) = Hook::parse(Object::new(&root).annotations()) {
        let events: Vec<Event> = annotations.events.known().collect();
        facts.event = event_of(record.status, &told.description, &events);
        facts.weight = annotations.weight.effective;
        facts.deletes_before_creation = annotations.delete_policies.deletes_before_creation();
        facts.deletes_when_failed = annotations.delete_policies.contains(DeletePolicy::HookFailed);
    }
    let object = Object::new(run_of(&root));
    object.api_version().clone_into(&mut facts.api_version);
    object.kind().clone_into(&mut facts.kind);
    object.name().unwrap_or_default().clone_into(&mut facts.name);
    object.namespace().unwrap_or(&record.namespace).clone_into(&mut facts.namespace);
    // What the API server would refuse is not read either.
    if object.is_job() {
        facts.job = serde_json::from_value::<Job>(object.root().to_json()).ok();
        facts.pod = facts.job.as_ref().and_then(|job| job.spec.as_ref()?.template.spec.clone());
    } else if object.is_pod() {
        let pod = serde_json::from_value::<Pod>(object.root().to_json()).ok();
        facts.pod = pod.and_then(|pod| pod.spec).map(|spec: PodSpec| spec);
    }
    facts
}

fn read(hook: &RecordedHook) -> Option<Node<'_>> {
    let read = Document::of_hook(&hook.manifest).read(Interest::Judged, &yaml::Limits::default());
    read.ok().map(|manifest| manifest.root)
}

/// Of a list the item that runs; else the object itself.
fn run_of<'n, 'a>(root: &'n Node<'a>) -> &'n Node<'a> {
    let objects = || manifest::objects(root).map(|(_, object)| object);
    let runs = |node: &&Node<'_>| Object::new(node).is_job() || Object::new(node).is_pod();
    objects().find(runs).or_else(|| objects().next()).unwrap_or(root)
}

#[cfg(test)]
mod tests {
    use hooks::release::{Limits, encode};
    use serde_json::{Value, json};

    use super::*;

    fn hook(name: &str, events: &str, phase: &str, at: &str) -> Value {
        let manifest = format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{helm.sh/hook: '{events}'}}}}"
        );
        let run = json!({"phase": phase, "started_at": at, "completed_at": "2026-01-01T10:09:00Z"});
        json!({"path": format!("shop/templates/{name}.yaml"), "kind": "Job", "name": name, "manifest": manifest, "last_run": run})
    }

    fn suspect(status: &str, description: &str, hooks: &Value) -> Option<HookFacts> {
        let info =
            json!({"status": status, "description": description, "last_deployed": "2026-01-01T10:00:00Z"});
        let record = json!({"name": "shop", "namespace": "demo", "version": 2, "info": info, "hooks": hooks});
        let stored = encode(record.to_string().as_bytes());
        let record = Record::decode(stored.as_bytes(), &Limits::default()).unwrap();
        of_record(&record, &Told::decode(stored.as_bytes(), &Limits::default()).unwrap())
    }

    const AT: &str = "2026-01-01T10:01:00Z";
    const NEVER: &str = "";

    #[test]
    fn the_hook_that_failed_is_the_one() {
        let hooks =
            json!([hook("a", "pre-upgrade", "Succeeded", AT), hook("b", "pre-upgrade", "Failed", AT)]);
        let found =
            suspect("failed", "Upgrade \"shop\" failed: pre-upgrade hooks failed: x", &hooks).unwrap();
        assert_eq!((found.name.as_str(), found.event), ("b", Some(Event::PreUpgrade)));
        assert_eq!((found.began, found.ended), (Some(1_767_261_660), Some(1_767_262_140)));
    }

    #[test]
    fn helms_words_tell_the_event() {
        let hooks = json!([hook("a", "pre-install,pre-upgrade,post-upgrade", "Failed", AT)]);
        let event = |status, said| suspect(status, said, &hooks).unwrap().event;
        assert_eq!(event("failed", "x failed: post-upgrade hooks failed: y"), Some(Event::PostUpgrade));
        assert_eq!(event("failed", "Release \"x\" failed: failed pre-install: y"), Some(Event::PreInstall));
        assert_eq!(event("pending-upgrade", "Preparing upgrade"), Some(Event::PreUpgrade));
    }

    #[test]
    fn what_is_under_way_is_about_the_hook_that_runs() {
        let hooks = json!([
            hook("a", "pre-delete", "Running", AT),
            hook("b", "test", "Failed", "2026-01-01T09:00:00Z")
        ]);
        let found = suspect("uninstalling", "Deletion in progress", &hooks).unwrap();
        assert_eq!((found.name.as_str(), found.event, found.ended), ("a", Some(Event::PreDelete), None));
    }

    #[test]
    fn a_failed_test_is_found_in_a_deployed_release() {
        let hooks = json!([hook("a", "test", "Failed", AT)]);
        assert_eq!(suspect("deployed", "Install complete", &hooks).unwrap().event, Some(Event::Test));
    }

    #[test]
    fn runs_of_an_older_revision_do_not_count() {
        let hooks = json!([hook("a", "pre-upgrade", "Failed", "2026-01-01T09:00:00Z")]);
        assert!(suspect("deployed", "Rollback to 1", &hooks).is_none());
    }

    #[test]
    fn a_hook_that_could_not_be_begun_is_found_by_helms_words_or_by_its_turn() {
        let hooks = json!([
            hook("a", "pre-upgrade", "Succeeded", AT),
            hook("b", "pre-upgrade", "", NEVER),
            hook("c", "pre-upgrade", "", NEVER)
        ]);
        let named = "failed: pre-upgrade hooks failed: unable to build kubernetes object for deleting hook shop/templates/c.yaml: x";
        assert_eq!(suspect("failed", named, &hooks).unwrap().name, "c");
        let still = "failed: pre-upgrade hooks failed: resource Job/demo/c still exists. status: Terminating";
        assert_eq!(suspect("failed", still, &hooks).unwrap().name, "c");
        assert_eq!(
            suspect("failed", "pre-upgrade hooks failed: context deadline exceeded", &hooks).unwrap().name,
            "b"
        );
    }

    #[test]
    fn a_release_that_failed_without_a_hook_has_no_suspect() {
        let hooks = json!([hook("a", "post-upgrade", "", NEVER)]);
        assert!(suspect("failed", "Upgrade \"shop\" failed: cannot patch \"x\"", &hooks).is_none());
        assert!(suspect("deployed", "Upgrade complete", &hooks).is_none());
        assert!(suspect("failed", "", &json!(null)).is_none());
    }

    #[test]
    fn a_broken_manifest_still_has_a_name() {
        let hooks =
            json!([{"kind": "Job", "name": "a", "manifest": "a: [", "last_run": {"phase": "Failed"}}]);
        assert_eq!(suspect("failed", "", &hooks).unwrap().name, "a");
    }

    #[test]
    fn of_a_list_the_job_is_looked_at() {
        let list = "apiVersion: v1\nkind: List\nmetadata: {annotations: {helm.sh/hook: test}}\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: x}}\n- {apiVersion: batch/v1, kind: Job, metadata: {name: run}}";
        let hooks = json!([{"kind": "List", "name": "", "manifest": list, "last_run": {"phase": "Failed"}}]);
        let found = suspect("deployed", "", &hooks).unwrap();
        assert_eq!((found.kind.as_str(), found.name.as_str()), ("Job", "run"));
    }
}
