//! What a server in a cluster lets Prometheus see, which is what alerts and dashboard are made of.

use tests::{
    kinds,
    rig::{Programs, Rig},
    server::Setup,
};

use super::SOON;
use crate::monitoring::queries::Exported;

#[test]
fn a_server_that_hears_nothing_of_the_cluster_says_so_and_then_that_it_does() {
    let programs = Programs::find().expect("no test cluster: run cargo xtask test");
    let rig = Rig::start(&programs).unwrap();
    let setup = Setup::new("baseline", "").in_cluster(&rig.kubeconfig(), "default", "replica-0");
    let server = setup.start_unready();
    let wait_for = |line: &str| {
        rig.wait_for(line, SOON, || server.metrics().lines().any(|found| found == line).then_some(()));
    };
    wait_for("hookward_watches_broken 2");
    wait_for("hookward_ready 0");
    kinds::define(&rig);
    wait_for("hookward_ready 1");
    wait_for("hookward_watches_broken 0");
    wait_for("hookward_policies_refused 0");
    wait_for("hookward_leader 1");
    // Nobody named a registration to this one, so it does not say whether that trusts it; `rotation` sees one that does.
    let mut exported = Exported::read(&server.metrics()).families();
    exported.insert("hookward_certificate_trusted".to_owned());
    assert_eq!(
        exported,
        Exported::by_a_server_in_a_cluster().families(),
        "alerts and dashboard are held to the second"
    );
}
