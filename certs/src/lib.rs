//! Certificates for the server: an authority, leaves, their rotation in a shared store, a folder of PEM files with reload, and
//! what rustls needs of them.
//!
//! Everything here runs on the aws-lc-rs provider, named explicitly: no process default is installed or needed.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use authority::{Authority, Leaf};
pub use inspect::Summary;
pub use keeper::Keeper;
pub use name::Name;
pub use pair::{PrivateKeyPem, ServingPair};
pub use reload::Reloader;
pub use resolver::Resolver;
pub use rotation::{Knobs, State};
pub use store::{Memory, Store, Stored};
pub use verify::Refusal;

pub mod authority;
pub mod bundle;
pub mod folder;
pub mod inspect;
pub mod keeper;
pub mod name;
pub mod pair;
pub mod reload;
pub mod resolver;
pub mod rotation;
pub mod store;
mod verify;

#[cfg(test)]
mod handshake;

/// The one cryptography provider of this crate: aws-lc-rs.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
