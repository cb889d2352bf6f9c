//! Why the API server did not give what was asked of it, in one line that says what to do.

use std::{error::Error, io};

use super::words;
use crate::client::{is_status, one_line};

/// Why the records of releases could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(String);

impl Refusal {
    /// What came of the wish to `verb` Secrets of a namespace.
    pub(super) fn new(verb: &str, error: &kube::Error) -> Self {
        Self(match error {
            _ if is_status(error, 403) => format!(
                "you may not {verb} Secrets there, which is where Helm keeps them; ask for the rights get and list"
            ),
            _ if is_status(error, 401) => {
                "the API server does not know you (401): log in again, or choose another context".to_owned()
            }
            kube::Error::Api(status) => {
                format!("the API server says: {}", words::shown(&status.message, 200))
            }
            _ => format!("the API server gave no answer: {}", unanswered(error)),
        })
    }
}

/// The first cause of a failed request; what is above it only says so again.
fn unanswered(error: &kube::Error) -> String {
    let (mut causes, mut next) = (Vec::new(), error.source());
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    if causes.iter().any(|cause| cause.is::<tokio::time::error::Elapsed>()) {
        return "it took too long".to_owned();
    }
    let refused = causes.iter().filter_map(|cause| cause.downcast_ref::<io::Error>());
    if refused.map(io::Error::kind).next_back() == Some(io::ErrorKind::ConnectionRefused) {
        return "connection refused".to_owned();
    }
    let said = causes.last().map_or_else(|| one_line(error), ToString::to_string);
    words::shown(&said, 200)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;
    use kube::{Api, api::ListParams};

    use super::*;
    use crate::testing;

    async fn said(code: u16) -> String {
        let (client, _) = testing::client(move |_| testing::refusal(code, "Reason"));
        let error = Api::<Secret>::all(client).list(&ListParams::default()).await.unwrap_err();
        Refusal::new("list", &error).to_string()
    }

    #[tokio::test]
    async fn a_refusal_was_told_in_the_words_of_a_program() {
        assert!(said(403).await.starts_with("you may not list Secrets there, "));
        assert!(said(401).await.contains("does not know you"));
        let other = said(500).await;
        assert!(other.starts_with("the API server says: ") && !other.contains("Status {"), "{other}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_was_told_three_times() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        drop(listener);
        let client = kube::Client::try_from(kube::Config::new(uri)).unwrap();
        let error = Api::<Secret>::all(client).list(&ListParams::default()).await.unwrap_err();
        let said = Refusal::new("list", &error).to_string();
        assert_eq!(said, "the API server gave no answer: connection refused");
    }
}
