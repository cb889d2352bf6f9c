//! What people and replicas find in the store.

use time::Duration;

use super::*;
use crate::{Knobs, authority::DAY, rotation::Step};

fn knobs() -> Knobs {
    Knobs::new(vec!["hooks.demo.svc".parse().unwrap()])
}

/// Two authorities, and a leaf of the newer one.
fn state() -> State {
    let mut state = State::default();
    let now = OffsetDateTime::now_utc();
    for step in [
        Step::MakeAuthority,
        Step::MakeLeaf { issuer: 0 },
        Step::MakeAuthority,
        Step::MakeLeaf { issuer: 1 },
        Step::MakeAuthority,
    ] {
        state.take(step, now, &knobs()).unwrap();
    }
    state
}

fn problems(entries: &Entries) -> Vec<String> {
    decode(entries).problems.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_written_is_read_again() {
    let state = state();
    let decoded = decode(&encode(&state));
    assert_eq!(decoded.problems, []);
    assert!(decoded.state == state);
    assert_eq!(decoded.state.leaf().unwrap().issuer(), 1);
    let ends = |state: &State| state.authorities().iter().map(Trusted::last_leaf_ends).collect::<Vec<_>>();
    assert_eq!(ends(&decoded.state), ends(&state));
    assert_eq!(ends(&state)[2], None);
    assert!(decoded.state.authorities().iter().all(|authority| authority.signer().is_some()));
    assert_eq!(encode(&decoded.state), encode(&state));
}

#[test]
fn a_tls_secret_reads_as_people_expect() {
    let entries = encode(&state());
    let names: Vec<_> = entries.keys().map(String::as_str).collect();
    assert_eq!(names, ["authorities.json", "ca.crt", "ca.key", "tls.crt", "tls.key"]);
    let bundle = String::from_utf8(entries["ca.crt"].clone()).unwrap();
    let pair = ServingPair::from_pem(&entries["tls.crt"], &entries["tls.key"], Some(bundle)).unwrap();
    assert_eq!(pair.trusted_by_authority(), Some(true));
    assert!(!String::from_utf8_lossy(&entries["authorities.json"]).contains("KEY"));
}

#[test]
fn nothing_is_no_problem() {
    for entries in [Entries::new(), Entries::from([("tls.crt".to_owned(), Vec::new())])] {
        let decoded = decode(&entries);
        assert!(decoded.state.is_empty());
        assert_eq!(decoded.problems, []);
    }
}

#[test]
fn a_folder_of_this_program_can_be_taken_over() {
    let authority = Authority::new("demo", DAY).unwrap();
    let leaf = authority.issue(&knobs().names, DAY).unwrap();
    let folder = tempfile::tempdir().unwrap();
    crate::folder::write(folder.path(), &authority, &leaf, false).unwrap();
    let names = ["ca.crt", "ca.key", "tls.crt", "tls.key"];
    let read = |name: &str| (name.to_owned(), std::fs::read(folder.path().join(name)).unwrap());
    let decoded = decode(&names.map(read).into());
    assert_eq!(decoded.problems, []);
    let trusted = &decoded.state.authorities()[0];
    assert_eq!(trusted.last_leaf_ends(), Some(authority.summary().not_after), "it may have signed others");
    assert_eq!(decoded.state.leaf().unwrap().issuer(), 0);
}

#[test]
fn an_authority_without_its_key_stays_trusted_with_its_leaf() {
    let mut entries = encode(&state());
    entries.remove("ca.key");
    let decoded = decode(&entries);
    assert!(decoded.state == state() || decoded.state.leaf().is_some());
    assert_eq!(decoded.state.authorities().len(), 3);
    assert!(decoded.state.authorities().iter().all(|authority| authority.signer().is_none()));
    assert_eq!(decoded.problems.len(), 3);
    assert!(problems(&entries)[0].starts_with("ca.key holds no usable key of the authority "));
}

#[test]
fn one_damaged_entry_costs_no_other() {
    let good = encode(&state());
    let damage = |name: &str, content: &[u8]| {
        let mut entries = good.clone();
        entries.insert(name.to_owned(), content.to_vec());
        entries
    };
    let entries = damage("tls.crt", b"\xff\xfe");
    assert_eq!(problems(&entries), ["tls.crt and tls.key cannot be served"]);
    assert_eq!(decode(&entries).state.authorities().len(), 3);
    assert!(decode(&entries).state.leaf().is_none());

    let certificate = std::str::from_utf8(&good["ca.crt"]).unwrap();
    let broken = certificate.replacen("-----BEGIN CERTIFICATE-----\nM", "-----BEGIN CERTIFICATE-----\nA", 1);
    let decoded = decode(&damage("ca.crt", broken.as_bytes()));
    assert_eq!(decoded.problems[0].to_string(), "ca.crt holds something that is no certificate");
    assert_eq!(decoded.state.authorities().len(), 2);
    assert_eq!(decoded.state.leaf().unwrap().issuer(), 0);

    let decoded = decode(&damage("authorities.json", b"{"));
    assert_eq!(decoded.problems, []);
    let expected = OffsetDateTime::now_utc() + Duration::days(300);
    assert!(
        decoded.state.authorities().iter().all(|one| one.last_leaf_ends() > Some(expected)),
        "to be safe"
    );
}

#[test]
fn what_is_all_foreign_is_said_without_any_of_it() {
    let secret = "hunter2";
    let entries = ["ca.crt", "ca.key", "tls.crt", "tls.key", "authorities.json"];
    let entries: Entries = entries.map(|name| (name.to_owned(), secret.as_bytes().to_vec())).into();
    let decoded = decode(&entries);
    assert!(decoded.state.is_empty());
    assert_eq!(problems(&entries).len(), 2);
    assert!(!format!("{decoded:?}").contains(secret));
    let stored = crate::Stored { version: "7".to_owned(), data: entries, read_at: None };
    assert!(!format!("{stored:?}").contains(secret));
}

#[test]
fn a_leaf_of_somebody_else_is_not_served() {
    let mut entries = encode(&state());
    let stranger = Authority::new("hookward", DAY).unwrap().issue(&knobs().names, DAY).unwrap();
    entries.insert("tls.crt".to_owned(), stranger.certificate_pem().as_bytes().to_vec());
    entries.insert("tls.key".to_owned(), stranger.key_pem().expose().as_bytes().to_vec());
    assert_eq!(problems(&entries), ["tls.crt is signed by none of the authorities in ca.crt"]);
    assert!(decode(&entries).state.leaf().is_none());
}
