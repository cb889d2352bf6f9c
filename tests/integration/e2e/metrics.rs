//! What a server in a cluster lets Prometheus see, which is what alerts and dashboard are made of.

use serde_json::json;
use tests::{
    kinds,
    rig::{Programs, Rig},
    server::Setup,
};

use super::{SOON, replica::kubeconfig_as};
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
    let broken = |watch: &str, number: u32| {
        wait_for(&format!("hookward_watches_broken{{watch=\"{watch}\"}} {number}"));
    };
    broken("hookpolicies", 1);
    broken("hookexceptions", 1);
    wait_for("hookward_ready 0");
    kinds::define(&rig);
    wait_for("hookward_ready 1");
    broken("hookpolicies", 0);
    broken("hookexceptions", 0);
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

#[test]
fn watches_that_nobody_allows_counted_as_sound_and_their_drift_as_none() {
    const WATCHES: [&str; 6] = [
        "hookexceptions",
        "hookpolicies",
        "mutatingwebhookconfigurations",
        "namespaces",
        "releases",
        "validatingwebhookconfigurations",
    ];
    let rig = kinds::own_rig();
    kinds::define(&rig);
    let user = "hookward-blind";
    let setup = Setup::new("baseline", "").in_cluster(&kubeconfig_as(&rig, user), "default", "replica-0");
    let setup = setup.flag("--webhook-configuration=nobodys").flag("--release-lookup");
    let server = setup.start_unready();
    let wait_for = |line: &str| {
        rig.wait_for(line, SOON, || server.metrics().lines().any(|found| found == line).then_some(()));
    };
    for watch in WATCHES {
        wait_for(&format!("hookward_watches_broken{{watch=\"{watch}\"}} 1"));
    }
    wait_for(r#"hookward_registration_drift{kind="gone"} NaN"#);
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    });
    rig.apply(&binding.to_string());
    for watch in WATCHES {
        wait_for(&format!("hookward_watches_broken{{watch=\"{watch}\"}} 0"));
    }
    // Both are gone, as far as anybody may say who has no file to compare with.
    wait_for(r#"hookward_registration_drift{kind="gone"} 2"#);
    let _ = rig.kubectl(&["delete", "clusterrolebinding", user]).expect_ok();
    for watch in WATCHES {
        wait_for(&format!("hookward_watches_broken{{watch=\"{watch}\"}} 1"));
    }
    wait_for(r#"hookward_registration_drift{kind="rule"} NaN"#);
    wait_for(r#"hookward_registration_drift{kind="gone"} 2"#);
}
