//! A hook that runs as a ServiceAccount which does not exist yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::ReleaseContext,
    declare_rule, dependencies,
    finding::Finding,
    references::Referent,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// A hook Job or Pod runs before install or upgrade as a ServiceAccount that the same release creates later: as an ordinary
    /// resource, as a hook with a higher weight, or as a hook of other events. Before an upgrade an ordinary ServiceAccount is there
    /// already. An account that the release does not create may come from elsewhere, `default` always exists, and
    /// `externalNames` lists others that do (`*` matches any text). Only a release judged whole shows this: at admission nothing is
    /// looked up.
    ///
    /// ## Why it matters
    ///
    /// No pod is created for an account that does not exist. Helm waits for the Job until the timeout, and never gets to the resource
    /// that would help: the first install fails, on every cluster.
    ///
    /// An account that the application runs as, too, must not become a hook itself: on the first upgrade Helm makes the hook, and then
    /// deletes the same object, since it is no longer among the resources. Give the hook an account of its own, with its own bindings.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-install}}
    /// spec: {template: {spec: {serviceAccountName: migrate, restartPolicy: Never}}}
    /// ---
    /// apiVersion: v1
    /// kind: ServiceAccount
    /// metadata: {name: migrate}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-install}}
    /// spec: {template: {spec: {serviceAccountName: migrate, restartPolicy: Never}}}
    /// ---
    /// apiVersion: v1
    /// kind: ServiceAccount
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "-5"}}
    /// ```
    DepServiceAccount, "dep-service-account", severity: High, release: Deny, object: Off, options: Options
}

/// Every namespace has it.
const ALWAYS_THERE: &str = "default";

/// Which accounts come from elsewhere.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Names of ServiceAccounts that exist before the release does, as patterns.
    external_names: Vec<String>,
}

impl Rule for DepServiceAccount {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check_release(&self, cx: &ReleaseContext<'_>, findings: &mut Vec<Finding>) {
        let options = cx.options::<Options>();
        for missing in dependencies::missing(cx, &[Referent::ServiceAccount], &options.external_names) {
            if !missing.is_certain || missing.reference.name == ALWAYS_THERE {
                continue;
            }
            let item = &cx.release.items[missing.item];
            let message = format!(
                "{} runs as {}, {}: its pod never starts",
                item.object, missing.reference, missing.why
            );
            let field = format!("{}{}", item.pointer, missing.reference.pointer);
            findings.push(Finding::new(field, message, missing.help).label("not there yet").on(missing.item));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::{Engine, Gitops, Settings},
        testing::{accepts, findings, rejects},
    };

    /// A Job with `annotations`, and its ServiceAccount with others.
    fn release(job: &str, account: &str) -> String {
        format!(
            "apiVersion: batch/v1
kind: Job
metadata: {{name: migrate, annotations: {{{job}}}}}
spec: {{template: {{spec: {{serviceAccountName: migrate}}}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: migrate, annotations: {{{account}}}}}"
        )
    }

    const BOTH: &str = "helm.sh/hook: 'pre-install,pre-upgrade'";
    const INSTALL: &str = "helm.sh/hook: pre-install";
    const UPGRADE: &str = "helm.sh/hook: pre-upgrade";

    #[test]
    fn an_ordinary_account_is_created_after_the_hooks_of_an_install() {
        rejects(
            &DepServiceAccount,
            &release(BOTH, ""),
            "Job \"migrate\" runs as ServiceAccount \"migrate\", which Helm creates only after the pre-install hooks",
        );
        assert_eq!(findings(&DepServiceAccount, None, &Settings::default(), &release(BOTH, "")).len(), 1);
    }

    #[test]
    fn before_an_upgrade_it_is_there() {
        accepts(&DepServiceAccount, &release(UPGRADE, ""));
        accepts(&DepServiceAccount, &release("helm.sh/hook: post-install", ""));
        accepts(&DepServiceAccount, &release(UPGRADE, INSTALL));
    }

    #[test]
    fn argo_cd_runs_upgrade_hooks_before_its_first_sync_too() {
        let argocd = Settings {
            engine: Some(Engine { gitops: Gitops::Argocd, ..Engine::default() }),
            ..Settings::default()
        };
        let found = |yaml: &str| findings(&DepServiceAccount, None, &argocd, yaml).len();
        assert_eq!(found(&release(UPGRADE, "")), 1);
        assert_eq!(found(&release(UPGRADE, INSTALL)), 0);
    }

    #[test]
    fn a_later_hook_and_one_of_other_events_are_too_late() {
        rejects(
            &DepServiceAccount,
            &release(INSTALL, &format!("{INSTALL}, helm.sh/hook-weight: '1'")),
            "a hook of weight 1",
        );
        rejects(
            &DepServiceAccount,
            &release(INSTALL, "helm.sh/hook: post-install"),
            "a hook of post-install, which is not there at pre-install",
        );
        rejects(&DepServiceAccount, &release(BOTH, UPGRADE), "is not there at pre-install");
        let deleted = format!("{INSTALL}, helm.sh/hook-delete-policy: hook-succeeded");
        rejects(&DepServiceAccount, &release(UPGRADE, &deleted), "is not there at pre-upgrade");
    }

    #[test]
    fn an_account_with_rights_is_copied_with_them_and_not_made_a_hook() {
        let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\n\
                       subjects: [{kind: ServiceAccount, name: migrate}]";
        let yaml = format!("{}\n---\n{binding}", release(BOTH, ""));
        let help = &findings(&DepServiceAccount, None, &Settings::default(), &yaml)[0].finding.help;
        let copy = "under another name, bound to the same roles: a hook of pre-install,pre-upgrade with";
        assert!(help.contains(copy), "{help}");
    }

    #[test]
    fn the_same_weight_is_for_another_rule() {
        accepts(&DepServiceAccount, &release(INSTALL, INSTALL));
    }

    #[test]
    fn accounts_from_elsewhere_are_trusted_to_exist() {
        accepts(
            &DepServiceAccount,
            &release(INSTALL, "")
                .replace("metadata: {name: migrate, annotations: {}}", "metadata: {name: other}"),
        );
        accepts(
            &DepServiceAccount,
            &release(INSTALL, "")
                .replace("{name: migrate, annotations: {}}", "{name: migrate, namespace: other}"),
        );
        accepts(&DepServiceAccount, &release(INSTALL, "").replace("serviceAccountName: migrate", "x: y"));
        let options = serde_json::json!({"externalNames": ["mig*"]});
        assert!(
            findings(&DepServiceAccount, Some(options), &Settings::default(), &release(INSTALL, ""))
                .is_empty()
        );
    }

    #[test]
    fn items_of_a_list_have_their_own_place() {
        let list = "apiVersion: v1
kind: List
metadata: {annotations: {helm.sh/hook: pre-install}}
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
- {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {serviceAccountName: migrate}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: migrate}}";
        let found = findings(&DepServiceAccount, None, &Settings::default(), list);
        assert_eq!(found[0].finding.field, "/items/1/spec/serviceAccountName");
    }
}
