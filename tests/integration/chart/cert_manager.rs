//! What the chart asks of cert-manager: no field that its API v1 does not have, none missing, and each name is that of what is meant.

use std::collections::BTreeSet;

use serde_json::Value;

use super::render::{NAMESPACE, Offline, find};

const SELF_MADE: &str = "certificates.mode=certManager";
const BY_OTHERS: &str = "certificates.mode=certManager,certificates.certManager.issuerRef.kind=ClusterIssuer,\
    certificates.certManager.issuerRef.name=platform,certificates.certManager.issuerRef.group=cert-manager.io";

/// The members of a certificate that we use, of those that there are.
const CERTIFICATE: [&str; 10] = [
    "commonName",
    "dnsNames",
    "duration",
    "isCA",
    "issuerRef",
    "privateKey",
    "renewBefore",
    "secretName",
    "usages",
    "subject",
];

fn of_kind<'o>(objects: &'o [Value], kind: &str) -> Vec<&'o Value> {
    let all = objects.iter().filter(|object| object["kind"] == kind);
    all.inspect(|object| {
        assert_eq!(
            (&object["apiVersion"], &object["metadata"]["namespace"]),
            (&"cert-manager.io/v1".into(), &NAMESPACE.into())
        );
    })
    .collect()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer}: {value}"))
}

#[track_caller]
fn assert_members(value: &Value, known: &[&str]) {
    let unknown: Vec<_> =
        value.as_object().unwrap().keys().filter(|key| !known.contains(&key.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?} in {value}");
}

fn assert_certificate(certificate: &Value) {
    let spec = &certificate["spec"];
    assert_members(spec, &CERTIFICATE);
    let names = spec["dnsNames"].as_array().map_or(0, Vec::len);
    let common = spec["commonName"].as_str().unwrap_or_default();
    assert!((names > 0 || !common.is_empty()) && common.len() <= 64, "{spec}");
    assert!(!text(spec, "/secretName").is_empty() && !text(spec, "/issuerRef/name").is_empty());
    assert_members(&spec["issuerRef"], &["group", "kind", "name"]);
    assert!(["Issuer", "ClusterIssuer"].contains(&text(spec, "/issuerRef/kind")), "{spec}");
    assert_members(&spec["privateKey"], &["algorithm", "encoding", "rotationPolicy", "size"]);
    let key = (text(spec, "/privateKey/algorithm"), spec["privateKey"]["size"].as_u64());
    assert!(matches!(key, ("ECDSA", Some(256 | 384 | 521))), "{key:?}");
    let rotation = spec["privateKey"]["rotationPolicy"].as_str();
    assert!(matches!(rotation, None | Some("Always" | "Never")), "{rotation:?}");
}

#[test]
fn issuers_and_certificates_have_the_shape_of_its_api() {
    let Some(helm) = Offline::find() else { return };
    for (values, issuers, certificates) in [(SELF_MADE, 2, 2), (BY_OTHERS, 0, 1)] {
        let objects = helm.objects(&["--set", values]);
        let found = (of_kind(&objects, "Issuer"), of_kind(&objects, "Certificate"));
        assert_eq!((found.0.len(), found.1.len()), (issuers, certificates), "{values}");
        for certificate in &found.1 {
            assert_certificate(certificate);
        }
        for issuer in &found.0 {
            let spec = issuer["spec"].as_object().unwrap();
            assert_eq!(spec.len(), 1, "an issuer is of one sort: {issuer}");
            assert!(spec.contains_key("selfSigned") || !text(issuer, "/spec/ca/secretName").is_empty());
        }
        let secrets: BTreeSet<_> = found.1.iter().map(|one| text(one, "/spec/secretName")).collect();
        assert_eq!(secrets.len(), certificates, "two certificates would be written into one Secret");
    }
}

/// Signed by itself, an authority; signed by that, what is served.
#[test]
fn each_issuer_that_is_named_is_there_and_signs_with_what_another_made() {
    let Some(helm) = Offline::find() else { return };
    let objects = helm.objects(&["--set", SELF_MADE]);
    let served = &find(&objects, "Certificate", "hookward")["spec"];
    let issuer = find(&objects, text(served, "/issuerRef/kind"), text(served, "/issuerRef/name"));
    let made = of_kind(&objects, "Certificate");
    let is_its = |one: &&&Value| one["spec"]["secretName"] == issuer["spec"]["ca"]["secretName"];
    let authority = &made.iter().find(is_its).expect("nobody makes the authority")["spec"];
    assert_eq!((&authority["isCA"], served.get("isCA")), (&Value::Bool(true), None));
    let root = find(&objects, text(authority, "/issuerRef/kind"), text(authority, "/issuerRef/name"));
    assert!(root["spec"]["selfSigned"].is_object(), "{root}");
}

#[test]
fn what_is_served_is_mounted_and_named_like_the_service_that_is_called() {
    let Some(helm) = Offline::find() else { return };
    for values in [SELF_MADE, BY_OTHERS] {
        let objects = helm.objects(&["--set", values]);
        let served = &find(&objects, "Certificate", "hookward")["spec"];
        let pod = &find(&objects, "Deployment", "hookward")["spec"]["template"]["spec"];
        let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
        let mount = mounts.iter().find(|mount| mount["mountPath"] == "/etc/hookward-certificate").unwrap();
        let volume = pod["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == mount["name"]);
        assert_eq!(volume.unwrap()["secret"]["secretName"], served["secretName"], "{values}");
        assert!(served["usages"].as_array().unwrap().contains(&"server auth".into()), "{served}");
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            let configuration = find(&objects, kind, "hookward");
            for webhook in configuration["webhooks"].as_array().unwrap() {
                let service = &webhook["clientConfig"]["service"];
                let called = format!("{}.{}.svc", text(service, "/name"), text(service, "/namespace"));
                assert!(served["dnsNames"].as_array().unwrap().contains(&called.clone().into()), "{called}");
            }
            // The replicas keep the bundle, from the ca.crt that is mounted: two that write it would take it from each other.
            let annotations = configuration["metadata"]["annotations"].as_object().unwrap();
            assert!(annotations.keys().all(|key| !key.starts_with("cert-manager.io/")), "{annotations:?}");
        }
    }
}
