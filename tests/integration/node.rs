//! A real node: real pods, with their logs and Services, and real Helm.

use std::time::Duration;

use tests::node::Node;

mod diagnose;
mod install;
mod memory;
mod readme;
mod rollouts;
mod smoke;

/// Longer than anything that happens without waiting for a timeout.
const SOON: Duration = Duration::from_secs(60);

/// The cluster that all tests on a node share.
#[track_caller]
fn node() -> &'static Node {
    Node::shared().unwrap_or_else(|| panic!("{}", Node::possible().unwrap_err()))
}
