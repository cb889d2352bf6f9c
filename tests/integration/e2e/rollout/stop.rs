//! A rollout that ends before its end: it takes its namespace with it, or the next one tells of it.

use std::{
    ffi::OsString,
    fs,
    io::Read as _,
    panic::AssertUnwindSafe,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use lifecycle::run::{self, Cluster, Order, Target, Told};
use serde_json::Value;
use tests::{rig::Helm, server};

use super::{Rollout, SETTINGS, job};

mod killed;

/// Longer than anything takes here.
pub(super) const LIMIT: Duration = Duration::from_secs(90);

/// `hookward`, which ends with the value, whatever becomes of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(rollout: &Rollout) -> Self {
        Self::of(&rollout.arguments(&[]))
    }

    /// With this as the only Helm.
    fn start_with(rollout: &Rollout, helm: PathBuf) -> Self {
        Self::of(&rollout.arguments_with(&[helm], &[]))
    }

    fn of(arguments: &[OsString]) -> Self {
        let mut command = Command::new(server::program());
        let command = command.args(&arguments[1..]).stdout(Stdio::piped()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn send(&self, signal: &str) {
        let id = self.0.id().to_string();
        let kill = r#"kill -s "$1" "$2""#;
        assert!(Command::new("sh").args(["-c", kill, "kill", signal, &id]).status().unwrap().success());
    }

    /// How it ended, and what it said.
    fn end(&mut self, rollout: &Rollout) -> (ExitStatus, String) {
        let status = rollout.rig.wait_for("the end", LIMIT, || self.0.try_wait().unwrap());
        let mut stdout = String::new();
        let _ = self.0.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        (status, stdout)
    }
}

/// A rollout whose hook hangs for as long as the timeout.
fn hanging(name: &str, timeout: &str) -> Rollout {
    let chart = job("migrate", "helm.sh/hook: pre-install", "hang") + SETTINGS;
    let steps = format!("  - install: {{chart: v1.yaml, timeout: {timeout}}}\n");
    Rollout::new(Helm::V4, name, &steps, &[("v1.yaml", &chart)])
}

impl Rollout {
    #[track_caller]
    fn wait_for_the_hook(&self) {
        self.rig.wait_for("the hook", LIMIT, || self.rig.get_json("job", &self.namespace, "migrate"));
    }

    /// A program that is told what Helm is told, where `$HELM` is the real one.
    fn program(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("helm");
        let real = self.rig.programs().path("helm4");
        let text = format!("HELM={}\n{text}", real.display());
        // A program that this process has open itself cannot be started.
        let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#;
        let written = Command::new("sh").args(["-c", write, "write"]).arg(&path).arg(text).status();
        assert!(written.unwrap().success());
        path
    }

    /// An object that holds the namespace until it is let go.
    pub(super) fn hold(&self) {
        let held =
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/held]}\n";
        let args = ["apply", "--namespace", &self.namespace, "--filename=-"];
        let _ = self.rig.kubectl_with(&args, held).expect_ok();
    }

    pub(super) fn let_go(&self) {
        let patch =
            ["patch", "configmap", "held", "--type=merge", "--patch={\"metadata\":{\"finalizers\":null}}"];
        let _ = self.rig.kubectl(&[&patch[..], &["--namespace", &self.namespace]].concat()).expect_ok();
    }
}

#[track_caller]
fn interrupted_by(signal: &str, name: &str) {
    let rollout = hanging(name, "60s");
    let mut running = Running::start(&rollout);
    rollout.wait_for_the_hook();
    running.send(signal);
    let (status, stdout) = running.end(&rollout);
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

#[test]
fn so_does_a_terminal_that_goes() {
    interrupted_by("HUP", "hung-up");
}

/// The first one waits until all is gone, however long that takes.
#[test]
fn a_second_ctrl_c_waits_for_nothing_and_says_what_is_left() {
    let rollout = hanging("twice", "60s");
    let mut running = Running::start(&rollout);
    rollout.wait_for_the_hook();
    rollout.hold();
    running.send("INT");
    rollout.rig.wait_for("the deletion", LIMIT, || {
        let namespace = rollout.rig.get_json("namespace", "", &rollout.namespace)?;
        namespace["metadata"]["deletionTimestamp"].is_string().then_some(())
    });
    running.send("INT");
    let (status, stdout) = running.end(&rollout);
    rollout.let_go();
    assert_eq!(status.code(), Some(2), "{stdout}");
    assert!(
        stdout.contains("interrupted; cannot clean up: namespace") && stdout.contains("still being deleted"),
        "{stdout}"
    );
}

/// Not even its own end, when asked, is what such a Helm listens to.
#[test]
fn a_helm_that_hangs_is_ended_with_what_it_started() {
    let rollout = hanging("helm-hangs", "60s");
    let program = rollout.program(
        "case $1 in version|template) exec $HELM \"$@\";; esac\ntrap '' TERM\nsleep 1000 &\n\
         echo $! > \"$(dirname \"$0\")/part\" && mv \"$(dirname \"$0\")/part\" \"$(dirname \"$0\")/child\"\nwait; sleep 1000",
    );
    let mut running = Running::start_with(&rollout, program);
    let id = rollout
        .rig
        .wait_for("the child", LIMIT, || fs::read_to_string(rollout.folder.path().join("child")).ok());
    running.send("TERM");
    let (status, stdout) = running.end(&rollout);
    assert_eq!(status.code(), Some(2), "{stdout}");
    assert!(stdout.contains("interrupted; what it made is gone") && !rollout.is_there(), "{stdout}");
    // What nobody has asked about yet is a zombie.
    let state = Command::new("ps").args(["-o", "stat=", "-p", id.trim()]).output().unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    assert!(state.trim().is_empty() || state.starts_with('Z'), "{state}");
}

/// Nobody listens while charts are rendered, and it is not forgotten.
#[test]
fn a_signal_while_charts_are_rendered_makes_nothing() {
    let rollout = hanging("rendering", "60s");
    let program = rollout.program(
        "case $1 in template) touch \"${0%/*}/rendering\"; while ! [ -e \"${0%/*}/go\" ]; do sleep 0.1; done;; esac\nexec $HELM \"$@\"",
    );
    let mut running = Running::start_with(&rollout, program);
    let folder = rollout.folder.path();
    rollout.rig.wait_for("helm template", LIMIT, || folder.join("rendering").exists().then_some(()));
    running.send("TERM");
    fs::write(folder.join("go"), "").unwrap();
    let (status, stdout) = running.end(&rollout);
    assert_eq!(status.code(), Some(2), "{stdout}");
    assert!(stdout.contains("interrupted; nothing was made") && !rollout.is_there(), "{stdout}");
}

#[test]
fn a_step_that_cannot_be_played_takes_the_namespace_with_it() {
    let steps = "  - install: {chart: v1.yaml, timeout: 20s}\n  - uninstall: {timeout: 20s}\n";
    let rollout = Rollout::new(Helm::V4, "no-helm", steps, &[("v1.yaml", SETTINGS)]);
    let program = rollout.program("$HELM \"$@\"; code=$?\ncase $1 in install) rm \"$0\";; esac\nexit $code");
    let arguments = rollout.arguments_with(&[program], &[]);
    let (mut stdin, mut stdout, mut stderr) = (&b""[..], Vec::new(), Vec::new());
    let code = cli::run(arguments, &mut cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr));
    let answer: Value = serde_json::from_slice(&stdout).unwrap();
    let said = answer["errors"][0]["message"].as_str().unwrap();
    assert!(
        code == 2 && said.starts_with("cannot start ") && said.ends_with("No such file or directory"),
        "{said}"
    );
    assert!(!rollout.is_there());
}

#[test]
fn a_panic_takes_the_namespace_with_it() {
    let rollout = Rollout::new(Helm::V4, "panic", "  - uninstall: {}\n", &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let played = std::panic::catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let target = Target { kubeconfig: Some(rollout.rig.kubeconfig()), context: None };
            let way = cluster::client::way_to(target.kubeconfig.as_deref(), None).await.unwrap();
            let cluster = Cluster::connect(way, target).await.unwrap();
            let helm = run::Helm::find(&[rollout.rig.programs().path("helm4")], "4").await.unwrap();
            let steps = [lifecycle::scenario::Step {
                action: lifecycle::answer::Action::Uninstall,
                chart: None,
                flags: lifecycle::command::Flags::default(),
                after: Duration::ZERO,
                outcomes: lifecycle::Outcomes::new(),
                expect: None,
                place: (1, 1),
            }];
            let order = Order {
                release: "shop",
                namespace: &rollout.namespace,
                steps: &steps,
                objects: &[],
                helm: &helm,
                keep: false,
                into_existing: false,
            };
            let tell = Arc::new(|told| assert!(!matches!(told, Told::Begins(_)), "as if by mistake"));
            let _ = run::play(&cluster, &order, tell, futures::stream::pending()).await;
        });
    }));
    assert!(played.is_err() && !rollout.is_there());
}
