//! An authority that issues serving certificates: made new, or read from PEM.

use std::{fmt, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use time::OffsetDateTime;
use x509_parser::parse_x509_certificate;

use crate::{Name, PrivateKeyPem, ServingPair, Summary, pair};

/// 24 hours: validities are multiples of it.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How far before its issue a certificate is valid already, for clients whose clock is behind.
pub const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// Why an authority could not be made, read, or could not issue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The authority's certificate or key is not usable PEM.
    #[error("cannot read the authority")]
    Unreadable(#[source] pair::Error),
    /// The certificate may not sign others.
    #[error("the certificate is not that of an authority: its basic constraints do not say CA")]
    NotAnAuthority,
    /// A leaf without a name would be trusted by no client.
    #[error("a serving certificate needs at least one name")]
    NoNames,
    /// Zero, or so long that the end has no date.
    #[error("the validity must be longer than zero and end before the year 10000")]
    Validity,
    /// The provider gave no random bytes for the serial number.
    #[error("no random bytes for the serial number")]
    Random,
    /// The certificate could not be encoded or signed.
    #[error("cannot sign the certificate")]
    Sign(#[source] rcgen::Error),
}

/// A certificate authority with its private key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    key_pem: PrivateKeyPem,
    summary: Summary,
}

/// A serving certificate with its private key.
#[derive(Debug, Clone)]
pub struct Leaf {
    certificate_pem: String,
    key_pem: PrivateKeyPem,
}

impl Authority {
    /// Makes an authority with a new ECDSA P-256 key; `name` becomes its common name.
    ///
    /// # Errors
    /// [`Error::Validity`], or that of the provider.
    pub fn new(name: &str, validity: Duration) -> Result<Self, Error> {
        Self::new_at(OffsetDateTime::now_utc(), name, validity)
    }

    /// The same as if it were `now`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn new_at(now: OffsetDateTime, name: &str, validity: Duration) -> Result<Self, Error> {
        let key = KeyPair::generate().map_err(Error::Sign)?;
        let mut params = params(name, now, validity)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate_pem = params.self_signed(&key).map_err(Error::Sign)?.pem();
        Self::from_pem(&certificate_pem, &key.serialize_pem())
    }

    /// Reads an authority from the first certificate and the first key (PKCS#8, SEC1, PKCS#1) of two PEM texts.
    ///
    /// # Errors
    /// When one of them cannot be read, they do not belong together, or the certificate may not sign others.
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, Error> {
        let certificates = pair::certificates(certificate_pem.as_bytes()).map_err(Error::Unreadable)?;
        let der = certificates.first().ok_or(Error::Unreadable(pair::Error::NotACertificate))?;
        let key = pair::private_key(key_pem.as_bytes()).map_err(Error::Unreadable)?;
        let key = KeyPair::try_from(&key).map_err(|_| Error::Unreadable(pair::Error::UnsupportedKey))?;
        let summary =
            Summary::from_der(der).map_err(|error| Error::Unreadable(pair::Error::Unreadable(error)))?;
        if !summary.is_authority {
            return Err(Error::NotAnAuthority);
        }
        let same_key = parse_x509_certificate(der)
            .is_ok_and(|(_, certificate)| certificate.public_key().raw == key.subject_public_key_info());
        if !same_key {
            return Err(Error::Unreadable(pair::Error::KeyMismatch));
        }
        let issuer = Issuer::from_ca_cert_der(der, key).map_err(Error::Sign)?;
        let key_pem = PrivateKeyPem::new(key_pem.to_owned());
        Ok(Self { issuer, certificate_pem: certificate_pem.to_owned(), key_pem, summary })
    }

    /// Issues a serving certificate for `names`, with a new key, valid from five minutes ago; see [`Self::issue_at`].
    ///
    /// # Errors
    /// As [`Self::issue_at`].
    pub fn issue(&self, names: &[Name], validity: Duration) -> Result<Leaf, Error> {
        self.issue_at(OffsetDateTime::now_utc(), names, validity)
    }

    /// Issues as if it were `now`: ECDSA P-256, random serial number, server authentication only, every name once.
    ///
    /// The leaf never outlives the authority: its end is the earlier of the two.
    ///
    /// # Errors
    /// Without names, with an impossible validity, or when signing fails.
    pub fn issue_at(&self, now: OffsetDateTime, names: &[Name], validity: Duration) -> Result<Leaf, Error> {
        let first = names.first().ok_or(Error::NoNames)?;
        let key = KeyPair::generate().map_err(Error::Sign)?;
        let mut params = params(&first.to_string(), now, validity)?;
        params.not_after = params.not_after.min(self.summary.not_after);
        params.subject_alt_names = alternative_names(names)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate_pem = params.signed_by(&key, &self.issuer).map_err(Error::Sign)?.pem();
        Ok(Leaf { certificate_pem, key_pem: PrivateKeyPem::new(key.serialize_pem()) })
    }

    /// The authority's certificate as PEM: what clients trust, and the `caBundle` before base64.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The authority's private key as PEM.
    #[must_use]
    pub fn key_pem(&self) -> &PrivateKeyPem {
        &self.key_pem
    }

    /// What the authority's certificate says.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").field("summary", &self.summary).finish_non_exhaustive()
    }
}

impl Leaf {
    pub(crate) fn from_pem(certificate_pem: String, key_pem: String) -> Self {
        Self { certificate_pem, key_pem: PrivateKeyPem::new(key_pem) }
    }

    /// The certificate as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The private key as PEM, PKCS#8.
    #[must_use]
    pub fn key_pem(&self) -> &PrivateKeyPem {
        &self.key_pem
    }

    /// The leaf ready to serve, without a detour over files; `authority` is what clients are told to trust.
    ///
    /// # Errors
    /// Only if certificate and key were not made by this crate's provider.
    pub fn serving_pair(&self, authority: Option<&Authority>) -> Result<ServingPair, pair::Error> {
        let authority_pem = authority.map(|authority| authority.certificate_pem.clone());
        ServingPair::from_pem(
            self.certificate_pem.as_bytes(),
            self.key_pem.expose().as_bytes(),
            authority_pem,
        )
    }
}

/// What authority and leaf share: common name, dates, serial number.
fn params(common_name: &str, now: OffsetDateTime, validity: Duration) -> Result<CertificateParams, Error> {
    let now = now.replace_nanosecond(0).map_err(|_| Error::Validity)?;
    let skew = time::Duration::try_from(CLOCK_SKEW).map_err(|_| Error::Validity)?;
    let validity = time::Duration::try_from(validity).map_err(|_| Error::Validity)?;
    if validity.whole_seconds() == 0 {
        return Err(Error::Validity);
    }
    let mut params = CertificateParams::default();
    params.not_before = now.checked_sub(skew).ok_or(Error::Validity)?;
    params.not_after = now.checked_add(validity).ok_or(Error::Validity)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.serial_number = Some(random_serial()?);
    Ok(params)
}

/// 16 random bytes, positive and of fixed length: RFC 5280 §4.1.2.2 allows 20.
fn random_serial() -> Result<SerialNumber, Error> {
    let mut bytes = [0; 16];
    crate::provider().secure_random.fill(&mut bytes).map_err(|_| Error::Random)?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn alternative_names(names: &[Name]) -> Result<Vec<SanType>, Error> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let name = match name {
            Name::Dns(dns) => SanType::DnsName(dns.as_str().try_into().map_err(Error::Sign)?),
            Name::Ip(address) => SanType::IpAddress(*address),
        };
        if !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name {
        "hooks.demo.svc".parse().unwrap()
    }

    #[test]
    fn an_authority_survives_its_pem_and_keeps_issuing() {
        let made = Authority::new("demo", 90 * DAY).unwrap();
        let read = Authority::from_pem(made.certificate_pem(), made.key_pem().expose()).unwrap();
        let leaf = read.issue(&[name()], DAY).unwrap().serving_pair(Some(&made)).unwrap();
        assert!(leaf.leaf().issued_by(made.summary()));
        assert_eq!(leaf.trusted_by_authority(), Some(true));
    }

    #[test]
    fn a_foreign_key_or_a_leaf_makes_no_authority() {
        let authority = Authority::new("demo", DAY).unwrap();
        let other = Authority::new("demo", DAY).unwrap();
        let mixed = Authority::from_pem(authority.certificate_pem(), other.key_pem().expose());
        assert!(matches!(mixed, Err(Error::Unreadable(pair::Error::KeyMismatch))));
        let leaf = authority.issue(&[name()], DAY).unwrap();
        let leaf = Authority::from_pem(leaf.certificate_pem(), leaf.key_pem().expose());
        assert!(matches!(leaf, Err(Error::NotAnAuthority)));
    }

    #[test]
    fn serial_numbers_and_keys_differ_from_leaf_to_leaf() {
        let authority = Authority::new("demo", DAY).unwrap();
        let [one, two] = [(), ()].map(|()| authority.issue(&[name()], DAY).unwrap());
        let serial = |leaf: &Leaf| leaf.serving_pair(None).unwrap().leaf().serial.clone();
        assert_ne!(serial(&one), serial(&two));
        assert_ne!(one.key_pem(), two.key_pem());
    }

    #[test]
    fn a_leaf_starts_before_its_issue_and_ends_with_its_authority() {
        let authority = Authority::new("demo", DAY).unwrap();
        let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
        let pair = authority.issue_at(now, &[name()], 30 * DAY).unwrap().serving_pair(None).unwrap();
        assert_eq!(pair.leaf().not_before, now - CLOCK_SKEW);
        assert_eq!(pair.leaf().not_after, authority.summary().not_after);
    }

    #[test]
    fn a_repeated_name_stands_once_and_none_is_refused() {
        let authority = Authority::new("demo", DAY).unwrap();
        let pair = authority.issue(&[name(), name()], DAY).unwrap().serving_pair(None).unwrap();
        assert_eq!(pair.leaf().names, ["hooks.demo.svc"]);
        assert!(matches!(authority.issue(&[], DAY), Err(Error::NoNames)));
    }

    #[test]
    fn an_impossible_validity_is_refused() {
        assert!(matches!(Authority::new("demo", Duration::ZERO), Err(Error::Validity)));
        assert!(matches!(Authority::new("demo", Duration::MAX), Err(Error::Validity)));
    }

    #[test]
    fn debug_shows_no_key() {
        let authority = Authority::new("demo", DAY).unwrap();
        let leaf = authority.issue(&[name()], DAY).unwrap();
        let pair = leaf.serving_pair(Some(&authority)).unwrap();
        let shown = format!("{authority:?} {leaf:?} {pair:?}");
        for key in [authority.key_pem(), leaf.key_pem()] {
            let line = key.expose().lines().nth(1).unwrap();
            assert!(!shown.contains(line) && !shown.contains("PRIVATE KEY"));
        }
    }
}
