//! What the users of Helm read on their terminals.

use serde_json::json;
use tests::{
    chart::{Chart, changed, hook_job, job_with_policy, suspended_job},
    rig::Helm,
};

use super::{OBJECTS, Place, assert_refused, assert_says, revisions, with_both_helms};

with_both_helms! {
    the_denial_of_a_hook_reaches_the_terminal
    warnings_reach_the_terminal_and_stop_nothing
}

/// Without the gate, so that the hook is refused only when Helm creates it.
fn the_denial_of_a_hook_reaches_the_terminal(helm: Helm) {
    let place = Place::unguarded("words-denial").guard("", &OBJECTS);
    let mut first = job_with_policy("a-first", "pre-install", "hook-succeeded");
    first["metadata"]["annotations"]["helm.sh/hook-weight"] = json!("-1");
    let mut second = suspended_job("migrate", "pre-install");
    second["metadata"]["annotations"]["helm.sh/hook-delete-policy"] =
        json!("before-hook-creation,hook-failed");
    let refused = place.install(helm, &Chart::new(&[first, second]));
    let by_version = match helm {
        Helm::V3 => {
            "failed pre-install: warning: Hook pre-install shop/templates/1.yaml failed: 1 error occurred:"
                .to_owned()
        }
        Helm::V4 => {
            format!("server-side apply failed for object {}/migrate batch/v1, Kind=Job: ", place.namespace)
        }
    };
    assert_refused(
        &refused,
        &[
            "Error: INSTALLATION FAILED: ",
            &by_version,
            "admission webhook \"validate.hookward.dev\" denied the request: `job-suspended`: Job \"migrate\" /spec/suspend: ",
            "explain: hookward rules job-suspended",
        ],
    );
    assert_eq!(place.history(helm), revisions(&[(1, "failed")]));
    // A refusal is no failure of a wait: Helm cleans nothing up, not even the hooks that succeeded before.
    assert_eq!(place.job("a-first")["status"]["succeeded"], 1);
    assert!(place.find("job", "migrate").is_none());
}

fn warnings_reach_the_terminal_and_stop_nothing(helm: Helm) {
    let place = Place::guarded("words-warning");
    let job = changed(
        hook_job("migrate", "pre-install"),
        "/metadata/annotations",
        "helm.sh/hook-weight",
        json!("1.5"),
    );
    let installed = place.install(helm, &Chart::new(&[job])).expect_ok();
    // client-go logs them, as a Go string.
    assert_says(&installed, &["Warning: `hook-weight-invalid`: Job \\\"migrate\\\"", "runs with weight 0"]);
    // Once for the release, once for the hook.
    assert_eq!(installed.stderr.matches("`hook-weight-invalid`").count(), 2, "{}", installed.stderr);
    assert_eq!(installed.stdout.matches("hook-weight-invalid").count(), 0);
}
