//! The authority and the certificates of one control plane, and the kubeconfig made from them.

use std::{collections::BTreeSet, fs, io, path::Path};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;

/// Names under which the API server is reached by itself and by pods; we reach it by its address.
const SERVER_NAMES: [&str; 6] =
    ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "127.0.0.1", "10.0.0.1"];

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

/// Writes `ca.crt`, `ca.key`, `apiserver.*`, `admin.*` and `sa.*` into `folder`, for an API server at `address`.
pub(super) fn write(folder: &Path, address: &str) -> Result<(), PkiError> {
    fs::create_dir_all(folder)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "rig");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    fs::write(folder.join("ca.crt"), params.self_signed(&key)?.pem())?;
    fs::write(folder.join("ca.key"), key.serialize_pem())?;
    let authority = Issuer::new(params, key);

    let names: BTreeSet<&str> = SERVER_NAMES.into_iter().chain([address]).collect();
    let mut server = CertificateParams::new(names.into_iter().map(str::to_owned).collect::<Vec<_>>())?;
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

/// Writes a kubeconfig for the administrator of the API server at `server`, such as `127.0.0.1:6443`; JSON is YAML.
pub(super) fn write_kubeconfig(file: &Path, pki: &Path, server: &str) -> Result<(), PkiError> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "rig", "cluster": {
            "server": format!("https://{server}"),
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
