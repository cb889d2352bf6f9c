//! Tests of how a Lease is read; who becomes leader is tested on a real API server.

use std::time::UNIX_EPOCH;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::MicroTime, jiff::Timestamp};
use prometheus::Registry;

use super::*;

const NOW: u64 = 1_000_000;

fn options() -> Options {
    Options {
        duration: Duration::from_secs(10),
        grace: Duration::from_secs(4),
        ..Options::new("ns", "hookward", "a")
    }
}

fn lease(holder: &str, renewed: u64) -> LeaseSpec {
    let renewed = Timestamp::from_second(i64::try_from(renewed).unwrap()).unwrap();
    LeaseSpec {
        holder_identity: Some(holder.into()),
        lease_duration_seconds: Some(10),
        renew_time: Some(MicroTime(renewed)),
        ..LeaseSpec::default()
    }
}

fn left(spec: &LeaseSpec) -> Option<u64> {
    remaining(spec, &options(), UNIX_EPOCH + Duration::from_secs(NOW)).map(|left| left.as_secs())
}

#[test]
fn a_lease_holds_until_half_the_grace_before_its_end() {
    assert_eq!(left(&lease("a", NOW)), Some(8));
    assert_eq!(left(&lease("a", NOW - 7)), Some(1));
    assert_eq!(left(&lease("a", NOW - 8)), None);
}

#[test]
fn the_lease_of_another_is_nobodys_business() {
    assert_eq!(left(&lease("b", NOW)), None);
    assert_eq!(left(&LeaseSpec::default()), None);
    assert_eq!(left(&LeaseSpec { renew_time: None, ..lease("a", NOW) }), None);
}

#[test]
fn a_clock_set_back_does_not_prolong_a_lease() {
    assert_eq!(left(&lease("a", NOW + 86_400)), Some(10));
}

#[test]
fn impossible_durations_become_possible() {
    let zero = Options { duration: Duration::ZERO, grace: Duration::from_secs(9), ..options() };
    assert_eq!(zero.params(), LeaseParams::new("a", 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_hears_no_more_stops_in_time() {
    let now = Timestamp::now().as_second();
    let held = Lease { spec: Some(lease("a", u64::try_from(now).unwrap())), ..Lease::default() };
    let (state, mut watched) = watch::channel(false);
    let seen = futures::stream::iter([Ok(Some(held))]).chain(futures::stream::pending());
    let metrics = Metrics::new(&Registry::new());
    let voice = Voice { state, has_left: Arc::default(), metrics };
    let task = tokio::spawn(observe(seen, options(), voice, Arc::default()));
    watched.wait_for(|is_leader| *is_leader).await.unwrap();
    // Time stands still for the test until everything sleeps; the Lease runs out in it.
    watched.wait_for(|is_leader| !is_leader).await.unwrap();
    task.abort();
}

#[test]
fn who_has_left_is_never_leader_again() {
    let (state, watched) = watch::channel(false);
    let voice = Voice { state, has_left: Arc::default(), metrics: Metrics::new(&Registry::new()) };
    voice.tell(true, "a");
    assert!(*watched.borrow());
    assert!(voice.leave(), "it was until now");
    voice.tell(true, "a");
    assert!(!*watched.borrow());
}
