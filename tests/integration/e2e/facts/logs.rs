//! How each Helm prints what a hook has said.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    thread,
};

use rustls::{ServerConfig, ServerConnection, Stream, pki_types::PrivateKeyDer};
use serde_json::Value;

use super::{Chart, Helm, Place, SOON, assert_says, changed, json, pod, with_both_helms};

/// What every container has said.
const SAID: &str = "first line\nthe \"second\" one\n";

/// Answers whoever asks for the log of a container, as long as the process lives.
fn kubelet() -> u16 {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(config));
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut tls, &mut connection);
            let asked = stream.read(&mut [0; 4096]);
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{SAID}",
                SAID.len()
            );
            if asked.is_ok() {
                let _ = stream.write_all(answer.as_bytes());
            }
            tls.send_close_notify();
            let _ = tls.complete_io(&mut connection);
        }
    });
    port
}

/// A node of the test's own that has logs; no pod comes there by itself.
fn node_with_logs(place: &Place) -> String {
    let name = format!("{}-node", place.namespace);
    let taint = json!([{"key": "example.com/logs", "effect": "NoSchedule"}]);
    let node =
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": &name}, "spec": {"taints": taint}});
    let _ = place.create(&node).expect_ok();
    let is_ready = |node: &Value| {
        let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
        conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
    };
    place.rig.wait_for("a node", SOON, || place.find("node", &name).filter(is_ready));
    let status = json!({"status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet()}}}}).to_string();
    let patch = ["patch", "node", &name, "--subresource=status", "--type=merge", "--patch", &status];
    let _ = place.kubectl(&patch, "").expect_ok();
    name
}

fn what_a_hook_says_is_raw_in_helm_3_and_one_record_in_helm_4(helm: Helm) {
    let place = Place::unguarded("fact-logs");
    let node = node_with_logs(&place);
    let hook = pod("warm", "pre-install", json!({"nodeName": &node}));
    let hook =
        changed(hook, "/metadata/annotations", "helm.sh/hook-output-log-policy", json!("hook-succeeded"));
    let ran = place.install(helm, &Chart::new(&[hook])).expect_ok();
    let _ = place.rig.kubectl(&["delete", "node", &node]).expect_ok();
    assert_says(
        &ran,
        &[match helm {
            Helm::V3 => SAID,
            Helm::V4 => r#"level=INFO msg="first line\nthe \"second\" one""#,
        }],
    );
    assert!(!ran.stdout.contains("second"), "all of it is on standard error");
}

with_both_helms! {
    what_a_hook_says_is_raw_in_helm_3_and_one_record_in_helm_4
}
