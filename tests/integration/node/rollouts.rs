//! Replicas come and go while hooks are created and releases installed, and every failure would refuse them: nobody notices.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::stage::{Stage, WORKERS};
use super::SOON;

mod logs;
mod own;
mod rotation;
mod stage;

/// The image to upgrade to: the same program, and a file beside it that makes it another image.
const NEXT: &str = "docker.io/library/hookward:next";

#[test]
fn an_upgrade_to_another_image_loses_nothing() {
    let stage = Stage::enter();
    for replicas in [2, 3] {
        let image = if replicas == 2 { "next" } else { "" };
        let before = stage.images();
        let done = stage.during(&format!("helm upgrade to another image, {replicas} replicas"), || {
            stage.upgrade(&[&format!("--set=image.tag={image}"), &format!("--set=replicas={replicas}")]);
            stage.settled(replicas);
        });
        done.assert_nothing_lost();
        let after = stage.images();
        assert!(after.len() == 1 && after.is_disjoint(&before), "{before:?} became {after:?}");
    }
    stage.upgrade(&["--set=replicas=2"]);
    stage.settled(2);
}

#[test]
fn a_rolling_restart_loses_nothing() {
    let stage = Stage::enter();
    let done = stage.during("rolling restart, 2 replicas", || {
        stage.kubectl(&["rollout", "restart", "deployment/hookward"]);
        stage.settled(2);
    });
    done.assert_nothing_lost();
}

#[test]
fn scaling_loses_nothing() {
    let stage = Stage::enter();
    let done = stage.during("scaled 2 → 3 → 1 → 2", || {
        for replicas in [3, 1, 2] {
            stage.kubectl(&["scale", "deployment/hookward", &format!("--replicas={replicas}")]);
            stage.settled(replicas);
        }
    });
    done.assert_nothing_lost();
}

#[test]
fn a_changed_policy_loses_nothing() {
    let stage = Stage::enter();
    let done = stage.during("20 changes of a policy", || {
        for round in 0..20 {
            // Another rule than the one that is asked about.
            let mode = if round % 2 == 0 { "deny" } else { "audit" };
            stage.node.apply(&policy("hook-unknown-event", mode).to_string());
        }
    });
    stage.kubectl(&["delete", "hookpolicy", "rollouts"]);
    done.assert_nothing_lost();
}

#[test]
fn a_slow_api_server_loses_nothing() {
    let stage = Stage::enter();
    let done = stage.during("API server held for 3 s, twice", || {
        for _ in 0..2 {
            stage.node.hold_api_server(Duration::from_secs(3));
            stage.settled(2);
        }
    });
    done.assert_nothing_lost();
}

#[test]
fn a_restarted_api_server_admits_nothing_wrongly() {
    let stage = Stage::enter();
    let done = stage.during("API server ended and started again", || stage.node.restart_api_server());
    assert_eq!(done.wrongly_admitted(), Vec::<String>::new());
    stage.settled(2);
}

/// At most so many are refused at the door of a replica that was killed: half of the connections that are opened anew get there, and the
/// first one that gets to the other replica serves all that follow.
const REFUSED: usize = 4 * WORKERS;

/// A process that is killed takes the requests with it that it had in hand. Until the node knows of its end, which
/// takes it about a second, new connections to it are refused. The failure policy answers all of these.
#[test]
fn a_killed_replica_loses_what_it_had_in_hand_and_what_is_sent_there_for_a_moment() {
    let stage = Stage::enter();
    let victim = stage.pods().remove(0);
    let mut killed = None;
    let done = stage.during("kill -9 of one of 2 replicas", || {
        killed = Some(Instant::now());
        stage.node.kill_process_of(stage::NAMESPACE, &victim);
        stage.node.wait_for("the restart", SOON, || {
            let pod = stage.node.get_json("pod", stage::NAMESPACE, &victim)?;
            let status = &pod["status"]["containerStatuses"][0];
            (status["restartCount"].as_u64() > Some(0) && status["ready"] == true).then_some(())
        });
    });
    assert_eq!(done.wrongly_admitted(), Vec::<String>::new());
    let lost = done.lost();
    assert_eq!(lost.iter().find(|said| !said.contains("failed calling webhook")), None);
    let (refused, in_hand): (Vec<_>, Vec<_>) =
        lost.iter().partition(|said| said.contains("connection refused"));
    eprintln!("rollouts | of {} lost, {} were in hand", lost.len(), in_hand.len());
    assert!(refused.len() <= REFUSED, "more than {REFUSED}: {refused:#?}");
    assert!(in_hand.len() <= WORKERS, "more than {WORKERS}: {in_hand:#?}");
    // Before it nothing is lost, and after the node has heard of it nothing any more.
    let (killed, window) = (killed.unwrap(), Duration::from_secs(5));
    let outside: Vec<_> = done
        .lost_answers()
        .filter(|answer| answer.asked + answer.took < killed || answer.asked > killed + window)
        .collect();
    assert!(outside.is_empty(), "not of this end: {outside:#?}");
    // Helm says why, and what it could not install it cannot uninstall, which is no other loss.
    let (refused, others): (Vec<_>, Vec<_>) =
        done.helm().iter().partition(|(_, said)| said.contains("failed calling webhook"));
    assert_eq!(others.iter().find(|(_, said)| !said.contains("not found")), None);
    assert!(refused.len() <= WORKERS, "{refused:#?}");
    let late = refused.iter().find(|(known, _)| *known < killed || *known > killed + window);
    assert_eq!(late, None, "not of this end");
}

/// As `kubectl drain` asks for it: the second replica may go when the first has been replaced, and not before.
#[test]
fn evicted_replicas_lose_nothing() {
    let stage = Stage::enter();
    let done = stage.during("both replicas evicted, one after the other", || {
        let pods = stage.pods();
        let _ = stage.evict(&pods[0]).expect_ok();
        let refused = stage.evict(&pods[1]);
        assert!(refused.stderr.contains("disruption budget"), "{refused:?}");
        stage.node.wait_for("the second eviction", SOON, || stage.evict(&pods[1]).ok().then_some(()));
        stage.settled(2);
    });
    done.assert_nothing_lost();
}

/// Judged by the old policy or by the new one, never by half of it, and soon only by the new one.
#[test]
fn a_changed_policy_is_soon_in_force_on_every_replica() {
    let stage = Stage::enter();
    let asking = stage.ask_about_suspended_jobs();
    let mut lags = Vec::new();
    for round in 0..20 {
        let (mode, code) = if round % 2 == 0 { ("audit", 201) } else { ("deny", 403) };
        let (place, changed) = (asking.count(), Instant::now());
        stage.node.apply(&policy("job-suspended", mode).to_string());
        let answers = stage.node.wait_for("the change", SOON, || {
            let answers = asking.since(place);
            let tail = answers.len().checked_sub(stage::MANY)?;
            answers[tail..].iter().all(|answer| answer.code == code).then_some(answers)
        });
        let old = answers.iter().filter(|answer| answer.code != code).map(|answer| answer.asked).max();
        lags.push(old.map_or(Duration::ZERO, |last| last.saturating_duration_since(changed)));
    }
    let wrong: Vec<_> = asking.finish().into_iter().filter(|answer| !answer.is_right).collect();
    stage.kubectl(&["delete", "hookpolicy", "rollouts"]);
    lags.sort_unstable();
    eprintln!(
        "rollouts | policy in force everywhere, 20 changes | p50 {} ms, slowest {} ms after kubectl was called",
        lags[lags.len() / 2].as_millis(),
        lags[lags.len() - 1].as_millis()
    );
    assert_eq!(wrong, []);
}

fn policy(rule: &str, mode: &str) -> Value {
    json!({
        "apiVersion": "hookward.dev/v1alpha1", "kind": "HookPolicy", "metadata": {"name": "rollouts"},
        "spec": {"rules": {rule: {"mode": mode}}},
    })
}
