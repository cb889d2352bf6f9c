//! `hookward probe`: one review to a running server, by the way that the API server takes. What `helm test` runs in the cluster.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::{Io, client::Client, exit};

/// Whom to ask, and whom to trust.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// The address to connect to.
    #[arg(long, value_name = "HOST:PORT")]
    pub connect: String,
    /// The name that its certificate must be for, such as hookward.hookward-system.svc.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// PEM file with the authorities to trust.
    #[arg(long, value_name = "FILE")]
    pub authority: PathBuf,
}

impl Args {
    /// Asks, and prints the answer.
    ///
    /// # Errors
    /// When there is no answer to the review, or one from somebody else.
    pub fn run(&self, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let shown = self.authority.display();
        let authorities =
            fs::read_to_string(&self.authority).with_context(|| format!("{shown}: cannot be read"))?;
        if CertificateDer::pem_slice_iter(authorities.as_bytes()).next().is_none() {
            bail!("{shown}: there is no certificate in it; give one in PEM, such as ca.crt");
        }
        let name = ServerName::try_from(self.name.clone())
            .with_context(|| format!("{:?} is no name of a server", self.name))?;
        let runtime =
            Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
        let verdict = runtime.block_on(async {
            let address = address(&self.connect).context("--connect must be HOST:PORT")?;
            let client = Client::connect(address, name, &authorities).await;
            let mut client =
                client.with_context(|| format!("cannot reach {} as {}", self.connect, self.name))?;
            let (answer, _) = client.ask("/validate", &review()).await?;
            verdict(&answer)
        })?;
        let (connect, name) = (&self.connect, &self.name);
        io.print(|out| {
            writeln!(out, "{connect} answers as {name}: a suspended hook Job would be {verdict}")
        })?;
        Ok(exit::CLEAN)
    }
}

/// Host and port; an IPv6 address may stand without brackets, as Kubernetes writes it into the environment.
fn address(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((host, port.parse().ok()?)).filter(|_| !host.is_empty())
}

/// What identifies the question.
const UID: &str = "probe";

/// A hook that most policies have something to say about; a dry run, so nothing is told to anyone.
fn review() -> Value {
    let kind = json!({"group": "batch", "version": "v1", "kind": "Job"});
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": UID, "kind": kind, "requestKind": kind, "operation": "CREATE", "dryRun": true,
            "resource": {"group": "batch", "version": "v1", "resource": "jobs"},
            "name": UID, "namespace": "default", "userInfo": {"username": "hookward-probe"},
            "object": {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"name": UID, "namespace": "default", "annotations": {hooks::annotations::HOOK: "pre-install"}},
                "spec": {"suspend": true, "template": {"spec": {
                    "restartPolicy": "Never", "containers": [{"name": UID, "image": "probe:1"}],
                }}},
            },
        },
    })
}

/// # Errors
/// When it is no answer to [`review`].
fn verdict(answer: &Value) -> anyhow::Result<&'static str> {
    match (answer["uid"].as_str(), answer["allowed"].as_bool()) {
        (Some(UID), Some(true)) => Ok("allowed"),
        (Some(UID), Some(false)) => Ok("denied"),
        _ => bail!("what answers is no admission webhook: {answer}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_kubernetes_writes_them() {
        for (text, wanted) in [
            ("10.96.0.7:443", Some(("10.96.0.7", 443))),
            ("fd00::7:443", Some(("fd00::7", 443))),
            ("[fd00::7]:443", Some(("fd00::7", 443))),
            ("hooks.guard.svc:8443", Some(("hooks.guard.svc", 8443))),
            ("hooks", None),
            (":443", None),
            ("hooks:https", None),
        ] {
            assert_eq!(address(text), wanted, "{text}");
        }
    }

    #[test]
    fn only_an_answer_to_the_question_counts() {
        assert_eq!(verdict(&json!({"uid": "probe", "allowed": false})).unwrap(), "denied");
        assert_eq!(verdict(&json!({"uid": "probe", "allowed": true})).unwrap(), "allowed");
        for other in [json!({"uid": "other", "allowed": true}), json!({"uid": "probe"}), json!(null)] {
            assert!(verdict(&other).is_err(), "{other}");
        }
    }
}
