//! A cluster with the chart as it ships, and what is asked of it without a pause.

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{
    asking::{Answer, Asking, Question},
    chart::Chart,
    image::{self, Opened},
    installed::Installed,
    node::Node,
    rig::{Helm, Ran},
};

use super::{NEXT, SOON};

/// Where it is installed.
pub(super) const NAMESPACE: &str = "hookward";

/// Requests at once.
pub(super) const WORKERS: usize = 6;

/// So many answers of one kind in a row come from every replica.
pub(super) const MANY: usize = 100;

/// What each of them rests between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Everything fails closed, so that each call that is lost is a request that is lost; and replicas leave more hastily
/// than they would by default.
pub(super) const VALUES: [&str; 3] = [
    "--set=webhooks.failurePolicy.mutate=Fail",
    "--set=webhooks.failurePolicy.release=Fail",
    "--set=drain.timeout=8",
];

/// The cluster, for one test at a time.
pub(super) struct Stage {
    pub(super) node: Node,
}

/// What was asked while something happened, and how it was answered.
pub(super) struct Done {
    answers: Vec<Answer>,
    helm: Vec<(Instant, String)>,
}

impl Stage {
    /// Waits for its turn; the first one installs the chart with two replicas.
    #[track_caller]
    pub(super) fn enter() -> MutexGuard<'static, Self> {
        static STAGE: OnceLock<Mutex<Stage>> = OnceLock::new();
        let stage = STAGE.get_or_init(|| Mutex::new(Self::install()));
        let stage = stage.lock().unwrap_or_else(PoisonError::into_inner);
        stage.settled(2);
        stage
    }

    fn install() -> Self {
        let node = Node::start().unwrap();
        node.import_image(image::archive());
        let next = tempfile::NamedTempFile::new().unwrap();
        fs::write(next.path(), Opened::read(image::archive()).with_another_file(NEXT)).unwrap();
        node.import_image(next.path());
        let _ = node.kubectl(&["create", "namespace", "rollouts"]).expect_ok();
        let stage = Self { node };
        let _ = stage.helm("install", &["--create-namespace"]).expect_ok();
        stage
    }

    fn helm(&self, command: &str, flags: &[&str]) -> Ran {
        let helm = self
            .node
            .helm(Helm::V4)
            .args([command, "hookward"])
            .path(&Installed::chart())
            .namespace(NAMESPACE);
        helm.args(["--wait", "--timeout=90s"]).args(VALUES).args(flags).run()
    }

    /// Upgrades the chart with other values.
    #[track_caller]
    pub(super) fn upgrade(&self, flags: &[&str]) {
        let _ = self.helm("upgrade", flags).expect_ok();
    }

    #[track_caller]
    pub(super) fn kubectl(&self, args: &[&str]) {
        let _ = self.node.kubectl(&[args, &["--namespace", NAMESPACE]].concat()).expect_ok();
    }

    /// Asks for the eviction of a replica, which its disruption budget may refuse.
    pub(super) fn evict(&self, pod: &str) -> Ran {
        let eviction = json!({
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE},
        });
        let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction");
        self.node.kubectl_with(&["create", "--raw", &path, "--filename=-"], &eviction.to_string())
    }

    /// The names of all replicas, also of those about to leave.
    pub(super) fn pods(&self) -> Vec<String> {
        let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap().to_owned();
        self.replicas().iter().map(name).collect()
    }

    /// What they run, as the node calls it by its bytes.
    pub(super) fn images(&self) -> BTreeSet<String> {
        let image =
            |pod: &Value| pod["status"]["containerStatuses"][0]["imageID"].as_str().unwrap().to_owned();
        self.replicas().iter().map(image).collect()
    }

    fn replicas(&self) -> Vec<Value> {
        let args = ["get", "pods", "--namespace", NAMESPACE, "--output=json"];
        let mut pods: Value = serde_json::from_str(&self.node.kubectl(&args).expect_ok().stdout).unwrap();
        serde_json::from_value(pods["items"].take()).unwrap()
    }

    /// Waits until there are so many replicas, each ready, and none that is still leaving.
    #[track_caller]
    pub(super) fn settled(&self, replicas: usize) {
        self.kubectl(&["rollout", "status", "deployment/hookward", "--timeout=90s"]);
        self.node.wait_for("the replicas", SOON, || (self.pods().len() == replicas).then_some(()));
    }

    /// Asks about a hook that one rule is about, which may deny it or not.
    pub(super) fn ask_about_suspended_jobs(&self) -> Asking {
        let question = Question {
            name: "suspended",
            path: "/apis/batch/v1/namespaces/rollouts/jobs?dryRun=All".to_owned(),
            body: job("migrate-@", true).to_string(),
            is_right: |code, said| match code {
                201 => said["spec"]["ttlSecondsAfterFinished"] == 300,
                code => {
                    code == 403
                        && said["message"].as_str().is_some_and(|said| said.contains("`job-suspended`"))
                }
            },
        };
        Asking::start(&self.node, 2 * WORKERS, PAUSE, vec![question])
    }

    /// Does something while hooks are created and releases installed, and for a while before and after.
    #[track_caller]
    pub(super) fn during(&self, what: &str, work: impl FnOnce()) -> Done {
        let asking = Asking::start(&self.node, WORKERS, PAUSE, questions());
        let is_over = AtomicBool::new(false);
        let more = |count: usize| {
            let wanted = asking.count() + count;
            self.node.wait_for("answers", SOON, || (asking.count() >= wanted).then_some(()));
        };
        let helm = thread::scope(|scope| {
            let helm = scope.spawn(|| releases(&self.node, &is_over));
            more(100);
            // The end is told also when the work panics, else nobody would hear of it.
            let end = End(&is_over);
            work();
            more(300);
            drop(end);
            helm.join().unwrap()
        });
        let done = Done { answers: asking.finish(), helm };
        done.print(what);
        done
    }
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Done {
    /// The answers that are not as they should be.
    pub(super) fn lost_answers(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(|answer| !answer.is_right)
    }

    /// What went otherwise than it should with releases, each with when that was known.
    pub(super) fn helm(&self) -> &[(Instant, String)] {
        &self.helm
    }

    /// What was not answered as it should be.
    pub(super) fn lost(&self) -> Vec<String> {
        self.lost_answers()
            .map(|answer| format!("{}: {} {}", answer.question, answer.code, answer.said))
            .collect()
    }

    /// Hooks that were admitted although they should be refused, or without their repair.
    pub(super) fn wrongly_admitted(&self) -> Vec<String> {
        let wrong = self.answers.iter().filter(|answer| !answer.is_right && answer.code == 201);
        wrong.map(|answer| format!("{}: {}", answer.question, answer.said)).collect()
    }

    #[track_caller]
    pub(super) fn assert_nothing_lost(&self) {
        let lost = self.lost();
        assert!(lost.is_empty(), "{} lost, such as {:#?}", lost.len(), &lost[..lost.len().min(10)]);
        assert_eq!(self.helm, []);
    }

    fn print(&self, what: &str) {
        let mut took: Vec<_> = self.answers.iter().map(|answer| answer.took).collect();
        took.sort_unstable();
        let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_millis();
        eprintln!(
            "rollouts | {what} | {} requests | {} lost | {} wrongly admitted | {} releases went wrong | p50 {} ms, p99 {} ms, slowest {} ms",
            took.len(),
            self.lost().len(),
            self.wrongly_admitted().len(),
            self.helm.len(),
            at(50),
            at(99),
            at(100)
        );
    }
}

fn job(name: &str, suspend: bool) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "annotations": {"helm.sh/hook": "pre-install"}},
        "spec": {"backoffLimit": 0, "suspend": suspend, "template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox:1.36"}],
        }}},
    })
}

fn settings(name: &str) -> Value {
    let annotations = json!({"helm.sh/hook": "pre-install", "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded"});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "annotations": annotations}})
}

/// A hook that is repaired, one that is refused, and one that is made.
fn questions() -> Vec<Question> {
    vec![
        Question {
            name: "repaired",
            path: "/apis/batch/v1/namespaces/rollouts/jobs?dryRun=All".to_owned(),
            body: job("migrate-@", false).to_string(),
            is_right: |code, said| code == 201 && said["spec"]["ttlSecondsAfterFinished"] == 300,
        },
        Question {
            name: "refused",
            path: "/apis/batch/v1/namespaces/rollouts/jobs".to_owned(),
            body: job("migrate-@", true).to_string(),
            is_right: |code, said| {
                code == 403 && said["message"].as_str().is_some_and(|said| said.contains("`job-suspended`"))
            },
        },
        Question {
            name: "made",
            path: "/api/v1/namespaces/rollouts/configmaps".to_owned(),
            body: settings("settings-@").to_string(),
            is_right: |code, _| code == 201,
        },
    ]
}

/// Installs a good release and a bad one over and over, by both Helms, and says what went otherwise than it should.
fn releases(node: &Node, is_over: &AtomicBool) -> Vec<(Instant, String)> {
    let good = Chart::new(&[settings("settings")]);
    let bad = Chart::new(&[job("migrate", true)]);
    let mut wrong = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        for helm in Helm::ALL {
            let run = |command: &str, name: &str, chart: Option<&Chart>| {
                let mut helm = node.helm(helm).args([command, name]).namespace("rollouts");
                if let Some(chart) = chart {
                    helm = helm.path(chart.path());
                }
                helm.briefly().run()
            };
            let refused = run("install", "bad", Some(&bad));
            // A gate that could not be asked is named as well.
            if !refused.stderr.contains("\"release.hookward.dev\" denied the request") {
                wrong.push((Instant::now(), format!("{helm:?} was not refused: {refused:?}")));
            }
            for ran in [run("install", "good", Some(&good)), run("uninstall", "good", None)] {
                if !ran.ok() {
                    wrong.push((Instant::now(), format!("{helm:?}: {ran:?}")));
                }
            }
        }
    }
    wrong
}
