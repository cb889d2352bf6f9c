//! What went wrong once: deletions, and what an earlier command left.

use super::*;

const FOUND: &str = "helm.sh/hook-delete-policy: before-hook-creation";

/// Installed without a run of its hook, which is one of `events`.
fn idle(policy: &'static str, events: &'static str) -> Play {
    let mut play = Play::new(policy);
    play.events = events;
    play.stored(1, Status::PendingInstall, None, true).settings().stored(1, Status::Deployed, None, false);
    play
}

#[test]
fn the_first_hook_after_the_resources_deletes_what_it_left() {
    let mut play = Play::new(FOUND);
    play.events = "post-upgrade";
    play.stored(1, Status::Deployed, None, true)
        .job("one", Change::Added, Some(End::Complete))
        .settings()
        .stored(2, Status::PendingUpgrade, None, true)
        .job("one", Change::Deleted, Some(End::Complete))
        .stored(2, Status::PendingUpgrade, Some(Phase::Running), false)
        .job("two", Change::Added, None)
        .job("two", Change::Modified, Some(End::Complete))
        .stored(2, Status::Deployed, Some(Phase::Succeeded), false);
    assert_eq!(
        play.steps(3, Action::Upgrade, 0, ""),
        [
            "4 Manifest Ok",
            "5 post-upgrade Delete Job/migrate Ok",
            "7 post-upgrade Apply Job/migrate Ok",
            "8 post-upgrade Wait Job/migrate Ok",
        ]
    );
}

#[test]
fn a_deletion_counts_for_the_hook_before_the_resources_and_not_again_after_them() {
    let mut play = Play::new("helm.sh/hook-delete-policy: 'before-hook-creation,hook-succeeded'");
    play.events = "pre-install,post-install";
    play.stored(1, Status::PendingInstall, None, true)
        .stored(1, Status::PendingInstall, Some(Phase::Running), false)
        .job("one", Change::Added, None)
        .job("one", Change::Modified, Some(End::Complete))
        .job("one", Change::Deleted, Some(End::Complete))
        .settings()
        .stored(1, Status::PendingInstall, Some(Phase::Running), false)
        .job("two", Change::Added, None)
        .job("two", Change::Modified, Some(End::Complete))
        .job("two", Change::Deleted, Some(End::Complete))
        .stored(1, Status::Deployed, Some(Phase::Succeeded), false);
    assert_eq!(
        play.steps(0, Action::Install, 0, ""),
        [
            "2 pre-install Delete Job/migrate Absent",
            "3 pre-install Apply Job/migrate Ok",
            "4 pre-install Wait Job/migrate Ok",
            "5 pre-install Delete Job/migrate Ok",
            "6 Manifest Ok",
            "7 post-install Delete Job/migrate Absent",
            "8 post-install Apply Job/migrate Ok",
            "9 post-install Wait Job/migrate Ok",
            "10 post-install Delete Job/migrate Ok",
        ]
    );
}

#[test]
fn the_first_hook_of_a_test_and_of_an_uninstall_deletes_what_it_left() {
    for (events, action, status, event) in [
        ("test", Action::Test, Status::Deployed, "test"),
        ("pre-delete", Action::Uninstall, Status::Uninstalling, "pre-delete"),
    ] {
        let mut play = idle(FOUND, events);
        play.job("one", Change::Added, Some(End::Complete))
            .job("one", Change::Deleted, Some(End::Complete))
            .stored(1, status, Some(Phase::Running), false)
            .job("two", Change::Added, None)
            .job("two", Change::Modified, Some(End::Complete))
            .stored(1, status, Some(Phase::Succeeded), false);
        let steps = play.steps(4, action, 0, "");
        assert_eq!(steps[0], format!("5 {event} Delete Job/migrate Ok"), "{steps:?}");
        assert_eq!(steps[2], format!("8 {event} Wait Job/migrate Ok"), "{steps:?}");
    }
}

#[test]
fn a_hook_after_the_resources_that_cannot_be_deleted_is_told() {
    let mut play = Play::new(FOUND);
    play.events = "post-install";
    play.stored(1, Status::PendingInstall, None, true)
        .settings()
        .job("one", Change::Deleted, Some(End::Complete))
        .stored(1, Status::Failed, None, false);
    let steps = play.steps(0, Action::Install, 1, "Error: INSTALLATION FAILED: failed post-install: …");
    assert_eq!(steps, ["2 Manifest Ok", "3 post-install Delete Job/migrate Ok"]);
}

#[test]
fn what_undoes_an_install_deletes_what_its_first_hook_left() {
    let mut play = Play::new(FOUND);
    play.events = "post-install,pre-delete";
    play.stored(1, Status::PendingInstall, None, true)
        .settings()
        .stored(1, Status::PendingInstall, Some(Phase::Running), false)
        .job("one", Change::Added, None)
        .job("one", Change::Modified, Some(End::Failed("x".to_owned())))
        .job("one", Change::Deleted, None)
        .stored(1, Status::Uninstalling, Some(Phase::Running), false)
        .job("two", Change::Added, None)
        .job("two", Change::Modified, Some(End::Complete))
        .stored(1, Status::Uninstalled, Some(Phase::Succeeded), false);
    let undone = "Error: INSTALLATION FAILED: release shop failed, rolled back, and has been uninstalled due to atomic being set: failed post-install: …";
    let steps = play.steps(0, Action::Install, 1, undone);
    assert!(steps.contains(&"5 post-install Wait Job/migrate Failed".to_owned()), "{steps:#?}");
    assert!(steps.contains(&"6 pre-delete Delete Job/migrate Ok".to_owned()), "{steps:#?}");
}

#[test]
fn a_failure_that_was_never_stored_deletes_by_its_policy() {
    let mut play = Play::new("helm.sh/hook-delete-policy: hook-failed");
    play.events = "pre-install";
    play.stored(1, Status::PendingInstall, None, true)
        .stored(1, Status::PendingInstall, Some(Phase::Running), false)
        .job("one", Change::Added, None)
        .job("one", Change::Modified, Some(End::Failed("x".to_owned())))
        .job("one", Change::Deleted, None)
        .stored(1, Status::Uninstalling, None, false)
        .stored(1, Status::Uninstalled, None, false);
    let undone = "Error: INSTALLATION FAILED: release shop failed, rolled back, and has been uninstalled due to atomic being set: failed pre-install: …";
    assert_eq!(
        play.steps(0, Action::Install, 1, undone)[..3],
        [
            "3 pre-install Apply Job/migrate Ok",
            "4 pre-install Wait Job/migrate Failed",
            "5 pre-install Delete Job/migrate Ok",
        ]
    );
}

#[test]
fn an_uninstall_of_what_is_uninstalled_touches_no_resources() {
    let mut play = idle(FOUND, "test");
    play.stored(1, Status::Uninstalling, None, false).stored(1, Status::Uninstalled, None, false);
    let version = play.seen.len() as u64;
    assert_eq!(play.steps(version, Action::Uninstall, 0, ""), [""; 0]);
}

#[test]
fn a_rollback_replaces_the_last_revision_and_not_the_deployed_one() {
    let mut play = Play::new(FOUND);
    (play.events, play.settings) = ("test", None);
    play.stored(1, Status::Deployed, None, true);
    play.settings = Some("settings");
    play.stored(2, Status::Failed, None, true).settings();
    play.settings = None;
    play.stored(3, Status::PendingRollback, None, true)
        .object("v1", "ConfigMap", "settings", "s", Change::Deleted, None)
        .stored(3, Status::Deployed, None, false);
    assert_eq!(play.steps(3, Action::Rollback, 0, ""), ["5 Manifest Ok"]);
}

#[test]
fn what_is_of_no_namespace_is_seen_to_go_whatever_its_definition_says_elsewhere() {
    let cluster_scoped = ClusterScoped::from([("batch".to_owned(), "Job".to_owned())]);
    let mut play = Play::new(FOUND);
    play.stored(1, Status::PendingInstall, None, true);
    let What::Revision(stored) = &play.seen[0].what else { panic!("a revision was stored") };
    let of = |cluster_scoped: &ClusterScoped| part::chart(stored, "demo", cluster_scoped).unwrap();
    assert_eq!(of(&cluster_scoped).hooks[0].objects[0].id.namespace, None);
    assert_eq!(of(&ClusterScoped::new()).hooks[0].objects[0].id.namespace.as_deref(), Some("demo"));
}

#[test]
fn items_of_a_list_are_of_a_hook_without_an_annotation_of_their_own() {
    let mut play = Play::new(FOUND);
    play.stored(1, Status::PendingInstall, None, true);
    let What::Revision(stored) = &mut play.seen[0].what else { panic!("a revision was stored") };
    let record = Arc::get_mut(stored.record.as_mut().unwrap()).unwrap();
    record.hooks[0].kind = "List".to_owned();
    record.hooks[0].manifest = "{apiVersion: v1, kind: List, metadata: {annotations: {helm.sh/hook: pre-install}}, items: [{apiVersion: v1, \
                                kind: ConfigMap, metadata: {name: item}}]}"
        .to_owned();
    let is_item = is_item(&play.seen, "demo", &ClusterScoped::new());
    let id = |name: &str| ObjectId {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        namespace: Some("demo".to_owned()),
        name: name.to_owned(),
    };
    assert!(is_item(&id("item")) && !is_item(&id("settings")));
}
