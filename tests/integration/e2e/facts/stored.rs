//! What a new command takes from what an older one has stored.

use tests::chart::job_with_policy;

use super::{Chart, EACH_TIME, Helm, Place, assert_refused};

#[test]
fn helm_4_goes_on_by_post_where_helm_3_began() {
    let place = Place::unguarded("fact-began-with-3");
    // What stays from the last run is in the way of a POST, and not of an apply.
    let chart = Chart::new(&[job_with_policy("migrate", EACH_TIME, "hook-failed")]);
    let _ = place.install(Helm::V3, &chart).expect_ok();
    let stored = place.find("secret", "sh.helm.release.v1.shop.v1").unwrap().to_string();

    let refusal = r"UPGRADE FAILED: pre-upgrade hooks failed: warning: Hook pre-upgrade";
    let exists = r#"jobs.batch "migrate" already exists"#;
    assert_refused(&place.upgrade(Helm::V4, &chart), &[refusal, exists]);

    let planned = planned(&stored);
    assert!(planned.contains(refusal) && planned.contains(&exists.replace('"', "\\\"")), "{planned}");
}

/// What `hookward plan` says of an upgrade of what is stored.
fn planned(stored: &str) -> String {
    let (mut stdin, mut stdout, mut stderr) = (stored.as_bytes(), Vec::new(), Vec::new());
    let mut io = cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr);
    let words = ["hookward", "plan", "-", "--action", "upgrade", "--format", "json"];
    assert_eq!(cli::run(words.map(Into::into), &mut io), 0);
    String::from_utf8(stdout).unwrap()
}
