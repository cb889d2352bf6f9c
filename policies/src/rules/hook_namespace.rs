//! A namespace that is a hook: Helm deletes it with everything in it.

use hooks::{
    Event,
    annotations::{DELETE_POLICY, HOOK, RESOURCE_POLICY},
};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    mode::{Mode, Severity},
    rule::{Meta, Rule},
    rules::hook_data_kind_recreated::recreated,
    settings::Gitops,
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// A Namespace is a hook of an upgrade or rollback event, or has a delete policy that Helm knows. One that is created once is only
    /// warned about, unless a policy names the mode of this rule.
    ///
    /// ## Why it matters
    ///
    /// Helm deletes a hook before it creates it again. A namespace takes everything in it along: workloads, Secrets, claims and their
    /// data. It has happened in an upgrade that changed nothing. Even a namespace that is made at install only is deleted when the
    /// release is installed a second time.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata: {name: shop, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata: {name: shop, annotations: {helm.sh/resource-policy: keep}}
    /// ```
    HookNamespace, "hook-namespace", severity: Critical, release: Deny, object: Deny
}

impl Rule for HookNamespace {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        if !cx.object.is("", "Namespace") || cx.hook.events.is_dropped() {
            return;
        }
        let help = format!(
            "create it with --create-namespace, or make it an ordinary resource with {RESOURCE_POLICY}: keep"
        );
        let repeated = recreated(cx.hook, cx.engine.gitops == Gitops::Argocd);
        let finding = if let Some(when) = repeated {
            let message = format!("{} is deleted with everything in it {when}", cx.object);
            Finding::new(wording::annotation(HOOK), message, help)
                .label("Helm deletes the namespace, and makes an empty one")
        } else if let Some(policy) = cx.hook.delete_policies.items.iter().find_map(|(_, policy)| *policy) {
            let message =
                format!("{} is deleted with everything in it by its delete policy {policy}", cx.object);
            Finding::new(wording::annotation(DELETE_POLICY), message, help)
                .label("what is deleted here is a whole namespace")
        } else if cx.hook.events.any(Event::repeats) {
            let message =
                format!("{} stays when it is to be created again: the release fails (Helm 3)", cx.object);
            Finding::new(wording::annotation(HOOK), message, help)
        } else {
            let what = if cx.hook.delete_policies.is_absent() {
                "is deleted with everything in it when the hook runs a second time"
            } else {
                "is never deleted by Helm: it stays after helm uninstall, and installing again fails (Helm 3)"
            };
            Finding::new(wording::annotation(HOOK), format!("{} {what}", cx.object), help)
                .severity(Severity::Medium)
                .unless_told(Mode::Warn)
        };
        findings.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::Judged,
        settings::{Engine, Settings},
        testing::{accepts, findings, shipped},
    };

    fn namespace(annotations: &str) -> String {
        format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, annotations: {{{annotations}}}}}}}"
        )
    }

    fn found(settings: &Settings, annotations: &str) -> Judged {
        shipped(&HookNamespace, settings, &namespace(annotations)).remove(0)
    }

    #[test]
    fn upgrades_and_policies_deny() {
        for annotations in [
            "helm.sh/hook: 'post-install,post-upgrade'",
            "helm.sh/hook: pre-install, helm.sh/hook-delete-policy: before-hook-creation",
            "helm.sh/hook: pre-install, helm.sh/hook-delete-policy: hook-failed",
            "helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: ''",
        ] {
            let judged = found(&Settings::default(), annotations);
            assert_eq!((judged.mode, judged.severity), (Mode::Deny, Severity::Critical), "{annotations}");
        }
    }

    #[test]
    fn install_alone_warns_but_for_argo_cd() {
        let judged = found(&Settings::default(), "helm.sh/hook: pre-install");
        assert_eq!((judged.mode, judged.severity), (Mode::Warn, Severity::Medium));
        let settings = Settings {
            engine: Some(Engine { gitops: Gitops::Argocd, ..Engine::default() }),
            ..Settings::default()
        };
        assert_eq!(found(&settings, "helm.sh/hook: pre-install").mode, Mode::Deny);
    }

    #[test]
    fn words_that_are_no_policy_were_said_to_delete() {
        for policy in ["''", "never", "'hook-success,'"] {
            let annotations = format!("helm.sh/hook: pre-install, helm.sh/hook-delete-policy: {policy}");
            let judged = found(&Settings::default(), &annotations);
            assert_eq!((judged.mode, judged.severity), (Mode::Warn, Severity::Medium), "{policy}");
            assert!(judged.finding.message.contains("is never deleted by Helm"), "{policy}");
        }
        let known = "helm.sh/hook: pre-install, helm.sh/hook-delete-policy: 'never,hook-failed'";
        assert_eq!(found(&Settings::default(), known).mode, Mode::Deny);
    }

    #[test]
    fn a_mode_that_a_policy_names_was_lowered() {
        let told = findings(&HookNamespace, None, &Settings::default(), &namespace("helm.sh/hook: pre-install"));
        assert_eq!(told[0].mode, Mode::Deny);
    }

    #[test]
    fn an_ordinary_namespace_is_no_hook() {
        accepts(&HookNamespace, "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}");
    }
}
