//! Our own kinds on a test cluster.

use std::time::Duration;

use crate::cluster::Cluster;

/// Where the definitions stand in the repository.
const FOLDER: &str = "deploy/crds/";

/// Defines our kinds and waits until they can be used; as often as anybody likes.
///
/// # Panics
/// When the API server refuses a definition, or does not serve it within 30 s.
#[track_caller]
pub fn install(cluster: &Cluster) {
    for (_, text) in cli::generated::files().into_iter().filter(|(path, _)| path.starts_with(FOLDER)) {
        cluster.apply(&text);
    }
    cluster.wait_for("our kinds", Duration::from_secs(30), || {
        cluster.kubectl(&["get", "hookpolicies,hookexceptions"]).ok().then_some(())
    });
}
