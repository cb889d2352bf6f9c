//! Only hooks and releases reach the server: everybody else in the cluster does not wait for it.

use std::fmt::Write as _;

use serde_json::json;
use tests::chart::{ending, hook_job};

use super::{ALL, Place};

/// Objects that are no hooks.
const MANY: usize = 1000;

#[test]
fn a_thousand_other_objects_are_nobodys_business() {
    let place = Place::unguarded("counted").guard("", &ALL);
    let before = place.answered(&[]);
    let mut objects = String::new();
    for index in 0..MANY {
        let object = match index % 4 {
            0 => {
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("other-{index}"), "annotations": {"helm.sh/chart": "shop"}}})
            }
            1 => {
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("other-{index}"), "labels": {"owner": "helm", "status": "pending-install"}}})
            }
            2 => {
                json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": {"name": format!("other-{index}"), "labels": {"owner": "helm", "status": "deployed"}}})
            }
            _ => {
                json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("other-{index}"), "labels": {"helm.sh/hook": "pre-install"}}, "spec": {"clusterIP": "None"}})
            }
        };
        // Writing to a String cannot fail.
        let _ = writeln!(objects, "---\n{object}");
    }
    let created = place.kubectl(&["create", "--filename=-"], &objects).expect_ok();
    assert_eq!(created.stdout.lines().count(), MANY);
    let _ = place.kubectl(&["label", "configmap", "--all", "seen=yes"], "").expect_ok();
    let _ = place.kubectl(&["delete", "service", "--all", "--wait=false"], "").expect_ok();
    assert_eq!(place.answered(&[]), before, "none of them asked");
    let _ = place.create(&ending(hook_job("migrate", "pre-install"), "hang")).expect_ok();
    let of = |path: &str| place.answered(&[&format!("path=\"{path}\"")]);
    assert_eq!(place.answered(&[]), before + 2, "one hook asks twice: to be repaired and to be judged");
    assert!(of("mutate") >= 1 && of("validate") >= 1);
}
