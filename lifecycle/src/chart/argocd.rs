//! What Argo CD makes of a document: Helm's annotations in its own reading, and its own before them.
//!
//! From its source, not run.

use hooks::{
    DeletePolicy, Event, Weight,
    annotations::{self, Written},
};

use super::read::{Part, Said};

const HOOK: &str = "argocd.argoproj.io/hook";
const DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";

/// An event that makes no hook to it.
///
/// Source: argo-cd 3.5.1 `gitops-engine/pkg/sync/hook/helm/hook.go`.
const DEFINITION: &str = "crd-install";

/// Its own types of hooks that are played, each as the Helm event that it has in the same phase.
const TYPES: [(&str, Event); 4] = [
    ("PreSync", Event::PreInstall),
    ("PostSync", Event::PostInstall),
    ("PreDelete", Event::PreDelete),
    ("PostDelete", Event::PostDelete),
];
/// Those that no event of Helm stands for.
const UNPLAYED: [&str; 2] = ["Sync", "SyncFail"];
/// What keeps an object from being applied.
const SKIP: &str = "Skip";

/// Whether a document is a hook, and which; items count in the case in which they are documented, and unknown ones not at all.
///
/// Source: argo-cd 3.5.1 `gitops-engine/pkg/sync/hook/hook.go`, `IsHook` and `Types`.
pub(super) fn part(view: hooks::Object<'_>) -> Part {
    let own: Vec<_> = items(view, HOOK).filter(|item| is_type(item)).collect();
    let helms = view.annotation(annotations::HOOK);
    if own == [SKIP] {
        return Part::LeftOut;
    }
    if view.annotation(HOOK).is_none() && helms.is_none_or(|events| events == DEFINITION) {
        return Part::Resource;
    }
    let events: Vec<_> = if own.is_empty() {
        items(view, annotations::HOOK).filter_map(Event::parse).collect()
    } else {
        TYPES.into_iter().filter(|(name, _)| own.contains(name)).map(|(_, event)| event).collect()
    };
    if events.is_empty() {
        return Part::LeftOut;
    }
    Part::Hook(Said { events, weight: wave(view), delete_policies: policies(view), log_policies: Vec::new() })
}

/// What a reader would otherwise not see: what is left out, and what is not played. `documents` are named as `Job/migrate`.
pub(super) fn notes<'a>(documents: impl Iterator<Item = (String, hooks::Object<'a>)>) -> Vec<String> {
    let (mut left_out, mut unplayed, mut waves) = (Vec::new(), Vec::new(), Vec::new());
    for (name, view) in documents {
        let is_unplayed = items(view, HOOK).any(|item| UNPLAYED.contains(&item));
        match part(view) {
            _ if is_unplayed => unplayed.push(name),
            Part::Resource if wave(view) != 0 => waves.push(name),
            Part::LeftOut | Part::Dropped => left_out.push(name),
            Part::Resource | Part::Hook(_) => {}
        }
    }
    let told = [
        (left_out, "Argo CD neither runs nor applies *: it has no phase for what the annotations say"),
        (unplayed, "not played: the hooks of Argo CD's phases Sync and SyncFail, here *"),
        (waves, "not played: the sync waves of ordinary resources, which are applied together, here *"),
    ];
    let told = told.into_iter().filter(|(names, _)| !names.is_empty());
    told.map(|(names, words)| words.replace('*', &names.join(", "))).collect()
}

fn is_type(item: &str) -> bool {
    item == SKIP || UNPLAYED.contains(&item) || TYPES.iter().any(|(name, _)| *name == item)
}

/// Source: argo-cd 3.5.1 `gitops-engine/pkg/sync/resource/annotations.go`, `GetAnnotationCSVs`.
fn items<'a>(view: hooks::Object<'a>, name: &str) -> impl Iterator<Item = &'a str> {
    view.annotation(name).unwrap_or_default().split(',').map(str::trim)
}

/// Source: argo-cd 3.5.1 `gitops-engine/pkg/sync/syncwaves/waves.go`.
fn wave(view: hooks::Object<'_>) -> i64 {
    let read =
        |name| Weight::parse(view.annotations().and_then(|annotations| Written::of(annotations, name)));
    let own = read(SYNC_WAVE);
    if own.written.is_none() || own.is_ignored { read(annotations::WEIGHT).effective } else { own.effective }
}

/// Its own and Helm's; without any, the default.
///
/// Source: argo-cd 3.5.1 `gitops-engine/pkg/sync/hook/delete_policy.go` and `hook/helm/delete_policy.go`.
fn policies(view: hooks::Object<'_>) -> Vec<DeletePolicy> {
    let own = |policy| match policy {
        DeletePolicy::BeforeHookCreation => "BeforeHookCreation",
        DeletePolicy::HookSucceeded => "HookSucceeded",
        DeletePolicy::HookFailed => "HookFailed",
    };
    let is_said = |policy: &DeletePolicy| {
        items(view, DELETE_POLICY).any(|item| item == own(*policy))
            || items(view, annotations::DELETE_POLICY).any(|item| item == policy.name())
    };
    let mut policies: Vec<_> = DeletePolicy::ALL.into_iter().filter(is_said).collect();
    if policies.is_empty() {
        policies.push(DeletePolicy::BeforeHookCreation);
    }
    policies
}

#[cfg(test)]
mod tests {
    use crate::{Chart, profile::Engine};

    fn notes(annotations: &str) -> Vec<String> {
        let text = format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: x, annotations: {{{annotations}}}}}}}"
        );
        Chart::read_by(Engine::ArgoCd, &text, "demo").unwrap().notes
    }

    #[test]
    fn what_argocd_leaves_out_and_what_is_not_played_was_told_nobody() {
        for left_out in ["helm.sh/hook: Pre-Install", "argocd.argoproj.io/hook: Skip"] {
            assert!(notes(left_out)[0].contains("neither runs nor applies ConfigMap/x:"), "{left_out}");
        }
        for unplayed in ["argocd.argoproj.io/hook: SyncFail", "argocd.argoproj.io/hook: 'PreSync, Sync'"] {
            assert!(notes(unplayed)[0].contains("Sync and SyncFail"), "{unplayed}");
        }
        assert!(
            notes("argocd.argoproj.io/sync-wave: '1'")[0].ends_with("applied together, here ConfigMap/x")
        );
        for played in [
            "a: b",
            "helm.sh/hook: test",
            "helm.sh/hook: 'pre-install, foo'",
            "argocd.argoproj.io/hook: PreSync",
        ] {
            assert!(notes(played).is_empty(), "{played}");
        }
    }
}
