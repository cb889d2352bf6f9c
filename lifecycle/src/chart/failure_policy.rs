//! What `spec.podFailurePolicy` of a Job makes of a pod whose container fails, which is an exit with 1 here.

use hooks::Node;

use super::typed;

/// The exit code of a container that fails.
const CODE: i64 = 1;

/// Whether the first rule that such an exit fits fails the Job; that rules may also pass over it is not played.
///
/// Source: Kubernetes 1.36 `pkg/controller/job/pod_failure_policy.go`, `matchPodFailurePolicy`.
pub(super) fn fails_at_once(written: hooks::Object<'_>) -> bool {
    if (written.group(), written.kind()) != ("batch", "Job") {
        return false;
    }
    let rules = written.spec().and_then(|spec| spec.get("podFailurePolicy")?.get("rules"));
    let Some(pods) = written.pods() else { return false };
    let first = pods.containers().find(|container| container.list == "containers");
    let fits = |rule: &&Node<'_>| {
        let Some(exits) = rule.get("onExitCodes") else { return false };
        let names = exits.str_at("containerName");
        let is_listed = exits
            .get("values")
            .is_some_and(|values| values.items().iter().any(|code| typed::whole(code) == Some(CODE)));
        let is_meant = match exits.str_at("operator") {
            Some("In") => is_listed,
            Some("NotIn") => !is_listed,
            _ => false,
        };
        is_meant && names.is_none_or(|name| first.as_ref().is_some_and(|first| first.name() == name))
    };
    let rule = rules.map_or(&[][..], Node::items).iter().find(fits);
    rule.is_some_and(|rule| rule.str_at("action") == Some("FailJob"))
}

#[cfg(test)]
mod tests {
    use crate::Chart;

    #[track_caller]
    fn fails(rules: &str, expected: bool) {
        let text = format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: a}}, spec: {{podFailurePolicy: {{rules: [{rules}]}}, template: {{spec: {{containers: [{{name: main}}, {{name: side}}]}}}}}}}}"
        );
        let chart = Chart::read(&text, "demo").unwrap();
        assert_eq!(chart.resources[0].run.as_ref().unwrap().fails_at_once, expected, "{rules}");
    }

    #[test]
    fn the_first_rule_that_an_exit_with_1_fits_counts() {
        fails("{action: FailJob, onExitCodes: {operator: In, values: [1, 42]}}", true);
        fails("{action: FailJob, onExitCodes: {operator: In, values: [42]}}", false);
        fails("{action: FailJob, onExitCodes: {operator: NotIn, values: [42]}}", true);
        fails("{action: FailJob, onExitCodes: {operator: NotIn, values: [1]}}", false);
        fails(
            "{action: Count, onExitCodes: {operator: In, values: [1]}}, {action: FailJob, onExitCodes: {operator: In, values: [1]}}",
            false,
        );
        fails("{action: FailJob, onPodConditions: [{type: DisruptionTarget}]}", false);
    }

    #[test]
    fn the_first_container_is_the_one_that_fails() {
        fails("{action: FailJob, onExitCodes: {containerName: main, operator: In, values: [1]}}", true);
        fails("{action: FailJob, onExitCodes: {containerName: side, operator: In, values: [1]}}", false);
    }
}
