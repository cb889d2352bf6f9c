//! Readiness, metric and warning, as certificates and registrations come and go.

use std::sync::Mutex;

use arc_swap::ArcSwap;
use certs::{Authority, authority::DAY};
use policies::{PolicySet, Profile};
use webhook::{Drain, Limits};

use super::*;

const NAME: &str = "hooks.demo.svc";

fn app() -> App {
    let policies = PolicySet::shipped(Profile::Baseline);
    App::new(Arc::new(ArcSwap::from_pointee(policies)), Drain::default(), Limits::default())
}

/// An authority, and what serves a leaf of it that was issued so many days ago for two.
fn serving(days_ago: u32) -> (Authority, Arc<Resolver>) {
    let authority = Authority::new("demo", 90 * DAY).unwrap();
    let issued = OffsetDateTime::now_utc() - days_ago * DAY;
    let leaf = authority.issue_at(issued, &[NAME.parse().unwrap()], 2 * DAY).unwrap();
    (authority, Arc::new(Resolver::new(leaf.serving_pair(None).unwrap())))
}

/// What was told, in its order.
type Told = Arc<Mutex<Vec<Concern>>>;

fn trust(app: &App, resolver: Arc<Resolver>) -> (Trust, Told) {
    let told = Told::default();
    let tell = Arc::clone(&told);
    let trust = Trust::registered(app, resolver, Arc::new(move |concern| tell.lock().unwrap().push(concern)));
    (trust.unwrap(), told)
}

/// Registered at the name that the certificates are for.
fn by(bundle: Option<&str>) -> Registered {
    Registered { bundle: bundle.map(str::to_owned), hosts: vec![NAME.to_owned()], ..Registered::default() }
}

fn shows(app: &App, line: &str) -> bool {
    app.metrics.render().lines().any(|shown| shown == line)
}

#[test]
fn a_server_that_nobody_registers_waits_for_no_trust() {
    let app = app();
    Trust::unregistered(&app, serving(0).1).look();
    assert_eq!(app.ready.describe(), "ok");
    assert!(!app.metrics.render().contains("hookward_certificate_trusted"));
}

#[test]
fn a_server_is_not_ready_before_the_registered_bundle_verifies_its_certificate() {
    let app = app();
    let (authority, resolver) = serving(0);
    let (trust, told) = trust(&app, resolver);
    trust.look();
    assert_eq!(app.ready.describe(), "waiting for trust");
    trust.look_at(by(Some(serving(0).0.certificate_pem())));
    let waits = app.ready.describe();
    assert!(waits.starts_with("waiting for trust (no authority of the registered caBundle"), "{waits}");
    assert!(shows(&app, "hookward_certificate_trusted 0"));
    trust.look_at(by(Some(authority.certificate_pem())));
    assert_eq!(app.ready.describe(), "ok");
    assert!(shows(&app, "hookward_certificate_trusted 1"));
    assert_eq!(*told.lock().unwrap(), [], "what was never there is not lost");
}

#[test]
fn a_server_whose_certificate_the_api_server_refuses_called_itself_ready() {
    let app = app();
    let (authority, resolver) = serving(0);
    let (trust, told) = trust(&app, resolver);
    let other =
        Registered { hosts: vec!["hooks.guard.svc".to_owned()], ..by(Some(authority.certificate_pem())) };
    for _ in 0..2 {
        trust.look_at(other.clone());
        let why = "the certificate is for hooks.demo.svc, and the API server asks for hooks.guard.svc: issue one that has this \
                   among its subject alternative names";
        assert_eq!(app.ready.describe(), format!("waiting for trust ({why})"));
        assert!(shows(&app, "hookward_certificate_trusted 0"));
        assert_eq!(*told.lock().unwrap(), [Concern::NotTrusted(why.to_owned())], "once");
    }
}

#[test]
fn trust_that_is_lost_later_is_told_once_and_costs_no_readiness() {
    let app = app();
    let (authority, resolver) = serving(0);
    let (trust, told) = trust(&app, resolver);
    trust.look_at(by(Some(authority.certificate_pem())));
    for _ in 0..2 {
        trust.look_at(by(None));
        assert_eq!(app.ready.describe(), "ok");
        assert!(shows(&app, "hookward_certificate_trusted 0"));
    }
    assert_eq!(told.lock().unwrap().len(), 1);
    trust.look_at(by(Some(authority.certificate_pem())));
    trust.look_at(by(None));
    assert_eq!(told.lock().unwrap().len(), 2);
}

#[test]
fn an_uninstallation_was_told_of_as_lost_trust() {
    let app = app();
    let (authority, resolver) = serving(0);
    let (trust, told) = trust(&app, resolver);
    trust.look_at(by(Some(authority.certificate_pem())));
    trust.look_at(Registered::default());
    assert_eq!(*told.lock().unwrap(), []);
    assert!(shows(&app, "hookward_certificate_trusted 1"), "nobody says otherwise");
    trust.look_at(by(Some(serving(0).0.certificate_pem())));
    assert_eq!(told.lock().unwrap().len(), 1, "whoever registers it anew is looked at again");
}

#[test]
fn a_certificate_that_has_expired_costs_readiness_until_another_one_is_served() {
    let app = app();
    let (authority, resolver) = serving(3);
    let trust = Trust::unregistered(&app, Arc::clone(&resolver));
    trust.look();
    trust.look();
    assert_eq!(app.ready.describe(), "waiting for certificate");
    let leaf = authority.issue(&[NAME.parse().unwrap()], DAY).unwrap();
    resolver.store(leaf.serving_pair(None).unwrap());
    trust.look();
    assert_eq!(app.ready.describe(), "ok");
}

#[tokio::test]
async fn a_folder_says_what_must_be_registered_and_waits_for_it() {
    let app = app();
    let authority = Authority::new("demo", DAY).unwrap();
    let leaf = authority.issue(&[NAME.parse().unwrap()], DAY).unwrap();
    let folder = tempfile::tempdir().unwrap();
    certs::folder::write(folder.path(), &authority, &leaf, false).unwrap();
    let certificates = Certificates::from_folder(folder.path()).unwrap();
    let bundle = certificates.bundle().borrow().clone();
    assert_eq!(bundle.as_deref(), Some(authority.certificate_pem()));
    let (register, registered) = watch::channel(Registered::default());
    certificates.keep(&app, Some(registered), &mut Tasks::default(), |_| {}).unwrap();
    assert_eq!(app.ready.describe(), "waiting for trust");
    register.send_replace(by(bundle.as_deref()));
    while !app.ready.is_ready() {
        tokio::task::yield_now().await;
    }
}
