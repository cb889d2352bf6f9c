//! A dry run of the API server asks us, and leaves nothing.

use serde_json::Value;
use tests::chart::{hook_job, suspended_job};

use super::{Place, assert_refused};

const WAYS: [&[&str]; 4] = [
    &["apply", "--dry-run=server", "--filename=-", "--output=json"],
    &["apply", "--server-side", "--dry-run=server", "--filename=-", "--output=json"],
    &["create", "--dry-run=server", "--filename=-", "--output=json"],
    &["create", "--dry-run=server", "--field-manager=helm", "--filename=-", "--output=json"],
];

#[test]
fn a_dry_run_is_judged_and_leaves_nothing() {
    let place = Place::guarded("dry-run");
    for way in WAYS {
        let refused = place.kubectl(way, &suspended_job("migrate", "pre-install").to_string());
        assert_refused(
            &refused,
            &["admission webhook \"validate.hookward.dev\" denied the request: `job-suspended`"],
        );
        let shown = place.kubectl(way, &hook_job("migrate", "pre-install").to_string()).expect_ok().stdout;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["spec"]["ttlSecondsAfterFinished"], 300, "{way:?}");
        assert!(place.find("job", "migrate").is_none(), "{way:?}");
    }
}
