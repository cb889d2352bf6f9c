//! The certificates that replicas share, and what can be done to them.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;

use super::{Knobs, Step};
use crate::{
    Authority, Leaf, Name, ServingPair, Summary,
    authority::{self, CLOCK_SKEW},
    inspect, pair,
};

/// Authorities, the newest last, and the leaf that is served.
#[derive(Debug, Clone, Default)]
pub struct State {
    generation: u64,
    authorities: Vec<Trusted>,
    leaf: Option<Issued>,
}

/// An authority that clients are told to trust.
#[derive(Debug, Clone)]
pub struct Trusted {
    certificate_pem: String,
    summary: Summary,
    signer: Option<Arc<Authority>>,
    last_leaf_ends: Option<OffsetDateTime>,
}

/// The leaf that is served, and whose it is.
#[derive(Debug, Clone)]
pub struct Issued {
    leaf: Leaf,
    pair: ServingPair,
    issuer: usize,
}

/// Why a step could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The authority or the leaf was not made.
    #[error("cannot make a certificate")]
    Make(#[from] authority::Error),
    /// What was made cannot be served.
    #[error("cannot serve the certificate that was made")]
    Pair(#[from] pair::Error),
    /// The step names an authority that is not there, or has no key.
    #[error("there is no such authority to sign with")]
    NoSigner,
}

impl State {
    pub(crate) fn new(authorities: Vec<Trusted>, leaf: Option<Issued>) -> Self {
        Self { generation: 0, authorities, leaf }
    }

    pub(crate) fn at_generation(self, generation: u64) -> Self {
        Self { generation, ..self }
    }

    /// How many steps have led here: what a replica writes has more than what it has read.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The authorities, oldest first.
    #[must_use]
    pub fn authorities(&self) -> &[Trusted] {
        &self.authorities
    }

    /// The leaf, once there is one.
    #[must_use]
    pub fn leaf(&self) -> Option<&Issued> {
        self.leaf.as_ref()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.authorities.is_empty() && self.leaf.is_none()
    }

    /// What must be registered: the certificates of all authorities as PEM, oldest first; `None` without any.
    #[must_use]
    pub fn bundle(&self) -> Option<String> {
        let bundle: String = self.authorities.iter().map(Trusted::certificate_pem).collect();
        (!bundle.is_empty()).then_some(bundle)
    }

    /// Whether `registered`, which is PEM, holds every authority.
    #[must_use]
    pub fn is_registered(&self, registered: Option<&str>) -> bool {
        let found = certificates(registered);
        self.authorities.iter().all(|authority| found.contains(authority.summary.der()))
    }

    /// Whether this certificate, PEM as [`Trusted::certificate_pem`] has it, is one of the authorities.
    pub(super) fn is_beside(&self, certificate_pem: &str) -> bool {
        self.authorities.iter().any(|authority| authority.certificate_pem == certificate_pem)
    }

    /// Leaf, key and bundle, ready to serve.
    #[must_use]
    pub fn pair(&self) -> Option<ServingPair> {
        let leaf = self.leaf.as_ref()?;
        Some(leaf.pair.clone().with_authority(self.bundle()))
    }

    /// Takes a step; returns whether that changed anything.
    ///
    /// # Errors
    /// When a certificate cannot be made; then nothing is changed.
    pub fn take(&mut self, step: Step, now: OffsetDateTime, knobs: &Knobs) -> Result<bool, Error> {
        match step {
            Step::MakeAuthority => self.make_authority(now, knobs)?,
            Step::MakeLeaf { issuer } => self.make_leaf(issuer, now, knobs)?,
            Step::DropAuthority { index } => self.drop_authority(index),
            Step::Wait { .. } => return Ok(false),
        }
        self.generation = self.generation.saturating_add(1);
        Ok(true)
    }

    fn make_authority(&mut self, now: OffsetDateTime, knobs: &Knobs) -> Result<(), Error> {
        let authority = Authority::new_at(now, &knobs.authority_name, knobs.authority_life)?;
        self.authorities.push(Trusted::new(authority));
        Ok(())
    }

    fn make_leaf(&mut self, issuer: usize, now: OffsetDateTime, knobs: &Knobs) -> Result<(), Error> {
        let authority = self.authorities.get_mut(issuer).ok_or(Error::NoSigner)?;
        let signer = authority.signer.clone().ok_or(Error::NoSigner)?;
        let leaf = signer.issue_at(now, &names_beside(self.leaf.as_ref(), knobs), knobs.leaf_life)?;
        let next = Issued { pair: leaf.serving_pair(None)?, leaf, issuer };
        authority.last_leaf_ends = authority.last_leaf_ends.max(Some(next.not_after()));
        self.leaf = Some(next);
        Ok(())
    }

    fn drop_authority(&mut self, index: usize) {
        if index >= self.authorities.len() {
            return;
        }
        self.authorities.remove(index);
        self.leaf = self.leaf.take().filter(|leaf| leaf.issuer != index);
        if let Some(leaf) = self.leaf.as_mut().filter(|leaf| leaf.issuer > index) {
            leaf.issuer -= 1;
        }
    }
}

/// What is trusted and served, however it came about.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        let authorities =
            |state: &Self| state.authorities.iter().map(|one| one.summary.der().clone()).collect::<Vec<_>>();
        let leaf = |state: &Self| state.leaf.as_ref().map(|leaf| leaf.pair.leaf().der().clone());
        authorities(self) == authorities(other) && leaf(self) == leaf(other)
    }
}

/// The names to issue for. Where they change, those of the leaf before stay for one life more: replicas that are told the old
/// names, while a new version rolls out, would else take turns with those that are told the new ones.
fn names_beside(leaf: Option<&Issued>, knobs: &Knobs) -> Vec<Name> {
    let mut names = knobs.names.clone();
    if let Some(leaf) = leaf.filter(|leaf| !knobs.are_names_of(leaf)) {
        names.extend(leaf.pair.leaf().names.iter().filter_map(|name| name.parse().ok()));
    }
    names
}

impl Trusted {
    /// An authority that has signed nothing yet.
    #[must_use]
    pub fn new(authority: Authority) -> Self {
        let certificate_pem = format!("{}\n", authority.certificate_pem().trim());
        let summary = authority.summary().clone();
        Self { certificate_pem, summary, signer: Some(Arc::new(authority)), last_leaf_ends: None }
    }

    /// One of which only the certificate is known: it is trusted as long as it has leaves, and signs none.
    pub(crate) fn without_key(certificate_pem: &str, summary: Summary) -> Self {
        let certificate_pem = format!("{}\n", certificate_pem.trim());
        Self { certificate_pem, summary, signer: None, last_leaf_ends: None }
    }

    pub(crate) fn with_last_leaf(self, last_leaf_ends: Option<OffsetDateTime>) -> Self {
        Self { last_leaf_ends, ..self }
    }

    /// The certificate as PEM, one section.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// What the certificate says.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The authority with its key, if that is known.
    #[must_use]
    pub fn signer(&self) -> Option<&Authority> {
        self.signer.as_deref()
    }

    /// When the last of its leaves ends; `None` while it has none.
    #[must_use]
    pub fn last_leaf_ends(&self) -> Option<OffsetDateTime> {
        self.last_leaf_ends
    }

    /// Whether a leaf that it signs at `now` would be accepted then.
    pub(super) fn can_sign(&self, now: OffsetDateTime) -> bool {
        self.signer.is_some() && (self.summary.not_before..self.summary.not_after).contains(&now)
    }

    pub(super) fn is_in(&self, registered: Option<&str>) -> bool {
        certificates(registered).contains(self.summary.der())
    }

    pub(super) fn made(&self) -> OffsetDateTime {
        made(&self.summary)
    }

    pub(super) fn not_after(&self) -> OffsetDateTime {
        self.summary.not_after
    }
}

impl Issued {
    /// Looks for the authority that signed the leaf; `None` where none of them did.
    pub(crate) fn find(leaf: Leaf, pair: ServingPair, authorities: &[Trusted]) -> Option<Self> {
        let is_issuer = |authority: &Trusted| {
            let chain = &pair.certified_key().cert;
            chain.iter().any(|certificate| inspect::is_issued_by(certificate, authority.summary.der()))
        };
        let issuer = authorities.iter().rposition(is_issuer)?;
        Some(Self { leaf, pair, issuer })
    }

    /// Certificate and key.
    #[must_use]
    pub fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// Index of the authority that signed it.
    #[must_use]
    pub const fn issuer(&self) -> usize {
        self.issuer
    }

    /// When it ends.
    #[must_use]
    pub fn not_after(&self) -> OffsetDateTime {
        self.pair.leaf().not_after
    }

    pub(super) fn not_before(&self) -> OffsetDateTime {
        self.pair.leaf().not_before
    }

    pub(super) fn made(&self) -> OffsetDateTime {
        made(self.pair.leaf())
    }

    pub(super) fn covers(&self, name: &Name) -> bool {
        self.pair.leaf().covers(&name.to_string())
    }
}

/// When it was made: its validity begins before that, for clocks that are behind.
fn made(summary: &Summary) -> OffsetDateTime {
    summary.not_before.saturating_add(super::signed(CLOCK_SKEW)).min(summary.not_after)
}

pub(super) fn certificates(bundle: Option<&str>) -> Vec<CertificateDer<'static>> {
    bundle.map_or_else(Vec::new, |bundle| pair::certificates(bundle.as_bytes()).unwrap_or_default())
}
