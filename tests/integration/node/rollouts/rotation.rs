//! Certificates that are renewed all the time, in a cluster as it is shipped.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use certs::Summary;

use super::stage::{NAMESPACE, Stage};

/// Lives of seconds, and connections as short, so that each certificate is looked at by the API server.
const SHORT: [&str; 4] = [
    "--set=certificates.self.authorityLife=60s",
    "--set=certificates.self.leafLife=30s",
    "--set=certificates.self.overlap=4s",
    "--set=extraArgs={--connection-age=1s}",
];

/// Longer than so many renewals take on a busy machine.
const LONG: Duration = Duration::from_secs(300);

/// What the certificates in an entry of the Secret say.
fn summaries(stage: &Stage, entry: &str) -> Vec<Summary> {
    let secret = stage.node.get_json("secret", NAMESPACE, "hookward-certificate").unwrap();
    let pem = BASE64_STANDARD.decode(secret["data"][entry].as_str().unwrap()).unwrap();
    Summary::from_pem(&pem).unwrap()
}

/// Their serial numbers.
fn serials(stage: &Stage, entry: &str) -> Vec<String> {
    summaries(stage, entry).into_iter().map(|certificate| certificate.serial).collect()
}

/// Back to lives of months: the overlap of a minute only when no authority is left that ends within one, else the next test meets
/// an expired certificate.
fn leave_short_lives(stage: &Stage) {
    stage.upgrade(&["--set=certificates.self.overlap=4s"]);
    stage.settled(2);
    stage.node.wait_for("a certificate of months", LONG, || {
        let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
        summaries(stage, "tls.crt").iter().all(|leaf| leaf.not_after > tomorrow).then_some(())
    });
    stage.upgrade(&[]);
    stage.settled(2);
}

#[test]
fn renewed_leaves_and_authorities_lose_nothing() {
    let stage = Stage::enter();
    let (mut leaves, mut authorities) = (BTreeSet::new(), BTreeSet::new());
    let done = stage.during("5 renewed leaves and 3 renewed authorities, 2 replicas", || {
        stage.upgrade(&SHORT);
        stage.settled(2);
        stage.node.wait_for("renewals", LONG, || {
            leaves.extend(serials(&stage, "tls.crt"));
            authorities.extend(serials(&stage, "ca.crt"));
            // One each is what there was before.
            (leaves.len() > 5 && authorities.len() > 3).then_some(())
        });
        leave_short_lives(&stage);
    });
    done.assert_nothing_lost();
}
