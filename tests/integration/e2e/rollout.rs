//! `hookward rollout --cluster`: real Helm plays, and what it does is what was simulated.

use std::{ffi::OsString, fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use tests::rig::{Helm, Rig};

use super::with_both_helms;

mod again;
mod foreign;
mod kept;
mod nameless;
mod outside;
mod refused;
mod stop;
mod stream;

/// One rollout in a folder of its own, and a namespace that nobody has made yet.
struct Rollout {
    rig: &'static Rig,
    folder: TempDir,
    namespace: String,
}

/// What `hookward` said.
#[derive(Debug)]
struct Told {
    code: u8,
    stdout: String,
    stderr: String,
}

impl Rollout {
    /// `name` makes the namespace; the steps as they are written in the file.
    fn new(helm: Helm, name: &str, steps: &str, files: &[(&str, &str)]) -> Self {
        let rig = Rig::shared().expect("no test cluster: run cargo xtask test");
        let word = if helm == Helm::V3 { "3" } else { "4" };
        let namespace = format!("rollout-{name}-{word}");
        let folder = tempfile::Builder::new().prefix("hookward-rollout-test-").tempdir().unwrap();
        for (file, text) in files {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let text = format!(
            "apiVersion: hookward.dev/v1alpha1\nkind: RolloutScenario\nmetadata: {{name: {name}}}\nspec:\n  release: shop\n  \
             namespace: {namespace}\n  helm: \"{word}\"\n  steps:\n{steps}"
        );
        fs::write(folder.path().join("rollout.yaml"), text).unwrap();
        Self { rig, folder, namespace }
    }

    fn arguments(&self, flags: &[&str]) -> Vec<OsString> {
        self.arguments_with(&["helm3", "helm4"].map(|name| self.rig.programs().path(name)), flags)
    }

    /// With these and no other Helm.
    fn arguments_with(&self, helms: &[PathBuf], flags: &[&str]) -> Vec<OsString> {
        let mut arguments: Vec<OsString> =
            ["hookward", "rollout", "--cluster", "--format=json"].map(Into::into).into();
        arguments.push(self.folder.path().join("rollout.yaml").into());
        arguments.extend(["--kubeconfig".into(), self.rig.kubeconfig().into_os_string()]);
        arguments.extend(helms.iter().flat_map(|helm| ["--helm-bin".into(), helm.into()]));
        arguments.extend(flags.iter().map(OsString::from));
        arguments
    }

    fn run(&self, flags: &[&str]) -> Told {
        let (mut stdin, mut stdout, mut stderr) = (&b""[..], Vec::new(), Vec::new());
        let mut io = cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr);
        let code = cli::run(self.arguments(flags), &mut io);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Told { code, stdout: text(stdout), stderr: text(stderr) }
    }

    /// Plays, and asserts that all went as expected and as simulated, and that nothing is left.
    #[track_caller]
    fn passes(&self) -> Value {
        let told = self.run(&[]);
        assert_eq!(told.code, 0, "{}\n{}", told.stdout, told.stderr);
        assert!(!self.is_there(), "the namespace is left behind");
        let answer: Value = serde_json::from_str(&told.stdout).unwrap();
        answer["scenarios"][0].clone()
    }

    fn is_there(&self) -> bool {
        self.rig.get_json("namespace", "", &self.namespace).is_some()
    }
}

/// A Job that is a hook, with more annotations, and what its pods do.
fn job(name: &str, annotations: &str, outcome: &str) -> String {
    format!(
        "---\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\n  annotations: {{{annotations}}}\nspec:\n  backoffLimit: 0\n  template:\n    \
         metadata: {{annotations: {{hookward.dev/outcome: {outcome}}}}}\n    spec:\n      restartPolicy: Never\n      \
         terminationGracePeriodSeconds: 0\n      containers: [{{name: main, image: \"shop:1\"}}]\n"
    )
}

const SETTINGS: &str =
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {version: \"1\"}\n";
const NEWER: &str =
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {version: \"2\"}\n";

with_both_helms! {
    a_release_lives_as_simulated
    a_failed_migration_is_rolled_back
    the_second_run_of_a_hook_meets_what_the_first_left
    a_pre_delete_hook_that_fails_holds_the_release
    a_hook_that_hangs_costs_the_timeout
    a_difference_fails_a_rollout_whose_expectations_hold
    a_namespace_that_is_there_is_left_alone
    an_outcome_that_only_the_simulation_hears_of_is_refused
}

fn a_release_lives_as_simulated(helm: Helm) {
    let account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: migrate\n  annotations: {helm.sh/hook: 'pre-install,pre-upgrade', \
                   helm.sh/hook-weight: '-5', helm.sh/hook-delete-policy: 'before-hook-creation,hook-succeeded'}\n";
    let migrate = job("migrate", "helm.sh/hook: 'pre-install,pre-upgrade'", "ok");
    let warm = job(
        "warm",
        "helm.sh/hook: 'post-install,post-upgrade,post-rollback', helm.sh/hook-delete-policy: hook-succeeded",
        "ok",
    );
    let check = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: check, annotations: {helm.sh/hook: test}}\nspec:\n  restartPolicy: Never\n  \
                 containers: [{name: main, image: \"shop:1\"}]\n";
    let version = |settings: &str| format!("{account}{migrate}{warm}{check}{settings}");
    let steps = "  - install: {chart: v1.yaml, timeout: 40s}
    expect: {exit: 0, status: deployed, hooks: [ServiceAccount/migrate, Job/migrate, Job/warm], leftovers: [Job/migrate]}
  - upgrade: {chart: v2.yaml, timeout: 40s}
  - test: {timeout: 40s}
    expect: {exit: 0, hooks: [Pod/check], leftovers: [Job/migrate, Pod/check]}
  - rollback: {to: 1, timeout: 40s}
    expect: {hooks: [Job/warm]}
  - uninstall: {timeout: 40s}
    expect: {exit: 0, status: null, leftovers: [Job/migrate, Pod/check]}
";
    let files = [("v1.yaml", &*version(SETTINGS)), ("v2.yaml", &*version(NEWER))];
    let played = Rollout::new(helm, "lives", steps, &files).passes();
    assert_eq!(played["actions"].as_array().map(Vec::len), Some(5));
    let times: Vec<_> = played["actions"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["at"].as_f64().unwrap())
        .collect();
    assert!(times.is_sorted() && times.last() > Some(&0.0), "{times:?}");
}

fn a_failed_migration_is_rolled_back(helm: Helm) {
    let version =
        |outcome: &str| job("migrate", "helm.sh/hook: 'pre-install,pre-upgrade'", outcome) + SETTINGS;
    let steps = "  - install: {chart: v1.yaml, timeout: 40s}
  - upgrade: {chart: v2.yaml, timeout: 40s, rollbackOnFailure: true}
    expect: {exit: 1, error: has been rolled back due to, status: deployed, hooks: [Job/migrate], leftovers: [Job/migrate]}
  - upgrade: {chart: v1.yaml, timeout: 40s}
    expect: {exit: 0, status: deployed}
";
    let files = [("v1.yaml", &*version("ok")), ("v2.yaml", &*version("fail"))];
    let played = Rollout::new(helm, "undone", steps, &files).passes();
    let history = played["actions"][1]["history"].as_array().unwrap();
    assert_eq!(history.len(), 3, "{history:?}");
}

/// Helm 3 cannot create it again, Helm 4 takes the old success for a new one.
fn the_second_run_of_a_hook_meets_what_the_first_left(helm: Helm) {
    let chart = job(
        "migrate",
        "helm.sh/hook: 'pre-install,pre-upgrade', helm.sh/hook-delete-policy: hook-failed",
        "ok",
    ) + SETTINGS;
    let second = if helm == Helm::V3 { "{exit: 1, status: failed}" } else { "{exit: 0, status: deployed}" };
    let steps = format!(
        "  - install: {{chart: v1.yaml, timeout: 40s}}\n  - upgrade: {{chart: v1.yaml, timeout: 40s}}\n    expect: {second}\n"
    );
    let played = Rollout::new(helm, "stale", &steps, &[("v1.yaml", &chart)]).passes();
    let steps = played["actions"][1]["steps"].as_array().unwrap();
    let result = if helm == Helm::V3 { "failed" } else { "stale" };
    assert!(steps.iter().any(|step| step["result"] == result), "{steps:#?}");
}

fn a_pre_delete_hook_that_fails_holds_the_release(helm: Helm) {
    let chart = job("drain", "helm.sh/hook: pre-delete", "fail") + SETTINGS;
    let steps = "  - install: {chart: v1.yaml, timeout: 40s}
    expect: {exit: 0, hooks: []}
  - uninstall: {timeout: 40s}
    expect: {exit: 1, status: uninstalling, hooks: [Job/drain], leftovers: [Job/drain]}
  - upgrade: {chart: v1.yaml, timeout: 40s}
    expect: {exit: 1, error: has no deployed releases}
  - uninstall: {noHooks: true, timeout: 40s}
    expect: {exit: 0, status: uninstalled, leftovers: [Job/drain]}
";
    let _ = Rollout::new(helm, "wedged", steps, &[("v1.yaml", &chart)]).passes();
}

fn a_hook_that_hangs_costs_the_timeout(helm: Helm) {
    let first = job(
        "prepare",
        "helm.sh/hook: pre-install, helm.sh/hook-weight: '-1', helm.sh/hook-delete-policy: hook-succeeded",
        "ok",
    );
    let chart = first + &job("migrate", "helm.sh/hook: pre-install", "hang") + SETTINGS;
    let steps = "  - install: {chart: v1.yaml, timeout: 4s}
    expect: {exit: 1, status: failed, hooks: [Job/prepare, Job/migrate], leftovers: [Job/migrate]}
";
    let played = Rollout::new(helm, "hangs", steps, &[("v1.yaml", &chart)]).passes();
    let steps = played["actions"][0]["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["result"] == "timeout"), "{steps:#?}");
}

/// The test cluster ends every pod at once, whatever the annotation says of its time.
fn a_difference_fails_a_rollout_whose_expectations_hold(helm: Helm) {
    let chart = job("migrate", "helm.sh/hook: pre-install", "100s") + SETTINGS;
    let steps = "  - install: {chart: v1.yaml, timeout: 20s}\n    expect: {hooks: [Job/migrate]}\n";
    let rollout = Rollout::new(helm, "differs", steps, &[("v1.yaml", &chart)]);
    let told = rollout.run(&[]);
    assert_eq!(told.code, 1, "{}\n{}", told.stdout, told.stderr);
    let answer: Value = serde_json::from_str(&told.stdout).unwrap();
    let scenario = &answer["scenarios"][0];
    assert_eq!((&scenario["passed"], &answer["errors"]), (&Value::Bool(false), &serde_json::json!([])));
    let unlike: Vec<_> = scenario["expectations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["field"] == "simulation")
        .collect();
    let waits = unlike.iter().find(|one| one["expected"] == "pre-install wait Job/migrate: timeout");
    assert_eq!(waits.map(|one| &one["actual"]), Some(&"pre-install wait Job/migrate".into()), "{unlike:#?}");
    assert!(!rollout.is_there());
}

fn a_namespace_that_is_there_is_left_alone(helm: Helm) {
    let hook = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: seed, annotations: {helm.sh/hook: pre-install}}\n";
    let steps = "  - install: {chart: v1.yaml}\n";
    let rollout = Rollout::new(helm, "taken", steps, &[("v1.yaml", &format!("{hook}{SETTINGS}"))]);
    let _ = rollout.rig.kubectl(&["create", "namespace", &rollout.namespace]).expect_ok();
    let told = rollout.run(&[]);
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.stdout.contains("is there already") && rollout.is_there(), "{told:?}");
    // Told to, it plays there, and takes out what it put in.
    let told = rollout.run(&["--into-existing-namespace"]);
    assert_eq!(told.code, 0, "{}\n{}", told.stdout, told.stderr);
    assert!(rollout.is_there());
    for (kind, name) in
        [("configmap", "seed"), ("configmap", "settings"), ("secret", "sh.helm.release.v1.shop.v1")]
    {
        assert_eq!(rollout.rig.get_json(kind, &rollout.namespace, name), None);
    }
    let _ = rollout.rig.kubectl(&["delete", "namespace", &rollout.namespace, "--wait=false"]).expect_ok();
}

fn an_outcome_that_only_the_simulation_hears_of_is_refused(helm: Helm) {
    let chart = job("migrate", "helm.sh/hook: pre-install", "ok");
    let steps = "  - install: {chart: v1.yaml}\n    outcomes: {Job/migrate: fail}\n";
    let rollout = Rollout::new(helm, "unheard", steps, &[("v1.yaml", &chart)]);
    let told = rollout.run(&[]);
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.stdout.contains("only the annotation hookward.dev/outcome"), "{told:?}");
    assert!(!rollout.is_there());
}

#[test]
fn a_helm_of_another_version_is_refused() {
    let rollout = Rollout::new(Helm::V4, "version", "  - uninstall: {}\n", &[]);
    let mut arguments = rollout.arguments(&[]);
    let last = arguments.len() - 2;
    arguments.truncate(last);
    let (mut stdin, mut stdout, mut stderr) = (&b""[..], Vec::new(), Vec::new());
    let code = cli::run(arguments, &mut cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr));
    let stdout = String::from_utf8(stdout).unwrap();
    assert!(code == 2 && stdout.contains("wants Helm 4") && stdout.contains("is Helm 3.21.4"), "{stdout}");
}
