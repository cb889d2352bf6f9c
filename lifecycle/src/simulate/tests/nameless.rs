//! Ordinary resources whose name the API server makes up, or that have none, or that say both.

use super::*;

/// What Helm says of a resource it cannot ask for.
const UNASKED: &str = "could not get information about the resource ConfigMap \"\" in namespace \"demo\": resource name may not be empty";
const TWICE: &str = "metadata.name and metadata.generateName cannot both be set";

/// A `ConfigMap` with this in its metadata, between two others.
fn chart(metadata: &str) -> String {
    let odd = format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{{metadata}}}\n");
    resource("ConfigMap", "a", "") + &odd + &resource("Secret", "b", "")
}

fn is_there(release: &Release, name: &str) -> bool {
    release.0.world().lives().any(|live| live.object.id.name == name)
}

#[test]
fn helm_3_stores_nothing_of_a_release_with_a_name_to_be_made_up() {
    for metadata in ["generateName: x-", "labels: {a: b}"] {
        let mut release = helm("3");
        let played = release.install(&chart(metadata));
        fails(&played, &format!("INSTALLATION FAILED: Unable to continue with install: {UNASKED}"));
        assert!(played.history.is_empty() && played.steps.is_empty(), "{played:#?}");
        succeeds(&release.install(&chart("name: x")));
        let words = format!("UPGRADE FAILED: Unable to continue with update: {UNASKED}");
        fails(&release.upgrade(&chart(metadata)), &words);
        assert_eq!(history(&release.upgrade(&chart("name: x"))), "1 superseded, 2 deployed");
    }
}

#[test]
fn helm_3_passes_over_a_generated_name_beside_a_name() {
    succeeds(&helm("3").install(&chart("name: x, generateName: x-")));
}

#[test]
fn helm_4_refuses_a_resource_without_a_name_or_with_two() {
    for (metadata, words) in [("labels: {a: b}", UNASKED), ("name: x, generateName: x-", TWICE)] {
        let mut release = helm("4");
        let played = release.install(&chart(metadata));
        fails(&played, &format!("INSTALLATION FAILED: unable to continue with install: {words}"));
        assert!(played.history.is_empty(), "{:?}", played.history);
        succeeds(&release.install(&chart("name: z")));
        let words = format!("UPGRADE FAILED: unable to continue with update: {words}");
        fails(&release.upgrade(&chart(metadata)), &words);
    }
}

#[test]
fn helm_4_looks_for_two_names_only_where_the_object_is_new() {
    let mut release = helm("4");
    succeeds(&release.install(&chart("name: x")));
    succeeds(&release.upgrade(&chart("name: x, generateName: x-")));
}

#[test]
fn helm_4_cannot_apply_what_has_no_name_nor_ever_delete_it() {
    let mut release = helm("4");
    let played = release.install(&chart("generateName: x-"));
    let error = played.error.as_deref().unwrap();
    assert!(
        error.contains("server-side apply failed") && error.ends_with("name may not be empty"),
        "{error}"
    );
    assert_eq!(history(&played), "1 failed");
    let asked =
        "UPGRADE FAILED: could not get information about the resource: resource name may not be empty";
    for metadata in ["generateName: x-", "generateName: y-", "labels: {a: b}"] {
        fails(&release.upgrade(&chart(metadata)), asked);
    }
    fails(&release.uninstall(), "failed to delete release: demo");
}

#[test]
fn what_helm_4_posted_under_a_made_up_name_stays_for_good() {
    let by_post = |flags: &mut Flags| flags.server_side = Some(false);
    let mut release = helm("4");
    succeeds(&release.play(Action::Install, &chart("generateName: x-"), by_post));
    assert!(is_there(&release, "x-*"));
    let asked =
        "UPGRADE FAILED: could not get information about the resource: resource name may not be empty";
    fails(&release.play(Action::Upgrade, &chart("generateName: x-"), by_post), asked);
    succeeds(&release.play(Action::Upgrade, &chart("name: x"), by_post));
    assert!(is_there(&release, "x-*"), "nobody knows what it is called");
    let rolled = release.rollback(1);
    fails(&rolled, "could not get information about the resource: resource name may not be empty");
    assert_eq!(history(&rolled).rsplit(", ").next(), Some("4 failed"));
}
