//! The way from one certificate of a folder to the next, where somebody else renews it and perhaps its authority too.
//!
//! The files reach each replica when its node gets to it. So the leader has the new authority registered beside the one before,
//! and a replica serves the new certificate only when that is known to whoever calls.

use std::{sync::Arc, time::Duration};

use certs::{Resolver, ServingPair, bundle::union, pair::Validity};
use time::OffsetDateTime;
use tokio::{sync::watch, time::Instant};

/// How long a registration is not relied on: until then an API server may not have read it.
const OVERLAP: Duration = Duration::from_secs(60);

/// How long an authority stays registered that no file names any more; nodes bring new files within minutes.
const FAREWELL: Duration = Duration::from_secs(60 * 60);

/// Decides which certificate of a folder is served, and who should be trusted.
pub(super) struct Handover {
    /// What the folder holds.
    found: Arc<Resolver>,
    served: Arc<Resolver>,
    bundle: watch::Sender<Option<String>>,
    registered: Option<String>,
    since: Instant,
    /// Authorities of certificates that were served before, and since when they are not.
    former: Vec<(String, Instant)>,
}

impl Handover {
    /// Serves at once what the folder holds.
    pub(super) fn new(found: Arc<Resolver>) -> Self {
        let pair = found.current();
        let bundle = watch::Sender::new(pair.authority_pem().map(ToOwned::to_owned));
        let served = Arc::new(Resolver::new(ServingPair::clone(&pair)));
        Self { found, served, bundle, registered: None, since: Instant::now(), former: Vec::new() }
    }

    /// What is served.
    pub(super) fn resolver(&self) -> Arc<Resolver> {
        Arc::clone(&self.served)
    }

    /// What should be registered.
    pub(super) fn bundle(&self) -> watch::Receiver<Option<String>> {
        self.bundle.subscribe()
    }

    /// Time has passed, the folder may hold something else, and this is registered.
    pub(super) fn look(&mut self, registered: Option<String>) {
        if self.registered != registered {
            (self.registered, self.since) = (registered, Instant::now());
        }
        let (found, served) = (self.found.current(), self.served.current());
        if found.leaf() != served.leaf() && self.may_follow(&served, &found) {
            let before = served.authority_pem().map(|authority| (authority.to_owned(), Instant::now()));
            self.former.extend(before);
            self.served.store(ServingPair::clone(&found));
        }
        self.former.retain(|(_, since)| since.elapsed() < FAREWELL);
        self.publish();
    }

    /// When the next one is trusted by everyone who calls, or the one before by nobody.
    fn may_follow(&self, served: &ServingPair, found: &ServingPair) -> bool {
        let is_trusted =
            |pair: &ServingPair| self.registered.as_ref().is_some_and(|bundle| pair.trusted_by(bundle));
        let is_known = is_trusted(found) && self.since.elapsed() >= OVERLAP;
        is_known || !is_trusted(served) || served.validity(OffsetDateTime::now_utc()) != Validity::Current
    }

    fn publish(&self) {
        let (found, served) = (self.found.current(), self.served.current());
        let former = self.former.iter().map(|(authority, _)| authority.as_str());
        let all = found.authority_pem().into_iter().chain(served.authority_pem()).chain(former);
        let all = if found.authority_pem().is_some() { union(all) } else { None };
        self.bundle.send_if_modified(|bundle| {
            let is_other = *bundle != all;
            *bundle = all;
            is_other
        });
    }
}

#[cfg(test)]
mod tests {
    use certs::{Authority, authority::DAY};

    use super::*;

    /// A folder whose files are of one authority, and then of another.
    struct Folder {
        found: Arc<Resolver>,
        authorities: [Authority; 2],
    }

    impl Folder {
        fn new() -> Self {
            let authorities = [(); 2].map(|()| Authority::new("theirs", 90 * DAY).unwrap());
            let found = Arc::new(Resolver::new(pair(&authorities[0], 0)));
            Self { found, authorities }
        }

        fn pem(&self, index: usize) -> Option<String> {
            union([self.authorities[index].certificate_pem()])
        }

        fn both(&self) -> Option<String> {
            union([1, 0].map(|index| self.authorities[index].certificate_pem()))
        }

        fn renew(&self, index: usize) {
            self.found.store(pair(&self.authorities[index], 0));
        }
    }

    /// A certificate issued so many days ago for two.
    fn pair(authority: &Authority, days_ago: u32) -> ServingPair {
        let issued = OffsetDateTime::now_utc() - days_ago * DAY;
        let leaf = authority.issue_at(issued, &["hooks.demo.svc".parse().unwrap()], 2 * DAY).unwrap();
        leaf.serving_pair(Some(authority)).unwrap()
    }

    fn has_followed(handover: &Handover) -> bool {
        handover.served.current().leaf() == handover.found.current().leaf()
    }

    fn bundle(handover: &Handover) -> Option<String> {
        handover.bundle.borrow().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn another_authority_is_registered_first_and_served_when_all_know_it() {
        let folder = Folder::new();
        let mut handover = Handover::new(Arc::clone(&folder.found));
        handover.look(folder.pem(0));
        folder.renew(1);
        handover.look(folder.pem(0));
        assert!(!has_followed(&handover));
        assert_eq!(bundle(&handover), folder.both());
        handover.look(folder.both());
        tokio::time::advance(OVERLAP / 2).await;
        handover.look(folder.both());
        assert!(!has_followed(&handover));
        tokio::time::advance(OVERLAP / 2).await;
        handover.look(folder.both());
        assert!(has_followed(&handover));
        assert_eq!(bundle(&handover), folder.both(), "other replicas may be later");
        tokio::time::advance(FAREWELL).await;
        handover.look(folder.both());
        assert_eq!(bundle(&handover), folder.pem(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_certificate_of_an_authority_that_all_know_is_served_at_once() {
        let folder = Folder::new();
        let mut handover = Handover::new(Arc::clone(&folder.found));
        handover.look(folder.pem(0));
        tokio::time::advance(OVERLAP).await;
        folder.renew(0);
        handover.look(folder.pem(0));
        assert!(has_followed(&handover));
    }

    #[tokio::test]
    async fn nothing_is_waited_for_where_nobody_trusts_what_is_served() {
        let folder = Folder::new();
        for registered in [None, folder.pem(1)] {
            let mut handover = Handover::new(Arc::clone(&folder.found));
            folder.renew(1);
            handover.look(registered);
            assert!(has_followed(&handover));
            folder.renew(0);
        }
        folder.found.store(pair(&folder.authorities[0], 3));
        let mut handover = Handover::new(Arc::clone(&folder.found));
        folder.renew(1);
        handover.look(folder.pem(0));
        assert!(has_followed(&handover), "it has expired");
    }

    #[tokio::test]
    async fn without_an_authority_nothing_is_to_be_registered() {
        let authority = Authority::new("theirs", DAY).unwrap();
        let leaf = authority.issue(&["hooks.demo.svc".parse().unwrap()], DAY).unwrap();
        let found = Arc::new(Resolver::new(leaf.serving_pair(None).unwrap()));
        let mut handover = Handover::new(found);
        handover.look(Some(authority.certificate_pem().to_owned()));
        assert_eq!(bundle(&handover), None);
    }
}
