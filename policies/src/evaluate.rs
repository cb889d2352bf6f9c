//! Runs the rules and gives each finding the mode that the policy, the hook and the moment allow.

use std::collections::HashMap;

use hooks::{Hook, Object};
use json_patch::PatchOperation;

use crate::{
    context::{Context, Moment, Operation, Origin, ReleaseContext},
    exception::Exception,
    finding::{Excepted, Finding, Judged, Verdict},
    mode::Mode,
    patch,
    policy::{Active, Judging, Policy},
    ratchet,
    release::{Item, Release},
    rules::hook_stale_rerun::HookStaleRerun,
    settings::RecoveryEvents,
};

/// One hook object at admission.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What is being done.
    pub operation: Operation,
    /// The object as it would be stored.
    pub object: Object<'a>,
    /// The object as it is stored, on UPDATE.
    pub old: Option<Object<'a>>,
    /// The namespace of the request; `None` for cluster-scoped objects.
    pub namespace: Option<&'a str>,
    /// `options.fieldManager` of the request.
    pub field_manager: Option<&'a str>,
    /// What Helm is doing, if known.
    pub moment: Moment,
    /// Seconds since 1970, for the expiry of exceptions.
    pub now: i64,
}

/// What `/mutate` does to an object.
#[derive(Debug, Clone, Default)]
pub struct Fixes {
    /// The operations, to be applied in this order; the last records the rules. Empty when nothing is to be repaired.
    pub operations: Vec<PatchOperation>,
    /// The rules that repair.
    pub rules: Vec<&'static str>,
}

/// Judges one object at admission: CREATE by all rules; UPDATE by what it makes worse.
///
/// An annotation newly added counts as a CREATE, one taken away is nobody's business but the author's.
#[must_use]
pub fn object(policy: &Policy, request: &Request<'_>) -> Verdict {
    let Some(hook) = request.object.hook() else {
        return Verdict::default();
    };
    let mut findings = judge_object(policy, request, &hook, request.object);
    if let Some((old, old_hook)) = request.old.and_then(|old| Some((old, old.hook()?))) {
        let before = Request { operation: Operation::Create, object: old, old: None, ..*request };
        let had = judge_object(policy, &before, &old_hook, old);
        let is_stale_rerun = |judged: &mut Judged| judged.rule.id == HookStaleRerun::META.id;
        let stale: Vec<_> = findings.extract_if(.., is_stale_rerun).collect();
        ratchet::keep_what_is_new(&mut findings, &had);
        findings.extend(stale);
    }
    sorted(findings)
}

fn judge_object(policy: &Policy, request: &Request<'_>, hook: &Hook<'_>, object: Object<'_>) -> Vec<Judged> {
    let mut found = Vec::new();
    for active in policy.rules.iter().filter(|active| applies(active, Judging::Object, hook)) {
        let mut findings = Vec::new();
        active.rule.check(&context(policy, active, request, hook, object), &mut findings);
        let scene = Scene {
            hook: Some(hook),
            object,
            // Of a Namespace the API server says that it is in itself.
            place: Place::Told(request.namespace.filter(|_| !object.is("", "Namespace"))),
            moment: request.moment,
            now: request.now,
        };
        found.extend(
            findings
                .into_iter()
                .map(|finding| judged(policy, active, Judging::Object, finding, Some(&scene))),
        );
    }
    found
}

/// The repairs of one object; empty but for CREATE of a hook that nobody owns. A deletion mark in a CREATE exempts nothing: the API
/// server takes it off.
#[must_use]
pub fn fixes(policy: &Policy, request: &Request<'_>) -> Fixes {
    let mut fixes = Fixes::default();
    let object = request.object;
    let Some(hook) = object.hook() else { return fixes };
    if request.operation != Operation::Create || object.is_owned() {
        return fixes;
    }
    for active in policy.rules.iter().filter(|active| active.fix && applies(active, Judging::Object, &hook)) {
        let operations = active.rule.fix(&context(policy, active, request, &hook, object));
        if !operations.is_empty() {
            fixes.operations.extend(operations);
            fixes.rules.push(active.meta().id);
        }
    }
    if !fixes.rules.is_empty() {
        fixes.operations.push(patch::record(object, &fixes.rules));
    }
    fixes
}

/// Judges a release as a whole: every hook by itself, then all together. `now` is seconds since 1970, for the expiry of exceptions.
#[must_use]
pub fn release(policy: &Policy, release: &Release<'_>, now: i64) -> Verdict {
    let mut found = Vec::new();
    for active in &policy.rules {
        if active.mode(Judging::Release) == Mode::Off {
            continue;
        }
        let judge = |finding| judge_finding(policy, active, release, finding, now);
        let mut findings = Vec::new();
        for (index, item) in release.items.iter().enumerate() {
            check_item(policy, active, release, (index, item), &mut findings);
        }
        found.extend(once_per_list(release, findings.drain(..).filter_map(judge).collect()));
        let cx = ReleaseContext { release, engine: &policy.engine, options: &*active.options };
        active.rule.check_release(&cx, &mut findings);
        found.extend(findings.into_iter().filter_map(judge));
    }
    sorted(found)
}

/// `finding` with its mode, unless the rule is not for that hook.
fn judge_finding(
    policy: &Policy,
    active: &Active,
    release: &Release<'_>,
    finding: Finding,
    now: i64,
) -> Option<Judged> {
    let scene = finding.item.and_then(|index| release.items.get(index)).map(|item| Scene {
        hook: item.hook.as_ref(),
        object: item.object,
        place: Place::OfRelease(release.namespace),
        moment: release.moment,
        now,
    });
    let hook = scene.as_ref().and_then(|scene| scene.hook);
    hook.is_none_or(|hook| applies(active, Judging::Release, hook))
        .then(|| judged(policy, active, Judging::Release, finding, scene.as_ref()))
}

/// What the items of a hook `List` share, its annotations, is one matter: the gravest of these findings of one rule stands for all.
fn once_per_list(release: &Release<'_>, found: Vec<Judged>) -> Vec<Judged> {
    let shared = |judged: &Judged| {
        let item = release.items.get(judged.finding.item?)?;
        let is_shared = !item.pointer.is_empty() && item.is_of_list(&judged.finding.field);
        is_shared.then_some(item.document)
    };
    let (mut kept, mut first) = (Vec::<Judged>::new(), HashMap::new());
    for judged in found {
        let Some(document) = shared(&judged) else {
            kept.push(judged);
            continue;
        };
        let place = *first.entry((document, judged.finding.field.clone())).or_insert(kept.len());
        match kept.get_mut(place) {
            None => kept.push(judged),
            Some(earlier) if (earlier.mode, earlier.severity) < (judged.mode, judged.severity) => {
                *earlier = judged;
            }
            Some(_) => {}
        }
    }
    kept
}

fn check_item(
    policy: &Policy,
    active: &Active,
    release: &Release<'_>,
    (index, item): (usize, &Item<'_>),
    findings: &mut Vec<Finding>,
) {
    let Some(hook) = item.hook.as_ref() else { return };
    if hook.events.is_dropped() && !active.meta().of_dropped {
        return;
    }
    let cx = Context {
        object: item.object,
        hook,
        old: None,
        is_item: !item.pointer.is_empty(),
        origin: Origin::Rendered,
        operation: Operation::Create,
        field_manager: None,
        namespace: release.namespace,
        engine: &policy.engine,
        options: &*active.options,
    };
    let first = findings.len();
    active.rule.check(&cx, findings);
    for finding in &mut findings[first..] {
        finding.item = Some(index);
        finding.field = item.field(&finding.field);
        // The API server is asked about each item, and they carry no annotation that would bring them here.
        finding.fixable &= item.pointer.is_empty();
    }
}

fn context<'a>(
    policy: &'a Policy,
    active: &'a Active,
    request: &Request<'a>,
    hook: &'a Hook<'a>,
    object: Object<'a>,
) -> Context<'a> {
    Context {
        object,
        hook,
        old: request.old,
        is_item: false,
        origin: Origin::Admitted,
        operation: request.operation,
        field_manager: request.field_manager,
        namespace: request.namespace,
        engine: &policy.engine,
        options: &*active.options,
    }
}

fn applies(active: &Active, judging: Judging, hook: &Hook<'_>) -> bool {
    active.mode(judging) != Mode::Off && !(active.meta().off_for_tests && hook.events.is_test())
}

/// What a finding is about, and when.
struct Scene<'a> {
    hook: Option<&'a Hook<'a>>,
    object: Object<'a>,
    place: Place<'a>,
    moment: Moment,
    now: i64,
}

/// What is known of where an object is.
enum Place<'a> {
    /// The namespace that the API server says; none for cluster-scoped objects.
    Told(Option<&'a str>),
    /// The namespace of its release, if that is known: the object may be elsewhere.
    OfRelease(Option<&'a str>),
}

impl Scene<'_> {
    fn is_covered(&self, exception: &Exception, rule: &str) -> bool {
        let is_there = match self.place {
            Place::Told(namespace) => exception.covers(rule, namespace, self.object),
            Place::OfRelease(namespace) => exception.covers_in_release(rule, namespace, self.object),
        };
        is_there && self.now < exception.expires_at
    }
}

fn judged(
    policy: &Policy,
    active: &Active,
    judging: Judging,
    finding: Finding,
    scene: Option<&Scene<'_>>,
) -> Judged {
    let rule = active.meta();
    let severity = rule.severity.min(finding.severity_at_most);
    let mut mode = active.mode_at(judging, severity, finding.unless_told).min(finding.at_most);
    if active.fix && finding.fixable {
        mode = mode.min(Mode::Warn);
    }
    let mut excepted = None;
    if let Some(scene) = scene {
        if policy.recovery_events == RecoveryEvents::Warn && softens(rule.id, scene) {
            mode = mode.min(Mode::Warn);
        }
        if let Some(exception) = policy.exceptions.iter().find(|one| scene.is_covered(one, rule.id)) {
            excepted = Some(Excepted { by: exception.name.clone(), would_be: mode });
            mode = Mode::Audit;
        }
    }
    let is_owned = scene.is_some_and(|scene| scene.object.is_owned());
    let fixable = finding.fixable && active.would_fix && !is_owned;
    Judged { rule, mode, severity, fixable, finding, excepted }
}

/// Whether a denial could block a rollback or an uninstall. For security rules only a proven one counts: else one more event in
/// the list would be a way around them.
fn softens(rule: &str, scene: &Scene<'_>) -> bool {
    let Some(hook) = scene.hook else { return false };
    if scene.moment.is_recovery() {
        return true;
    }
    let runs_now = hook.events.any(|event| scene.moment.runs(event) == Some(true));
    !rule.starts_with("sec-") && !runs_now && hook.events.any(hooks::Event::is_recovery)
}

fn sorted(mut findings: Vec<Judged>) -> Verdict {
    findings.sort_by_key(|judged| (std::cmp::Reverse(judged.mode), judged.rule.id));
    Verdict { findings }
}

#[cfg(test)]
mod tests;
