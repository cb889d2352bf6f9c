//! What a certificate says, as data; printing it is someone else's job.

use std::{fmt, net::IpAddr};

use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, parse_x509_certificate, public_key::PublicKey,
    x509::SubjectPublicKeyInfo,
};

use crate::{Name, pair};

/// Why a certificate could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text holds no PEM section `CERTIFICATE`, or a damaged one.
    #[error("no readable PEM certificate")]
    NotPem,
    /// The bytes are not X.509, or hold more than one certificate.
    #[error("not an X.509 certificate")]
    NotX509,
    /// A date that no calendar here can hold.
    #[error("the certificate has a date out of range")]
    Date,
}

/// What one certificate says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The distinguished name, for example `CN=hooks.demo.svc`; may be empty.
    pub subject: String,
    /// The distinguished name of who signed it.
    pub issuer: String,
    /// Subject alternative names in the certificate's order: DNS names and addresses; other kinds as `kind:value`.
    pub names: Vec<String>,
    /// First moment of validity, UTC.
    pub not_before: OffsetDateTime,
    /// Last moment of validity, UTC.
    pub not_after: OffsetDateTime,
    /// The serial number as hexadecimal bytes with colons.
    pub serial: String,
    /// Algorithm and size of the public key.
    pub key: KeyKind,
    /// Whether its basic constraints allow it to sign certificates.
    pub is_authority: bool,
    der: CertificateDer<'static>,
}

/// Algorithm and size of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA, with the size of the curve in bits.
    Ecdsa(usize),
    /// RSA, with the size of the modulus in bits.
    Rsa(usize),
    /// Ed25519.
    Ed25519,
    /// Another one, by its object identifier.
    Other(String),
}

impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ecdsa(bits) => write!(formatter, "ECDSA P-{bits}"),
            Self::Rsa(bits) => write!(formatter, "RSA {bits}"),
            Self::Ed25519 => formatter.write_str("Ed25519"),
            Self::Other(identifier) => formatter.write_str(identifier),
        }
    }
}

impl Summary {
    /// Reads every certificate of a PEM text, in order; at least one.
    ///
    /// # Errors
    /// When there is none, or one of them cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Vec<Self>, Error> {
        let certificates = pair::certificates(pem).map_err(|_| Error::NotPem)?;
        certificates.iter().map(|der| Self::from_der(der)).collect()
    }

    /// Reads one certificate in DER.
    ///
    /// # Errors
    /// When the bytes are not exactly one X.509 certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let certificate = parse(der).ok_or(Error::NotX509)?;
        let validity = certificate.validity();
        Ok(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names: alternative_names(&certificate),
            not_before: moment(validity.not_before.timestamp())?,
            not_after: moment(validity.not_after.timestamp())?,
            serial: certificate.raw_serial_as_string(),
            key: key_kind(certificate.public_key()),
            is_authority: certificate.is_ca(),
            der: CertificateDer::from(der.to_vec()),
        })
    }

    /// Whether `authority` signed this certificate: the names match, it may sign, and the signature holds. Dates are not judged.
    #[must_use]
    pub fn issued_by(&self, authority: &Self) -> bool {
        is_issued_by(&self.der, &authority.der)
    }

    /// The certificate itself.
    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Whether a client that asks for `host`, a DNS name or an address without brackets, finds it among the names; `*` stands for one label.
    ///
    /// The common name does not count, and an address only where it is written as one: an address among the DNS names is found by nobody.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        let (Ok(wanted), Some(certificate)) = (host.parse::<Name>(), parse(&self.der)) else { return false };
        let Ok(Some(extension)) = certificate.subject_alternative_name() else { return false };
        extension.value.general_names.iter().any(|name| match (name, &wanted) {
            (GeneralName::DNSName(name), Name::Dns(wanted)) => is_dns_name_of(name, wanted),
            (GeneralName::IPAddress(octets), Name::Ip(wanted)) => address(octets) == wanted.to_string(),
            _ => false,
        })
    }

    /// Whole days from `now` until the end of validity, rounded down: 0 on the last day, negative once expired.
    #[must_use]
    pub fn days_left(&self, now: OffsetDateTime) -> i64 {
        (self.not_after - now).whole_seconds().div_euclid(86_400)
    }
}

fn is_dns_name_of(name: &str, wanted: &str) -> bool {
    let Ok(Name::Dns(name)) = name.parse() else { return false };
    let rest = |dns: &str| dns.split_once('.').map(|(_, rest)| rest.to_owned());
    name == wanted || (name.starts_with("*.") && rest(&name) == rest(wanted))
}

pub(crate) fn is_issued_by(certificate: &[u8], authority: &[u8]) -> bool {
    let (Some(certificate), Some(authority)) = (parse(certificate), parse(authority)) else { return false };
    authority.is_ca()
        && certificate.issuer().as_raw() == authority.subject().as_raw()
        && certificate.verify_signature(Some(authority.public_key())).is_ok()
}

pub(crate) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = parse_x509_certificate(der).ok()?;
    rest.is_empty().then_some(certificate)
}

fn moment(seconds: i64) -> Result<OffsetDateTime, Error> {
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| Error::Date)
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    extension.value.general_names.iter().map(alternative_name).collect()
}

fn alternative_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(dns) => (*dns).to_owned(),
        GeneralName::IPAddress(octets) => address(octets),
        GeneralName::URI(uri) => format!("uri:{uri}"),
        GeneralName::RFC822Name(mail) => format!("email:{mail}"),
        _ => "other:…".to_owned(),
    }
}

fn address(octets: &[u8]) -> String {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    let v6 = <[u8; 16]>::try_from(octets).map(IpAddr::from);
    v4.or(v6).map_or_else(|_| "other:…".to_owned(), |address| address.to_string())
}

fn key_kind(key: &SubjectPublicKeyInfo<'_>) -> KeyKind {
    const ED25519: &str = "1.3.101.112";
    match key.parsed() {
        Ok(PublicKey::EC(point)) => KeyKind::Ecdsa(point.key_size()),
        Ok(PublicKey::RSA(key)) => KeyKind::Rsa(key.key_size()),
        _ if key.algorithm.algorithm.to_id_string() == ED25519 => KeyKind::Ed25519,
        _ => KeyKind::Other(key.algorithm.algorithm.to_id_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};

    use super::*;
    use crate::{
        Authority,
        authority::{CLOCK_SKEW, DAY},
    };

    #[test]
    fn a_summary_says_what_was_issued() {
        let authority = Authority::new("demo authority", 90 * DAY).unwrap();
        let names = ["hooks.demo.svc", "127.0.0.1", "::1"].map(|name| name.parse().unwrap());
        let leaf = authority.issue(&names, 30 * DAY).unwrap();
        let summary = &Summary::from_pem(leaf.certificate_pem().as_bytes()).unwrap()[0];
        assert_eq!(summary.subject, "CN=hooks.demo.svc");
        assert_eq!(summary.issuer, "CN=demo authority");
        assert_eq!(summary.names, ["hooks.demo.svc", "127.0.0.1", "::1"]);
        assert_eq!(summary.key.to_string(), "ECDSA P-256");
        assert!(!summary.is_authority);
        assert!(authority.summary().is_authority);
        assert_eq!(summary.not_after - summary.not_before, 30 * DAY + CLOCK_SKEW);
    }

    #[test]
    fn a_name_covers_what_a_client_may_ask_for() {
        let names = ["hooks.demo.svc", "*.shop.svc", "10.0.0.1", "::1"].map(|name| name.parse().unwrap());
        let leaf = Authority::new("demo", DAY).unwrap().issue(&names, DAY).unwrap();
        let summary = &Summary::from_pem(leaf.certificate_pem().as_bytes()).unwrap()[0];
        for host in ["hooks.demo.svc", "HOOKS.demo.svc", "a.shop.svc", "10.0.0.1", "0:0::1"] {
            assert!(summary.covers(host), "{host}");
        }
        for host in ["demo.svc", "a.b.shop.svc", "shop.svc", "10.0.0.2", "", "a b"] {
            assert!(!summary.covers(host), "{host}");
        }
    }

    #[test]
    fn only_the_authority_that_signed_is_the_issuer_even_under_the_same_name() {
        let authority = Authority::new("same", DAY).unwrap();
        let other = Authority::new("same", DAY).unwrap();
        let leaf = authority.issue(&["a".parse().unwrap()], DAY).unwrap();
        let pair = leaf.serving_pair(None).unwrap();
        assert!(pair.leaf().issued_by(authority.summary()));
        assert!(!pair.leaf().issued_by(other.summary()));
        assert!(!authority.summary().issued_by(pair.leaf()));
    }

    #[test]
    fn days_left_round_down_and_go_below_zero() {
        let authority = Authority::new("demo", 10 * DAY).unwrap();
        let end = authority.summary().not_after;
        assert_eq!(authority.summary().days_left(end - 2 * DAY), 2);
        assert_eq!(authority.summary().days_left(end - Duration::from_secs(1)), 0);
        assert_eq!(authority.summary().days_left(end + Duration::from_secs(1)), -1);
    }

    #[test]
    fn other_kinds_of_keys_are_named() {
        let kinds = [
            (&PKCS_ECDSA_P384_SHA384, "ECDSA P-384"),
            (&PKCS_ED25519, "Ed25519"),
            (&PKCS_RSA_SHA256, "RSA 2048"),
        ];
        for (algorithm, expected) in kinds {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let certificate = CertificateParams::default().self_signed(&key).unwrap();
            assert_eq!(Summary::from_der(certificate.der()).unwrap().key.to_string(), expected);
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert_eq!(Summary::from_pem(b"hello"), Err(Error::NotPem));
        assert_eq!(Summary::from_der(b"hello"), Err(Error::NotX509));
        let mut der = Authority::new("demo", DAY).unwrap().summary().der.to_vec();
        der.push(0);
        assert_eq!(Summary::from_der(&der), Err(Error::NotX509));
    }
}
