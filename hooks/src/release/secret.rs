//! The Secrets that hold release records.

use std::fmt;

use super::{Error, Limits, Record};
use crate::{annotations::RELEASE_TYPE, node::Node};

/// Whether the type of a Secret says that it holds a release record.
#[must_use]
pub fn is_type(written: &str) -> bool {
    written == RELEASE_TYPE
}

/// A release Secret and where in it the record is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretView<'a> {
    /// `metadata.name`, as in `sh.helm.release.v1.shop.v3`.
    pub name: Option<&'a str>,
    /// `metadata.namespace`, where it is written.
    pub namespace: Option<&'a str>,
    /// The encoded record; empty if there is none.
    text: &'a str,
    /// Whether the Secret's own base64 is still around it.
    is_data: bool,
}

impl SecretView<'_> {
    /// Decodes the record.
    ///
    /// # Errors
    /// As [`Record::decode`].
    pub fn decode(&self, limits: &Limits) -> Result<Record, Error> {
        if self.is_data {
            Record::decode(self.text.as_bytes(), limits)
        } else {
            Record::decode_stored(self.text.as_bytes(), limits)
        }
    }
}

/// Recognises a Secret that Helm stores a revision in; `None` for any other object.
///
/// `node` must have been read with [`crate::Interest::Everything`]. `stringData` wins over `data`, as at the API server.
#[must_use]
pub fn secret<'a>(node: &'a Node<'_>) -> Option<SecretView<'a>> {
    let is_release = node.str_at("apiVersion") == Some("v1")
        && node.str_at("kind") == Some("Secret")
        && is_type(node.str_at("type")?);
    if !is_release {
        return None;
    }
    let text = |member| node.at(&[member, "release"]).and_then(Node::as_str);
    let (text, is_data) =
        text("stringData").map_or_else(|| (text("data").unwrap_or_default(), true), |text| (text, false));
    let metadata = |name| node.get("metadata").and_then(|metadata| metadata.str_at(name));
    Some(SecretView { name: metadata("name"), namespace: metadata("namespace"), text, is_data })
}

// By hand, so that no record reaches a log.
impl fmt::Debug for SecretView<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, namespace, .. } = self;
        let mut debug = formatter.debug_struct("SecretView");
        debug.field("name", name).field("namespace", namespace).finish_non_exhaustive()
    }
}
