//! What the watches survive: definitions that are missing, deleted and made again, and an API server that goes and comes.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_watches_survive_whatever_the_api_server_does() {
    let rig = kinds::own_rig();
    let replica = Replica::start(&rig, "pod-0", None).await;
    definitions_are_waited_for(&rig, &replica).await;
    the_api_server_is_restarted(&rig, &replica).await;
    the_definition_is_deleted_and_made_again(&rig, &replica).await;
}

/// With only one of the kinds defined, half of a set could be read; it is not put in force.
async fn definitions_are_waited_for(rig: &Rig, replica: &Replica) {
    let [policies, exceptions] = cluster::crd::texts();
    rig.apply(&policies);
    let create = kinds::policy("here", &only_for("here", "audit")).to_string();
    rig.wait_for("the definition", SOON, || {
        rig.kubectl_with(&["create", "-f", "-"], &create).ok().then_some(())
    });
    // The replica has asked for both again and again by then, and has read the policies.
    let marker = rig.audit_marker();
    rig.wait_for("three more lists", SOON, || {
        let events = rig.audit_since(marker);
        (events.iter().filter(|it| it.uri.contains("/hookexceptions")).count() > 3).then_some(())
    });
    assert!(!replica.is_synced());
    assert_eq!(replica.set.load().generation(), 0);
    rig.apply(&exceptions);
    until("the first lists", || replica.is_synced().then_some(())).await;
    replica.has_mode("here", Mode::Audit).await;
}

/// The new server has forgotten everything before its start, so watches that go on where they were get a 410.
async fn the_api_server_is_restarted(rig: &Rig, replica: &Replica) {
    let generation = replica.set.load().generation();
    rig.end_api_server();
    assert!(!rig.kubectl(&["get", "--raw", "/version"]).ok());
    assert_eq!((replica.mode("here"), replica.set.load().generation()), (Mode::Audit, generation));
    rig.start_api_server();
    rig.apply(&kinds::policy("here", &only_for("here", "warn")).to_string());
    replica.has_mode("here", Mode::Warn).await;
    rig.apply(&kinds::policy("after", &only_for("after", "audit")).to_string());
    replica.has_mode("after", Mode::Audit).await;
}

async fn the_definition_is_deleted_and_made_again(rig: &Rig, replica: &Replica) {
    let shipped = replica.mode("elsewhere");
    let _ = rig.kubectl(&["delete", "crd", "hookpolicies.hookward.dev"]).expect_ok();
    replica.has_mode("after", shipped).await;
    let [policies, _] = cluster::crd::texts();
    rig.apply(&policies);
    let create = kinds::policy("again", &only_for("again", "audit")).to_string();
    rig.wait_for("the definition", SOON, || {
        rig.kubectl_with(&["create", "-f", "-"], &create).ok().then_some(())
    });
    replica.has_mode("again", Mode::Audit).await;
    assert!(replica.is_synced());
}
