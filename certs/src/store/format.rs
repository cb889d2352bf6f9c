//! The state as named bytes that people can read: `tls.crt`, `tls.key` and `ca.crt` as in every TLS Secret, and what only
//! replicas need beside them.

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::Entries;
use crate::{
    Authority, Leaf, ServingPair, State, Summary,
    bundle::sections,
    folder::{AUTHORITY_CERTIFICATE, AUTHORITY_KEY, CERTIFICATE, KEY},
    pair,
    rotation::{Issued, Trusted},
};

/// What is known of the authorities beside their certificates, and how many steps have led to them: JSON.
pub const AUTHORITIES: &str = "authorities.json";

/// What could be read, and what could not.
#[derive(Debug, Default)]
pub struct Decoded {
    /// What could be read; empty where nothing could.
    pub state: State,
    /// What is there and could not be read. None holds any content.
    pub problems: Vec<Problem>,
}

/// Why an entry is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A section of `ca.crt` is no certificate.
    #[error("{AUTHORITY_CERTIFICATE} holds something that is no certificate")]
    Authority(#[source] pair::Error),
    /// An authority cannot sign; it stays trusted.
    #[error("{AUTHORITY_KEY} holds no usable key of the authority {serial}; it signs no more")]
    AuthorityKey {
        /// The serial number of its certificate.
        serial: String,
    },
    /// The leaf or its key cannot be used.
    #[error("{CERTIFICATE} and {KEY} cannot be served")]
    Leaf(#[source] pair::Error),
    /// Nobody would trust it.
    #[error("{CERTIFICATE} is signed by none of the authorities in {AUTHORITY_CERTIFICATE}")]
    Stranger,
}

/// The state as entries of a store.
#[must_use]
pub fn encode(state: &State) -> Entries {
    let authorities = state.authorities();
    let keys = authorities
        .iter()
        .filter_map(|authority| Some(format!("{}\n", authority.signer()?.key_pem().expose().trim())));
    let mut entries = Entries::from([
        (AUTHORITY_CERTIFICATE.to_owned(), state.bundle().unwrap_or_default().into_bytes()),
        (AUTHORITY_KEY.to_owned(), keys.collect::<String>().into_bytes()),
        (AUTHORITIES.to_owned(), facts(state).into_bytes()),
    ]);
    if let Some(leaf) = state.leaf() {
        entries.insert(CERTIFICATE.to_owned(), leaf.leaf().certificate_pem().as_bytes().to_vec());
        entries.insert(KEY.to_owned(), leaf.leaf().key_pem().expose().as_bytes().to_vec());
    }
    entries
}

/// Reads what can be read, also of entries that somebody else wrote.
///
/// An authority without a key stays trusted, so that a leaf of it is served until one of our own takes over.
#[must_use]
pub fn decode(entries: &Entries) -> Decoded {
    let mut problems = Vec::new();
    let facts: Value = serde_json::from_str(&text(entries, AUTHORITIES)).unwrap_or_default();
    let authorities = authorities(entries, &facts, &mut problems);
    let leaf = leaf(entries, &authorities, &mut problems);
    let generation = facts["generation"].as_u64().unwrap_or_default();
    Decoded { state: State::new(authorities, leaf).at_generation(generation), problems }
}

fn authorities(entries: &Entries, facts: &Value, problems: &mut Vec<Problem>) -> Vec<Trusted> {
    let certificates = text(entries, AUTHORITY_CERTIFICATE);
    let keys = text(entries, AUTHORITY_KEY);
    let keys: Vec<&str> = sections(&keys).collect();
    let mut found = Vec::new();
    if !certificates.trim().is_empty() && sections(&certificates).next().is_none() {
        problems.push(Problem::Authority(pair::Error::NotACertificate));
    }
    for pem in sections(&certificates) {
        let summary = match Summary::from_pem(pem.as_bytes()).map(|mut all| all.swap_remove(0)) {
            Ok(summary) => summary,
            Err(error) => {
                problems.push(Problem::Authority(pair::Error::Unreadable(error)));
                continue;
            }
        };
        let authority = keys.iter().find_map(|key| Authority::from_pem(pem, key).ok());
        if authority.is_none() {
            problems.push(Problem::AuthorityKey { serial: summary.serial.clone() });
        }
        let last_leaf_ends = last_leaf_ends(facts, &summary);
        let trusted = authority.map_or_else(|| Trusted::without_key(pem, summary), Trusted::new);
        found.push(trusted.with_last_leaf(last_leaf_ends));
    }
    found
}

fn leaf(entries: &Entries, authorities: &[Trusted], problems: &mut Vec<Problem>) -> Option<Issued> {
    let (chain, key) = (text(entries, CERTIFICATE), text(entries, KEY));
    if chain.trim().is_empty() && key.trim().is_empty() {
        return None;
    }
    match ServingPair::from_pem(chain.as_bytes(), key.as_bytes(), None) {
        Ok(pair) => {
            let issued = Issued::find(Leaf::from_pem(chain, key), pair, authorities);
            if issued.is_none() {
                problems.push(Problem::Stranger);
            }
            issued
        }
        Err(error) => {
            problems.push(Problem::Leaf(error));
            None
        }
    }
}

/// For people, but for `generation` and `lastLeafEnds`.
fn facts(state: &State) -> String {
    let written = |date: OffsetDateTime| date.format(&Rfc3339).ok();
    let fact = |authority: &Trusted| {
        json!({
            "serial": authority.summary().serial,
            "notAfter": written(authority.summary().not_after),
            "lastLeafEnds": authority.last_leaf_ends().and_then(written),
        })
    };
    let facts = json!({
        "generation": state.generation(),
        "authorities": state.authorities().iter().map(fact).collect::<Vec<_>>(),
    });
    format!("{facts:#}\n")
}

/// What was written of it; where that is not known, its leaves may live as long as it does.
fn last_leaf_ends(facts: &Value, authority: &Summary) -> Option<OffsetDateTime> {
    let known = facts["authorities"].as_array().into_iter().flatten();
    let fact = known.into_iter().find(|fact| fact["serial"] == authority.serial.as_str());
    match fact.map(|fact| &fact["lastLeafEnds"]) {
        Some(Value::Null) => None,
        Some(Value::String(date)) => {
            Some(OffsetDateTime::parse(date, &Rfc3339).unwrap_or(authority.not_after))
        }
        _ => Some(authority.not_after),
    }
}

fn text(entries: &Entries, name: &str) -> String {
    entries.get(name).map_or_else(String::new, |bytes| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests;
