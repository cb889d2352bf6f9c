//! The pods of this run of a hook, and what Kubernetes said about them and the Job.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::ListParams;

use super::{
    super::evidence::{Evidence, Said, Seen},
    Look,
};

/// The most pods that are looked at; a Job that tries for hours leaves more.
const MOST_PODS: usize = 20;
/// The most events that are read of each kind.
const MOST_EVENTS: u32 = 500;
/// The most pods whose events are asked for one by one.
const MOST_ASKED: usize = 5;
/// Seconds by which the clocks of Helm and the cluster may differ.
const SKEW: i64 = 60;

/// Newest first; `None` where nobody may look.
pub(super) async fn read(look: &mut Look<'_>, seen: &Evidence) -> Option<Vec<Pod>> {
    if seen.hook.kind == "Pod" {
        return match look.one::<Pod>(&seen.hook.name, "read Pods").await {
            Seen::There(pod) => Some(vec![*pod]),
            Seen::Gone => Some(Vec::new()),
            Seen::Unknown => None,
        };
    }
    // Labels are shorter than names may be; Kubernetes refuses Jobs with such names.
    if seen.hook.name.len() > 63 {
        return Some(Vec::new());
    }
    let params = ListParams::default().labels(&format!("job-name={}", seen.hook.name)).limit(500);
    let mut pods = look.all::<Pod>(&params, "list Pods").await?;
    pods.retain(|pod| is_of_this_run(pod, seen));
    pods.sort_by_key(|pod| std::cmp::Reverse(created(pod)));
    pods.truncate(MOST_PODS);
    Some(pods)
}

fn created(pod: &Pod) -> Option<i64> {
    pod.metadata.creation_timestamp.as_ref().map(|at| at.0.as_second())
}

fn is_of_this_run(pod: &Pod, seen: &Evidence) -> bool {
    match seen.job.there().and_then(|job| job.metadata.uid.as_ref()) {
        Some(uid) => pod.metadata.owner_references.iter().flatten().any(|owner| owner.uid == *uid),
        None => created(pod).zip(seen.hook.began).is_none_or(|(created, began)| created >= began - SKEW),
    }
}

/// Oldest first; `None` where nobody may look.
pub(super) async fn events(look: &mut Look<'_>, seen: &Evidence) -> Option<Vec<Said>> {
    let (kind, name) = (&seen.hook.kind, &seen.hook.name);
    let of_pods = "involvedObject.kind=Pod";
    let mut events = list(look, of_pods).await?;
    if kind != "Pod" && kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        events.extend(list(look, &format!("involvedObject.kind={kind},involvedObject.name={name}")).await?);
    }
    if events.len() >= MOST_EVENTS as usize {
        // A busy namespace: those that are looked for may be among the others.
        let names = seen.pods.iter().take(MOST_ASKED).filter_map(|pod| pod.metadata.name.as_deref());
        for name in names {
            events.extend(list(look, &format!("{of_pods},involvedObject.name={name}")).await?);
        }
    }
    let mut known = BTreeSet::new();
    events.retain(|event| is_about(event, seen) && known.insert(event.metadata.name.clone()));
    let mut said: Vec<Said> = events.into_iter().map(of).collect();
    said.sort_by_key(|said| said.at);
    Some(said)
}

async fn list(look: &mut Look<'_>, fields: &str) -> Option<Vec<Event>> {
    look.all(&ListParams::default().fields(fields).limit(MOST_EVENTS), "list Events").await
}

fn is_about(event: &Event, seen: &Evidence) -> bool {
    let object = &event.involved_object;
    let (kind, name) = (object.kind.as_deref().unwrap_or(""), object.name.as_deref().unwrap_or(""));
    let hook = &seen.hook;
    let is_the_hook = kind == hook.kind && name == hook.name;
    let is_a_pod =
        kind == "Pod" && name.strip_prefix(hook.name.as_str()).is_some_and(|rest| rest.starts_with('-'));
    if !is_the_hook && (!is_a_pod || hook.kind != "Job") {
        return false;
    }
    let live = seen.job.there().map(|job| &job.metadata);
    let live = live.or_else(|| seen.pods.first().map(|pod| &pod.metadata).filter(|_| hook.kind == "Pod"));
    if is_the_hook && let (Some(uid), Some(of)) = (live.and_then(|live| live.uid.as_ref()), &object.uid) {
        return uid == of;
    }
    let since = live.and_then(|live| live.creation_timestamp.as_ref()).map(|at| at.0.as_second());
    let since = since.or_else(|| hook.began.map(|began| began - SKEW));
    at(event).zip(since).is_none_or(|(at, since)| at >= since)
}

/// When it was said last.
fn at(event: &Event) -> Option<i64> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
    let last = event.last_timestamp.as_ref().map(|at| at.0.as_second());
    last.or_else(|| series.map(|at| at.0.as_second()))
        .or_else(|| event.event_time.as_ref().map(|at| at.0.as_second()))
}

fn of(event: Event) -> Said {
    let at = at(&event);
    Said {
        kind: event.involved_object.kind.unwrap_or_default(),
        name: event.involved_object.name.unwrap_or_default(),
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        at,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::diagnose::testing::{BEGAN, evidence, job};

    fn event(object: &Value, time: &str) -> Event {
        serde_json::from_value(json!({"metadata": {}, "involvedObject": object, "lastTimestamp": time}))
            .unwrap()
    }

    const IN_TIME: &str = "1970-01-12T13:46:50Z";
    const EARLIER: &str = "1970-01-12T13:00:00Z";

    #[test]
    fn events_of_this_run_are_told_from_those_of_others() {
        let seen = evidence(&json!({"job": job("")}));
        let about = |object: Value, time: &str| is_about(&event(&object, time), &seen);
        assert!(about(json!({"kind": "Job", "name": "migrate", "uid": "1"}), EARLIER));
        assert!(!about(json!({"kind": "Job", "name": "migrate", "uid": "2"}), IN_TIME));
        assert!(about(json!({"kind": "Pod", "name": "migrate-abcde"}), IN_TIME));
        assert!(!about(json!({"kind": "Pod", "name": "migrate-abcde"}), EARLIER));
        assert!(!about(json!({"kind": "Pod", "name": "migrated"}), IN_TIME));
        assert!(!about(json!({"kind": "Deployment", "name": "migrate"}), IN_TIME));
    }

    #[test]
    fn pods_of_an_earlier_job_are_left_out() {
        let seen = evidence(&json!({"job": job("")}));
        let pod = |uid: &str| {
            serde_json::from_value::<Pod>(json!({"metadata": {"ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "migrate", "uid": uid}]}})).unwrap()
        };
        assert!(is_of_this_run(&pod("1"), &seen) && !is_of_this_run(&pod("2"), &seen));
    }

    #[test]
    fn an_event_without_a_time_is_kept() {
        let seen = evidence(&json!({"job": null}));
        let one = serde_json::from_value(
            json!({"metadata": {}, "involvedObject": {"kind": "Job", "name": "migrate"}}),
        )
        .unwrap();
        assert!(is_about(&one, &seen));
        assert_eq!(at(&event(&json!({}), IN_TIME)), Some(BEGAN + 10));
    }
}
