//! The server's life in a cluster: what it watches there, what it writes there, and in which order it lets go.

pub mod flags;

pub use flags::Args;
