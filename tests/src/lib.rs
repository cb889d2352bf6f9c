//! What the integration tests share.
#![allow(clippy::panic, reason = "where the fixture fails, the test has failed")]

pub mod archive;
pub mod asking;
pub mod chart;
pub mod cluster;
pub mod conformance;
pub mod diagnosed;
pub mod hostile;
pub mod image;
pub mod installed;
pub mod kinds;
pub mod load;
pub mod node;
pub mod openapi;
pub mod readme;
pub mod registration;
pub mod rig;
pub mod server;
mod steady;
pub mod users;
pub mod walkthrough;
