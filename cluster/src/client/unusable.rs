//! What is wrong with a kubeconfig, in one line: nothing of what stands in it is quoted but names, since the rest may be a token.

use std::{error::Error, io, iter::successors, path::Path};

use kube::{
    client::AuthError,
    config::{InferConfigError, KubeconfigError},
};

/// Why a kubeconfig is of no use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

impl From<KubeconfigError> for Unusable {
    fn from(error: KubeconfigError) -> Self {
        Self(told(&error))
    }
}

impl From<InferConfigError> for Unusable {
    fn from(error: InferConfigError) -> Self {
        let of_file = error.source().and_then(|source| source.downcast_ref::<KubeconfigError>());
        Self(of_file.map_or_else(|| "it is not said where one is".to_owned(), told))
    }
}

/// Of a program that logs in, all would be quoted: its arguments, its environment and what it printed.
impl From<kube::Error> for Unusable {
    fn from(error: kube::Error) -> Self {
        let mut causes = successors(error.source(), |cause| <dyn Error>::source(*cause));
        if causes.any(<dyn Error>::is::<AuthError>) {
            return Self("whoever should log in for the kubeconfig failed".to_owned());
        }
        Self(error.to_string().lines().next().unwrap_or_default().to_owned())
    }
}

impl Unusable {
    /// As from a [`KubeconfigError`], of this file where one was given.
    pub(super) fn of(error: &KubeconfigError, file: Option<&Path>) -> Self {
        let said = told(error);
        match (file, error) {
            (Some(file), KubeconfigError::Parse(_)) => {
                Self(format!("{} {}", file.display(), said.trim_start_matches("it ")))
            }
            _ => Self(said),
        }
    }

    /// As from a [`KubeconfigError`], where the kubeconfig has these contexts.
    pub(super) fn knowing(error: &KubeconfigError, contexts: &[String]) -> Self {
        let said = told(error);
        match error {
            KubeconfigError::LoadContext(name) if !name.is_empty() && !contexts.is_empty() => {
                let names: Vec<_> = contexts.iter().map(|name| format!("{name:?}")).collect();
                Self(format!("{said}, only {}", names.join(", ")))
            }
            _ => Self(said),
        }
    }
}

fn told(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::ReadConfig(error, path) => unread(path, error),
        KubeconfigError::Parse(error) => error.location().map_or_else(
            || "it is no kubeconfig".to_owned(),
            |at| format!("it is no kubeconfig: see line {}, column {}", at.line(), at.column()),
        ),
        KubeconfigError::CurrentContextNotSet => NO_CONTEXT.to_owned(),
        KubeconfigError::LoadContext(name) if name.is_empty() => NO_CONTEXT.to_owned(),
        KubeconfigError::LoadContext(name) => format!("it has no context {name:?}"),
        KubeconfigError::LoadClusterOfContext(name) => {
            format!("its context names the cluster {name:?}, which it does not have")
        }
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            "it is no kubeconfig: its documents are of different kinds".to_owned()
        }
        KubeconfigError::MissingClusterUrl => "its cluster has no server".to_owned(),
        other => other.to_string().lines().next().unwrap_or_default().to_owned(),
    }
}

const NO_CONTEXT: &str = "it has no current context, and none is given";

fn unread(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file {path}"),
        io::ErrorKind::PermissionDenied => format!("{path} may not be read"),
        io::ErrorKind::IsADirectory => format!("{path} is a folder"),
        io::ErrorKind::InvalidData => format!("{path} is no text in UTF-8"),
        _ => format!("{path} cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{ExitStatus, Output};

    use kube::config::{Config, KubeConfigOptions, Kubeconfig};

    use super::*;

    async fn said(text: &str, context: Option<&str>) -> String {
        let options =
            KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
        let read = match Kubeconfig::from_yaml(text) {
            Ok(read) => Config::from_custom_kubeconfig(read, &options).await.map(drop),
            Err(error) => Err(error),
        };
        Unusable::from(read.unwrap_err()).to_string()
    }

    #[tokio::test]
    async fn a_broken_kubeconfig_was_shown_with_its_token() {
        let text = "users:\n- name: a\n  user: {token: s3cr3t}\n  name: [\n";
        let said = said(text, None).await;
        assert!(said.starts_with("it is no kubeconfig: see line "), "{said}");
        assert!(!said.contains("s3cr3t") && !said.contains('\n'), "{said}");
    }

    #[tokio::test]
    async fn what_is_not_in_a_kubeconfig_is_named() {
        let text = "clusters: []\ncontexts: [{name: a, context: {cluster: b, user: c}}]\n";
        assert_eq!(said(text, None).await, NO_CONTEXT);
        assert_eq!(said(text, Some("x")).await, "it has no context \"x\"");
        let kinds = said("kind: Job\n---\nkind: Secret\n", None).await;
        assert_eq!(kinds, "it is no kubeconfig: its documents are of different kinds");
        let cluster = "its context names the cluster \"b\", which it does not have";
        assert_eq!(said(text, Some("a")).await, cluster);
    }

    #[test]
    fn a_program_that_failed_to_log_in_was_quoted_with_what_it_printed() {
        let out = Output {
            status: ExitStatus::default(),
            stdout: b"{\"token\": \"s3cr3t\"}".to_vec(),
            stderr: Vec::new(),
        };
        let error = AuthError::AuthExecRun { cmd: "TOKEN=s3cr3t login".to_owned(), out: Box::new(out) };
        let said = Unusable::from(kube::Error::Auth(error)).to_string();
        assert_eq!(said, "whoever should log in for the kubeconfig failed");
    }

    #[test]
    fn a_kubeconfig_that_is_none_was_not_named_or_without_a_reason() {
        let file = Path::new("a.yaml");
        let error = Kubeconfig::from_yaml("a: [\n").unwrap_err();
        let said = Unusable::of(&error, Some(file)).to_string();
        assert!(said.starts_with("a.yaml is no kubeconfig: see line "), "{said}");
        let error = KubeconfigError::ReadConfig(io::ErrorKind::InvalidData.into(), file.to_owned());
        assert_eq!(Unusable::of(&error, Some(file)).to_string(), "a.yaml is no text in UTF-8");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_once() {
        let of = |path: &str| Unusable::from(Kubeconfig::read_from(path).unwrap_err()).to_string();
        assert_eq!(of("/dev/null/none"), "/dev/null/none cannot be read");
        assert_eq!(of("/nowhere/at-all"), "there is no file /nowhere/at-all");
        assert_eq!(of("/"), "/ is a folder");
    }
}
