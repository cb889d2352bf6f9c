//! Certificates that three servers share and renew, while the API server calls: nobody notices.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    ops::Range,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tests::{
    asking::{Answer, Asking, Question},
    chart::hook_job,
    kinds,
    server::{Server, Setup, program},
};

use super::{Place, SOON};

/// Longer than the rotations take that are waited for.
const LONG: Duration = Duration::from_secs(240);

/// Lives of seconds: a leaf is renewed after 8 s, an authority after 8 s.
const LIVES: [&str; 4] = ["--ca-life=24s", "--leaf-life=12s", "--rotation-overlap=2s", "--connection-age=1s"];

/// What an API server calls instead of a Service: each connection goes to the next server.
struct Front {
    address: SocketAddr,
    backs: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Front {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let backs: Arc<Mutex<Vec<SocketAddr>>> = Arc::default();
        let servers = Arc::clone(&backs);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let next = {
                    let mut servers = servers.lock().unwrap();
                    let count = servers.len().max(1);
                    servers.rotate_left(1 % count);
                    servers.first().copied()
                };
                // Without a server the connection is closed, as a Service without endpoints refuses it.
                if let (Ok(stream), Some(next)) = (stream, next)
                    && let Ok(back) = TcpStream::connect(next)
                {
                    join(&stream, &back);
                }
            }
        });
        Self { address, backs }
    }

    fn lead_to(&self, servers: &[Server]) {
        *self.backs.lock().unwrap() = servers.iter().map(Server::address).collect();
    }
}

/// Passes on what either says until it ends, each direction for itself.
fn join(one: &TcpStream, other: &TcpStream) {
    for (from, to) in [(one, other), (other, one)] {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}

/// A namespace with an empty Secret, as the chart leaves it, and webhook configurations without a bundle that lead to `front`.
fn prepare(place: &Place, front: &Front) {
    kinds::define(place.rig);
    let namespace = &place.namespace;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "certificates"}});
    let _ = place.create(&secret).expect_ok();
    let printed = Command::new(program())
        .args(["serve", "--print-webhooks", "--cert-secret=certificates", "--namespace", namespace])
        .args(["--url", &format!("https://{}", front.address), "--profile=baseline"])
        .output()
        .unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let mut list: Value = serde_json::from_slice(&printed.stdout).unwrap();
    for configuration in list["items"].as_array_mut().unwrap() {
        configuration["metadata"] = json!({"name": namespace});
        for webhook in configuration["webhooks"].as_array_mut().unwrap() {
            webhook["namespaceSelector"] = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
            // A call that fails is one that somebody notices.
            webhook["failurePolicy"] = json!("Fail");
        }
        configuration["webhooks"].as_array_mut().unwrap().retain(|webhook| {
            let name = webhook["name"].as_str().unwrap();
            name.starts_with("mutate.") || name.starts_with("validate.")
        });
    }
    place.rig.apply(&list.to_string());
}

/// Removes the webhook configurations of a place.
struct Registered<'p>(&'p Place);

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        for kind in ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"] {
            let _ = self.0.rig.kubectl(&["delete", kind, &self.0.namespace, "--ignore-not-found"]);
        }
    }
}

fn start(place: &Place, replicas: usize, lives: &[&str]) -> Vec<Server> {
    start_these(place, 0..replicas, lives)
}

fn start_these(place: &Place, replicas: Range<usize>, lives: &[&str]) -> Vec<Server> {
    let begin = |replica: usize| {
        let pod = format!("{}-{replica}", place.namespace);
        let mut setup = Setup::new("baseline", "")
            .in_cluster(&place.rig.kubeconfig(), &place.namespace, &pod)
            .certificates_from("certificates")
            .flag("--cert-name=127.0.0.1")
            .flag(&format!("--webhook-configuration={}", place.namespace));
        for life in lives {
            setup = setup.flag(life);
        }
        // All at once, so that they meet where nothing is made yet.
        thread::spawn(move || setup.start())
    };
    let starting: Vec<_> = replicas.map(begin).collect();
    starting.into_iter().map(|server| server.join().unwrap()).collect()
}

/// Asks for a hook over and over, which is repaired and never stored.
fn ask(place: &Place) -> Asking {
    let path = format!("/apis/batch/v1/namespaces/{}/jobs?dryRun=All", place.namespace);
    let hook = hook_job("migrate", "pre-install").to_string();
    // The API server learns of a registration when it does, and nobody says when.
    place.rig.wait_for("calls that are trusted", SOON, || {
        place.kubectl(&["create", "--dry-run=server", "--filename=-"], &hook).ok().then_some(())
    });
    let is_right = |code, said: &Value| code == 201 && said["spec"]["ttlSecondsAfterFinished"] == 300;
    let question = Question { name: "repaired", path, body: hook, is_right };
    Asking::start(place.rig, 4, Duration::from_millis(5), vec![question])
}

fn wait_for_calls(place: &Place, asking: &Asking) {
    let enough = asking.count() + 100;
    place.rig.wait_for("calls", SOON, || (asking.count() >= enough).then_some(()));
}

/// What was not answered as it should be.
fn lost(asking: &Asking) -> Vec<Answer> {
    asking.since(0).into_iter().filter(|answer| !answer.is_right).collect()
}

fn count(servers: &[Server], line: &str) -> usize {
    servers.iter().map(|server| server.log().matches(line).count()).sum()
}

fn logs(servers: &[Server]) -> String {
    servers.iter().map(Server::log).collect()
}

/// Whether the certificate that is served lives for less than a day.
fn ends_today(server: &Server) -> bool {
    let metrics = server.metrics();
    let left = metrics.lines().find_map(|line| line.strip_prefix("hookward_certificate_expiry_seconds "));
    left.and_then(|left| left.parse::<f64>().ok()).is_none_or(|left| left < 86_400.0)
}

/// The bundle in the Secret.
fn bundle(place: &Place) -> String {
    let secret = place.find("secret", "certificates").unwrap();
    let bundle = secret["data"]["ca.crt"].as_str().unwrap();
    String::from_utf8(BASE64_STANDARD.decode(bundle).unwrap()).unwrap()
}

#[test]
fn three_servers_that_start_at_once_agree_on_one_authority() {
    let place = Place::unguarded("agree");
    let front = Front::new();
    prepare(&place, &front);
    let _registered = Registered(&place);
    let servers = start(&place, 3, &[]);
    front.lead_to(&servers);
    let asking = ask(&place);
    wait_for_calls(&place, &asking);
    assert_eq!(lost(&asking), []);
    assert_eq!(bundle(&place).matches("BEGIN CERTIFICATE").count(), 1);
    assert_eq!(count(&servers, "made new ones"), 1, "{}", logs(&servers));
}

#[test]
fn renewed_leaves_and_authorities_cost_no_call() {
    let place = Place::unguarded("rotation");
    let front = Front::new();
    prepare(&place, &front);
    let _registered = Registered(&place);
    let servers = start(&place, 3, &LIVES);
    front.lead_to(&servers);
    let first = bundle(&place);
    let asking = ask(&place);
    place.rig.wait_for("rotations", LONG, || {
        assert!(lost(&asking).is_empty(), "{:?}\n{}", lost(&asking), logs(&servers));
        let authorities = count(&servers, "made a new authority");
        let leaves = count(&servers, "serving the new certificate") / servers.len();
        // One each are those that they began with.
        (authorities > 3 && leaves > 5).then_some(())
    });
    assert_eq!(lost(&asking), [], "of {}", asking.count());
    assert!(!bundle(&place).contains(first.trim()), "the first authority has gone");
    for server in &servers {
        assert!(server.count("hookward_admission_requests_total", &["path=\"validate\""]) > 0);
        assert!(server.metrics().contains("hookward_certificate_trusted 1"));
    }
}

#[test]
fn an_overlap_longer_than_what_was_left_of_the_authority_lost_calls() {
    let place = Place::unguarded("overlap");
    let front = Front::new();
    prepare(&place, &front);
    let _registered = Registered(&place);
    let mut before = start(&place, 2, &LIVES);
    front.lead_to(&before);
    let asking = ask(&place);
    place.rig.wait_for("a rotation", LONG, || (count(&before, "made a new authority") > 1).then_some(()));
    // Lives of months and an overlap of a minute, where no authority has half of one left.
    let servers = start_these(&place, 2..4, &[]);
    front.lead_to(&servers);
    for server in &mut before {
        server.terminate();
        server.wait();
    }
    place.rig.wait_for("a certificate of months", LONG, || {
        assert!(lost(&asking).is_empty(), "{:?}\n{}{}", lost(&asking), logs(&before), logs(&servers));
        let days =
            |server: &Server| server.log().contains("serving the new certificate") && !ends_today(server);
        servers.iter().all(days).then_some(())
    });
    wait_for_calls(&place, &asking);
    assert_eq!(lost(&asking), [], "of {}", asking.count());
}

#[test]
fn a_secret_full_of_rubbish_is_filled_at_the_start_and_an_emptied_one_gets_back_what_was_there() {
    let place = Place::unguarded("emptied");
    let front = Front::new();
    prepare(&place, &front);
    let _registered = Registered(&place);
    let patch = |data: &Value| {
        let patch = json!([{"op": "add", "path": "/data", "value": data}]).to_string();
        let args = ["patch", "secret", "certificates", "--type=json", "--patch", &patch];
        let _ = place.kubectl(&args, "").expect_ok();
    };
    patch(&json!({"tls.crt": BASE64_STANDARD.encode("rubbish"), "ca.crt": ""}));
    let servers = start(&place, 2, &[]);
    assert!(logs(&servers).contains("no certificate that was there could be read"), "{}", logs(&servers));
    front.lead_to(&servers);
    let before = bundle(&place);
    let asking = ask(&place);
    patch(&json!({}));
    place.rig.wait_for("the old content", SOON, || {
        let secret = place.find("secret", "certificates")?;
        secret["data"]["tls.key"].is_string().then_some(())
    });
    wait_for_calls(&place, &asking);
    assert_eq!(bundle(&place), before);
    assert_eq!(lost(&asking), []);
    assert!(!logs(&servers).contains("rubbish"));
}

#[test]
fn a_secret_that_was_deleted_was_one_line_in_the_log() {
    let place = Place::unguarded("secret-gone");
    let front = Front::new();
    prepare(&place, &front);
    let _registered = Registered(&place);
    let servers = start(&place, 1, &["--rotation-overlap=2s"]);
    front.lead_to(&servers);
    let before = bundle(&place);
    let _ = place.kubectl(&["delete", "secret", "certificates"], "").expect_ok();
    place.rig.wait_for("an Event about the Secret", LONG, || {
        let events: Value =
            serde_json::from_str(&place.kubectl(&["get", "events", "--output=json"], "").stdout).ok()?;
        let is_told = |event: &Value| {
            event["reason"] == "CertificateSecretGone" && event["involvedObject"]["name"] == "certificates"
        };
        events["items"].as_array()?.iter().any(is_told).then_some(())
    });
    assert!(servers[0].is_ready(), "what is served is as good as before");
    let new = Setup::new("baseline", "")
        .in_cluster(&place.rig.kubeconfig(), &place.namespace, &format!("{}-new", place.namespace))
        .certificates_from("certificates")
        .flag("--cert-name=127.0.0.1")
        .flag(&format!("--webhook-configuration={}", place.namespace))
        .start_unready();
    let reason = format!("there is no Secret {}/certificates", place.namespace);
    place.rig.wait_for("the reason", SOON, || new.readiness().contains(&reason).then_some(()));
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "certificates"}});
    let _ = place.create(&secret).expect_ok();
    place.rig.wait_for("both", SOON, || new.is_ready().then_some(()));
    assert_eq!(bundle(&place), before, "written back by who had it");
}
