//! A hook object that nobody deletes when the release goes.

use hooks::{
    DeletePolicies, DeletePolicy, Event, Object,
    annotations::{DELETE_POLICY, RESOURCE_POLICY},
};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    mode::Severity,
    references::RBAC,
    rule::{Meta, Rule},
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// A hook that is no Job has neither `hook-succeeded` nor `hook-failed` among its delete policies. One with
    /// `helm.sh/resource-policy: keep` is meant to stay, and so is the Pod of a test. Definitions are the business of `hook-crd`.
    ///
    /// ## Why it matters
    ///
    /// `helm uninstall` deletes what is in the manifest, and hooks are not. A role, a ServiceAccount or a Secret that was made by a hook
    /// stays, with its rights, and so does a webhook configuration, which then refuses requests on behalf of a server that is gone.
    ///
    /// `hook-succeeded` deletes the object as soon as the hooks of its event are through: not where the application uses it,
    /// nor where a hook of a later event does, which then waits for it in vain. What a hook has made belongs to no release, so the upgrade
    /// that makes it an ordinary resource needs `--take-ownership`.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: rbac.authorization.k8s.io/v1
    /// kind: ClusterRole
    /// metadata: {name: shop-migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: rbac.authorization.k8s.io/v1
    /// kind: ClusterRole
    /// metadata:
    ///   name: shop-migrate
    ///   annotations:
    ///     helm.sh/hook: pre-upgrade
    ///     helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"
    /// ```
    HookOrphanOnUninstall, "hook-orphan-on-uninstall", severity: High, release: Warn, object: Warn
}

/// What stays behind.
#[derive(PartialEq, Eq)]
enum Orphan {
    /// Rights in the whole cluster, or a say in its requests.
    ClusterWide,
    /// Something that holds data: keeping it is most often the point.
    Data,
    /// Something that runs.
    Running,
    /// Anything else.
    Other,
}

impl Rule for HookOrphanOnUninstall {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let policies = &cx.hook.delete_policies;
        let is_deleted =
            policies.contains(DeletePolicy::HookSucceeded) || policies.contains(DeletePolicy::HookFailed);
        let is_kept = cx
            .object
            .annotation(RESOURCE_POLICY)
            .is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"));
        if is_deleted || is_kept || is_excused(cx) {
            return;
        }
        let keep = format!("say {RESOURCE_POLICY}: keep if it is to stay");
        let delete = deletion(&cx.hook.delete_policies);
        let (what, help) = match Orphan::of(cx.object) {
            Orphan::ClusterWide => (
                ", and acts on the whole cluster",
                format!("{delete}, or make it an ordinary resource"),
            ),
            Orphan::Data => ("", format!("make it an ordinary resource, or {keep}")),
            Orphan::Running => (", and runs on", "make it an ordinary resource".to_owned()),
            Orphan::Other => ("", format!("{delete}, make it an ordinary resource, or {keep}")),
        };
        let message =
            format!("{} stays after helm uninstall{what}: Helm forgets what hooks have made", cx.object);
        let finding = Finding::new(wording::annotation(DELETE_POLICY), message, help)
            .label("no policy deletes it in the end");
        findings.push(match Orphan::of(cx.object) {
            Orphan::ClusterWide => finding,
            Orphan::Data | Orphan::Running | Orphan::Other => finding.severity(Severity::Medium),
        });
    }
}

/// How Helm can be told to delete it. Any policy switches the default `before-hook-creation` off, so that one is to be written too.
fn deletion(policies: &DeletePolicies<'_>) -> String {
    let what = if policies.contains(DeletePolicy::BeforeHookCreation) {
        "add hook-succeeded".to_owned()
    } else {
        format!("write {DELETE_POLICY}: before-hook-creation,hook-succeeded")
    };
    format!("{what} where only hooks of the same event use it")
}

/// A finished Job does no harm, the Pod of a test is read afterwards, a definition is never deleted by a policy, and of data that
/// upgrades delete `hook-data-kind-recreated` and `hook-namespace` say what is worse.
fn is_excused(cx: &Context<'_>) -> bool {
    let upgrades_delete = cx.hook.events.any(Event::repeats) && cx.hook.delete_policies.deletes_before_creation();
    cx.object.is_job()
        || (upgrades_delete && Orphan::of(cx.object) == Orphan::Data)
        || (cx.object.is_pod() && cx.hook.events.is_test())
        || cx.object.is("apiextensions.k8s.io", "CustomResourceDefinition")
}

impl Orphan {
    fn of(object: Object<'_>) -> Self {
        match (object.group(), object.kind()) {
            (RBAC, "ClusterRole" | "ClusterRoleBinding")
            | ("admissionregistration.k8s.io" | "apiregistration.k8s.io", _) => Self::ClusterWide,
            ("", "PersistentVolumeClaim" | "PersistentVolume" | "Namespace") => Self::Data,
            _ if object.pods().is_some() && !object.is_pod() => Self::Running,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::Judged,
        mode::Mode,
        settings::Settings,
        testing::{accepts, findings, rejects, shipped},
    };

    fn object(kind: &str, more: &str) -> String {
        format!("{{{kind}, metadata: {{name: a, annotations: {{helm.sh/hook: pre-install{more}}}}}}}")
    }

    fn found(kind: &str, more: &str) -> Judged {
        shipped(&HookOrphanOnUninstall, &Settings::default(), &object(kind, more)).remove(0)
    }

    #[test]
    fn what_acts_on_the_whole_cluster_is_graver() {
        for kind in [
            "apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding",
            "apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration",
        ] {
            assert_eq!(found(kind, "").severity, Severity::High, "{kind}");
        }
        let secret =
            found("apiVersion: v1, kind: Secret", ", helm.sh/hook-delete-policy: before-hook-creation");
        assert_eq!((secret.severity, secret.mode), (Severity::Medium, Mode::Warn));
    }

    #[test]
    fn a_claim_that_upgrades_delete_was_said_to_stay() {
        accepts(
            &HookOrphanOnUninstall,
            "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, annotations: {helm.sh/hook: 'pre-install,pre-upgrade'}}}",
        );
    }

    #[test]
    fn data_was_left_behind_without_a_warning() {
        let claim = found("apiVersion: v1, kind: PersistentVolumeClaim", "");
        assert_eq!((claim.mode, claim.severity), (Mode::Warn, Severity::Medium));
        assert!(!claim.finding.help.contains("hook-succeeded"));
    }

    #[test]
    fn a_mode_that_a_policy_names_was_lowered() {
        let yaml = object("apiVersion: v1, kind: Secret", "");
        assert_eq!(findings(&HookOrphanOnUninstall, None, &Settings::default(), &yaml)[0].mode, Mode::Deny);
    }

    #[test]
    fn followed_to_the_letter_the_fix_led_to_the_next_finding() {
        const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole";
        for (more, start) in [
            ("", "write helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded where only hooks of the same event use it"),
            (", helm.sh/hook-delete-policy: before-hook-creation", "add hook-succeeded where only hooks of the same event use it"),
        ] {
            let help = found(ROLE, more).finding.help;
            assert!(help.starts_with(start), "{help}");
        }
    }

    #[test]
    fn a_pod_that_is_no_test_was_forgotten() {
        let pod = object("apiVersion: v1, kind: Pod", "");
        rejects(&HookOrphanOnUninstall, &pod, "Pod \"a\" stays after helm uninstall: Helm forgets");
        accepts(&HookOrphanOnUninstall, &pod.replace("pre-install", "test"));
    }

    #[test]
    fn keep_says_that_it_is_wanted() {
        accepts(
            &HookOrphanOnUninstall,
            &object("apiVersion: v1, kind: Secret", ", helm.sh/resource-policy: keep"),
        );
    }

    #[test]
    fn finished_jobs_and_definitions_are_other_business() {
        accepts(&HookOrphanOnUninstall, &object("apiVersion: batch/v1, kind: Job", ""));
        accepts(
            &HookOrphanOnUninstall,
            &object("apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition", ""),
        );
    }

    #[test]
    fn either_policy_deletes_it() {
        for policy in ["hook-succeeded", "hook-failed"] {
            let more = format!(", helm.sh/hook-delete-policy: {policy}");
            accepts(&HookOrphanOnUninstall, &object("apiVersion: v1, kind: ServiceAccount", &more));
        }
    }
}
