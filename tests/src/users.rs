//! People who use a test cluster: each with a certificate and a kubeconfig, and with no rights but those that are bound to them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::cluster::{Cluster, OUTER_LIMIT, Ran, run};

/// Somebody with a client certificate, whom the API server knows by its name.
#[derive(Debug)]
pub struct User<'c> {
    cluster: &'c Cluster,
    name: String,
    kubeconfig: PathBuf,
}

impl<'c> User<'c> {
    /// A user called `name`, who may do nothing yet.
    ///
    /// # Panics
    /// When the authority of the cluster cannot sign.
    #[must_use]
    #[track_caller]
    pub fn new(cluster: &'c Cluster, name: &str) -> Self {
        let folder = cluster.folder();
        let read = |name: &str| {
            fs::read_to_string(folder.join("pki").join(name))
                .unwrap_or_else(|error| panic!("cannot read {name}: {error}"))
        };
        let (certificate, key) = sign(name, &read("ca.crt"), &read("ca.key"))
            .unwrap_or_else(|error| panic!("no certificate for {name}: {error}"));
        let admin: Value = serde_json::from_str(
            &fs::read_to_string(cluster.kubeconfig())
                .unwrap_or_else(|error| panic!("no kubeconfig: {error}")),
        )
        .unwrap_or_else(|error| panic!("the kubeconfig is no JSON: {error}"));
        let (certificate_file, key_file) =
            (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "clusters": admin["clusters"],
            "users": [{"name": name, "user": {"client-certificate": certificate_file, "client-key": key_file}}],
            "contexts": [{"name": name, "context": {"cluster": admin["clusters"][0]["name"], "user": name}}],
            "current-context": name,
        });
        let kubeconfig = folder.join(format!("{name}.kubeconfig"));
        for (file, text) in
            [(&certificate_file, certificate), (&key_file, key), (&kubeconfig, config.to_string())]
        {
            fs::write(file, text).unwrap_or_else(|error| panic!("cannot write for {name}: {error}"));
        }
        Self { cluster, name: name.to_owned(), kubeconfig }
    }

    /// The name by which the API server knows them.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Their kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs `kubectl` as this user, with standard input.
    ///
    /// # Panics
    /// When `kubectl` cannot be started.
    #[must_use]
    #[track_caller]
    pub fn kubectl(&self, args: &[&str], input: &str) -> Ran {
        let folder = self.cluster.folder();
        let mut command = Command::new(self.cluster.programs().path("kubectl"));
        command
            .current_dir(folder)
            .args(args)
            .env("HOME", folder)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("NO_PROXY", "*");
        match run(&mut command, input.as_bytes(), OUTER_LIMIT) {
            Ok(ran) => ran,
            Err(error) => panic!("cannot run kubectl: {error}"),
        }
    }
}

fn sign(name: &str, authority: &str, key: &str) -> Result<(String, String), rcgen::Error> {
    let issuer = Issuer::from_ca_cert_pem(authority, KeyPair::from_pem(key)?)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
}
