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
mod tests;
