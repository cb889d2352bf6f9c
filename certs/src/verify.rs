//! Whether an API server that calls accepts a certificate, as Go's TLS client judges.
//!
//! Source: Go 1.26 `crypto/x509/verify.go`. Where it takes more than webpki does, so do we: what works is not refused.

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use time::OffsetDateTime;
use webpki::{EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter};
use x509_parser::{certificate::X509Certificate, x509::X509Version};

use crate::inspect::{self, Summary};

/// `id-kp-serverAuth` and `anyExtendedKeyUsage`, in DER.
///
/// Source: RFC 5280, section 4.2.1.12.
const SERVES: [KeyPurposeId<'_>; 2] =
    [KeyPurposeId::new(&[43, 6, 1, 5, 5, 7, 3, 1]), KeyPurposeId::new(&[85, 29, 37, 0])];

/// Why a certificate is refused, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its time has not come, or has passed.
    #[error("the certificate is not valid at this time")]
    Time,
    /// It is for others.
    #[error(
        "the certificate is for {has}, and the API server asks for {needed}: issue one that has this among its subject alternative names"
    )]
    Name {
        /// The names it has; «no name» where there are none.
        has: String,
        /// The first that is asked for and not among them.
        needed: String,
    },
    /// It is not for servers.
    #[error(
        "the certificate is not for servers: issue one whose extended key usage has serverAuth, or that has none"
    )]
    Usage,
    /// Nobody who is trusted vouches for it.
    #[error(
        "no authority of the registered caBundle has issued the certificate: ca.crt must be of the one that has, and what lies between belongs into tls.crt"
    )]
    Authority,
}

impl Refusal {
    /// Whether only another certificate helps, and waiting for a registration does not.
    #[must_use]
    pub const fn is_of_the_certificate(&self) -> bool {
        matches!(self, Self::Name { .. } | Self::Usage)
    }
}

/// Who calls.
pub(crate) struct Caller<'a> {
    /// Whom it trusts.
    pub(crate) trusted: &'a [CertificateDer<'static>],
    /// The DNS names and addresses at which it calls.
    pub(crate) hosts: &'a [String],
    pub(crate) now: OffsetDateTime,
}

/// Judges a chain, whose first certificate is `leaf`.
pub(crate) fn chain(
    chain: &[CertificateDer<'static>],
    leaf: &Summary,
    caller: &Caller<'_>,
) -> Result<(), Refusal> {
    if !(leaf.not_before..=leaf.not_after).contains(&caller.now) {
        return Err(Refusal::Time);
    }
    if let Some(needed) = caller.hosts.iter().find(|host| !leaf.covers(host)) {
        let has = if leaf.names.is_empty() { "no name".to_owned() } else { leaf.names.join(", ") };
        return Err(Refusal::Name { has, needed: needed.clone() });
    }
    if !inspect::parse(leaf.der()).is_some_and(|leaf| may_serve(&leaf)) {
        return Err(Refusal::Usage);
    }
    // Trusted by itself, whoever has signed it.
    if caller.trusted.contains(leaf.der()) || has_path(chain, caller) {
        return Ok(());
    }
    Err(Refusal::Authority)
}

fn has_path(chain: &[CertificateDer<'static>], caller: &Caller<'_>) -> bool {
    let roots: Vec<_> = caller.trusted.iter().filter(|root| is_authority(root, caller.now)).collect();
    let anchors: Vec<TrustAnchor<'_>> =
        roots.iter().filter_map(|root| webpki::anchor_from_trusted_cert(root).ok()).collect();
    let (Some((leaf, between)), Ok(now)) = (chain.split_first(), u64::try_from(caller.now.unix_timestamp()))
    else {
        return false;
    };
    let algorithms = crate::provider().signature_verification_algorithms.all;
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now));
    let verified = EndEntityCert::try_from(leaf).and_then(|leaf| {
        leaf.verify_for_usage(algorithms, &anchors, between, now, ForServers, None, None).map(drop)
    });
    match verified {
        // Nothing wrong with it for Go: a leaf that may sign others too, as `openssl req -x509` makes it, or one without extensions.
        Err(Error::CaUsedAsEndEntity | Error::UnsupportedCertVersion) => {
            let is_signed =
                |one| roots.contains(&one) || roots.iter().any(|root| inspect::is_issued_by(one, root));
            signed_run(chain).iter().any(is_signed)
        }
        verified => verified.is_ok(),
    }
}

/// The leaf and what follows, as long as each certificate is signed by the next.
fn signed_run<'a>(chain: &'a [CertificateDer<'static>]) -> &'a [CertificateDer<'static>] {
    let signed = chain.windows(2).take_while(|pair| inspect::is_issued_by(&pair[0], &pair[1])).count();
    &chain[..(signed + 1).min(chain.len())]
}

/// Whether Go lets it sign others now and for servers.
fn is_authority(der: &CertificateDer<'_>, now: OffsetDateTime) -> bool {
    let Some(certificate) = inspect::parse(der) else { return false };
    let is_current = certificate.validity().not_before.timestamp() <= now.unix_timestamp()
        && now.unix_timestamp() <= certificate.validity().not_after.timestamp();
    let may_sign = match certificate.key_usage() {
        Ok(Some(usage)) => usage.value.key_cert_sign(),
        _ => true,
    };
    let is_old = certificate.version() != X509Version::V3;
    is_current && may_sign && (is_old || certificate.is_ca()) && may_serve(&certificate)
}

/// Whether its extended key usage, if there is any, has server authentication.
fn may_serve(certificate: &X509Certificate<'_>) -> bool {
    match certificate.extended_key_usage() {
        Ok(Some(usage)) => usage.value.any || usage.value.server_auth,
        found => found.is_ok(),
    }
}

/// The same for what lies between.
struct ForServers;

impl ExtendedKeyUsageValidator for ForServers {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let mut is_empty = true;
        for purpose in purposes {
            if SERVES.contains(&purpose?) {
                return Ok(());
            }
            is_empty = false;
        }
        if is_empty { Ok(()) } else { Err(Error::UnknownIssuer) }
    }
}

#[cfg(test)]
mod tests;
