//! A rollout that is interrupted takes its namespace with it.

use std::{
    io::Read as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tests::{rig::Helm, server};

use super::{Rollout, SETTINGS, job};

/// Longer than anything takes here.
const LIMIT: Duration = Duration::from_secs(90);

/// Ends with the value, whatever becomes of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn interrupted_by(signal: &str, name: &str) {
    let chart = job("migrate", "helm.sh/hook: pre-install", "hang") + SETTINGS;
    let steps = "  - install: {chart: v1.yaml, timeout: 60s}\n";
    let rollout = Rollout::new(Helm::V4, name, steps, &[("v1.yaml", &chart)]);
    let arguments = rollout.arguments(&[]);
    let child = Command::new(server::program())
        .args(&arguments[1..])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut running = Running(child.unwrap());
    let rig = rollout.rig;
    rig.wait_for("the hook", LIMIT, || rig.get_json("job", &rollout.namespace, "migrate"));
    let id = running.0.id().to_string();
    let sent = Command::new("sh").args(["-c", r#"kill -s "$1" "$2""#, "kill", signal, &id]).status().unwrap();
    assert!(sent.success());
    let status = rig.wait_for("the end", LIMIT, || running.0.try_wait().unwrap());
    let mut stdout = String::new();
    let _ = running.0.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(status.code(), Some(2), "{stdout}");
    assert!(stdout.contains("interrupted; what it made is gone"), "{stdout}");
    assert!(!rollout.is_there());
    assert_eq!(helms_about(&rollout.namespace), "", "Helm goes on");
}

/// The processes that were told of this namespace.
fn helms_about(namespace: &str) -> String {
    let listed = Command::new("ps").args(["-e", "-o", "args="]).output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    text.lines().filter(|line| line.contains("helm4") && line.contains(namespace)).collect()
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    interrupted_by("INT", "interrupted");
}

#[test]
fn so_does_a_termination() {
    interrupted_by("TERM", "terminated");
}
