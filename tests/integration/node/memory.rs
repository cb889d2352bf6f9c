//! Replicas within the memory limit of the chart, while everybody who can reach them sends what takes most.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::PathBuf, thread};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};
use tests::{
    hostile::{self, Hostile},
    image,
    installed::{Installed, NAME, NAMESPACE},
    node::Node,
    rig::{Helm, Ran},
};

use super::SOON;

/// What the chart sets when nobody says otherwise.
const LIMIT: u64 = 128 << 20;

/// One of the replicas, and the way in to it alone.
struct Replica {
    pod: String,
    hostile: Hostile,
    /// Its control group of memory.
    group: PathBuf,
}

impl Replica {
    /// The replica becomes a Service of its own, at a port of the node.
    #[track_caller]
    fn open(node: &Node, pod: String, authority: &[u8]) -> Self {
        let label = format!("alone={pod}");
        let _ = node.kubectl(&["label", "pod", &pod, &label, "--namespace", NAMESPACE]).expect_ok();
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": pod, "namespace": NAMESPACE},
            "spec": {"type": "NodePort", "selector": {"alone": pod}, "ports": [{"port": 443, "targetPort": "webhook"}]},
        });
        node.apply(&service.to_string());
        let service = node.get_json("service", NAMESPACE, &pod).unwrap();
        let object = node.get_json("pod", NAMESPACE, &pod).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (uid, id) = (
            text(&object["metadata"]["uid"]),
            text(&object["status"]["containerStatuses"][0]["containerID"]),
        );
        let mut groups = node.control_groups().into_iter();
        let memory = groups.find(|group| group.starts_with("/sys/fs/cgroup/memory")).unwrap();
        let group = memory.join(format!("kubepods/burstable/pod{uid}")).join(id.rsplit('/').next().unwrap());
        let address =
            format!("{}:{}", text(&object["status"]["hostIP"]), service["spec"]["ports"][0]["nodePort"]);
        let address: SocketAddr = address.parse().unwrap();
        let hostile = Hostile::at(address, &format!("{NAME}.{NAMESPACE}.svc"), authority);
        let one = Self { pod, hostile, group };
        node.wait_for("the port of the node", SOON, || one.answers().then_some(()));
        assert_eq!(one.bytes("memory.limit_in_bytes"), LIMIT);
        one
    }

    fn answers(&self) -> bool {
        let job = hostile::review(r#"{"kind":"Job","metadata":{"name":"a"}}"#);
        self.hostile.post("/validate", [job.into()]) == [Some(200)]
    }

    fn bytes(&self, file: &str) -> u64 {
        fs::read_to_string(self.group.join(file)).unwrap().trim().parse().unwrap()
    }

    /// Bodies that never end, objects and records, each from somebody of their own and all at the same time. Gives how many of each
    /// answer there were, `None` where it hung up.
    fn flood(&self, records: &[Bytes], objects: &[Bytes]) -> BTreeMap<Option<u16>, usize> {
        let answers = thread::scope(|scope| {
            scope.spawn(|| {
                for (connections, piece) in [(600, 1_000), (600, 60_000)] {
                    self.hostile.stall(connections, piece, 60);
                }
            });
            let objects = scope.spawn(|| {
                let post =
                    |object: &Bytes| self.hostile.post("/validate?timeout=30s", vec![object.clone(); 16]);
                objects.iter().flat_map(post).collect::<Vec<_>>()
            });
            let post = |_| self.hostile.post("/release?timeout=30s", records.to_vec());
            let records: Vec<_> = (0..3).flat_map(post).collect();
            [records, objects.join().unwrap()].concat()
        });
        let mut counts = BTreeMap::new();
        for answer in answers {
            *counts.entry(answer).or_default() += 1;
        }
        counts
    }

    /// Whether it is ready; it must be the process that it always was.
    #[track_caller]
    fn is_ready(&self, node: &Node) -> bool {
        let pod = node.get_json("pod", NAMESPACE, &self.pod).unwrap();
        let status = &pod["status"]["containerStatuses"][0];
        assert_eq!((&status["restartCount"], &status["lastState"]), (&json!(0), &json!({})), "{status}");
        status["ready"] == true
    }
}

/// Has the API server store these records, or refuse to.
fn store(node: &Node, records: Vec<(&str, Value)>) -> Ran {
    let secrets: Vec<_> = records.into_iter().map(|(_, secret)| secret).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": secrets});
    node.kubectl_with(&["create", "--filename=-"], &list.to_string())
}

/// The authority that the API server knows replicas by.
fn authority(node: &Node) -> Vec<u8> {
    let configuration = node.get_json("validatingwebhookconfiguration", "", NAME).unwrap();
    let bundle = configuration["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap();
    BASE64_STANDARD.decode(bundle).unwrap()
}

#[test]
fn no_input_ends_a_replica_within_the_limit_of_the_chart() {
    // A cluster of its own, since what is installed concerns all of it.
    let node = Node::start().unwrap();
    node.import_image(image::archive());
    let _ = node.kubectl(&["create", "namespace", "demo"]).expect_ok();
    // Nobody guards yet; replicas that look releases up will read all of these when they start.
    let _ = store(&node, hostile::records("before")).expect_ok();
    let hookward = Installed::new(&node, Helm::V4);
    hookward.install(&["releaseLookup=true"]);
    hookward.wait_until_judging();
    let authority = authority(&node);
    let pods = hookward.pods();
    let replicas: Vec<_> = pods.iter().map(|pod| Replica::open(&node, pod.clone(), &authority)).collect();
    assert_eq!(replicas.len(), 2);

    let records = hostile::records("flood");
    let records: Vec<Bytes> =
        records.iter().map(|(_, secret)| hostile::review(&secret.to_string()).into()).collect();
    let objects: Vec<Bytes> = hostile::objects().into_iter().map(|(_, review)| review.into()).collect();
    thread::scope(|scope| {
        for replica in &replicas {
            scope.spawn(|| eprintln!("memory | {} | {:?}", replica.pod, replica.flood(&records, &objects)));
        }
        // Some are denied, and some are stored since nobody could judge them in time.
        let _ = store(&node, hostile::records("during"));
        let again = ["label", "secrets", "--all", "--namespace=demo", "again=true"];
        let _ = node.kubectl(&again);
    });

    for replica in &replicas {
        node.wait_for("the replica", SOON, || replica.is_ready(&node).then_some(()));
        let most = replica.bytes("memory.max_usage_in_bytes") >> 10;
        eprintln!("memory | {} | {most} KiB at the most, files that it has read included", replica.pod);
        node.wait_for("an answer", SOON, || replica.answers().then_some(()));
    }
    hookward.wait_until_judging();
    assert_eq!(hookward.pods(), pods);
}
