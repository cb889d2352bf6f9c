//! What `helm install` says at its end: true for the values that were given, and readable in a narrow window.

use tests::rig::Helm;

use super::render::{NAMESPACE, Offline, chart, sets};

/// The widest line that people read without a break.
const WIDTH: usize = 100;

impl Offline {
    /// The notes for these flags; Helm 3 asks a cluster before it shows any.
    #[track_caller]
    fn notes(&self, flags: &[impl AsRef<str>]) -> String {
        let mut args = vec!["install", "hookward", "--namespace", NAMESPACE, "--dry-run=client"];
        args.extend(flags.iter().map(AsRef::as_ref));
        let printed = self.run(Helm::V4, &args, &chart()).unwrap();
        printed.split_once("\nNOTES:\n").expect("notes").1.to_owned()
    }
}

#[test]
fn notes_recommend_no_test_that_is_not_there() {
    let Some(helm) = Offline::find() else { return };
    for (set, is_there) in
        [("profile=strict", true), ("clientCertificates.authorityConfigMap=api-server-authority", false)]
    {
        let notes = helm.notes(&["--set", set]);
        assert_eq!(notes.contains("helm -n hookward-system test hookward"), is_there, "{set}");
    }
}

#[test]
fn notes_promise_no_peace_that_a_policy_can_break() {
    let Some(helm) = Offline::find() else { return };
    let sentence =
        "It denies and changes nothing, unless a HookPolicy says otherwise:\n  kubectl get hookpolicies\n";
    for (profile, is_there) in [("audit", true), ("baseline", false)] {
        let notes = helm.notes(&["--set", &format!("profile={profile}")]);
        assert_eq!(notes.contains(sentence), is_there, "{notes}");
        assert!(notes.contains("\n  What was denied?\n    kubectl get events "), "{notes}");
    }
    let notes = helm.notes(&["--set", "profile=audit,rules.job-suspended.mode=deny"]);
    assert!(notes.contains("nothing but by the value `rules`, unless a HookPolicy"), "{notes}");
}

#[test]
fn notes_call_no_metrics_restricted_that_everybody_reads() {
    let Some(helm) = Offline::find() else { return };
    let restricted = "networkPolicy.metricsFrom[0].ipBlock.cidr=10.0.0.0/8";
    for (set, sentence) in [
        (restricted, "by those whom networkPolicy.metricsFrom names."),
        ("networkPolicy.enabled=false", "by every pod of the cluster; see"),
        ("hostNetwork=true,port=9443,adminPort=9444", "by whoever reaches port 9444 of the nodes; see"),
    ] {
        let notes = helm.notes(&["--set", set]);
        assert!(notes.contains(&format!("Metrics can be read {sentence}")), "{set}: {notes}");
    }
    assert!(!helm.notes(&["--set", "metrics.mode=local"]).contains("Metrics can be read"));
}

#[test]
fn no_line_of_the_notes_is_wider_than_a_window() {
    let Some(helm) = Offline::find() else { return };
    let mut sets = sets();
    let set = |set: &str| (set.to_owned(), vec!["--set".to_owned(), set.to_owned()]);
    sets.extend(["profile=audit,rules.job-suspended.mode=deny", "drift.repair=true"].map(set));
    for (name, flags) in sets {
        for line in helm.notes(&flags).lines() {
            assert!(line.chars().count() <= WIDTH, "{name}: {line}");
            assert_eq!(line.trim_end(), line, "{name}");
        }
    }
}
