//! A hook that needs a ConfigMap, a Secret or a volume claim which does not exist yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::ReleaseContext,
    declare_rule,
    dependencies::{self, Missing},
    finding::Finding,
    mode::{Mode, Severity},
    references::Referent,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// A hook Job or Pod needs, before install or upgrade, a ConfigMap, Secret or PersistentVolumeClaim that the same release creates
    /// later: as an ordinary resource, as a hook with a higher weight, or as a hook of other events. Before an upgrade the ordinary
    /// resource may be there from the revision before, so that is a warning; so is a secret for pulling images, which a public image
    /// does not need. Optional references are left alone, and so is what the release does not create; `externalNames` lists more that
    /// comes from elsewhere (`*` matches any text). Only a release judged whole shows this: at admission nothing is looked up. A policy
    /// that names the mode of this rule decides about what is usually a warning too.
    ///
    /// ## Why it matters
    ///
    /// The pod does not start without it. Helm waits for the hook until the timeout, and never gets to the resource that would help:
    /// the first install fails, on every cluster. Before an upgrade the hook sees the settings of the revision before.
    ///
    /// What the application uses, too, must not become a hook itself: on the upgrade Helm makes the hook first, and then deletes the
    /// same object, since it is no longer among the resources. A copy under another name, as below, leaves the application its own.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-install}}
    /// spec: {template: {spec: {containers: [{name: migrate, envFrom: [{configMapRef: {name: shop}}]}]}}}
    /// ---
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: shop}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-install}}
    /// spec: {template: {spec: {containers: [{name: migrate, envFrom: [{configMapRef: {name: copy}}]}]}}}
    /// ---
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: copy, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "-5"}}
    /// ---
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: shop}
    /// ```
    DepConfig, "dep-config", severity: High, release: Deny, object: Off, options: Options
}

/// What the rule looks for.
const WANTED: [Referent; 3] = [Referent::ConfigMap, Referent::PersistentVolumeClaim, Referent::Secret];

/// What comes from elsewhere.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Names of ConfigMaps, Secrets and claims that exist before the release does, as patterns.
    external_names: Vec<String>,
}

impl Rule for DepConfig {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check_release(&self, cx: &ReleaseContext<'_>, findings: &mut Vec<Finding>) {
        let options = cx.options::<Options>();
        for missing in dependencies::missing(cx, &WANTED, &options.external_names) {
            let pulls = missing.reference.pointer.contains("/imagePullSecrets/");
            if missing.reference.is_optional && !pulls {
                continue;
            }
            let item = &cx.release.items[missing.item];
            let Missing { reference, why, .. } = &missing;
            let end = match (pulls, missing.is_certain) {
                (true, _) => "a private image cannot be pulled without it",
                (false, true) => "its pod never starts",
                (false, false) => "its pod never starts where there is none",
            };
            let message = format!("{} {} {reference}, {why}: {end}", item.object, reference.verb);
            let field = format!("{}{}", item.pointer, reference.pointer);
            let mut finding =
                Finding::new(field, message, missing.help).label("not there yet").on(missing.item);
            if pulls || !missing.is_certain {
                finding = finding.unless_told(Mode::Warn).severity(Severity::Medium);
            }
            findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, findings, shipped},
    };

    const INSTALL: &str = "helm.sh/hook: pre-install";
    const UPGRADE: &str = "helm.sh/hook: pre-upgrade";

    /// A Pod that needs something, and a ConfigMap, a Secret and a claim called `shop`.
    fn release(pod: &str, spec: &str, others: &str) -> String {
        let other = |kind: &str| {
            format!(
                "---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: shop, annotations: {{{others}}}}}\n"
            )
        };
        let others = [other("ConfigMap"), other("Secret"), other("PersistentVolumeClaim")].concat();
        format!(
            "apiVersion: v1
kind: Pod
metadata: {{name: migrate, annotations: {{{pod}}}}}
spec: {{{spec}}}
{others}"
        )
    }

    fn found(pod: &str, spec: &str, others: &str) -> Vec<(Mode, String)> {
        let found = shipped(&DepConfig, &Settings::default(), &release(pod, spec, others));
        found.into_iter().map(|judged| (judged.mode, judged.finding.message)).collect()
    }

    #[test]
    fn everything_a_pod_cannot_start_without_counts() {
        for (spec, what) in [
            ("volumes: [{name: a, configMap: {name: shop}}]", "mounts ConfigMap \"shop\""),
            ("volumes: [{name: a, secret: {secretName: shop}}]", "mounts Secret \"shop\""),
            (
                "volumes: [{name: a, persistentVolumeClaim: {claimName: shop}}]",
                "mounts PersistentVolumeClaim \"shop\"",
            ),
            (
                "volumes: [{name: a, projected: {sources: [{secret: {name: shop}}]}}]",
                "mounts Secret \"shop\"",
            ),
            (
                "initContainers: [{name: a, env: [{name: A, valueFrom: {secretKeyRef: {name: shop, key: b}}}]}]",
                "reads Secret \"shop\"",
            ),
        ] {
            let message = format!(
                "Pod \"migrate\" {what}, which Helm creates only after the pre-install hooks: its pod never starts"
            );
            assert_eq!(found(INSTALL, spec, ""), [(Mode::Deny, message)]);
        }
    }

    #[test]
    fn a_name_that_is_used_twice_is_one_finding() {
        let spec = "containers: [{name: a, envFrom: [{configMapRef: {name: shop}}]}, {name: b, envFrom: [{configMapRef: {name: shop}}]}]";
        assert_eq!(found("helm.sh/hook: 'pre-install,pre-upgrade'", spec, "").len(), 1);
    }

    #[test]
    fn before_an_upgrade_the_revision_before_may_have_it() {
        let found = found(UPGRADE, "volumes: [{name: a, configMap: {name: shop}}]", "");
        assert_eq!(found[0].0, Mode::Warn);
        assert!(found[0].1.contains("as the revision before left it"), "{}", found[0].1);
    }

    #[test]
    fn a_mode_that_a_policy_names_was_lowered() {
        let yaml = release(UPGRADE, "volumes: [{name: a, configMap: {name: shop}}]", "");
        assert_eq!(findings(&DepConfig, None, &Settings::default(), &yaml)[0].mode, Mode::Deny);
    }

    fn help(yaml: &str) -> String {
        shipped(&DepConfig, &Settings::default(), yaml)[0].finding.help.clone()
    }

    #[test]
    fn followed_to_the_letter_the_fix_deleted_the_secret_of_the_application() {
        let hook = "helm.sh/hook: 'pre-upgrade,pre-rollback', helm.sh/hook-weight: '5'";
        let alone = release(hook, "containers: [{name: a, envFrom: [{secretRef: {name: shop}}]}]", "");
        assert_eq!(
            help(&alone),
            "make the Secret, which nothing else here uses, a hook of pre-upgrade,pre-rollback with a weight below 5, or run the \
             hook afterwards"
        );
        let template = "spec: {containers: [{name: a, envFrom: [{secretRef: {name: shop}}]}]}";
        for user in [
            format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: shop}}\nspec: {{template: {{{template}}}}}"),
            format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: ping, annotations: {{helm.sh/hook: test}}}}\n{template}"),
        ] {
            let help = help(&format!("{alone}---\n{user}\n"));
            assert!(help.starts_with("leave the Secret as it is, which others use"), "{help}");
            assert!(help.contains("a copy under another name: a hook of pre-upgrade,pre-rollback with"), "{help}");
        }
    }

    #[test]
    fn a_weight_that_is_low_enough_was_asked_for_again() {
        let secret = "volumes: [{name: a, secret: {secretName: shop}}]";
        let said = |others| help(&release(INSTALL, secret, others));
        assert_eq!(
            said("helm.sh/hook: post-upgrade"),
            "add pre-install to helm.sh/hook of the Secret, with a weight below 0"
        );
        assert_eq!(
            said("helm.sh/hook: post-upgrade, helm.sh/hook-weight: '-20'"),
            "add pre-install to helm.sh/hook of the Secret"
        );
    }

    #[test]
    fn nobody_is_told_to_make_a_claim_a_hook() {
        let claim = "volumes: [{name: a, persistentVolumeClaim: {claimName: shop}}]";
        for others in ["", "helm.sh/hook: post-install"] {
            let help = help(&release(INSTALL, claim, others));
            assert!(help.starts_with("run the hook after the PersistentVolumeClaim is there"), "{help}");
        }
    }

    #[test]
    fn a_public_image_needs_no_secret() {
        let found = found(INSTALL, "imagePullSecrets: [{name: shop}]", "");
        assert_eq!(found[0].0, Mode::Warn);
        assert!(found[0].1.contains("private image"), "{}", found[0].1);
    }

    #[test]
    fn optional_references_and_names_from_elsewhere_pass() {
        accepts(
            &DepConfig,
            &release(INSTALL, "volumes: [{name: a, secret: {secretName: shop, optional: true}}]", ""),
        );
        accepts(&DepConfig, &release(INSTALL, "volumes: [{name: a, secret: {secretName: elsewhere}}]", ""));
        let options = serde_json::json!({"externalNames": ["shop"]});
        let yaml = release(INSTALL, "volumes: [{name: a, secret: {secretName: shop}}]", "");
        assert!(findings(&DepConfig, Some(options), &Settings::default(), &yaml).is_empty());
    }

    #[test]
    fn an_earlier_hook_is_in_time_and_a_later_one_is_not() {
        let spec = "volumes: [{name: a, configMap: {name: shop}}]";
        assert_eq!(found(INSTALL, spec, &format!("{INSTALL}, helm.sh/hook-weight: '-1'")), []);
        assert_eq!(found(INSTALL, spec, &format!("{INSTALL}, helm.sh/hook-weight: '1'"))[0].0, Mode::Deny);
        assert_eq!(found(UPGRADE, spec, &format!("{UPGRADE}, helm.sh/hook-weight: '1'"))[0].0, Mode::Deny);
    }
}
