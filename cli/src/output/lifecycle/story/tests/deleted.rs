//! What was in an object that a delete policy takes, and that nobody was told of.

use lifecycle::command::Wait;

use super::{
    lost::{claim, namespace, object},
    *,
};

const DATA: &str = "the data of PersistentVolumeClaim/data, unless its volume is retained";

/// A claim that nobody uses, with these annotations.
fn unused(annotations: &str) -> String {
    object("PersistentVolumeClaim", "data", annotations, "") + &object("ConfigMap", "own", "", "")
}

fn lost(chart: &str, helm: &str, actions: &[Action], wait: Wait) -> Vec<String> {
    let flags = Flags { wait, ..Flags::default() };
    let scenario = played_chart(chart, helm, actions, &[], &flags);
    last(&scenario).lost().into_iter().map(|note| note.text).collect()
}

#[test]
fn data_that_an_upgrade_deletes_was_told_as_routine() {
    let chart = unused("helm.sh/hook: \"pre-install,pre-upgrade\"");
    for helm in ["3", "4", "flux", "argocd"] {
        let told = lost(&chart, helm, &UPGRADED, Wait::HookOnly);
        assert_eq!(told, [format!("{DATA}; the new one is empty")], "{helm}");
        assert!(lost(&chart, helm, &UPGRADED[..1], Wait::HookOnly).is_empty(), "{helm}: nothing was there");
    }
}

#[test]
fn an_application_that_is_deleted_was_said_to_lose_what_nobody_wants() {
    let chart = unused("helm.sh/hook: \"pre-install,pre-upgrade\"");
    let removed = [Action::Install, Action::Uninstall];
    assert_eq!(lost(&chart, "argocd", &removed, Wait::HookOnly), [""; 0]);
}

#[test]
fn a_namespace_that_is_deleted_and_made_again_was_told_as_routine() {
    for (helm, wait) in [("3", Wait::HookOnly), ("4", Wait::Watcher)] {
        let told = lost(&namespace(), helm, &UPGRADED, wait);
        assert_eq!(told, ["all that was in Namespace/team; the new one is empty"], "{helm}");
    }
    let told = lost(&namespace(), "4", &UPGRADED, Wait::HookOnly);
    assert!(told.len() == 1 && told[0].starts_with("Namespace/team is being deleted"), "{told:?}");
}

#[test]
fn what_was_gone_when_all_was_over_was_still_being_deleted() {
    let slow = object(
        "Job",
        "slow",
        "helm.sh/hook: post-upgrade",
        "spec: {template: {spec: {restartPolicy: Never}}}",
    );
    let chart = namespace() + &slow;
    let scenario = played_chart(&chart, "4", &UPGRADED, &[("Job/slow", "1m")], &Flags::default());
    let told = notes(&last(&scenario), "lost");
    assert!(told.starts_with("Namespace/team is gone, with all that was in it: the hook was sent"), "{told}");
}

#[test]
fn what_is_in_several_that_go_was_passed_over() {
    let chart = namespace() + &namespace().replace("team", "crew");
    let told = lost(&chart, "4", &UPGRADED, Wait::HookOnly);
    let words = "Namespace/crew and Namespace/team are being deleted, with all that is in them: ";
    assert!(told.len() == 1 && told[0].starts_with(words), "{told:?}");
}

#[test]
fn a_kind_that_is_deleted_with_all_its_objects_was_told_as_routine() {
    let spec = "spec: {group: x.y, scope: Namespaced, names: {kind: Foo, plural: foos, singular: foo, listKind: FooList}, \
                versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}";
    let hook = "helm.sh/hook: \"pre-install,pre-upgrade\"";
    let definition = object("CustomResourceDefinition", "foos.x.y", hook, spec);
    let told = lost(&definition, "argocd", &UPGRADED, Wait::HookOnly);
    assert_eq!(told, ["all objects of CustomResourceDefinition/foos.x.y; the new one has none"]);
    assert!(lost(&definition, "3", &UPGRADED[..1], Wait::HookOnly).is_empty(), "Helm deletes no such hook");
}

#[test]
fn what_an_action_itself_has_made_is_no_loss() {
    let scratch = "helm.sh/hook: \"pre-install,pre-upgrade\", helm.sh/hook-delete-policy: hook-succeeded";
    for helm in ["3", "4", "flux", "argocd"] {
        assert!(lost(&unused(scratch), helm, &UPGRADED, Wait::HookOnly).is_empty(), "{helm}");
    }
}

#[test]
fn what_was_there_and_goes_after_its_run_is_lost() {
    let old = unused("helm.sh/hook: pre-install");
    let new = unused("helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: hook-succeeded");
    let profile = Profile::find("4").unwrap();
    let mut stage = Stage::new(profile, "shop", "default");
    for (action, chart) in UPGRADED.into_iter().zip([old, new]) {
        let chart = Arc::new(Chart::read_by(profile.engine, &chart, "default").unwrap());
        let (flags, outcomes) = (Flags::default(), Outcomes::default());
        stage.play(&Command { action, chart: Some(chart), flags, outcomes });
    }
    let (answer, asked) = stage.finish(0);
    let scenario = Rehearsed { answer, asked, ..played("4", &[], &[], &Flags::default()) };
    assert_eq!(notes(&last(&scenario), "lost"), DATA);
}

#[test]
fn what_is_deleted_twice_is_lost_once() {
    let chart = unused("helm.sh/hook: \"pre-install,pre-upgrade,post-upgrade\"");
    let told = lost(&chart, "3", &UPGRADED, Wait::HookOnly);
    assert_eq!(told, [format!("{DATA}; the new one is empty")]);
}

#[test]
fn data_that_goes_as_soon_as_no_pod_uses_it_was_only_being_deleted() {
    for helm in ["3", "argocd"] {
        let told = lost(&claim(), helm, &UPGRADED, Wait::HookOnly);
        assert_eq!(told, [format!("{DATA}; it goes once no pod uses it")], "{helm}");
    }
}

#[test]
fn several_that_are_lost_are_one_line() {
    let claim = |name: &str| object("PersistentVolumeClaim", name, "helm.sh/hook: pre-upgrade", "");
    let chart = claim("a") + &claim("b");
    let actions = [Action::Install, Action::Upgrade, Action::Upgrade];
    let told = lost(&chart, "3", &actions, Wait::HookOnly);
    let words = "the data of PersistentVolumeClaim/a and PersistentVolumeClaim/b, unless their volumes are retained; \
                 the new ones are empty";
    assert_eq!(told, [words]);
}

#[test]
fn a_claim_was_said_to_succeed() {
    let used = |name: &str, rest: &str| {
        let hook = "helm.sh/hook: \"pre-install,pre-upgrade\"";
        object("Job", name, hook, &format!("spec: {{template: {{spec: {{restartPolicy: Never, {rest}}}}}}}"))
    };
    let mount =
        "containers: [{name: a, image: a}], volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]";
    let chart = unused("helm.sh/hook: \"pre-install,pre-upgrade\", helm.sh/hook-weight: \"-1\"")
        + &used("fill", mount);
    let scenario = played_chart(&chart, "3", &UPGRADED, &[], &Flags::default());
    let next = notes(&last(&scenario), "next upgrade");
    let words = "if PersistentVolumeClaim/data is made then, deletes Job/fill first and runs it again";
    assert!(next.ends_with(words), "{next}");
}
