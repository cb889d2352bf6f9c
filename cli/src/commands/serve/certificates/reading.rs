//! What comes of reading the Secret that replicas share: readiness, its reason, and a word where it stays gone.

use std::{error::Error as _, time::Duration};

use certs::keeper::{Error, Turn};
use cluster::secret;
use tokio::time::Instant;
use webhook::{Handle, Part, Readiness};

use super::{Concern, Tell};

/// How long the Secret is gone before anybody is told: an uninstallation takes it away before the last replica.
const PATIENCE: Duration = Duration::from_secs(30);

/// Looks at how each reading ended.
pub(super) struct Reading {
    ready: Readiness,
    tell: Tell,
    /// Until the Secret was read once.
    unread: Option<Handle>,
    gone: Option<Instant>,
    is_told: bool,
}

impl Reading {
    /// Nothing was read yet.
    pub(super) fn new(ready: Readiness, tell: Tell) -> Self {
        let unread = Some(ready.wait_for(Part::Certificate));
        Self { ready, tell, unread, gone: None, is_told: false }
    }

    pub(super) fn look(&mut self, turn: &Result<Turn, Error>) {
        let reason = turn.as_ref().err().map(|error| {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{error}{cause}")
        });
        self.ready.explain(Part::Certificate, reason);
        if turn.is_ok() {
            self.unread = None;
        }
        let Some((namespace, name)) = missing(turn) else {
            (self.gone, self.is_told) = (None, false);
            return;
        };
        let since = *self.gone.get_or_insert_with(Instant::now);
        if !self.is_told && since.elapsed() >= PATIENCE {
            self.is_told = true;
            (self.tell)(Concern::SecretGone { namespace: namespace.to_owned(), name: name.to_owned() });
        }
    }
}

/// Namespace and name of the Secret, if it is not there.
fn missing(turn: &Result<Turn, Error>) -> Option<(&str, &str)> {
    let Err(Error::Read(cause)) = turn else { return None };
    match cause.downcast_ref()? {
        secret::Error::Missing { namespace, name } => Some((namespace, name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    fn gone() -> Result<Turn, Error> {
        let missing = secret::Error::Missing { namespace: "guard".into(), name: "tls".into() };
        Err(Error::Read(missing.into()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_stays_gone_is_told_of_once_and_named_by_who_waits_for_it() {
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        let ready = Readiness::default();
        let tell: Tell = Arc::new(move |concern| {
            let expected = Concern::SecretGone { namespace: "guard".into(), name: "tls".into() };
            assert_eq!(concern, expected);
            count.fetch_add(1, Ordering::Relaxed);
        });
        let mut reading = Reading::new(ready.clone(), tell);
        reading.look(&gone());
        let described = ready.describe();
        assert_eq!(
            described,
            "waiting for certificate (cannot read the certificates: there is no Secret guard/tls)"
        );
        assert_eq!(told.load(Ordering::Relaxed), 0, "it may be an uninstallation");
        for _ in 0..3 {
            tokio::time::advance(PATIENCE).await;
            reading.look(&gone());
            assert_eq!(told.load(Ordering::Relaxed), 1);
        }
    }
}
