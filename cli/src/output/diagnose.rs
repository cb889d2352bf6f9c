//! What `diagnose` shows: a page for people, a document for programs.

use policies::Mode;

pub mod json_v1;
pub mod text;

/// A rule that finds what led to the failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prevention {
    /// Its id.
    pub rule: &'static str,
    /// What it leads to under the policies in force.
    pub mode: Mode,
    /// What it says of this hook.
    pub message: String,
}
