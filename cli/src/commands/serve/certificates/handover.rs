//! The way from one certificate of a folder to the next, where somebody else renews it and perhaps its authority too.
//!
//! The files reach each replica when its node gets to it. Their authority is registered beside those that are, and a replica
//! serves the new certificate only when that is known to whoever calls.

use std::{sync::Arc, time::Duration};

use certs::{
    Refusal, Resolver, ServingPair,
    bundle::{sections, union},
    pair::Validity,
};
use cluster::registration::Registered;
use time::OffsetDateTime;
use tokio::{sync::watch, time::Instant};

/// How long a registered authority is not relied on: until then an API server may not have read of it.
const OVERLAP: Duration = Duration::from_secs(60);

/// Decides which certificate of a folder is served.
pub(super) struct Handover {
    /// What the folder holds.
    found: Arc<Resolver>,
    served: Arc<Resolver>,
    bundle: watch::Sender<Option<String>>,
    /// The registered authorities, each since when it has been seen without a break.
    registered: Vec<(String, Instant)>,
    /// At which names they call.
    hosts: Vec<String>,
    /// Why what the folder holds is not served, as the log has it.
    complaint: Option<String>,
}

impl Handover {
    /// Serves at once what the folder holds.
    pub(super) fn new(found: Arc<Resolver>) -> Self {
        let pair = found.current();
        let bundle = watch::Sender::new(pair.authority_pem().map(ToOwned::to_owned));
        let served = Arc::new(Resolver::new(ServingPair::clone(&pair)));
        Self { found, served, bundle, registered: Vec::new(), hosts: Vec::new(), complaint: None }
    }

    /// What is served.
    pub(super) fn resolver(&self) -> Arc<Resolver> {
        Arc::clone(&self.served)
    }

    /// What this replica needs registered: whoever registers it knows of the others, and of those that may go.
    pub(super) fn bundle(&self) -> watch::Receiver<Option<String>> {
        self.bundle.subscribe()
    }

    /// The folder may hold something else, and nobody registers anything: serves it at once.
    pub(super) fn follow(&mut self) {
        let found = self.found.current();
        if found.leaf() != self.served.current().leaf() {
            self.served.store(ServingPair::clone(&found));
        }
        self.publish();
    }

    /// Time has passed, the folder may hold something else, and this is registered everywhere; `None` while that is not known.
    ///
    /// Where it names none of ours, or nobody at all, one of the webhooks may still trust what is served: nothing is exchanged before
    /// the next authority is registered too.
    pub(super) fn look(&mut self, registered: &Registered) {
        let before = std::mem::take(&mut self.registered);
        let since =
            |section: &str| before.iter().find(|(known, _)| known == section).map(|(_, since)| *since);
        self.registered = sections(registered.bundle.as_deref().unwrap_or_default())
            .map(|section| (section.to_owned(), since(section).unwrap_or_else(Instant::now)))
            .collect();
        self.hosts.clone_from(&registered.hosts);
        let (found, served) = (self.found.current(), self.served.current());
        let is_other = found.leaf() != served.leaf();
        if is_other && self.may_follow(&served, &found) {
            self.served.store(ServingPair::clone(&found));
            self.complaint = None;
        } else {
            self.complain(is_other.then_some(&*found));
        }
        self.publish();
    }

    /// Says once what is wrong with a certificate that waiting does not make any better.
    fn complain(&mut self, withheld: Option<&ServingPair>) {
        let refused = withheld.and_then(|pair| pair.refused("", &self.hosts, OffsetDateTime::now_utc()));
        let complaint = refused.filter(Refusal::is_of_the_certificate).map(|refused| refused.to_string());
        if let Some(complaint) =
            complaint.as_ref().filter(|complaint| self.complaint.as_ref() != Some(complaint))
        {
            tracing::warn!("the new certificate is not served, the one before is: {complaint}");
        }
        self.complaint = complaint;
    }

    /// When the next one is trusted by everyone who calls, or at all where the one before is not.
    fn may_follow(&self, served: &ServingPair, found: &ServingPair) -> bool {
        let is_current = |pair: &ServingPair| pair.validity(OffsetDateTime::now_utc()) == Validity::Current;
        if !is_current(served) {
            return true;
        }
        let is_trusted_since = |pair: &ServingPair, age: Duration| {
            let old_enough = self.registered.iter().filter(|(_, since)| since.elapsed() >= age);
            union(old_enough.map(|(section, _)| section.as_str()))
                .is_some_and(|bundle| pair.refused(&bundle, &self.hosts, OffsetDateTime::now_utc()).is_none())
        };
        let age = if is_trusted_since(served, Duration::ZERO) { OVERLAP } else { Duration::ZERO };
        is_current(found) && is_trusted_since(found, age)
    }

    fn publish(&self) {
        let (found, served) = (self.found.current(), self.served.current());
        let all = found.authority_pem().into_iter().chain(served.authority_pem());
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

    /// Registered at the name that the certificates are for.
    fn by(bundle: Option<String>) -> Registered {
        Registered { bundle, hosts: vec!["hooks.demo.svc".to_owned()], ..Registered::default() }
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
        handover.look(&by(folder.pem(0)));
        folder.renew(1);
        handover.look(&by(folder.pem(0)));
        assert!(!has_followed(&handover));
        assert_eq!(bundle(&handover), folder.both());
        handover.look(&by(folder.both()));
        tokio::time::advance(OVERLAP / 2).await;
        handover.look(&by(folder.both()));
        assert!(!has_followed(&handover));
        tokio::time::advance(OVERLAP / 2).await;
        handover.look(&by(folder.both()));
        assert!(has_followed(&handover));
        assert_eq!(bundle(&handover), folder.pem(1), "what others need is not for this replica to say");
    }

    #[tokio::test(start_paused = true)]
    async fn a_certificate_of_an_authority_that_all_know_is_served_at_once_whoever_is_registered_beside_it() {
        let folder = Folder::new();
        let mut handover = Handover::new(Arc::clone(&folder.found));
        handover.look(&by(folder.pem(0)));
        tokio::time::advance(OVERLAP).await;
        folder.renew(0);
        handover.look(&by(folder.both()));
        assert!(has_followed(&handover));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_exchanged_while_it_is_not_known_what_is_registered() {
        let folder = Folder::new();
        let mut handover = Handover::new(Arc::clone(&folder.found));
        assert_eq!(handover.served.current().leaf(), folder.found.current().leaf(), "but at the start");
        for before in [None, folder.pem(0)] {
            handover.look(&by(before));
            folder.renew(1);
            handover.look(&by(None));
            tokio::time::advance(OVERLAP * 2).await;
            handover.look(&by(None));
            assert!(!has_followed(&handover));
        }
        handover.look(&by(folder.both()));
        assert!(!has_followed(&handover), "the overlap begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_certificate_for_another_name_replaced_the_good_one() {
        let folder = Folder::new();
        let mut handover = Handover::new(Arc::clone(&folder.found));
        handover.look(&by(folder.pem(0)));
        tokio::time::advance(OVERLAP).await;
        let wrong = folder.authorities[0].issue(&["wrong.example".parse().unwrap()], DAY).unwrap();
        folder.found.store(wrong.serving_pair(Some(&folder.authorities[0])).unwrap());
        handover.look(&by(folder.pem(0)));
        assert!(!has_followed(&handover));
        let complaint = handover.complaint.clone().unwrap();
        assert!(complaint.starts_with("the certificate is for wrong.example, and"), "{complaint}");
        folder.renew(0);
        handover.look(&by(folder.pem(0)));
        assert!(has_followed(&handover) && handover.complaint.is_none());
    }

    #[tokio::test]
    async fn nothing_is_waited_for_where_nobody_trusts_what_is_served() {
        let folder = Folder::new();
        let mut handover = Handover::new(Arc::clone(&folder.found));
        folder.renew(1);
        handover.look(&by(folder.pem(1)));
        assert!(has_followed(&handover));
    }

    #[tokio::test(start_paused = true)]
    async fn a_registration_of_nobody_or_of_others_is_none_to_change_for() {
        let folder = Folder::new();
        let other = Authority::new("other", DAY).unwrap();
        let mut handover = Handover::new(Arc::clone(&folder.found));
        handover.look(&by(folder.pem(0)));
        folder.renew(1);
        for nobody in ["", "rubbish", other.certificate_pem()] {
            for _ in 0..2 {
                handover.look(&by(Some(nobody.to_owned())));
                assert!(!has_followed(&handover), "{nobody}");
                tokio::time::advance(OVERLAP * 2).await;
            }
            assert_eq!(bundle(&handover), folder.both(), "both are asked for");
        }
        handover.look(&by(folder.both()));
        assert!(!has_followed(&handover), "the overlap begins when both are there");
    }

    #[tokio::test]
    async fn one_that_has_expired_is_left_at_once_and_never_gone_back_to() {
        let folder = Folder::new();
        let expired = pair(&folder.authorities[0], 3);
        folder.found.store(expired.clone());
        for registered in [None, folder.pem(0)] {
            folder.found.store(expired.clone());
            let mut handover = Handover::new(Arc::clone(&folder.found));
            folder.renew(1);
            handover.look(&by(registered));
            assert!(has_followed(&handover));
        }
        let mut handover = Handover::new(Arc::clone(&folder.found));
        folder.found.store(expired);
        handover.look(&by(folder.pem(0)));
        assert!(!has_followed(&handover));
    }

    #[tokio::test]
    async fn a_folder_that_nobody_registers_is_followed_at_once() {
        let folder = Folder::new();
        let mut handover = Handover::new(Arc::clone(&folder.found));
        folder.renew(1);
        handover.follow();
        assert!(has_followed(&handover));
        assert_eq!(bundle(&handover), folder.pem(1));
    }

    #[tokio::test]
    async fn without_an_authority_nothing_is_to_be_registered() {
        let authority = Authority::new("theirs", DAY).unwrap();
        let leaf = authority.issue(&["hooks.demo.svc".parse().unwrap()], DAY).unwrap();
        let found = Arc::new(Resolver::new(leaf.serving_pair(None).unwrap()));
        let mut handover = Handover::new(found);
        handover.look(&by(Some(authority.certificate_pem().to_owned())));
        assert_eq!(bundle(&handover), None);
    }
}
