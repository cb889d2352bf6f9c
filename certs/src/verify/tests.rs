//! What an API server accepts and refuses, with certificates as people bring them.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use super::*;
use crate::ServingPair;

const NEEDED: &str = "hooks.guard.svc";

/// A certificate with its key, which may sign others.
struct Signed {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
    key_pem: String,
}

fn params(names: &[&str]) -> CertificateParams {
    let mut params =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    params.not_before = OffsetDateTime::now_utc() - Duration::HOUR;
    params.not_after = OffsetDateTime::now_utc() + Duration::HOUR;
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(&[]);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn sign(params: CertificateParams, by: Option<&Signed>) -> Signed {
    let key = KeyPair::generate().unwrap();
    let key_pem = key.serialize_pem();
    let certificate = match by {
        Some(by) => params.signed_by(&key, &by.issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    Signed { certificate, issuer: Issuer::new(params, key), key_pem }
}

/// What is said of this chain, leaf first, by who trusts `trusted` and calls `host`.
fn refusal(chain: &[&Signed], trusted: &[&Signed], host: &str) -> Option<Refusal> {
    let pem = |all: &[&Signed]| all.iter().map(|one| one.certificate.pem()).collect::<String>();
    let pair = ServingPair::from_pem(pem(chain).as_bytes(), chain[0].key_pem.as_bytes(), None).unwrap();
    pair.refused(&pem(trusted), &[host.to_owned()], OffsetDateTime::now_utc())
}

#[test]
fn a_certificate_for_another_name_was_called_trusted() {
    let root = sign(authority("root"), None);
    let leaf = sign(params(&["wrong.example", "hooks.guard"]), Some(&root));
    let refused = refusal(&[&leaf], &[&root], NEEDED).unwrap();
    assert_eq!(
        refused.to_string(),
        "the certificate is for wrong.example, hooks.guard, and the API server asks for hooks.guard.svc: issue one that has \
         this among its subject alternative names"
    );
    assert!(refused.is_of_the_certificate());
}

#[test]
fn a_common_name_is_no_name() {
    let root = sign(authority("root"), None);
    let mut named = params(&[]);
    named.distinguished_name.push(DnType::CommonName, NEEDED);
    let refused = refusal(&[&sign(named, Some(&root))], &[&root], NEEDED);
    assert_eq!(refused, Some(Refusal::Name { has: "no name".into(), needed: NEEDED.into() }));
}

#[test]
fn names_are_wildcards_and_addresses_too_and_an_address_is_no_dns_name() {
    let root = sign(authority("root"), None);
    let leaf = sign(params(&["*.guard.svc", "10.0.0.1", "::1"]), Some(&root));
    for host in [NEEDED, "10.0.0.1", "::1"] {
        assert_eq!(refusal(&[&leaf], &[&root], host), None, "{host}");
    }
    for host in ["a.hooks.guard.svc", "guard.svc", "10.0.0.2"] {
        assert!(matches!(refusal(&[&leaf], &[&root], host), Some(Refusal::Name { .. })), "{host}");
    }
    let mut written = params(&[]);
    written.subject_alt_names = vec![SanType::DnsName("10.0.0.1".try_into().unwrap())];
    let leaf = sign(written, Some(&root));
    assert!(matches!(refusal(&[&leaf], &[&root], "10.0.0.1"), Some(Refusal::Name { .. })));
}

#[test]
fn a_certificate_for_clients_was_called_trusted() {
    let root = sign(authority("root"), None);
    for (usages, is_fine) in [
        (vec![], true),
        (vec![ExtendedKeyUsagePurpose::ClientAuth], false),
        (vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth], true),
        (vec![ExtendedKeyUsagePurpose::Any], true),
    ] {
        for trusts_itself in [false, true] {
            let mut params = params(&[NEEDED]);
            params.extended_key_usages.clone_from(&usages);
            let leaf = sign(params, Some(&root));
            let trusted = if trusts_itself { &leaf } else { &root };
            let expected = (!is_fine).then_some(Refusal::Usage);
            assert_eq!(refusal(&[&leaf], &[trusted], NEEDED), expected, "{usages:?}");
        }
    }
}

#[test]
fn a_chain_must_lead_from_the_leaf_to_an_authority() {
    let root = sign(authority("root"), None);
    let between = sign(authority("between"), Some(&root));
    let leaf = sign(params(&[NEEDED]), Some(&between));
    assert_eq!(refusal(&[&leaf, &between], &[&root], NEEDED), None);
    assert_eq!(refusal(&[&leaf, &between, &root], &[&root], NEEDED), None);
    assert_eq!(refusal(&[&leaf], &[&between], NEEDED), None, "an authority need not be a root");
    assert_eq!(refusal(&[&leaf], &[&root], NEEDED), Some(Refusal::Authority));
    let stranger = sign(params(&[NEEDED]), Some(&sign(authority("between"), None)));
    for chain in [[&stranger, &between], [&stranger, &root]] {
        let refused = refusal(&chain, &[&root], NEEDED);
        assert_eq!(refused, Some(Refusal::Authority), "whose chain does not sign it");
    }
}

#[test]
fn authorities_that_may_not_sign_or_have_expired_vouch_for_nobody() {
    let mut no_signer = authority("no signer");
    no_signer.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let mut expired = authority("expired");
    expired.not_after = OffsetDateTime::now_utc() - Duration::MINUTE;
    let mut no_authority = authority("no authority");
    no_authority.is_ca = IsCa::ExplicitNoCa;
    let mut for_clients = authority("for clients");
    for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for params_of_root in [no_signer, expired, no_authority, for_clients.clone()] {
        let root = sign(params_of_root, None);
        let leaf = sign(params(&[NEEDED]), Some(&root));
        assert_eq!(refusal(&[&leaf], &[&root], NEEDED), Some(Refusal::Authority));
    }
    let root = sign(authority("root"), None);
    let between = sign(for_clients, Some(&root));
    let leaf = sign(params(&[NEEDED]), Some(&between));
    assert_eq!(refusal(&[&leaf, &between], &[&root], NEEDED), Some(Refusal::Authority));
}

#[test]
fn a_certificate_that_signs_itself_is_trusted_by_itself_authority_or_not() {
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut own = params(&[NEEDED]);
        own.is_ca = is_ca;
        let leaf = sign(own, None);
        assert_eq!(refusal(&[&leaf], &[&leaf], NEEDED), None);
        assert!(matches!(refusal(&[&leaf], &[&leaf], "other"), Some(Refusal::Name { .. })));
        assert_eq!(refusal(&[&leaf], &[&sign(params(&[NEEDED]), None)], NEEDED), Some(Refusal::Authority));
    }
}

#[test]
fn a_leaf_that_could_sign_others_is_one_all_the_same() {
    let root = sign(authority("root"), None);
    let between = sign(authority("between"), Some(&root));
    let mut both = authority("both");
    both.subject_alt_names = params(&[NEEDED]).subject_alt_names;
    let leaf = sign(both.clone(), Some(&between));
    assert_eq!(refusal(&[&leaf, &between], &[&root], NEEDED), None);
    assert_eq!(refusal(&[&leaf], &[&between], NEEDED), None);
    assert_eq!(refusal(&[&leaf], &[&root], NEEDED), Some(Refusal::Authority));
    let stranger = sign(both, Some(&sign(authority("between"), None)));
    assert_eq!(refusal(&[&stranger, &between], &[&root], NEEDED), Some(Refusal::Authority));
}

#[test]
fn what_has_expired_is_refused_even_where_it_is_trusted_itself() {
    let mut expired = params(&[NEEDED]);
    expired.not_after = OffsetDateTime::now_utc() - Duration::MINUTE;
    let leaf = sign(expired, None);
    assert_eq!(refusal(&[&leaf], &[&leaf], NEEDED), Some(Refusal::Time));
}
