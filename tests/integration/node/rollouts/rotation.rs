//! Certificates that are renewed all the time, in a cluster as it is shipped.

use std::{collections::BTreeSet, time::Duration};

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

/// The serial numbers of what an entry of the Secret holds.
fn serials(stage: &Stage, entry: &str) -> Vec<String> {
    let secret = stage.node.get_json("secret", NAMESPACE, "hookward-certificate").unwrap();
    let pem = BASE64_STANDARD.decode(secret["data"][entry].as_str().unwrap()).unwrap();
    Summary::from_pem(&pem).unwrap().into_iter().map(|certificate| certificate.serial).collect()
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
        stage.upgrade(&[]);
        stage.settled(2);
    });
    done.assert_nothing_lost();
}
