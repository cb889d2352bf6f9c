//! The authority and the certificates of one control plane, and the kubeconfig made from them.

use std::{fs, io, path::Path};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;

/// Names under which the API server is reached: by us, and by pods if there were any.
const SERVER_NAMES: [&str; 5] = ["localhost", "kubernetes", "kubernetes.default", "127.0.0.1", "10.0.0.1"];

/// Why the certificates of a control plane could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A key or a certificate could not be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// A file could not be written.
    #[error("cannot write a certificate or a kubeconfig")]
    Write(#[from] io::Error),
}

/// Writes `ca.crt`, `apiserver.*`, `admin.*` and `sa.*` into `folder`.
pub(super) fn write(folder: &Path) -> Result<(), PkiError> {
    fs::create_dir_all(folder)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "rig");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    fs::write(folder.join("ca.crt"), params.self_signed(&key)?.pem())?;
    let authority = Issuer::new(params, key);

    let mut server = CertificateParams::new(SERVER_NAMES.map(str::to_owned))?;
    server.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf(folder, "apiserver", &server, &authority)?;

    let mut admin = CertificateParams::default();
    admin.distinguished_name.push(DnType::CommonName, "admin");
    admin.distinguished_name.push(DnType::OrganizationName, "system:masters");
    admin.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    leaf(folder, "admin", &admin, &authority)?;

    let accounts = KeyPair::generate()?;
    fs::write(folder.join("sa.key"), accounts.serialize_pem())?;
    fs::write(folder.join("sa.pub"), accounts.public_key_pem())?;
    Ok(())
}

fn leaf(
    folder: &Path,
    name: &str,
    params: &CertificateParams,
    authority: &Issuer<'_, KeyPair>,
) -> Result<(), PkiError> {
    let key = KeyPair::generate()?;
    fs::write(folder.join(format!("{name}.crt")), params.signed_by(&key, authority)?.pem())?;
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    Ok(())
}

/// Writes a kubeconfig for the administrator of the API server on `port`; JSON is YAML.
pub(super) fn write_kubeconfig(file: &Path, pki: &Path, port: u16) -> Result<(), PkiError> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "rig", "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority": pki.join("ca.crt"),
        }}],
        "users": [{"name": "admin", "user": {
            "client-certificate": pki.join("admin.crt"),
            "client-key": pki.join("admin.key"),
        }}],
        "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": "admin"}}],
        "current-context": "rig",
    });
    fs::write(file, config.to_string())?;
    Ok(())
}
