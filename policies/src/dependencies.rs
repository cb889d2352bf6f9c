//! What the pods of a hook need before it runs, and why it is not there by then.

use std::collections::{HashMap, HashSet};

use hooks::{DeletePolicy, Event, Hook, annotations::HOOK};

use crate::{
    context::ReleaseContext,
    exception::glob,
    references::{Reference, Referent, references},
    release::{Item, Release},
    settings::Gitops,
};

/// Something that the release has, but not in time.
#[derive(Debug)]
pub(crate) struct Missing<'a> {
    /// The item of the release whose pods need it.
    pub(crate) item: usize,
    /// How it is named there.
    pub(crate) reference: Reference<'a>,
    /// Whether it is missing whatever happened before; otherwise the revision before may have it.
    pub(crate) is_certain: bool,
    /// Why it is not there, to be read after its name.
    pub(crate) why: String,
    /// What to do about it.
    pub(crate) help: String,
}

/// Hooks that run together, before any ordinary resource of the release is touched.
struct Wave {
    events: &'static [Event],
    /// Whether it runs when nothing of the release exists.
    is_first: bool,
    runner: &'static str,
}

/// Helm runs one event at a time. Argo CD runs both before every sync, the first one too.
///
/// Source: Argo CD 3.5 `gitops-engine/pkg/sync/hook/helm/type.go`.
fn waves(cx: &ReleaseContext<'_>) -> Vec<Wave> {
    if cx.engine.gitops == Gitops::Argocd {
        return vec![Wave {
            events: &[Event::PreInstall, Event::PreUpgrade],
            is_first: true,
            runner: "Argo CD",
        }];
    }
    let install = Wave { events: &[Event::PreInstall], is_first: true, runner: "Helm" };
    let upgrade = Wave { events: &[Event::PreUpgrade], is_first: false, runner: "Helm" };
    let may_run = |wave: &Wave| cx.release.moment.runs(wave.events[0]) != Some(false);
    [install, upgrade].into_iter().filter(may_run).collect()
}

/// Everything of the kinds in `wanted` that hook Jobs and Pods need before install or upgrade, and that the release makes too late.
/// What the release does not make at all may come from elsewhere; names that match `external` do.
///
/// Of two hooks with the same weight, `hook-weight-tie` says what is to be said.
pub(crate) fn missing<'a>(
    cx: &ReleaseContext<'a>,
    wanted: &[Referent],
    external: &[String],
) -> Vec<Missing<'a>> {
    let (mut found, mut told) = (Vec::new(), HashSet::new());
    let providers = by_name(cx.release);
    for wave in waves(cx) {
        for (index, item, hook) in cx.release.hooks() {
            let runs = wave.events.iter().any(|event| hook.events.contains(*event));
            if !runs || !(item.object.is_job() || item.object.is_pod()) {
                continue;
            }
            for reference in references(item.object) {
                let is_external = external.iter().any(|pattern| glob(pattern, reference.name));
                if !wanted.contains(&reference.to)
                    || is_external
                    || told.contains(&(index, reference.to, reference.name))
                {
                    continue;
                }
                let named = providers.get(&(reference.to, reference.name)).map_or(&[][..], Vec::as_slice);
                if let Some(missing) = look_up(cx, &wave, (index, item, hook), &reference, named) {
                    told.insert((index, reference.to, reference.name));
                    found.push(missing);
                }
            }
        }
    }
    found
}

/// The items of the release that others refer to, by kind and name: releases can be large.
fn by_name<'a, 'r>(release: &'r Release<'a>) -> HashMap<(Referent, &'a str), Vec<&'r Item<'a>>> {
    let mut providers = HashMap::new();
    for item in &release.items {
        if let (Some(kind), Some(name)) = (Referent::of(item.object), item.object.name()) {
            providers.entry((kind, name)).or_insert_with(Vec::new).push(item);
        }
    }
    providers
}

/// Why `reference` is not there in time, of all items that are `named` so; `None` when it is, or when nobody knows.
fn look_up<'a>(
    cx: &ReleaseContext<'a>,
    wave: &Wave,
    (index, item, hook): (usize, &Item<'a>, &Hook<'a>),
    reference: &Reference<'a>,
    named: &[&Item<'a>],
) -> Option<Missing<'a>> {
    let is_meant =
        |other: &&&Item<'_>| reference.means(other.object, cx.release.namespace, item.object.namespace());
    let mut reason = None;
    for provider in named.iter().filter(is_meant) {
        let is_shared = || others_use(cx.release, index, hook, provider);
        match absence(wave, hook, provider, reference.to, is_shared) {
            Absence::None => return None,
            Absence::Of { is_certain, why, help } => {
                let missing = Missing { item: index, reference: reference.clone(), is_certain, why, help };
                reason.get_or_insert(missing);
            }
            Absence::Unknown => {}
        }
    }
    reason
}

/// Whether one item of the release is there when a wave runs.
enum Absence {
    /// It is there.
    None,
    /// It is dropped by Helm, which is another rule's business.
    Unknown,
    /// It is not.
    Of { is_certain: bool, why: String, help: String },
}

fn absence(
    wave: &Wave,
    hook: &Hook<'_>,
    provider: &Item<'_>,
    kind: Referent,
    is_shared: impl FnOnce() -> bool,
) -> Absence {
    let (event, weight) = (wave.event(hook), hook.weight.effective);
    let Some(other) = &provider.hook else {
        let why = if wave.is_first {
            format!("which {} creates only after the {event} hooks", wave.runner)
        } else {
            "as the revision before left it".to_owned()
        };
        let help = in_time(hook, kind, is_shared());
        return Absence::Of { is_certain: wave.is_first, why, help };
    };
    if other.events.is_dropped() {
        return Absence::Unknown;
    }
    let is_in_wave = wave.events.iter().any(|event| other.events.contains(*event));
    let is_left = !wave.is_first && stays_after_install(other);
    if is_left || (is_in_wave && other.weight.effective <= weight) {
        return Absence::None;
    }
    let (why, help) = if is_in_wave {
        let why = format!(
            "a hook of weight {}, which comes after this one of weight {weight}",
            other.weight.effective
        );
        (why, format!("give the {kind} a weight below {weight}"))
    } else {
        let why = format!("a hook of {}, which is not there at {event}", other.events.written.text);
        let help = match kind {
            Referent::PersistentVolumeClaim => in_time(hook, kind, true),
            _ if other.weight.effective < weight => format!("add {event} to {HOOK} of the {kind}"),
            _ => format!("add {event} to {HOOK} of the {kind}, with a weight below {weight}"),
        };
        (why, help)
    };
    Absence::Of { is_certain: true, why, help }
}

/// How `hook` can have in time what is an ordinary resource. That must not become a hook itself where others use it: at the first upgrade
/// Helm makes the hook, and then deletes the same object, since it was a resource of the revision before. A claim loses its data.
///
/// Source: Helm 3.21.4 and 4.2.4 `pkg/kube/client.go`, `update`, which knows no hooks.
fn in_time(hook: &Hook<'_>, kind: Referent, is_shared: bool) -> String {
    let weight = hook.weight.effective;
    let mut events: Vec<_> = hook.events.known().map(Event::name).collect();
    events.dedup();
    let events = events.join(",");
    let bound = if kind == Referent::ServiceAccount { ", bound to the same roles" } else { "" };
    match (kind, is_shared) {
        (Referent::PersistentVolumeClaim, _) => {
            format!("run the hook after the {kind} is there; as a hook the {kind} would lose its data")
        }
        (_, true) => format!(
            "leave the {kind} as it is, which others use, and let the hook use a copy under another name{bound}: a hook of {events} \
             with a weight below {weight}; or run the hook afterwards"
        ),
        (_, false) => format!(
            "make the {kind}, which nothing else here uses, a hook of {events} with a weight below {weight}, or run the hook \
             afterwards"
        ),
    }
}

/// Whether anything but the hook at `index` uses `provider`, at another time than that hook.
fn others_use(release: &Release<'_>, index: usize, hook: &Hook<'_>, provider: &Item<'_>) -> bool {
    let uses = |item: &Item<'_>| {
        let references = references(item.object);
        references.iter().any(|one| one.means(provider.object, release.namespace, item.object.namespace()))
    };
    let is_elsewhen = |item: &Item<'_>| match &item.hook {
        Some(other) => other.events.any(|event| !hook.events.contains(event)),
        None => true,
    };
    let others = release.items.iter().enumerate().filter(|(place, _)| *place != index);
    others.into_iter().any(|(_, item)| is_elsewhen(item) && uses(item))
}

impl Wave {
    /// The event of this wave that `hook` names first.
    fn event(&self, hook: &Hook<'_>) -> Event {
        let mut events = self.events.iter().copied();
        events.find(|event| hook.events.contains(*event)).unwrap_or(self.events[0])
    }
}

/// Whether what a hook makes at install, or for a test, may still be there at an upgrade.
fn stays_after_install(hook: &Hook<'_>) -> bool {
    is_there_before(hook, Event::PreUpgrade)
}

/// Whether what a hook makes at an earlier event stays, and so may be there when the hooks of `event` begin.
pub(crate) fn is_there_before(hook: &Hook<'_>, event: Event) -> bool {
    const INSTALL: [Event; 2] = [Event::PreInstall, Event::PostInstall];
    let by_install = |earlier| INSTALL.contains(&earlier);
    let is_earlier = |earlier| match event {
        Event::PreInstall => false,
        Event::PostInstall => earlier == Event::PreInstall,
        Event::PreUpgrade | Event::PreRollback => by_install(earlier) || earlier == Event::Test,
        Event::PostUpgrade => by_install(earlier) || matches!(earlier, Event::Test | Event::PreUpgrade),
        Event::PostRollback => by_install(earlier) || matches!(earlier, Event::Test | Event::PreRollback),
        Event::PreDelete | Event::Test => by_install(earlier),
        Event::PostDelete => by_install(earlier) || earlier == Event::PreDelete,
    };
    hook.events.any(is_earlier) && !hook.delete_policies.contains(DeletePolicy::HookSucceeded)
}
