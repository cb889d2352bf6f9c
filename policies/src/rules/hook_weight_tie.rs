//! Hooks of one weight, where the name decides that one runs before what it needs.

use hooks::{Event, annotations::WEIGHT};

use crate::{
    context::ReleaseContext,
    declare_rule,
    finding::Finding,
    mode::{Mode, Severity},
    references::{RBAC, Reference, Referent, references},
    release::{Item, Release},
    rule::{Meta, Rule},
    settings::Gitops,
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// A hook Job or Pod uses a ServiceAccount, ConfigMap, Secret or claim that is a hook of the same event and the same weight, and that
    /// comes later by name. So too for the binding that gives its ServiceAccount its rights. What is optional is not needed, and what
    /// is there from an earlier step is not missed.
    ///
    /// ## Why it matters
    ///
    /// Within one weight Helm goes by name, not by kind as is often said. It waits for a Job before it creates anything else, so the
    /// Job waits for something that is created only after it: the release hangs until the timeout. Often it works until somebody
    /// chooses another release name.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: ServiceAccount
    /// metadata: {name: shop-migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// ---
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {template: {spec: {serviceAccountName: shop-migrate}}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: ServiceAccount
    /// metadata: {name: shop-migrate, annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-weight: "-1"}}
    /// ---
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {template: {spec: {serviceAccountName: shop-migrate}}}
    /// ```
    HookWeightTie, "hook-weight-tie", severity: High, release: Deny, object: Off
}

/// One hook in the order of its event.
struct Step<'r, 'a> {
    index: usize,
    item: &'r Item<'a>,
    weight: i64,
    references: Vec<Reference<'a>>,
}

impl Rule for HookWeightTie {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check_release(&self, cx: &ReleaseContext<'_>, findings: &mut Vec<Finding>) {
        if cx.engine.gitops == Gitops::Argocd {
            // Argo CD applies what has one weight by kind, all at once.
            return;
        }
        let mut told = Vec::new();
        for event in Event::ALL {
            let steps = steps(cx.release, event);
            for (place, user) in steps.iter().enumerate() {
                for (used, reason) in too_late(cx.release, event, &steps, place) {
                    if !told.contains(&(user.index, used.index)) {
                        told.push((user.index, used.index));
                        findings.push(finding(user, used, &reason));
                    }
                }
            }
        }
    }
}

fn steps<'r, 'a>(release: &'r Release<'a>, event: Event) -> Vec<Step<'r, 'a>> {
    let order = release.execution(event).into_iter();
    let step = |index: usize| {
        let item = &release.items[index];
        let weight = item.hook.as_ref().map_or(0, |hook| hook.weight.effective);
        Step { index, item, weight, references: references(item.object) }
    };
    order.map(step).collect()
}

/// What the hook at `place` uses and Helm makes only later, although both have the same weight; and how it uses it.
fn too_late<'s, 'r, 'a>(
    release: &Release<'_>,
    event: Event,
    steps: &'s [Step<'r, 'a>],
    place: usize,
) -> Vec<(&'s Step<'r, 'a>, String)> {
    let (before, user) = (&steps[..place], &steps[place]);
    let later = || {
        steps[place + 1..]
            .iter()
            .filter(|step| step.weight == user.weight && step.item.document != user.item.document)
    };
    let is_awaited = user.item.object.is_job() || user.item.object.is_pod();
    let mut found = Vec::new();
    for reference in user.references.iter().filter(|reference| !reference.is_optional) {
        let is_meant =
            |item: &Item<'_>| reference.means(item.object, release.namespace, user.item.object.namespace());
        let is_role = matches!(reference.to, Referent::Role | Referent::ClusterRole);
        let is_there =
            before.iter().any(|step| is_meant(step.item)) || is_there_already(release, event, is_meant);
        if (is_awaited || is_role) && !is_there {
            found.extend(
                later()
                    .find(|step| is_meant(step.item))
                    .map(|step| (step, format!("which it {}", reference.verb))),
            );
        }
        if is_awaited && reference.to == Referent::ServiceAccount {
            let gives = |step: &&Step<'_, '_>| {
                grants(step, reference.name, user.item.object.namespace().or(release.namespace), release)
            };
            let why = format!("which gives {reference} its rights");
            found.extend(
                later()
                    .filter(gives)
                    .filter(|step| !is_repeated(step, before))
                    .map(|step| (step, why.clone())),
            );
        }
    }
    found
}

/// Whether an earlier step of the same command, or the release itself, has made it.
fn is_there_already(release: &Release<'_>, event: Event, is_meant: impl Fn(&Item<'_>) -> bool) -> bool {
    let earlier = match event {
        Event::PostInstall => Event::PreInstall,
        Event::PostUpgrade => Event::PreUpgrade,
        Event::PostRollback => Event::PreRollback,
        _ => return false,
    };
    let stays = |item: &Item<'_>| match &item.hook {
        None => true,
        Some(hook) => {
            hook.events.contains(earlier)
                && !hook.delete_policies.contains(hooks::DeletePolicy::HookSucceeded)
        }
    };
    release.items.iter().any(|item| stays(item) && is_meant(item))
}

/// Whether `step` is a binding with the ServiceAccount `name` among its subjects.
fn grants(step: &Step<'_, '_>, name: &str, namespace: Option<&str>, release: &Release<'_>) -> bool {
    step.item.object.group() == RBAC
        && step.references.iter().any(|reference| {
            let place = reference.namespace.or(step.item.object.namespace()).or(release.namespace);
            reference.to == Referent::ServiceAccount && reference.name == name && place == namespace
        })
}

/// Whether the object of `step` was made before by another document.
fn is_repeated(step: &Step<'_, '_>, before: &[Step<'_, '_>]) -> bool {
    let identity = |item: &Item<'_>| {
        (
            item.object.kind().to_owned(),
            item.object.namespace().map(str::to_owned),
            item.object.name().map(str::to_owned),
        )
    };
    before.iter().any(|other| identity(other.item) == identity(step.item))
}

fn finding(user: &Step<'_, '_>, used: &Step<'_, '_>, reason: &str) -> Finding {
    let (left, right) = (user.item.object, used.item.object);
    let message = format!("{left} runs before {right}, {reason}");
    let help = format!("give {right} weight {}", user.weight.saturating_sub(1));
    let names = (left.name().unwrap_or(""), right.name().unwrap_or(""));
    let finding = Finding::new(user.item.field(&wording::annotation(WEIGHT)), message, help)
        .label(format!("same weight: Helm goes by name, and {:?} < {:?}", names.0, names.1))
        .on(user.index);
    // Whoever may bind anything may bind a role that is not there yet.
    if left.group() == RBAC { finding.at_most(Mode::Warn).severity(Severity::Medium) } else { finding }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::{Engine, Settings},
        testing::{accepts, findings, rejects},
    };

    fn hook(kind: &str, name: &str, annotations: &str, rest: &str) -> String {
        format!("{{{kind}, metadata: {{name: {name}, annotations: {{{annotations}}}}}{rest}}}\n---\n")
    }

    const JOB: &str = "apiVersion: batch/v1, kind: Job";
    const MAP: &str = "apiVersion: v1, kind: ConfigMap";
    const MOUNTS: &str = ", spec: {template: {spec: {volumes: [{name: s, configMap: {name: scripts}}]}}}";

    fn mounts(job: &str, map: &str) -> String {
        hook(JOB, "migrate", job, MOUNTS) + &hook(MAP, "scripts", map, "")
    }

    #[test]
    fn the_message_says_who_needs_what_and_the_help_which_weight() {
        let yaml = mounts(
            "helm.sh/hook: pre-install, helm.sh/hook-weight: '5'",
            "helm.sh/hook: pre-install, helm.sh/hook-weight: '5'",
        );
        let found = findings(&HookWeightTie, None, &Settings::default(), &yaml);
        let finding = &found[0].finding;
        assert_eq!(finding.message, "Job \"migrate\" runs before ConfigMap \"scripts\", which it mounts");
        assert_eq!(finding.help, "give ConfigMap \"scripts\" weight 4");
        assert_eq!((found.len(), finding.item), (1, Some(0)));
    }

    #[test]
    fn a_pair_that_meets_at_two_events_is_told_once() {
        let both = "helm.sh/hook: 'pre-install,pre-upgrade'";
        assert_eq!(findings(&HookWeightTie, None, &Settings::default(), &mounts(both, both)).len(), 1);
    }

    #[test]
    fn order_by_weight_and_events_apart_are_no_tie() {
        let plain = "helm.sh/hook: pre-install";
        accepts(&HookWeightTie, &mounts(plain, "helm.sh/hook: pre-install, helm.sh/hook-weight: '-1'"));
        accepts(&HookWeightTie, &mounts(plain, "helm.sh/hook: pre-upgrade"));
    }

    #[test]
    fn what_is_optional_or_there_already_is_not_missed() {
        let post = "helm.sh/hook: post-install";
        accepts(&HookWeightTie, &mounts(post, "helm.sh/hook: 'pre-install,post-install'"));
        rejects(
            &HookWeightTie,
            &mounts(
                post,
                "helm.sh/hook: 'pre-install,post-install', helm.sh/hook-delete-policy: hook-succeeded",
            ),
            "which it mounts",
        );
        accepts(
            &HookWeightTie,
            &mounts(post, post).replace("name: scripts}}", "name: scripts, optional: true}}"),
        );
    }

    #[test]
    fn a_name_that_sorts_first_is_enough() {
        accepts(
            &HookWeightTie,
            &mounts("helm.sh/hook: test", "helm.sh/hook: test").replace("name: scripts", "name: a-scripts"),
        );
    }

    #[test]
    fn rights_that_come_too_late_are_missed() {
        let account = ", spec: {template: {spec: {serviceAccountName: a}}}";
        let binding = "apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding";
        let to = ", roleRef: {kind: Role, name: r}, subjects: [{kind: ServiceAccount, name: a}]";
        let yaml = |name: &str| {
            hook("apiVersion: v1, kind: ServiceAccount", "a", "helm.sh/hook: test", "")
                + &hook(JOB, "migrate", "helm.sh/hook: test", account)
                + &hook(binding, name, "helm.sh/hook: test", to)
        };
        rejects(&HookWeightTie, &yaml("z"), "RoleBinding \"z\", which gives ServiceAccount \"a\" its rights");
        accepts(&HookWeightTie, &yaml("b"));
        // Of one name, kinds go in Helm's install order: bindings before Jobs.
        accepts(&HookWeightTie, &yaml("migrate"));
    }

    #[test]
    fn argo_cd_goes_by_kind() {
        let settings = Settings {
            engine: Some(Engine { gitops: Gitops::Argocd, ..Engine::default() }),
            ..Settings::default()
        };
        let plain = "helm.sh/hook: pre-install";
        assert!(findings(&HookWeightTie, None, &settings, &mounts(plain, plain)).is_empty());
    }
}
