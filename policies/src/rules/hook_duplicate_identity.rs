//! The same object twice in one release.

use std::collections::{HashMap, HashSet};

use hooks::{Event, Hook, annotations::HOOK};

use crate::{
    context::ReleaseContext,
    declare_rule,
    finding::Finding,
    release::Item,
    rule::{Meta, Rule},
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// Two hooks of one event, or a hook and an ordinary resource, have the same group, kind, namespace and name. Hooks without a common
    /// event may share a name: they never meet.
    ///
    /// ## Why it matters
    ///
    /// Helm knows its objects by name alone. The second hook deletes what the first has made, or fails with `already exists`. A hook that
    /// shares its name with a resource deletes that resource while it serves, or the resource cannot be created since the hook is there.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: settings, annotations: {helm.sh/hook: pre-upgrade}}
    /// ---
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: settings}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-install}}
    /// ---
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// ```
    HookDuplicateIdentity, "hook-duplicate-identity", severity: High, release: Deny, object: Off
}

impl Rule for HookDuplicateIdentity {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check_release(&self, cx: &ReleaseContext<'_>, findings: &mut Vec<Finding>) {
        // Hooks are few and resources many: the few are remembered.
        let hooks: HashSet<_> = cx.release.hooks().map(|(_, item, _)| identity(item, cx.release.namespace)).collect();
        let resources = cx.release.resources().map(|(_, item)| identity(item, cx.release.namespace));
        let resources: HashSet<_> = resources.filter(|identity| hooks.contains(identity)).collect();
        let mut seen: HashMap<_, Vec<Event>> = HashMap::new();
        for (index, item, hook) in cx.release.hooks().filter(|(_, item, _)| item.object.name().is_some()) {
            let identity = identity(item, cx.release.namespace);
            let earlier = seen.entry(identity).or_default();
            if resources.contains(&identity) {
                let message = format!("{} is a hook and an ordinary resource: {}", item.object, clash(hook));
                findings.push(finding(index, item, message, "the release has it as a resource too"));
            } else if let Some(event) = hook.events.known().find(|event| earlier.contains(event)) {
                let message = format!("{} is a hook of {event} twice: {}", item.object, again(hook));
                findings.push(finding(index, item, message, "another hook has the same name"));
            }
            earlier.extend(Event::ALL.into_iter().filter(|event| hook.events.contains(*event)));
            earlier.sort_unstable();
            earlier.dedup();
        }
    }
}

fn finding(index: usize, item: &Item<'_>, message: String, label: &'static str) -> Finding {
    let help = "give one of the two another name, or remove it";
    Finding::new(item.field(&wording::annotation(HOOK)), message, help).label(label).on(index)
}

/// What an object is to the API server: group, kind, namespace, name. One without a namespace gets that of the release.
fn identity<'a>(item: &Item<'a>, namespace: Option<&'a str>) -> [&'a str; 4] {
    let object = item.object;
    [
        object.group(),
        object.kind(),
        object.namespace().or(namespace).unwrap_or(""),
        object.name().unwrap_or(""),
    ]
}

/// What a hook does to the resource of its name.
fn clash(hook: &Hook<'_>) -> &'static str {
    if hook.events.known().all(|event| event == Event::PreInstall) {
        "its creation fails with \"already exists\" (Helm 3), or it stays what the hook made (Helm 4)"
    } else if hook.delete_policies.deletes_before_creation() {
        "the hook deletes the resource and puts itself in its place"
    } else {
        "one of the two is not created"
    }
}

/// What the second of two hooks does to the first.
fn again(hook: &Hook<'_>) -> &'static str {
    if hook.delete_policies.deletes_before_creation() {
        "the second deletes what the first has made"
    } else {
        "the second fails with \"already exists\" (Helm 3), or changes the first (Helm 4)"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{accepts, rejects};

    fn two(left: &str, right: &str) -> String {
        let one =
            |metadata: &str| format!("{{apiVersion: batch/v1, kind: Job, metadata: {{name: a{metadata}}}}}");
        format!("{}\n---\n{}", one(left), one(right))
    }

    #[test]
    fn hooks_of_one_event_meet() {
        let yaml = two(
            ", annotations: {helm.sh/hook: 'test,pre-delete'}",
            ", annotations: {helm.sh/hook: pre-delete}",
        );
        rejects(&HookDuplicateIdentity, &yaml, "a hook of pre-delete twice: the second deletes");
    }

    #[test]
    fn other_namespaces_and_kinds_are_other_objects() {
        let hook = ", annotations: {helm.sh/hook: test}";
        accepts(&HookDuplicateIdentity, &two(hook, ", namespace: other, annotations: {helm.sh/hook: test}"));
        accepts(&HookDuplicateIdentity, &two(hook, "").replacen("kind: Job", "kind: CronJob", 1));
    }

    #[test]
    fn the_namespace_of_the_release_is_the_default() {
        rejects(
            &HookDuplicateIdentity,
            &two(", annotations: {helm.sh/hook: test}", ", namespace: shop"),
            "ordinary resource",
        );
    }

    #[test]
    fn generated_names_and_dropped_hooks_never_meet() {
        let hook = ", annotations: {helm.sh/hook: test}";
        accepts(&HookDuplicateIdentity, &two(hook, hook).replace("name: a", "generateName: a"));
        accepts(&HookDuplicateIdentity, &two(hook, ", annotations: {helm.sh/hook: 'test,'}"));
    }

    #[test]
    fn two_resources_are_not_our_business() {
        accepts(&HookDuplicateIdentity, &two("", ""));
    }
}
