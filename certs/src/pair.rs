//! A certificate chain with its private key, ready to serve, checked to belong together.

use std::{fmt, sync::Arc};

use rustls::{InconsistentKeys, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use time::OffsetDateTime;

use crate::{
    inspect::{self, Summary},
    verify::{self, Caller, Refusal},
};

/// A private key as PEM text; neither `Debug` nor anything else prints it by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKeyPem(String);

impl PrivateKeyPem {
    pub(crate) fn new(pem: String) -> Self {
        Self(pem)
    }

    /// The secret text itself, for the one who writes the file.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyPem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKeyPem(…)")
    }
}

/// Why PEM bytes do not make a pair. No variant carries input or a parser's message: both may quote the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No `CERTIFICATE` section, or one that cannot be decoded.
    #[error("no readable PEM certificate")]
    NotACertificate,
    /// The first certificate is not X.509 as this crate reads it.
    #[error("the first PEM section is not a readable X.509 certificate")]
    Unreadable(#[source] inspect::Error),
    /// No private key section, or one that cannot be decoded.
    #[error("no readable PEM private key")]
    NotAKey,
    /// A key that needs a passphrase.
    #[error("the private key is encrypted")]
    EncryptedKey,
    /// A key of an algorithm or size that the provider does not sign with.
    #[error(
        "the private key is of an unsupported kind; use ECDSA P-256 or P-384, Ed25519, or RSA of 2048 bits or more"
    )]
    UnsupportedKey,
    /// The key is not the one in the certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
}

/// Where a moment falls in the life of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Before `not_before`.
    NotYet,
    /// Between the two, both included.
    Current,
    /// After `not_after`.
    Expired,
}

/// What a TLS server serves: chain and key, and the authority that clients are told to trust.
#[derive(Clone)]
pub struct ServingPair {
    certified_key: Arc<CertifiedKey>,
    authority_pem: Option<String>,
    leaf: Summary,
}

impl ServingPair {
    /// Reads a chain (leaf first) and its key, in PKCS#8, SEC1 or PKCS#1, both as PEM; checks that they belong together.
    ///
    /// `authority_pem` is kept as it is, for a `caBundle`. Dates are not judged here: see [`Self::validity`].
    ///
    /// # Errors
    /// See [`Error`].
    pub fn from_pem(chain: &[u8], key: &[u8], authority_pem: Option<String>) -> Result<Self, Error> {
        let chain = certificates(chain)?;
        let leaf = chain.first().ok_or(Error::NotACertificate)?;
        let leaf = Summary::from_der(leaf).map_err(Error::Unreadable)?;
        let key = private_key(key)?;
        let certified_key =
            CertifiedKey::from_der(chain, key, &crate::provider()).map_err(|error| match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Error::KeyMismatch,
                rustls::Error::InvalidCertificate(_) => Error::NotACertificate,
                _ => Error::UnsupportedKey,
            })?;
        Ok(Self { certified_key: Arc::new(certified_key), authority_pem, leaf })
    }

    /// Chain and key in the form in which rustls signs with them.
    #[must_use]
    pub fn certified_key(&self) -> &Arc<CertifiedKey> {
        &self.certified_key
    }

    /// The authority's certificates as PEM, if they were given: the `caBundle`, before base64.
    #[must_use]
    pub fn authority_pem(&self) -> Option<&str> {
        self.authority_pem.as_deref()
    }

    pub(crate) fn with_authority(self, authority_pem: Option<String>) -> Self {
        Self { authority_pem, ..self }
    }

    /// What the leaf certificate says.
    #[must_use]
    pub fn leaf(&self) -> &Summary {
        &self.leaf
    }

    /// Whether the leaf may be served at `now`. An expired pair still loads: an old certificate in the log beats a server that is down.
    #[must_use]
    pub fn validity(&self, now: OffsetDateTime) -> Validity {
        if now < self.leaf.not_before {
            Validity::NotYet
        } else if now > self.leaf.not_after {
            Validity::Expired
        } else {
            Validity::Current
        }
    }

    /// Why a caller who asks for `hosts` and trusts `bundle`, which is PEM, refuses this pair at `now`; `None` if it accepts it.
    #[must_use]
    pub fn refused(&self, bundle: &str, hosts: &[String], now: OffsetDateTime) -> Option<Refusal> {
        let trusted = certificates(bundle.as_bytes()).unwrap_or_default();
        verify::chain(&self.certified_key.cert, &self.leaf, &Caller { trusted: &trusted, hosts, now }).err()
    }

    /// Whether somebody who asks for no name accepts it by `bundle`, from its first moment.
    #[cfg(test)]
    pub(crate) fn trusted_by(&self, bundle: &str) -> bool {
        self.refused(bundle, &[], self.leaf.not_before).is_none()
    }

    /// The same by its own authority; `None` without one.
    #[cfg(test)]
    pub(crate) fn trusted_by_authority(&self) -> Option<bool> {
        Some(self.trusted_by(self.authority_pem.as_ref()?))
    }
}

impl fmt::Debug for ServingPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServingPair").field("leaf", &self.leaf).finish_non_exhaustive()
    }
}

/// Every certificate of a PEM text, in order; at least one.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or(Error::NotACertificate)
}

/// The first private key of a PEM text; sections of another kind (`EC PARAMETERS`) are passed over.
pub(crate) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    const ENCRYPTED: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    if ENCRYPTED.iter().any(|mark| pem.windows(mark.len()).any(|window| window == *mark)) {
        return Err(Error::EncryptedKey);
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| Error::NotAKey)
}
