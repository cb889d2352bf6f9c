//! Somebody leads the calls of the API server to a server of his own.

use serde_json::{Value, json};
use tests::{
    chart::{hook_job, settings},
    server::Server,
};

use super::{Place, assert_refused};

/// He answers as we would, and says yes to everything, but nobody has signed that he may.
#[test]
fn a_server_of_somebody_else_is_not_believed() {
    let place = Place::guarded("redirect");
    let other = Server::start("audit", "");
    let name = format!("hookward-{}", place.namespace);
    for kind in ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"] {
        let mut configuration = place.rig.get_json(kind, "", &name).unwrap();
        for webhook in configuration["webhooks"].as_array_mut().unwrap() {
            let url = webhook["clientConfig"]["url"].as_str().unwrap();
            let path = url.rsplit('/').next().unwrap();
            webhook["clientConfig"]["url"] = json!(format!("{}/{path}", other.url()));
        }
        place.rig.apply(&configuration.to_string());
    }
    let create =
        |object: &Value| place.kubectl(&["create", "--dry-run=server", "--filename=-"], &object.to_string());
    // Until the API server knows of the change it asks us, who let this hook pass.
    let refused = place.rig.wait_for("the redirection", super::SOON, || {
        let ran = create(&hook_job("migrate", "pre-install"));
        (!ran.ok()).then_some(ran)
    });
    let words =
        ["failed calling webhook \"validate.hookward.dev\"", "certificate signed by unknown authority"];
    assert_refused(&refused, &words);
    let _ = create(&settings("1")).expect_ok();
    assert_eq!(other.count("hookward_admission_requests_total", &[]), 0, "he was told of a hook");
}
