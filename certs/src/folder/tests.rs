//! What a folder of PEM files takes and refuses.

use std::os::unix::fs::PermissionsExt;

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
use tempfile::TempDir;

use super::*;
use crate::{Name, authority::DAY};

fn made() -> (TempDir, Authority, Leaf) {
    let authority = Authority::new("demo", DAY).unwrap();
    let leaf = authority.issue(&["hooks.demo.svc".parse().unwrap()], DAY).unwrap();
    let folder = TempDir::new().unwrap();
    write(folder.path(), &authority, &leaf, false).unwrap();
    (folder, authority, leaf)
}

fn refusal(folder: &TempDir) -> String {
    read(folder.path()).unwrap_err().to_string()
}

#[test]
fn keys_are_for_their_owner_alone_and_nothing_else_is_left_behind() {
    let (folder, ..) = made();
    let mut found: Vec<(String, u32)> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().permissions().mode() & 0o777)
        })
        .collect();
    found.sort();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [AUTHORITY_CERTIFICATE, AUTHORITY_KEY, CERTIFICATE, KEY]);
    assert_eq!((found[1].1, found[3].1), (0o600, 0o600));
}

#[test]
fn an_existing_file_is_named_and_kept_without_force() {
    let (folder, authority, leaf) = made();
    fs::remove_file(folder.path().join(AUTHORITY_CERTIFICATE)).unwrap();
    let before = fs::read(folder.path().join(KEY)).unwrap();
    let other = authority.issue(&["other".parse().unwrap()], DAY).unwrap();
    let refused = write(folder.path(), &authority, &other, false).unwrap_err().to_string();
    assert!(refused.contains("ca.key already exists; use --force"), "{refused}");
    assert!(!folder.path().join(AUTHORITY_CERTIFICATE).exists());
    assert_eq!(fs::read(folder.path().join(KEY)).unwrap(), before);
    assert_eq!(before, leaf.key_pem().expose().as_bytes());
}

#[test]
fn force_replaces_and_closes_a_key_that_stood_open() {
    let (folder, authority, _) = made();
    let key = folder.path().join(KEY);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let other = authority.issue(&["other".parse().unwrap()], DAY).unwrap();
    write(folder.path(), &authority, &other, true).unwrap();
    assert_eq!(read(folder.path()).unwrap().leaf().names, ["other"]);
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_left_by_a_killed_run_is_no_hindrance() {
    let (folder, authority, leaf) = made();
    fs::write(folder.path().join(format!(".{KEY}.{}", process::id())), "half").unwrap();
    write(folder.path(), &authority, &leaf, true).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let (folder, authority, leaf) = made();
    let below_a_file = folder.path().join(CERTIFICATE).join("below");
    let refused = write(&below_a_file, &authority, &leaf, false).unwrap_err();
    assert!(matches!(refused, Error::Write { path, .. } if path == below_a_file));
}

#[test]
fn what_was_written_is_trusted_by_what_was_written() {
    let (folder, authority, _) = made();
    let pair = read(folder.path()).unwrap();
    assert_eq!(pair.authority_pem(), Some(authority.certificate_pem()));
    assert_eq!(pair.trusted_by_authority(), Some(true));
}

#[test]
fn a_foreign_authority_is_noticed_and_none_is_fine() {
    let (folder, ..) = made();
    let stranger = Authority::new("demo", DAY).unwrap();
    fs::write(folder.path().join(AUTHORITY_CERTIFICATE), stranger.certificate_pem()).unwrap();
    assert_eq!(read(folder.path()).unwrap().trusted_by_authority(), Some(false));
    fs::write(folder.path().join(AUTHORITY_CERTIFICATE), "\n").unwrap();
    assert_eq!(read(folder.path()).unwrap().trusted_by_authority(), None);
    fs::remove_file(folder.path().join(AUTHORITY_CERTIFICATE)).unwrap();
    assert_eq!(read(folder.path()).unwrap().authority_pem(), None);
}

#[test]
fn a_chain_is_served_whole() {
    let (folder, authority, leaf) = made();
    let chain = format!("{}{}", leaf.certificate_pem(), authority.certificate_pem());
    fs::write(folder.path().join(CERTIFICATE), chain).unwrap();
    let pair = read(folder.path()).unwrap();
    assert_eq!(pair.certified_key().cert.len(), 2);
    assert_eq!(pair.leaf().names, ["hooks.demo.svc"]);
}

#[test]
fn what_is_missing_or_damaged_is_named_with_what_to_do() {
    let (folder, _, leaf) = made();
    let path = |name| folder.path().join(name);
    fs::write(path(KEY), "").unwrap();
    assert!(refusal(&folder).contains("tls.key holds no usable private key; it must be unencrypted PEM"));
    fs::remove_file(path(KEY)).unwrap();
    assert!(refusal(&folder).contains("tls.key does not exist; make one with"));
    fs::write(path(KEY), leaf.key_pem().expose()).unwrap();
    fs::write(path(CERTIFICATE), &leaf.certificate_pem()[..200]).unwrap();
    assert!(refusal(&folder).contains("tls.crt holds no readable certificate; it must be PEM"));
    fs::write(path(CERTIFICATE), vec![b'x'; (1 << 20) + 1]).unwrap();
    assert!(refusal(&folder).contains("tls.crt is larger than 1 MiB"));
    fs::remove_file(path(CERTIFICATE)).unwrap();
    fs::create_dir(path(CERTIFICATE)).unwrap();
    assert!(refusal(&folder).starts_with("cannot read "));
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (folder, authority, _) = made();
    fs::write(folder.path().join(KEY), authority.key_pem().expose()).unwrap();
    assert!(matches!(read(folder.path()), Err(Error::KeyMismatch { .. })));
}

#[test]
fn an_encrypted_key_is_called_so() {
    let (folder, ..) = made();
    let key = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAo=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    fs::write(folder.path().join(KEY), key).unwrap();
    let refused = read(folder.path()).unwrap_err();
    assert!(matches!(refused, Error::Key { source: pair::Error::EncryptedKey, .. }));
}

#[test]
fn no_error_repeats_a_damaged_key() {
    let (folder, _, leaf) = made();
    let secret = leaf.key_pem().expose().lines().nth(1).unwrap();
    let damaged = [
        format!("-----BEGIN {secret}\n"),
        format!("-----BEGIN PRIVATE KEY-----\n{secret}\n"),
        format!("-----BEGIN PRIVATE KEY-----\n{secret}*\n-----END PRIVATE KEY-----\n"),
        format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n"),
    ];
    for content in damaged {
        fs::write(folder.path().join(KEY), content).unwrap();
        let refused = read(folder.path()).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains(secret));
    }
}

#[test]
fn keys_of_the_usual_kinds_are_read() {
    for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &PKCS_RSA_SHA256] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        ServingPair::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes(), None).unwrap();
    }
}

/// The `ECPrivateKey` inside a PKCS#8 key, as its own PEM behind parameters, the way OpenSSL writes it.
fn sec1(key: &KeyPair) -> String {
    let pkcs8 = key.serialized_der();
    let version_and_length = [2, 1, 1, 4, 32];
    let start = pkcs8.windows(5).position(|window| window == version_and_length).unwrap() - 2;
    let body = &pkcs8[start..start + 2 + usize::from(pkcs8[start + 1])];
    format!(
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n\
         -----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n",
        STANDARD.encode(body)
    )
}

#[test]
fn a_sec1_key_serves_and_issues() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap().pem();
    ServingPair::from_pem(certificate.as_bytes(), sec1(&key).as_bytes(), None).unwrap();
    let authority = Authority::from_pem(&certificate, &sec1(&key)).unwrap();
    let leaf = authority.issue(&["hooks.demo.svc".parse().unwrap()], DAY).unwrap();
    assert!(leaf.serving_pair(None).unwrap().leaf().issued_by(authority.summary()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_written_folder_reads_back(
        dns in prop::collection::btree_set("[a-z][a-z0-9-]{0,10}[a-z0-9](\\.[a-z]{1,5}){0,3}", 1..4),
        addresses in prop::collection::btree_set(any::<std::net::IpAddr>(), 0..3),
        days in 1u32..4000,
    ) {
        let names: Vec<Name> =
            dns.iter().map(|dns| dns.parse().unwrap()).chain(addresses.into_iter().map(Name::Ip)).collect();
        let authority = Authority::new("demo", days * DAY).unwrap();
        let leaf = authority.issue(&names, DAY).unwrap();
        let folder = TempDir::new().unwrap();
        write(folder.path(), &authority, &leaf, false).unwrap();
        let pair = read(folder.path()).unwrap();
        let expected: Vec<String> = names.iter().map(ToString::to_string).collect();
        prop_assert_eq!(&pair.leaf().names, &expected);
        prop_assert!(pair.leaf().issued_by(authority.summary()));
        let again = fs::read_to_string(folder.path().join(AUTHORITY_KEY)).unwrap();
        Authority::from_pem(pair.authority_pem().unwrap(), &again).unwrap();
    }
}
