//! The same hook through a real API server: without webhooks, with two that do nothing, and with ours.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hooks::annotations::HOOK;
use serde_json::{Value, json};
use tests::rig::{Programs, Rig};
use tokio::runtime::Runtime;

use super::{
    bodies,
    client::{Protocol, Trust},
    load::{self, Load, Target},
    results::{Cluster, Through},
    server::Server,
};

/// Every namespace is asked in turn so often; the middle of the rounds counts.
const ROUNDS: usize = 7;
/// Who shares the machine with the API server may use all of it.
const CORES: &str = "0-1023";

/// Measures dry runs of the CREATE of a Job, one at a time.
pub(super) fn measure(
    runtime: &Runtime,
    program: &Path,
    certificates: &Path,
    seconds: f64,
) -> Result<Cluster> {
    let programs = Programs::find().context("the test cluster is not built; `cargo xtask rig` builds it")?;
    println!("measuring through a real API server");
    let rig = Rig::start(&programs)?;
    let ours = Server::hookward(program, certificates, CORES)?;
    let floor = Server::floor(certificates, CORES)?;
    let namespaces = ["bench-none", "bench-floor", "bench-ours"].map(|name| rig.namespace(name));
    let authority = STANDARD.encode(fs::read(certificates.join("ca.crt"))?);
    register(&rig, &authority, &[(&namespaces[1], floor.address), (&namespaces[2], ours.address)]);
    let target = api_server(&rig)?;
    let job = Bytes::from(bodies::job_to_create("bench-").to_string());
    let repaired = Bytes::from(bodies::repaired(bodies::job_to_create("bench-")).to_string());
    let [none, empty, judged] = &namespaces;
    let cases = [(none, &job), (empty, &job), (judged, &job), (judged, &repaired)];
    let mut rounds = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        for ((namespace, body), found) in cases.into_iter().zip(&mut rounds) {
            let load = Load {
                protocol: Protocol::Http2,
                senders: 1,
                rate: None,
                path: format!("/apis/batch/v1/namespaces/{namespace}/jobs?dryRun=All"),
                body: body.clone(),
                status: 201,
                expect: "",
            };
            let measured = runtime.block_on(load::run(&target, &[load], seconds / 2.0))?;
            let times = measured.times.first().context("nothing was measured")?;
            found.push((times.quantile(0.5), times.quantile(0.99)));
        }
    }
    let [none, floor, ours, unchanged] = rounds.map(|found| Through {
        middle: middle(found.iter().map(|(middle, _)| *middle)),
        late: middle(found.iter().map(|(_, late)| *late)),
    });
    Ok(Cluster { none, floor, ours, unchanged })
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Where the API server is, and how the administrator proves who they are.
fn api_server(rig: &Rig) -> Result<Target> {
    let config: Value = serde_json::from_slice(&fs::read(rig.kubeconfig())?)?;
    let text = |pointer: &str| {
        config
            .pointer(pointer)
            .and_then(Value::as_str)
            .with_context(|| format!("the kubeconfig lacks {pointer}"))
    };
    let file = |pointer: &str| Ok::<_, anyhow::Error>(fs::read(text(pointer)?)?);
    let address = text("/clusters/0/cluster/server")?.trim_start_matches("https://").parse()?;
    let trust = Trust::new(&file("/clusters/0/cluster/certificate-authority")?)?
        .with_identity(file("/users/0/user/client-certificate")?, file("/users/0/user/client-key")?);
    // Its processor time is that of nobody we compare.
    Ok(Target { address, trust, pid: std::process::id() })
}

/// Registers both webhooks for each of these namespaces and waits until ours repairs a Job.
fn register(rig: &Rig, authority: &str, servers: &[(&String, SocketAddr)]) {
    let webhooks = |path: &str| -> Vec<Value> {
        servers.iter().map(|(namespace, address)| webhook(path, authority, namespace, *address)).collect()
    };
    let configuration = |kind: &str, webhooks: Vec<Value>| json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "bench"}, "webhooks": webhooks});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        configuration("ValidatingWebhookConfiguration", webhooks("validate")),
        configuration("MutatingWebhookConfiguration", webhooks("mutate")),
    ]});
    rig.apply(&list.to_string());
    let job = bodies::job_to_create("bench-").to_string();
    let Some((namespace, _)) = servers.last() else { return };
    rig.wait_for("the webhooks", Duration::from_secs(30), || {
        let args = ["create", "--dry-run=server", "--output=json", "--namespace", namespace, "-f", "-"];
        let created: Value = serde_json::from_str(&rig.kubectl_with(&args, &job).stdout).ok()?;
        created["spec"]["ttlSecondsAfterFinished"].as_u64().map(drop)
    });
}

fn webhook(path: &str, authority: &str, namespace: &str, address: SocketAddr) -> Value {
    let operations = if path == "mutate" { json!(["CREATE"]) } else { json!(["CREATE", "UPDATE"]) };
    json!({
        "name": format!("{path}.{namespace}.bench"), "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 10,
        "clientConfig": {"url": format!("https://{address}/{path}"), "caBundle": authority},
        "failurePolicy": "Fail", "matchPolicy": "Equivalent",
        "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": operations, "resources": ["*"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "matchConditions": [{"name": "hook", "expression":
            format!("has(object.metadata.annotations) && '{HOOK}' in object.metadata.annotations")}],
    })
}
