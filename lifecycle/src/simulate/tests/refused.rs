//! Objects that no API server takes, as both Helms tell of it; each line is what real Helm said of such a chart.

use super::*;

/// A Job with this in its spec, as a hook.
fn counting(spec: &str) -> String {
    job_with("x", "pre-install", &[], spec, "")
}

/// A list with such a Job in it, as a hook or not.
fn listed(spec: &str, events: &[(&str, &str)]) -> String {
    let items = format!(
        "items: [{{apiVersion: batch/v1, kind: Job, metadata: {{name: x}}, spec: {{{spec} template: {{spec: {{restartPolicy: Never}}}}}}}}]"
    );
    hook("List", "l", events, &items)
}

const FAILED: &str =
    "INSTALLATION FAILED: failed pre-install: warning: Hook pre-install demo/templates/x.yaml failed: ";

/// What Helm 4 says of such a hook.
#[track_caller]
fn helm_4_says(chart: &str, words: &str) {
    let object = "server-side apply failed for object demo/x batch/v1, Kind=Job: ";
    let played = helm("4").install(chart);
    fails(&played, &format!("{FAILED}{object}{words}"));
    assert_eq!(steps(&played)[1..], ["pre-install apply Job/x failed"]);
}

/// What the API server says of such a hook to Helm 3.
#[track_caller]
fn helm_3_hears(chart: &str, words: &str) {
    let played = helm("3").install(chart);
    fails(&played, &format!("{FAILED}1 error occurred:"));
    let last = played.steps.last().unwrap();
    assert_eq!((last.result, last.message.as_deref()), (StepResult::Failed, Some(words)));
}

#[test]
fn a_count_below_nothing() {
    for name in
        ["backoffLimit", "completions", "parallelism", "activeDeadlineSeconds", "ttlSecondsAfterFinished"]
    {
        let chart = counting(&format!("{name}: -1,"));
        let words = format!(
            "Job.batch \"x\" is invalid: spec.{name}: Invalid value: -1: must be greater than or equal to 0"
        );
        helm_4_says(&chart, &words);
        helm_3_hears(&chart, &words);
    }
}

#[test]
fn a_count_that_is_a_text() {
    let chart = counting("backoffLimit: \"3\",");
    let typed = "failed to create typed patch object (demo/x; batch/v1, Kind=Job): .spec.backoffLimit: ";
    helm_4_says(&chart, &format!("{typed}expected numeric (int or float), got string"));
    helm_3_hears(
        &chart,
        "Job in version \"v1\" cannot be handled as a Job: json: cannot unmarshal string into Go struct field \
         JobSpec.spec.backoffLimit of type int32",
    );
}

#[test]
fn a_count_with_a_fraction() {
    let chart = counting("backoffLimit: 1.5,");
    helm_4_says(
        &chart,
        "failed to convert new object (demo/x; batch/v1, Kind=Job) to proper version: unable to convert \
         unstructured object to batch/v1, Kind=Job: cannot convert float64 to int32",
    );
    helm_3_hears(
        &chart,
        "Job in version \"v1\" cannot be handled as a Job: json: cannot unmarshal number 1.5 into Go struct field \
         JobSpec.spec.backoffLimit of type int32",
    );
    for profile in ["3", "4"] {
        succeeds(&helm(profile).install(&counting("backoffLimit: 3.0,")));
    }
}

#[test]
fn a_count_that_is_too_large() {
    let chart = counting("backoffLimit: 3000000000,");
    let invalid =
        "Job.batch \"x\" is invalid: spec.backoffLimit: Invalid value: -1294967296: must be greater";
    helm_4_says(&chart, &format!("{invalid} than or equal to 0"));
    helm_3_hears(
        &chart,
        "Job in version \"v1\" cannot be handled as a Job: json: cannot unmarshal number 3000000000 into Go struct \
         field JobSpec.spec.backoffLimit of type int32",
    );
}

#[test]
fn a_truth_value_that_is_a_text() {
    let chart = counting("suspend: \"true\",");
    helm_3_hears(
        &chart,
        "Job in version \"v1\" cannot be handled as a Job: json: cannot unmarshal string into Go struct field \
         JobSpec.spec.suspend of type bool",
    );
    assert_eq!(helm("4").install(&chart).exit, 1);
}

#[test]
fn a_deadline_of_pods_that_is_none() {
    let range = "must be between 1 and 2147483647, inclusive";
    for value in ["0", "-1", "2147483648"] {
        let chart = pod("x", "pre-install", &[], &format!("activeDeadlineSeconds: {value}"));
        let field = format!("spec.activeDeadlineSeconds: Invalid value: {value}: {range}");
        helm_3_hears(&chart, &format!("Pod \"x\" is invalid: {field}"));
    }
    let spec = "template: {spec: {restartPolicy: Always, activeDeadlineSeconds: 0}}";
    let chart = hook("Job", "x", &[("hook", "pre-install")], &format!("spec: {{backoffLimit: -1, {spec}}}"));
    helm_4_says(
        &chart,
        &format!(
            "Job.batch \"x\" is invalid: [spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0, \
             spec.template.spec.activeDeadlineSeconds: Invalid value: 0: {range}, spec.template.spec.restartPolicy: \
             Required value: valid values: \"OnFailure\", \"Never\"]"
        ),
    );
}

#[test]
fn a_body_that_nobody_can_read_is_refused_before_its_namespace_is_looked_for() {
    let elsewhere = |spec: &str| {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: x, namespace: none, annotations: {{helm.sh/hook: pre-install}}}}, spec: {{{spec}, template: {{spec: {{restartPolicy: Never}}}}}}}}"
        )
    };
    let last = |spec: &str| {
        let played = helm("3").install(&elsewhere(spec));
        played.steps.last().and_then(|step| step.message.clone()).unwrap()
    };
    assert!(last("backoffLimit: \"3\"").starts_with("Job in version \"v1\" cannot be handled as a Job"));
    assert_eq!(last("backoffLimit: -1"), "namespaces \"none\" not found");
}

#[test]
fn helm_itself_looks_at_types_in_lists() {
    let wrong = "ValidationError(Job.spec.backoffLimit): invalid type for io.k8s.api.batch.v1.JobSpec.backoffLimit: got \"string\", expected \"integer\"";
    let unknown = "ValidationError(Job.spec): unknown field \"volumes\" in io.k8s.api.batch.v1.JobSpec";
    let words = format!("error validating \"\": error validating data: [{wrong}, {unknown}]");
    let spec = "volumes: [], backoffLimit: \"3\",";
    for mut release in both() {
        let played = release.install(&listed(spec, &[("hook", "pre-install")]));
        let hook = "failed pre-install: unable to build kubernetes object for pre-install hook demo/templates/l.yaml";
        fails(&played, &format!("INSTALLATION FAILED: {hook}: {words}"));
    }
}

#[test]
fn an_ordinary_list_with_an_unknown_member_cannot_be_built() {
    let words = "error validating \"\": error validating data: ValidationError(Job.spec): unknown field \"volumes\" in io.k8s.api.batch.v1.JobSpec";
    for mut release in both() {
        let played = release.install(&listed("volumes: [],", &[]));
        let build = "unable to build kubernetes objects from release manifest";
        fails(&played, &format!("INSTALLATION FAILED: {build}: {words}"));
        assert!(played.history.is_empty(), "nothing is stored: {:?}", played.history);
        succeeds(&release.install(&listed("", &[])));
        fails(&release.upgrade(&listed("volumes: [],", &[])), &format!("UPGRADE FAILED: {words}"));
    }
}

#[test]
fn a_build_goes_on_after_what_cannot_be_decoded_but_not_after_a_list() {
    let odd = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: 1}}\n";
    let chart = format!("{odd}{}{}", listed("volumes: [],", &[]), listed("other: [],", &[]));
    let played = helm("3").install(&chart);
    fails(
        &played,
        "INSTALLATION FAILED: unable to build kubernetes objects from release manifest: [unable to decode \"\": json: \
         cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string, error validating \"\": \
         error validating data: ValidationError(Job.spec): unknown field \"volumes\" in io.k8s.api.batch.v1.JobSpec]",
    );
}

#[test]
fn an_ordinary_job_that_becomes_unreadable_cannot_be_patched() {
    let resource = |spec: &str| {
        resource("Job", "x", &format!("spec: {{{spec} template: {{spec: {{restartPolicy: Never}}}}}}"))
    };
    let mut release = helm("3");
    succeeds(&release.install(&resource("")));
    fails(
        &release.upgrade(&resource("backoffLimit: \"3\",")),
        "UPGRADE FAILED: cannot patch \"x\" with kind Job:  \"\" is invalid: patch: Invalid value: …: json: cannot \
         unmarshal string into Go struct field JobSpec.spec.backoffLimit of type int32",
    );
    fails(
        &release.upgrade(&resource("backoffLimit: -1,")),
        "UPGRADE FAILED: cannot patch \"x\" with kind Job: Job.batch \"x\" is invalid: spec.backoffLimit: Invalid value: \
         -1: must be greater than or equal to 0",
    );
}
