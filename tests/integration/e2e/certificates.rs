//! Certificates that people bring: those that the API server refuses are not called trusted.

use std::{fs, path::Path};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;
use tempfile::TempDir;
use tests::{
    chart::hook_job,
    kinds,
    rig::Ran,
    server::{Server, Setup},
};

use super::{Place, SOON};

const KIND: &str = "validatingwebhookconfiguration";

/// An authority of somebody's own, with a folder of what it has issued last.
struct Issued {
    folder: TempDir,
    authority: Issuer<'static, KeyPair>,
}

impl Issued {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "somebody's own");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let (key, folder) = (KeyPair::generate().unwrap(), tempfile::tempdir().unwrap());
        fs::write(folder.path().join("ca.crt"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { folder, authority: Issuer::new(params, key) }
    }

    fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        // A name that Go does not look at.
        params.distinguished_name.push(DnType::CommonName, "127.0.0.1");
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap().pem();
        let write = |name: &str, text: &str| fs::write(self.folder().join(name), text).unwrap();
        write("tls.key", &key.serialize_pem());
        write("tls.crt", &certificate);
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A server that the API server calls by its address for every Job of a namespace.
struct Called {
    place: Place,
    server: Server,
}

impl Called {
    fn new(issued: &Issued) -> Self {
        let place = Place::unguarded("brought");
        kinds::define(place.rig);
        let name = &place.namespace;
        let setup = Setup::new("baseline", "").in_cluster(&place.rig.kubeconfig(), name, "first");
        let setup = setup.flag(&format!("--webhook-configuration={name}")).certificates_in(issued.folder());
        let server = setup.start_unready();
        let webhook = json!({
            "name": "validate.hookward.dev", "admissionReviewVersions": ["v1"], "sideEffects": "NoneOnDryRun",
            "clientConfig": {"url": format!("{}/validate", server.url())}, "failurePolicy": "Fail",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
            "rules": [{"apiGroups": ["batch"], "apiVersions": ["v1"], "resources": ["jobs"], "operations": ["CREATE"]}],
        });
        let configuration = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name}, "webhooks": [webhook]});
        place.rig.apply(&configuration.to_string());
        Self { place, server }
    }

    fn call(&self) -> Ran {
        let job = hook_job("migrate", "pre-install").to_string();
        self.place.kubectl(&["create", "--dry-run=server", "--filename=-"], &job)
    }

    fn wait_for_refusals(&self, complaint: &str) {
        self.place.rig.wait_for("a call that is refused", SOON, || {
            self.call().stderr.contains(complaint).then_some(())
        });
    }

    fn wait_until_ready(&self) {
        self.place.rig.wait_for("readiness", SOON, || self.server.is_ready().then_some(()));
        self.place.rig.wait_for("a call", SOON, || self.call().ok().then_some(()));
        assert!(self.server.metrics().contains("hookward_certificate_trusted 1"));
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        let _ = self.place.rig.kubectl(&["delete", KIND, &self.place.namespace, "--ignore-not-found"]);
    }
}

#[test]
fn a_server_whose_calls_fail_by_its_certificate_called_itself_ready_and_trusted() {
    for (name, usage, complaint, reason) in [
        (
            "wrong.example",
            ExtendedKeyUsagePurpose::ServerAuth,
            "x509: cannot validate certificate for 127.0.0.1",
            "waiting for trust (the certificate is for wrong.example, and the API server asks for 127.0.0.1: ",
        ),
        (
            "127.0.0.1",
            ExtendedKeyUsagePurpose::ClientAuth,
            "x509: certificate specifies an incompatible key usage",
            "waiting for trust (the certificate is not for servers: ",
        ),
    ] {
        let issued = Issued::new();
        issued.issue(name, usage);
        let called = Called::new(&issued);
        called.wait_for_refusals(complaint);
        let said = called.server.readiness();
        assert!(said.starts_with(reason), "{said}");
        assert!(called.server.metrics().contains("hookward_certificate_trusted 0"));
        issued.issue("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
        called.wait_until_ready();
    }
}

#[test]
fn a_certificate_for_another_name_replaced_the_one_that_was_served() {
    let issued = Issued::new();
    issued.issue("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
    let called = Called::new(&issued);
    called.wait_until_ready();
    issued.issue("wrong.example", ExtendedKeyUsagePurpose::ServerAuth);
    called.place.rig.wait_for("the complaint", SOON, || {
        let complaint =
            "the new certificate is not served, the one before is: the certificate is for wrong.example";
        called.server.log().contains(complaint).then_some(())
    });
    let _ = called.call().expect_ok();
}
