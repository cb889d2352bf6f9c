//! A process that is killed cleans nothing up; the next one says so, and takes no namespace that it did not make.

use std::process::Command;

use tests::rig::Helm;

use super::{LIMIT, Rollout, Running, SETTINGS, hanging};

/// Says when a rollout was last there.
const ALIVE: &str = "hookward.dev/rollout-alive";

impl Rollout {
    fn last_alive(&self) -> Option<String> {
        let namespace = self.rig.get_json("namespace", "", &self.namespace)?;
        namespace["metadata"]["annotations"][ALIVE]
            .as_str()
            .filter(|time| !time.is_empty())
            .map(str::to_owned)
    }

    /// As if time had passed.
    fn was_long_ago(&self) {
        let alive = format!("{ALIVE}=2026-01-01T00:00:00Z");
        let _ =
            self.rig.kubectl(&["annotate", "namespace", &self.namespace, &alive, "--overwrite"]).expect_ok();
    }
}

#[test]
fn the_next_rollout_tells_of_one_that_was_killed_and_how_to_remove_what_it_left() {
    let rollout = hanging("killed", "8s");
    let mut running = Running::start(&rollout);
    rollout.wait_for_the_hook();
    rollout.rig.wait_for("a sign of life", LIMIT, || rollout.last_alive());
    running.0.kill().unwrap();
    let _ = running.0.wait().unwrap();
    assert!(rollout.is_there());

    let left =
        format!("namespace \"{}\" is left of a rollout that ended without cleaning up", rollout.namespace);
    // At first nobody can know that it is over.
    let told = rollout.run(&[]);
    assert!(told.code == 2 && told.stdout.contains("a rollout made it that was heard of"), "{told:?}");
    assert!(!told.stderr.contains(&left), "{told:?}");

    rollout.was_long_ago();
    let other =
        Rollout::new(Helm::V4, "killed-other", "  - install: {chart: v1.yaml}\n", &[("v1.yaml", SETTINGS)]);
    let told = other.run(&[]);
    assert!(told.code == 0 && told.stderr.contains(&left), "{told:?}");
    let told = rollout.run(&[]);
    let (_, command) =
        told.stdout.split_once("ended without cleaning up; remove it: ").expect("it is refused");
    let (command, _) = command.split_once('"').unwrap();
    assert!(told.code == 2 && rollout.is_there(), "only people remove it: {told:?}");

    let programs = rollout.rig.programs().path("kubectl");
    let path = format!("{}:/usr/bin:/bin", programs.parent().unwrap().display());
    let ran = Command::new("sh").args(["-c", command]).env("PATH", path).output().unwrap();
    assert!(ran.status.success() && !rollout.is_there(), "{command}: {ran:?}");
}

#[test]
fn a_rollout_that_is_played_says_so_again_and_again_and_is_not_taken_for_dead() {
    let rollout = hanging("alive", "60s");
    let mut running = Running::start(&rollout);
    rollout.wait_for_the_hook();
    rollout.rig.wait_for("a sign of life", LIMIT, || rollout.last_alive());
    rollout.was_long_ago();
    rollout.rig.wait_for("another one", LIMIT, || {
        rollout.last_alive().filter(|time| !time.starts_with("2026-01-01"))
    });
    let told = rollout.run(&[]);
    assert!(told.code == 2 && told.stdout.contains("a rollout made it that was heard of"), "{told:?}");
    running.send("TERM");
    let _ = running.end(&rollout);
    assert!(!rollout.is_there());
}

#[test]
fn what_was_kept_is_no_remains_but_refused_with_the_command() {
    let rollout = Rollout::new(Helm::V4, "kept", "  - install: {chart: v1.yaml}\n", &[("v1.yaml", SETTINGS)]);
    assert_eq!(rollout.run(&["--keep"]).code, 0);
    rollout.was_long_ago();
    let told = rollout.run(&[]);
    let _ = rollout.rig.kubectl(&["delete", "namespace", &rollout.namespace, "--wait=false"]).expect_ok();
    assert!(told.code == 2 && told.stdout.contains("as --keep says; remove it: kubectl"), "{told:?}");
    assert!(!told.stderr.contains(&format!("namespace \"{}\" is left of", rollout.namespace)), "{told:?}");
}
