//! Real TLS handshakes in memory: what a client that trusts the authority accepts and refuses.

use std::{net::IpAddr, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, ClientConnection, Connection, Error, RootCertStore, ServerConfig,
    ServerConnection, version::TLS12, version::TLS13,
};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use time::OffsetDateTime;

use crate::{Authority, Name, Resolver, authority::DAY};

/// Shakes hands and returns the leaf that the client accepted for `name`.
pub(crate) fn handshake(
    resolver: &Arc<Resolver>,
    authority: &Authority,
    name: &str,
    version: &'static rustls::SupportedProtocolVersion,
) -> Result<CertificateDer<'static>, Error> {
    let server = ServerConfig::builder_with_provider(crate::provider())
        .with_protocol_versions(&[version])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::<Resolver>::clone(resolver));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).unwrap())?;
    let client = ClientConfig::builder_with_provider(crate::provider())
        .with_protocol_versions(&[version])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = Connection::from(ClientConnection::new(Arc::new(client), name)?);
    let mut server = Connection::from(ServerConnection::new(Arc::new(server))?);
    while client.is_handshaking() || server.is_handshaking() {
        pass(&mut client, &mut server)?;
        pass(&mut server, &mut client)?;
    }
    Ok(client.peer_certificates().unwrap()[0].clone().into_owned())
}

fn pass(from: &mut Connection, to: &mut Connection) -> Result<(), Error> {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire).unwrap();
    }
    let mut wire = wire.as_slice();
    while !wire.is_empty() {
        to.read_tls(&mut wire).unwrap();
        to.process_new_packets()?;
    }
    Ok(())
}

fn serving(authority: &Authority, now: OffsetDateTime, names: &[&str]) -> Arc<Resolver> {
    let names: Vec<Name> = names.iter().map(|name| name.parse().unwrap()).collect();
    let leaf = authority.issue_at(now, &names, DAY).unwrap();
    Arc::new(Resolver::new(leaf.serving_pair(Some(authority)).unwrap()))
}

#[test]
fn a_client_that_trusts_the_authority_accepts_every_name_of_the_leaf() {
    let authority = Authority::new("demo", DAY).unwrap();
    let names = ["hooks.demo.svc", "127.0.0.1", "::1"];
    let resolver = serving(&authority, OffsetDateTime::now_utc(), &names);
    for version in [&TLS13, &TLS12] {
        for name in names {
            handshake(&resolver, &authority, name, version).unwrap();
        }
    }
}

#[test]
fn a_wildcard_covers_one_label() {
    let authority = Authority::new("demo", DAY).unwrap();
    let resolver = serving(&authority, OffsetDateTime::now_utc(), &["*.demo.svc"]);
    handshake(&resolver, &authority, "hooks.demo.svc", &TLS13).unwrap();
    assert!(handshake(&resolver, &authority, "a.hooks.demo.svc", &TLS13).is_err());
}

#[test]
fn another_name_or_address_is_refused() {
    let authority = Authority::new("demo", DAY).unwrap();
    let resolver = serving(&authority, OffsetDateTime::now_utc(), &["hooks.demo.svc", "127.0.0.1"]);
    for name in ["other.demo.svc", "127.0.0.2", &IpAddr::from([0u16; 8]).to_string()] {
        let refused = handshake(&resolver, &authority, name, &TLS13).unwrap_err();
        let wrong_name = matches!(
            refused,
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        );
        assert!(wrong_name, "{name}: {refused}");
    }
}

#[test]
fn another_authority_of_the_same_name_is_refused() {
    let authority = Authority::new("demo", DAY).unwrap();
    let stranger = Authority::new("demo", DAY).unwrap();
    let resolver = serving(&authority, OffsetDateTime::now_utc(), &["hooks.demo.svc"]);
    let refused = handshake(&resolver, &stranger, "hooks.demo.svc", &TLS13).unwrap_err();
    assert!(matches!(refused, Error::InvalidCertificate(_)), "{refused}");
}

#[test]
fn an_expired_leaf_loads_and_is_refused_by_the_client() {
    let authority = Authority::new("demo", DAY).unwrap();
    let resolver = serving(&authority, OffsetDateTime::now_utc() - 3 * DAY, &["hooks.demo.svc"]);
    let refused = handshake(&resolver, &authority, "hooks.demo.svc", &TLS13).unwrap_err();
    let expired = matches!(
        refused,
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })
    );
    assert!(expired, "{refused}");
}
