//! What is remembered of a release, for how long, and how much at most.

use hooks::{Interest, json::object};

use super::*;

const TIMEOUT: Duration = Duration::from_secs(300);

/// Keeps a release with these hooks.
fn keep(memory: &Memory, revision: u64, hooks: &[String], now: Instant) {
    let roots: Vec<_> =
        hooks.iter().map(|text| object(text.as_bytes(), Interest::Everything).unwrap()).collect();
    let mut release = Release { name: Some("shop"), namespace: Some("store"), ..Release::default() };
    for (index, root) in roots.iter().enumerate() {
        release.add(index, "", root);
    }
    memory.keep_at(&release, revision, TIMEOUT, now);
}

fn hook(kind: &str, name: &str, more: &str) -> String {
    format!(
        r#"{{"apiVersion":"batch/v1","kind":"{kind}","metadata":{{"name":"{name}"{more},"annotations":{{"helm.sh/hook":"pre-install"}}}}}}"#
    )
}

fn key(kind: &str, namespace: Option<&str>, name: &str) -> HookKey {
    HookKey {
        group: "batch".into(),
        kind: kind.into(),
        namespace: namespace.map(str::to_owned),
        name: name.into(),
    }
}

fn revision(memory: &Memory, key: &HookKey, now: Instant) -> Option<u64> {
    memory.membership_at(key, now).map(|membership| membership.revision)
}

#[test]
fn a_hook_is_known_by_the_namespace_it_lands_in() {
    let (memory, now) = (Memory::default(), Instant::now());
    keep(&memory, 3, &[hook("Job", "a", ""), hook("Job", "b", r#","namespace":"else""#)], now);
    assert_eq!(revision(&memory, &key("Job", Some("store"), "a"), now), Some(3));
    assert_eq!(revision(&memory, &key("Job", Some("else"), "b"), now), Some(3));
    for (namespace, name) in [(Some("store"), "b"), (Some("else"), "a"), (None, "b")] {
        assert_eq!(revision(&memory, &key("Job", namespace, name), now), None, "{namespace:?} {name}");
    }
    assert_eq!(revision(&memory, &key("CronJob", Some("store"), "a"), now), None);
    assert_eq!(revision(&memory, &key("Job", None, "a"), now), Some(3), "it may be cluster-scoped");
}

#[test]
fn the_moment_is_known_to_nobody() {
    let (memory, now) = (Memory::default(), Instant::now());
    keep(&memory, 3, &[hook("Job", "a", "")], now);
    let membership = memory.membership_at(&key("Job", Some("store"), "a"), now).unwrap();
    assert_eq!(membership.moment, Moment::Unknown);
    assert_eq!((&*membership.release, &*membership.namespace), ("shop", "store"));
}

#[test]
fn two_timeouts_later_it_is_forgotten() {
    let (memory, now) = (Memory::default(), Instant::now());
    keep(&memory, 3, &[hook("Job", "a", "")], now);
    let key = key("Job", Some("store"), "a");
    assert_eq!(revision(&memory, &key, now + TIMEOUT), Some(3));
    assert_eq!(revision(&memory, &key, now + TIMEOUT * 2), None);
    keep(&memory, 4, &[], now + TIMEOUT * 2);
    assert!(memory.0.read().unwrap().order.is_empty(), "and leaves nothing");
}

#[test]
fn the_latest_revision_counts_and_lives_as_long_as_any() {
    let (memory, now) = (Memory::default(), Instant::now());
    keep(&memory, 3, &[hook("Job", "a", "")], now);
    keep(&memory, 4, &[hook("Job", "a", "")], now + TIMEOUT);
    let key = key("Job", Some("store"), "a");
    keep(&memory, 1, &[], now + TIMEOUT * 2);
    assert_eq!(revision(&memory, &key, now + TIMEOUT * 2), Some(4));
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let (memory, now) = (Memory::default(), Instant::now());
    keep(&memory, 1, &[hook("Job", "first", r#","namespace":"store""#)], now);
    let many: Vec<_> =
        (0..MOST).map(|index| hook("Job", &index.to_string(), r#","namespace":"store""#)).collect();
    keep(&memory, 2, &many, now);
    assert_eq!(revision(&memory, &key("Job", Some("store"), "first"), now), None);
    assert_eq!(revision(&memory, &key("Job", Some("store"), "0"), now), Some(2));
    let inner = memory.0.read().unwrap();
    assert_eq!((inner.hooks.len(), inner.order.len()), (MOST, MOST));
}

#[test]
fn a_release_of_nobody_knows_where_and_a_hook_without_a_name_are_not_kept() {
    let memory = Memory::default();
    memory.keep(&Release { name: Some("shop"), ..Release::default() }, 1, TIMEOUT);
    let generated = r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"generateName":"a-","annotations":{"helm.sh/hook":"pre-install"}}}"#;
    keep(&memory, 1, &[generated.to_owned()], Instant::now());
    assert!(memory.0.read().unwrap().hooks.is_empty());
}
