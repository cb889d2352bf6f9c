//! Somebody types what is said to do, and the release is deployed: no repair leads back to where it came from.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, ending, job_with_policy, settings},
    diagnosed::Diagnosed,
    rig::Helm,
};

use super::{
    super::{Place, with_both_helms},
    BRIEFLY, once, until_the_next_second,
};

with_both_helms! {
    a_job_that_failed_and_stays
    a_job_that_hangs_and_stays
    a_rollback_that_a_failed_job_blocks
    a_rollback_that_a_hanging_job_blocks
    a_rollback_whose_own_hook_hangs
}

/// It is taken away when it has ended well, and else stays.
fn migrate(outcome: &str) -> Value {
    let job = once(job_with_policy("migrate", "pre-upgrade,pre-rollback", "hook-succeeded"));
    if outcome == "ok" { job } else { ending(job, outcome) }
}

fn chart(outcome: &str) -> Chart {
    Chart::new(&[migrate(outcome), settings(outcome)])
}

/// A release that is well, and then an upgrade of it whose hook ends like this.
#[track_caller]
fn upgraded_to(prefix: &str, helm: Helm, outcome: &str) -> Place {
    let place = Place::unguarded(prefix);
    let _ = place.install(helm, &chart("ok")).expect_ok();
    let ran = place.helm(helm, "upgrade", Some(chart(outcome).path()), BRIEFLY);
    assert!(!ran.ok(), "it did not fail: {ran:?}");
    place
}

#[track_caller]
fn rolled_back(place: &Place, helm: Helm, to: &str) -> Diagnosed {
    until_the_next_second(place, "migrate");
    let ran = place.helm(helm, "rollback", None, &[to, "--timeout=6s"]);
    assert!(!ran.ok(), "it did not fail: {ran:?}");
    Diagnosed::of(place.rig, &place.namespace)
}

/// Types every command as it is printed; an upgrade is one to a chart without the mistake.
#[track_caller]
fn follow(place: &Place, helm: Helm, said: &Diagnosed) {
    let mended = chart("ok");
    for command in said.commands() {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            // Nobody serves logs here.
            [_, _, _, "logs", ..] => {}
            ["kubectl", words @ ..] => drop(place.rig.kubectl(words).expect_ok()),
            ["helm", words @ ..] => {
                let typed = words.iter().filter(|word| **word != "…");
                let mut typing = place.rig.helm(helm).args(typed);
                if words.contains(&"…") {
                    typing = typing.path(mended.path());
                }
                let _ = typing.args(["--timeout", "30s"]).run().expect_ok();
            }
            _ => panic!("who would type {command:?}?"),
        }
    }
    let history = place.history(helm);
    assert_eq!(history.last().unwrap().1, "deployed", "{history:?}\n{}", said.text);
    let after = Diagnosed::by(
        &place.rig.kubeconfig(),
        &["shop", "--namespace", &place.namespace, "--revision", &history.len().to_string()],
    );
    assert_eq!(after.code, 0, "{}", after.text);
}

fn deletion(place: &Place) -> String {
    format!("kubectl -n {} delete job migrate", place.namespace)
}

fn a_job_that_failed_and_stays(helm: Helm) {
    let place = upgraded_to("follow-failed", helm, "fail");
    let said = Diagnosed::of(place.rig, &place.namespace);
    said.assert_first(
        "program",
        &[
            "also it is in the way of the next run",
            "# makes way for the next run",
            "add before-hook-creation to helm.sh/hook-delete-policy",
            "rule hook-policy-no-before-creation",
        ],
    );
    assert!(said.commands().contains(&&*deletion(&place)), "{}", said.text);
    // When it failed, and not when Helm began.
    assert_eq!(said.json["release"]["since"], said.json["release"]["hook"]["ended"], "{}", said.text);
    follow(&place, helm, &said);
}

fn a_job_that_hangs_and_stays(helm: Helm) {
    let place = upgraded_to("follow-hang", helm, "hang");
    let said = Diagnosed::of(place.rig, &place.namespace);
    said.assert_first("timeout", &["# ends what still runs; makes way for the next run"]);
    assert!(!said.text.contains("300 s"), "{}", said.text);
    follow(&place, helm, &said);
}

fn a_rollback_that_a_failed_job_blocks(helm: Helm) {
    let place = upgraded_to("follow-back", helm, "fail");
    let said = rolled_back(&place, helm, "1");
    said.assert_first(
        "stale-rerun",
        &[
            "shop revision 3 is pending-rollback",
            "was not run: the Job of an earlier run is still there",
            "exit code 1 (in that earlier run)",
            "The Job is the old one, which has given up",
        ],
    );
    follow(&place, helm, &said);
}

fn a_rollback_that_a_hanging_job_blocks(helm: Helm) {
    let place = upgraded_to("follow-hung", helm, "hang");
    let said = rolled_back(&place, helm, "1");
    said.assert_first("stale-rerun", &["The old Job has no deadline and still runs."]);
    assert_eq!(said.json["release"]["healthy"], json!(false));
    follow(&place, helm, &said);
}

/// Back to the revision that hangs: Helm 4 waits for its Job again.
fn a_rollback_whose_own_hook_hangs(helm: Helm) {
    let place = upgraded_to("follow-again", helm, "hang");
    let said = rolled_back(&place, helm, "2");
    said.assert_first(
        "stale-rerun",
        &["shop revision 3 is pending-rollback", "# only if no Helm is at work"],
    );
    follow(&place, helm, &said);
}
