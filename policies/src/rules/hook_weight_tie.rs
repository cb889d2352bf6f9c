//! Hooks of one weight, where the name decides that one runs before what it needs.

use std::collections::{HashMap, HashSet};

use hooks::{Event, annotations::WEIGHT};

use crate::{
    context::ReleaseContext,
    declare_rule, dependencies,
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
    /// comes later by name. So too for the binding that gives its ServiceAccount its rights, and, as a warning unless a policy names
    /// the mode of this rule, for the role that a binding binds. What is optional is not needed, and what is there from an earlier
    /// event is not missed.
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
    /// metadata:
    ///   name: shop-migrate
    ///   annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-weight: "-1"}
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

/// What an object is to those who refer to it: kind, namespace, name.
type Identity<'a> = (Referent, &'a str, &'a str);

/// The hooks of one event in their order, and where each thing that is referred to comes first.
struct Order<'r, 'a> {
    release: &'r Release<'a>,
    steps: Vec<Step<'r, 'a>>,
    first: HashMap<Identity<'a>, usize>,
    /// The first places of bindings, by the ServiceAccount that they give rights to, and by weight; ascending.
    bindings: HashMap<(Identity<'a>, i64), Vec<usize>>,
    /// What an earlier event, or the release itself, has made.
    there: HashSet<Identity<'a>>,
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
        let mut told = HashSet::new();
        for event in Event::ALL {
            let hooks = cx.release.execution(event);
            if hooks.len() < 2 {
                continue;
            }
            let order = Order::of(cx.release, event, hooks);
            for (place, user) in order.steps.iter().enumerate() {
                for (needed, reason) in order.too_late(place) {
                    if told.insert((user.index, needed.index)) {
                        findings.push(finding(user, needed, &reason));
                    }
                }
            }
        }
    }
}

impl<'r, 'a> Order<'r, 'a> {
    fn of(release: &'r Release<'a>, event: Event, hooks: Vec<usize>) -> Self {
        let step = |index: usize| {
            let item = &release.items[index];
            let weight = item.hook.as_ref().map_or(0, |hook| hook.weight.effective);
            Step { index, item, weight, references: references(item.object) }
        };
        let steps: Vec<_> = hooks.into_iter().map(step).collect();
        let (mut first, mut bindings) = (HashMap::new(), HashMap::<_, Vec<usize>>::new());
        let mut bound = HashSet::new();
        for (place, step) in steps.iter().enumerate() {
            if let Some(identity) = identity(release, step.item) {
                first.entry(identity).or_insert(place);
            }
            let object = step.item.object;
            if object.group() == RBAC
                && !outlasts(step.item, event)
                && bound.insert((object.kind(), object.namespace(), object.name())) {
                let accounts =
                    step.references.iter().filter(|reference| reference.to == Referent::ServiceAccount);
                for account in accounts {
                    let key = (meant(release, step.item, account), step.weight);
                    bindings.entry(key).or_default().push(place);
                }
            }
        }
        let there = release.items.iter().filter(|item| outlasts(item, event));
        let there = there.filter_map(|item| identity(release, item)).collect();
        Self { release, steps, first, bindings, there }
    }

    /// What the hook at `place` uses and Helm makes only later, although both have the same weight; and how it uses it.
    fn too_late(&self, place: usize) -> Vec<(&Step<'r, 'a>, String)> {
        let user = &self.steps[place];
        let is_later =
            |step: &&Step<'_, '_>| step.weight == user.weight && step.item.document != user.item.document;
        let is_awaited = user.item.object.is_job() || user.item.object.is_pod();
        let mut found = Vec::new();
        for reference in user.references.iter().filter(|reference| !reference.is_optional) {
            let identity = meant(self.release, user.item, reference);
            let is_role = matches!(reference.to, Referent::Role | Referent::ClusterRole);
            let first =
                self.first.get(&identity).filter(|first| **first > place && !self.there.contains(&identity));
            if is_awaited || is_role {
                let step = first.map(|first| &self.steps[*first]).filter(is_later);
                found.extend(step.map(|step| (step, format!("which it {}", reference.verb))));
            }
            if is_awaited && reference.to == Referent::ServiceAccount {
                let bindings = self.bindings.get(&(identity, user.weight)).map_or(&[][..], Vec::as_slice);
                let next = bindings.get(bindings.partition_point(|binding| *binding <= place));
                let step = next.map(|next| &self.steps[*next]).filter(is_later);
                found.extend(step.map(|step| (step, format!("which gives {reference} its rights"))));
            }
        }
        found
    }
}

fn identity<'a>(release: &Release<'a>, item: &Item<'a>) -> Option<Identity<'a>> {
    let to = Referent::of(item.object)?;
    let namespace = item.object.namespace().or(release.namespace).unwrap_or("");
    Some((to, if to == Referent::ClusterRole { "" } else { namespace }, item.object.name()?))
}

/// What `item` means by a reference.
fn meant<'a>(release: &Release<'a>, item: &Item<'a>, reference: &Reference<'a>) -> Identity<'a> {
    let namespace = reference.namespace.or(item.object.namespace()).or(release.namespace).unwrap_or("");
    (reference.to, if reference.to == Referent::ClusterRole { "" } else { namespace }, reference.name)
}

/// Whether the hooks of `event` find `item` in place: a resource, or a hook of an earlier event that stays.
fn outlasts(item: &Item<'_>, event: Event) -> bool {
    item.hook.as_ref().map_or_else(
        || !matches!(event, Event::PreInstall | Event::PostDelete),
        |hook| dependencies::is_there_before(hook, event),
    )
}

fn finding(user: &Step<'_, '_>, needed: &Step<'_, '_>, reason: &str) -> Finding {
    let (left, right) = (user.item.object, needed.item.object);
    let message = format!("{left} runs before {right}, {reason}");
    let help = format!("give {right} weight {}", user.weight.saturating_sub(1));
    let names = (left.name().unwrap_or(""), right.name().unwrap_or(""));
    let finding = Finding::new(user.item.field(&wording::annotation(WEIGHT)), message, help)
        .label(format!("same weight: Helm goes by name, and {:?} < {:?}", names.0, names.1))
        .on(user.index);
    // Whoever may bind anything may bind a role that is not there yet.
    if left.group() == RBAC { finding.unless_told(Mode::Warn).severity(Severity::Medium) } else { finding }
}

#[cfg(test)]
mod tests;
