//! Many large releases at once, and inputs that are made to fill the memory: they wait for one another, or are not judged.

use std::{io::Read as _, thread, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use tests::{
    chart::hook_job,
    hostile::{self, Hostile},
    load::{Load, Protocol},
    rig::{Helm, Ran},
    server::{Server, Setup},
};

use super::{Place, SOON, large, review};

/// KiB of the server's own: 40 MiB, less the 8 that the code of the program takes when it is built as it ships.
///
/// Eight bodies of 1.4 MB are held, in the buffers of eight connections, and one record at a time is unpacked.
const BOUND: u64 = (40 - 8) << 10;

/// Installs eight releases of a megabyte at once, half of them by each Helm.
fn install_eight(place: &Place) -> Vec<Ran> {
    let install = |index: usize| {
        let helm = Helm::ALL[index % 2];
        let chart = large::chart(hook_job(&format!("migrate-{index}"), "pre-install"), index);
        let command = place.rig.helm(helm).args(["install".to_owned(), format!("shop-{index}")]);
        command.path(chart.path()).namespace(&place.namespace).args(["--timeout", "100s"]).run()
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|index| scope.spawn(move || install(index))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// The stored record as it was when the gate saw it.
fn pending(stored: &Value) -> Value {
    let text = STANDARD.decode(stored["data"]["release"].as_str().unwrap()).unwrap();
    let mut record = Vec::new();
    GzDecoder::new(STANDARD.decode(text).unwrap().as_slice()).read_to_end(&mut record).unwrap();
    let mut record: Value = serde_json::from_slice(&record).unwrap();
    record["info"]["status"] = json!("pending-install");
    let mut secret = stored.clone();
    secret["data"]["release"] = json!(hooks::release::encode(record.to_string().as_bytes()));
    secret
}

#[test]
fn eight_releases_of_a_megabyte_at_once_stay_within_the_memory_bound() {
    let place = Place::guarded("memory");
    for ran in install_eight(&place) {
        let _ = ran.expect_ok();
    }
    assert!(place.answered(&["path=\"release\"", "decision=\"allowed\""]) >= 8);
    // Helm needs longer to make a release than we to judge it, so once more without Helm, and really at once.
    let stored = place.find("secret", "sh.helm.release.v1.shop-0.v1").unwrap();
    let server = place.server.as_ref().unwrap();
    let load = Load::start(server, Protocol::Http1, 8, "/release", &review(&pending(&stored)));
    place.rig.wait_for("64 answers", SOON, || (load.answered() >= 64).then_some(()));
    assert_eq!(load.finish(), Vec::<String>::new());
    let most = server.memory("VmHWM") - server.memory("RssFile");
    assert!(most <= BOUND, "{most} KiB");
}

/// KiB of the server's own under any input: 110 MB, less the 12 that the code of the program takes when it is built as it ships. A
/// container of the chart may take 134 MB.
const WORST: u64 = (110_000_000 >> 10) - (12 << 10);

#[track_caller]
fn is_within_the_limit(server: &Server, what: &str) {
    let most = server.memory("VmHWM") - server.memory("RssFile");
    eprintln!("{what}: {most} KiB");
    assert!(most <= WORST, "{what}: {most} KiB");
}

#[test]
fn no_input_ends_the_process_within_the_limit_of_the_chart() {
    let server = Setup::new("baseline", "").flag("--memory-limit=128Mi").start();
    let hostile = Hostile::of(&server);
    let (gate, validate) = ("/release?timeout=30s", "/validate?timeout=30s");
    let records = hostile::records("memory");
    let records: Vec<_> =
        records.into_iter().map(|(name, secret)| (name, hostile::review(&secret.to_string()))).collect();
    for (name, review) in &records {
        let answered = hostile.post(gate, [review.clone().into()]);
        is_within_the_limit(&server, name);
        assert_eq!(answered, [Some(200)], "{name}");
    }
    let _ = hostile.post(gate, records.into_iter().map(|(_, review)| review.into()));
    is_within_the_limit(&server, "all records at once");
    for (name, review) in hostile::objects() {
        let review = bytes::Bytes::from(review);
        let _ = hostile.post(validate, vec![review; 16]);
        is_within_the_limit(&server, name);
    }
    for (connections, piece) in [(100, 1_000), (600, 1_000), (100, 60_000), (600, 60_000)] {
        hostile.stall(connections, piece, 60);
        is_within_the_limit(&server, "bodies that stall");
    }
    let job = review(&json!({"kind": "Job", "metadata": {"name": "a"}}));
    let started = Instant::now();
    // Bodies that nobody sends to their end are given up after some seconds.
    while hostile.post(validate, [job.clone().into()]) != [Some(200)] {
        assert!(started.elapsed() < SOON, "it does not answer any more");
    }
}
