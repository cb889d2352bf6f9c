//! Release records of the size that etcd just takes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use tests::{
    chart::{Chart, hook_job, incompressible, suspended_job},
    rig::Helm,
};

use super::{Place, assert_refused, with_both_helms};

/// A Secret holds 1 MiB at most; a record is compressed and then grows by a third, as base64.
const FILE: usize = 750_000;

with_both_helms! {
    a_release_record_of_a_megabyte_passes_the_gate_and_is_judged
}

/// A chart whose record is as large as it may be, with this hook; each `seed` makes another one.
pub(super) fn chart(hook: Value, seed: usize) -> Chart {
    // Helm takes no file above 5 MiB, but many of them; the first bytes make each chart different.
    let mut bytes = incompressible(FILE + seed);
    let _ = bytes.drain(..seed);
    Chart::new(&[hook]).with("files/large.bin", &bytes)
}

fn a_release_record_of_a_megabyte_passes_the_gate_and_is_judged(helm: Helm) {
    let place = Place::guarded("large");
    let _ = place.install(helm, &chart(hook_job("migrate", "pre-install,pre-upgrade"), 0)).expect_ok();
    let stored = place.find("secret", "sh.helm.release.v1.shop.v1").unwrap();
    let record = STANDARD.decode(stored["data"]["release"].as_str().unwrap()).unwrap();
    assert!((1_000_000..=1 << 20).contains(&record.len()), "the record has {} bytes", record.len());
    let refused = place.upgrade(helm, &chart(suspended_job("migrate", "pre-install,pre-upgrade"), 1));
    assert_refused(&refused, &["release \"shop\" revision 2 is refused", "`job-suspended`"]);
    let warned = place.server.as_ref().unwrap().count("hookward_admission_requests_total", &["undecodable"]);
    // The canary alone is no record.
    assert_eq!(warned, 1, "{}", refused.stderr);
}
