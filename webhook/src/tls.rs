//! What the server offers in a TLS handshake, and whom it lets in.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    server::{
        ResolvesServerCert, VerifierBuilderError, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    version::{TLS12, TLS13},
};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

/// What is open to choice in TLS.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Allow TLS 1.2 besides 1.3.
    pub tls12: bool,
    /// Who may connect; everyone when absent.
    pub clients: Option<Clients>,
}

/// Who may connect.
#[derive(Debug, Clone)]
pub struct Clients {
    /// PEM with the authorities that sign client certificates.
    pub authorities: Vec<u8>,
    /// A client must carry one of these as common name or subject alternative name; empty lets in everyone the authorities signed.
    pub names: Vec<String>,
}

/// Why a configuration cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The provider lacks a protocol version.
    #[error("cannot set up TLS")]
    Protocol(#[source] Error),
    /// The client authorities are no PEM.
    #[error("cannot read the client authorities as PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// There is no certificate, or one that cannot be a root.
    #[error("cannot use the client authorities: no certificate in them can be a root")]
    NoAuthority,
    /// The verifier refused the roots.
    #[error("cannot verify clients with these authorities")]
    Verifier(#[source] VerifierBuilderError),
}

/// A server configuration that asks `resolver` for its certificate in every handshake: TLS 1.3, HTTP/2 and HTTP/1.1.
///
/// # Errors
/// When the client authorities are unusable.
pub fn server_config(
    resolver: Arc<dyn ResolvesServerCert>,
    options: &Options,
) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[_] = if options.tls12 { &[&TLS13, &TLS12] } else { &[&TLS13] };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(TlsError::Protocol)?;
    let builder = match &options.clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(verifier(clients, provider)?),
    };
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    clients: &Clients,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&clients.authorities) {
        roots.add(certificate.map_err(TlsError::Pem)?).map_err(|_| TlsError::NoAuthority)?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthority);
    }
    let signed = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(TlsError::Verifier)?;
    Ok(if clients.names.is_empty() {
        signed
    } else {
        Arc::new(NamedClients { signed, names: clients.names.clone() })
    })
}

/// Lets in those whom the authorities signed and whose name is on the list.
#[derive(Debug)]
struct NamedClients {
    signed: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl NamedClients {
    fn knows(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
            return false;
        };
        let listed = |name: &str| self.names.iter().any(|known| known == name);
        let alternative = certificate.subject_alternative_name().ok().flatten();
        certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok()).any(listed)
            || alternative.is_some_and(|names| {
                names.value.general_names.iter().any(|name| match name {
                    GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => {
                        listed(name)
                    }
                    _ => false,
                })
            })
    }
}

impl ClientCertVerifier for NamedClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.signed.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.signed.verify_client_cert(end_entity, intermediates, now)?;
        if self.knows(end_entity) {
            Ok(verified)
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}
