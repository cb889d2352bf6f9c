//! `serve` without a cluster: what it needs, what it says, and that it listens.

use std::{
    io::Write,
    net::TcpStream,
    process::Command,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use super::{Files, hookward};

/// Hands every write to somebody who waits for it.
struct Lines(Sender<String>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(String::from_utf8_lossy(bytes).into_owned()).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn certificates() -> Files {
    let files = Files::new(&[]);
    assert_eq!(hookward(["certs", "make", "--dir", &files.path("tls"), "--name", "127.0.0.1"]).code, 0);
    files
}

/// Starts a server that lives as long as this process, and gives what it prints.
fn start(folder: &str) -> Receiver<String> {
    let (sender, receiver) = channel();
    let arguments = [
        "hookward",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
        "--cert-dir",
        folder,
        "--log-level",
        "error",
    ];
    let arguments = arguments.map(std::ffi::OsString::from);
    thread::spawn(move || {
        let (mut stdin, mut scratch, mut stderr) = (std::io::empty(), Vec::new(), Vec::new());
        let mut lines = Lines(sender);
        let io = cli::Io::of_memory(&mut stdin, &mut scratch, &mut stderr);
        cli::run(arguments, &mut cli::Io { stdout: &mut lines, ..io })
    });
    receiver
}

#[test]
fn it_says_where_it_listens() {
    let files = certificates();
    let printed = start(&files.path("tls"));
    let mut said = String::new();
    while !said.ends_with('\n') {
        said.push_str(&printed.recv_timeout(Duration::from_secs(60)).unwrap());
    }
    let address = said.trim_end().strip_prefix("listening https://").unwrap();
    assert!(!address.ends_with(":0"), "{said}");
    assert!(TcpStream::connect(address).is_ok());
}

#[test]
fn without_certificates_or_policies_it_does_not_start() {
    let files = certificates();
    let none = hookward(["serve", "--cert-dir", &files.path("nowhere")]);
    assert!(none.code == 2 && none.stderr.contains("hookward certs make"), "{}", none.stderr);
    let policy = files.path("policy.yaml");
    let none = hookward(["serve", "--cert-dir", &files.path("tls"), "--policy", &policy]);
    assert!(none.code == 2 && none.stderr.contains("no such file"), "{}", none.stderr);
}

#[test]
fn the_registration_is_printed() {
    let files = certificates();
    let ran = hookward([
        "serve",
        "--cert-dir",
        &files.path("tls"),
        "--print-webhooks",
        "--url",
        "https://127.0.0.1:8443",
    ]);
    let list = ran.json();
    assert_eq!((ran.code, list["items"].as_array().unwrap().len()), (0, 2));
    let client = &list["items"][0]["webhooks"][0]["clientConfig"];
    assert_eq!(client["url"], "https://127.0.0.1:8443/mutate");
    assert!(!client["caBundle"].as_str().unwrap().is_empty());
    assert_eq!(hookward(["serve", "--cert-dir", "x", "--print-webhooks"]).code, 2, "it needs --url");
}

#[test]
fn in_a_pod_the_cluster_is_meant_unless_there_is_a_policy_file() {
    let files = certificates();
    let ran = |extra: &[&str]| {
        let mut command = Command::new(tests::server::program());
        command.args(["serve", "--cert-dir", &files.path("tls")]).args(extra);
        command.env_remove("KUBECONFIG").env("HOME", files.path("nobody"));
        let output = command.env("KUBERNETES_SERVICE_HOST", "127.0.0.1").output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = ran(&[]);
    assert!(code == Some(2) && said.contains("cannot find a cluster"), "{said}");
    // Without a cluster it gets as far as the file.
    let (code, said) = ran(&["--policy", &files.path("none.yaml")]);
    assert!(code == Some(2) && said.contains("none.yaml: no such file"), "{said}");
}

#[test]
fn flags_for_a_cluster_are_refused_without_one() {
    let files = certificates();
    let (folder, policy) = (files.path("tls"), files.path("none.yaml"));
    let given = ["serve", "--cert-dir", &folder, "--policy", &policy, "--release-lookup"];
    let ran = hookward(given);
    assert!(ran.code == 2 && ran.stderr.contains("--release-lookup needs --cluster"), "{}", ran.stderr);
    let ran = hookward(["serve", "--print-webhooks", "--service", "hooks"]);
    assert!(ran.code == 2 && ran.stderr.contains("--service and --namespace"), "{}", ran.stderr);
}
