//! What deletion and creation again mean, kind by kind.

use super::policies::DEFINITION;
use super::*;

#[test]
fn a_definition_that_is_there_stops_helm_3_and_is_applied_by_helm_4() {
    let chart = hook(
        "CustomResourceDefinition",
        "widgets.example.com",
        &[("hook", "pre-install,pre-upgrade")],
        DEFINITION,
    );
    let mut three = helm("3");
    three.install(&chart);
    let played = three.upgrade(&chart);
    assert_eq!(steps(&played), ["pre-upgrade create CustomResourceDefinition/widgets.example.com failed"]);
    assert_eq!(
        played.steps[0].message.as_deref(),
        Some("customresourcedefinitions.apiextensions.k8s.io \"widgets.example.com\" already exists")
    );
    let mut four = helm("4");
    four.install(&chart);
    succeeds(&four.upgrade(&chart));
}

#[test]
fn a_namespace_is_emptied_awaited_and_made_again() {
    let chart = hook("Namespace", "tools", &[("hook", "pre-install,pre-upgrade")], "");
    let inside = config_map("inside", "post-install", &[], "x")
        .replace("name: inside\n", "name: inside\n  namespace: tools\n");
    let mut three = helm("3");
    three.install(&(chart.clone() + &inside));
    let played = three.upgrade(&chart);
    succeeds(&played);
    assert_eq!(left(&played), "Namespace/tools");
    assert!(played.steps.iter().any(|step| step.at >= 2.0), "it took its time");
    // Helm 4 applies onto the namespace that is going.
    let mut four = helm("4");
    four.install(&(chart.clone() + &inside));
    let played = four.upgrade(&chart);
    succeeds(&played);
    assert_eq!(played.steps[1].message.as_deref(), Some("onto the one that is being deleted"));
}

#[test]
fn a_claim_in_use_holds_helm_3_until_its_timeout_and_helm_4_not_at_all() {
    let claim = hook("PersistentVolumeClaim", "data", &[("hook", "pre-install,pre-upgrade")], "");
    let user =
        pod("user", "post-install", &[], "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]");
    let mut three = helm("3");
    three.install(&(claim.clone() + &user));
    let played = three.upgrade(&claim);
    fails(&played, "UPGRADE FAILED: pre-upgrade hooks failed: context deadline exceeded");
    assert_eq!(steps(&played), ["pre-upgrade delete PersistentVolumeClaim/data timeout"]);
    assert_eq!(played.steps[0].message.as_deref(), Some("it is still there: a pod still uses it"));
    let mut four = helm("4");
    four.install(&(claim.clone() + &user));
    let played = four.upgrade(&claim);
    succeeds(&played);
    assert_eq!(played.steps[0].message.as_deref(), Some("Helm does not wait until it is gone"));
}

#[test]
fn cluster_scoped_objects_have_no_namespace() {
    let chart = hook("Namespace", "tools", &[("hook", "pre-install")], "");
    for mut release in both() {
        let played = release.install(&chart);
        assert_eq!(played.leftovers[0].namespace, None);
    }
}

#[test]
fn a_hook_may_live_in_another_namespace() {
    let chart =
        config_map("x", "pre-install", &[], "y").replace("name: x\n", "name: x\n  namespace: default\n");
    for mut release in both() {
        let played = release.install(&chart);
        succeeds(&played);
        assert_eq!(played.leftovers[0].namespace.as_deref(), Some("default"));
    }
}

#[test]
fn a_job_of_a_foreign_group_is_no_job_to_helm_4_and_an_error_to_helm_3() {
    let chart =
        hook("Job", "x", &[("hook", "pre-install")], "").replace("batch/v1", "batch.volcano.sh/v1alpha1");
    let play = |word| {
        let mut simulation = Simulation::new(Profile::find(word).unwrap(), "demo", "demo");
        let chart = Some(Arc::new(Chart::read(&chart, "demo").unwrap()));
        simulation.play(&Command {
            action: Action::Install,
            chart,
            flags: Flags::default(),
            outcomes: Outcomes::new(),
        })
    };
    fails(&play("3"), "INSTALLATION FAILED: failed pre-install: 1 error occurred:");
    succeeds(&play("4"));
}

#[test]
fn what_is_not_known_to_be_missing_is_taken_to_be_there() {
    let chart = hook("Widget", "x", &[("hook", "pre-install")], "")
        .replace("name: x\n", "name: x\n  namespace: other\n");
    let mut simulation = Simulation::new(Profile::find("4").unwrap(), "demo", "demo");
    let chart = Some(Arc::new(Chart::read(&chart, "demo").unwrap()));
    let command =
        Command { action: Action::Install, chart, flags: Flags::default(), outcomes: Outcomes::new() };
    succeeds(&simulation.play(&command));
}

#[test]
fn a_hook_that_makes_the_namespace_of_its_own_release_deletes_the_release_with_it() {
    let chart = hook("Namespace", "demo", &[("hook", "pre-upgrade")], "") + &resource("ConfigMap", "own", "");
    let mut release = helm("3");
    release.install(&chart);
    let played = release.upgrade(&chart);
    succeeds(&played);
    assert_eq!(history(&played), "");
    fails(&release.upgrade(&chart), "UPGRADE FAILED: \"demo\" has no deployed releases");
}

#[test]
fn helm_3_cannot_await_a_job_of_another_group_and_that_had_no_step() {
    let definition = hook("CustomResourceDefinition", "jobs.example.com", &[], DEFINITION)
        .replace("Widget", "Job")
        .replace("widget", "job");
    let foreign = config_map("x", "pre-upgrade", &[], "a")
        .replace("kind: ConfigMap\napiVersion: v1", "kind: Job\napiVersion: example.com/v1");
    let [mut three, mut four] = both();
    for release in [&mut three, &mut four] {
        succeeds(&release.install(&definition));
    }
    let played = three.upgrade(&(definition.clone() + &foreign));
    fails(&played, "UPGRADE FAILED: pre-upgrade hooks failed: 1 error occurred:");
    let words = "expected x to be a *batch.Job, got *unstructured.Unstructured";
    assert_eq!(wait(&played), (StepResult::Failed, words, 0.0));
    succeeds(&four.upgrade(&(definition + &foreign)));
}
