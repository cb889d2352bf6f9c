//! A definition that is a hook: Helm never deletes it, or deletes it with all its objects.

use hooks::annotations::{HOOK, RESOURCE_POLICY};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    rule::{Meta, Rule},
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// A `CustomResourceDefinition` is a hook, by itself or inside a `List`.
    ///
    /// ## Why it matters
    ///
    /// No delete policy acts on a definition: Helm skips them all. The second run therefore meets the first one's object and fails with
    /// `already exists` in Helm 3; uninstall leaves it behind. Inside a `List` that protection is missing: Helm deletes the definition
    /// before every run, and with it every object of its kind.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: apiextensions.k8s.io/v1
    /// kind: CustomResourceDefinition
    /// metadata: {name: shops.example.org, annotations: {helm.sh/hook: pre-install}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: apiextensions.k8s.io/v1
    /// kind: CustomResourceDefinition
    /// metadata: {name: shops.example.org, annotations: {helm.sh/resource-policy: keep}}
    /// ```
    HookCrd, "hook-crd", severity: High, release: Warn, object: Warn
}

impl Rule for HookCrd {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        if !cx.object.is("apiextensions.k8s.io", "CustomResourceDefinition") || cx.hook.events.is_dropped() {
            return;
        }
        let message = if cx.is_item && cx.hook.delete_policies.deletes_before_creation() {
            format!("{} is deleted with all objects of its kind before every run", cx.object)
        } else {
            let again = match cx.engine.helm_version {
                Some(4) => "the next run changes it in place",
                Some(3) => "the next run fails with \"already exists\"",
                _ => "the next run fails with \"already exists\" (Helm 3)",
            };
            format!("{} is never deleted by Helm, whatever its policy says: {again}", cx.object)
        };
        let help = format!(
            "move it to the folder crds/ of the chart, or make it an ordinary resource with {RESOURCE_POLICY}: keep"
        );
        findings.push(Finding::new(wording::annotation(HOOK), message, help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{accepts, rejects};

    #[test]
    fn a_list_does_not_protect_it() {
        rejects(
            &HookCrd,
            "apiVersion: v1
kind: List
metadata: {annotations: {helm.sh/hook: pre-upgrade}}
items: [{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: shops.example.org}}]",
            "is deleted with all objects of its kind",
        );
    }

    #[test]
    fn a_kind_of_the_same_name_elsewhere_is_something_else() {
        accepts(
            &HookCrd,
            "{apiVersion: example.org/v1, kind: CustomResourceDefinition, metadata: {name: a, annotations: {helm.sh/hook: test}}}",
        );
    }
}
