//! Annotations of hooks where Helm does not look, or with names that it does not know.

use hooks::{
    Hook, Node, Object, Written,
    annotations::{DELETE_POLICY, FOREIGN, HOOK, OUTPUT_LOG_POLICY, PREFIX, WEIGHT},
    node::escape,
};

use crate::{
    context::{Context, ReleaseContext},
    declare_rule,
    finding::Finding,
    rule::{Meta, Rule},
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// An object says almost, and not quite, that it is a hook:
    ///
    /// - an annotation that is almost one of Helm's: `helm.sh/weight`, `helm.sh/hooks`, `helm.sh/hook-deletion-policy`;
    /// - a weight or a policy on an object without `helm.sh/hook`;
    /// - `helm.sh/hook` as a label, on a pod template, or on an item of a `List`, where a weight or a policy counts as little.
    ///
    /// At admission only hooks are seen.
    ///
    /// ## Why it matters
    ///
    /// Helm reads four annotations of the object itself and ignores everything else without a word. The Job is then an ordinary
    /// resource that runs once and cannot be upgraded, or a hook without the weight or the policy that its author wrote.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: shop-test, annotations: {helm.sh/hook: test, helm.sh/weight: "5"}}
    /// ```
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: ServiceAccount
    /// metadata: {name: migrate, annotations: {helm.sh/hook-weight: "-5"}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata:
    ///   name: migrate
    ///   labels: {helm.sh/chart: shop-1.0.0}
    ///   annotations:
    ///     helm.sh/hook: pre-upgrade
    ///     helm.sh/hook-weight: "-5"
    ///     helm.sh/resource-policy: keep
    /// ```
    HookAnnotationMisplaced, "hook-annotation-misplaced", severity: Medium, release: Warn, object: Warn, of_dropped: true
}

/// The annotations that Helm reads.
const KNOWN: [&str; 4] = [HOOK, WEIGHT, DELETE_POLICY, OUTPUT_LOG_POLICY];

impl Rule for HookAnnotationMisplaced {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        // The annotations of an item are its own, not those of the hook.
        if !cx.is_item {
            misspelt(cx.object, findings);
            on_templates(cx.object, "it has no effect", findings);
        }
    }

    fn check_release(&self, cx: &ReleaseContext<'_>, findings: &mut Vec<Finding>) {
        for (index, item) in cx.release.items.iter().enumerate() {
            let is_item = !item.pointer.is_empty();
            if item.hook.is_some() && !is_item {
                continue;
            }
            let first = findings.len();
            misspelt(item.object, findings);
            if let Some(hook) = &item.hook {
                beside_others(item.object, hook, findings);
                on_templates(item.object, "it has no effect", findings);
            } else {
                without_hook(item.object, is_item, findings);
                on_templates(item.object, "it is no hook", findings);
            }
            for finding in &mut findings[first..] {
                finding.item = Some(index);
                finding.field.insert_str(0, &item.pointer);
            }
        }
    }
}

/// Annotations whose names are almost Helm's.
fn misspelt(object: Object<'_>, findings: &mut Vec<Finding>) {
    for member in object.annotations().map_or(&[][..], Node::members) {
        let name = &*member.name;
        if !is_suspect(name) {
            continue;
        }
        let Some(meant) = meant(name) else { continue };
        let message = format!("{object} has the annotation {name}, which Helm does not know");
        let finding = Finding::new(wording::annotation(name), message, format!("write {meant}"));
        findings.push(finding.label("Helm ignores this"));
    }
}

/// Cheap, since every annotation of every object passes here.
fn is_suspect(name: &str) -> bool {
    let is_like_ours =
        name.starts_with(PREFIX) || (name.contains("hook") && name.to_ascii_lowercase().starts_with('h'));
    is_like_ours && !KNOWN.contains(&name) && !FOREIGN.contains(&name)
}

/// The annotation that was meant by `name`.
fn meant(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let short = lower.strip_prefix(PREFIX);
    let without_hook =
        |known: &&str| short.is_some_and(|short| known.strip_prefix(HOOK) == Some(&*format!("-{short}")));
    if let Some(known) = KNOWN.into_iter().find(without_hook) {
        return Some(known);
    }
    // Within the domain of Helm a word that starts like a hook is one; elsewhere only a slip of one or two letters counts.
    let most = if short.is_some_and(|short| short.starts_with("hook")) { 4 } else { 2 };
    let (distance, known) = KNOWN.into_iter().map(|known| (wording::distance(&lower, known), known)).min()?;
    (distance <= most).then_some(known)
}

/// The annotations of Helm that one of several objects in a hook has of its own. The same words again mislead nobody, and the same event
/// is what brings an item of a `List` before the webhook.
fn beside_others(object: Object<'_>, hook: &Hook<'_>, findings: &mut Vec<Finding>) {
    let Some(annotations) = object.annotations() else { return };
    let counts = [
        Some(&hook.events.written),
        hook.weight.written.as_ref(),
        hook.delete_policies.written.as_ref(),
        hook.output_log_policies.written.as_ref(),
    ];
    for (name, counts) in KNOWN.into_iter().zip(counts) {
        let Some(own) = Written::of(annotations, name) else { continue };
        if counts.is_some_and(|written| written.text == own.text) {
            continue;
        }
        let message = format!(
            "{object} has {name} of its own, where Helm does not look: only that of the List, or of the first object, counts"
        );
        let help = "move it there, or make the object a document of its own";
        findings.push(Finding::new(wording::annotation(name), message, help).label("Helm ignores this"));
    }
}

/// Weights, policies and labels that make nothing a hook. What is written there need not be text.
fn without_hook(object: Object<'_>, is_item: bool, findings: &mut Vec<Finding>) {
    let has = |map: &str, name: &str| {
        object.metadata().and_then(|metadata| metadata.get(map)).is_some_and(|map| map.member(name).is_some())
    };
    if has("annotations", HOOK) {
        // An item of a List: Helm reads the annotations of the List alone.
        if is_item {
            let message = format!(
                "{object} is no hook: Helm reads the annotations of the List, or of the first object, alone"
            );
            findings.push(Finding::new(wording::annotation(HOOK), message, "make it a document of its own"));
        }
        return;
    }
    let written: Vec<&str> = KNOWN.into_iter().filter(|name| has("annotations", name)).collect();
    if let Some(first) = written.first() {
        let verb = if written.len() == 1 { "has" } else { "have" };
        let message =
            format!("{object} is no hook: without {HOOK}, {} {verb} no effect", wording::listed(&written));
        findings.push(Finding::new(wording::annotation(first), message, format!("add {HOOK}, or remove it")));
    }
    if has("labels", HOOK) {
        let message = format!("{object} is no hook: {HOOK} is a label here, and Helm reads annotations");
        findings.push(Finding::new(
            format!("/metadata/labels/{}", escape(HOOK)),
            message,
            "make it an annotation",
        ));
    }
}

/// Annotations of hooks on the pods that an object makes, or on the Jobs of a `CronJob`; and the hook as a label there.
fn on_templates(object: Object<'_>, consequence: &str, findings: &mut Vec<Finding>) {
    let pods = object
        .pods()
        .filter(|_| !object.is_pod())
        .and_then(|pods| Some((pods.metadata_pointer, pods.metadata?)));
    let jobs = object
        .spec()
        .and_then(|spec| Some(("/spec/jobTemplate/metadata", spec.at(&["jobTemplate", "metadata"])?)));
    for (pointer, metadata) in pods.into_iter().chain(jobs) {
        for (map, known) in [("annotations", &KNOWN[..]), ("labels", &KNOWN[..1])] {
            let members = metadata.get(map).map_or(&[][..], Node::members);
            let Some(member) = members.iter().find(|member| known.contains(&&*member.name)) else { continue };
            let name = &*member.name;
            let message =
                format!("{object} has {name} on its template, where Helm does not look: {consequence}");
            let field = format!("{pointer}/{map}/{}", escape(name));
            let help = "move it to the annotations of the object itself, or remove it";
            findings.push(Finding::new(field, message, help));
        }
    }
}

#[cfg(test)]
mod tests;
