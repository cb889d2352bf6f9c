//! The image of a container cannot be had.

use super::{super::evidence::Evidence, between, cause, pod, template};
use crate::diagnose::Cause;

/// Source: Kubernetes `pkg/kubelet/images/types.go`.
const REASONS: [&str; 6] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
];

/// How the kubelet says why.
const FIRST: [&str; 3] = [
    "Failed to pull image ",
    "is not present with pull policy of Never",
    "Failed to apply default image tag",
];

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let is_about = |reason: &str| REASONS.contains(&reason);
    let waiting = evidence
        .containers()
        .find(|container| container.waiting().is_some_and(|(reason, _)| is_about(reason)));
    // The reason of the first try is in an event: what waits between tries only says that it does.
    let told = |words: &str| {
        evidence.of_pods().rev().map(|said| said.message.as_str()).find(|text| text.contains(words))
    };
    let first = FIRST.into_iter().find_map(told);
    let (image, text) = match (waiting, first) {
        (Some(container), text) => (
            container.status.image.as_str(),
            text.or_else(|| container.waiting().map(|(_, message)| message)),
        ),
        (None, Some(text))
            if evidence
                .own_containers()
                .all(|container| container.states().all(|state| state.terminated.is_none()))
                && !evidence.of_pods().any(|said| said.reason == "Started") =>
        {
            (between(text, "image \"", "\"").unwrap_or("?"), Some(text))
        }
        (None, _) => return None,
    };
    let what = format!("could not start {}: the image {image:?} cannot be pulled", pod(evidence));
    let found = cause("image-pull", what).said(text.unwrap_or_default());
    let advice = if text.is_some_and(|text| {
        ["401", "403", "unauthorized", "denied", "authorization"]
            .iter()
            .any(|word| text.to_lowercase().contains(word))
    }) {
        "give its ServiceAccount or pod an imagePullSecrets that opens the registry, and look whether the image is there"
    } else {
        "look whether the image and its tag are there, and whether nodes reach the registry"
    };
    Some(found.advice(advice).advice(format!("the image stands in {}", template(evidence))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{ended, evidence, pod, waiting};

    #[test]
    fn the_image_and_the_first_error_are_told() {
        let pods = [pod(&waiting("ImagePullBackOff", "Back-off pulling image \"shop:1\""))];
        let said = "Failed to pull image \"shop:1\": failed to resolve reference: 403 Forbidden";
        let found = find(&evidence(&json!({"pods": pods, "events": [["Pod", "migrate-x", "Failed", said]]})))
            .unwrap();
        assert_eq!(found.what, "could not start its pod: the image \"shop:1\" cannot be pulled");
        assert_eq!(found.said.as_deref(), Some(said));
        assert!(found.repair[0].text.contains("imagePullSecrets"));
    }

    #[test]
    fn a_pod_that_is_gone_has_left_its_events() {
        let said = "Failed to pull image \"shop:1\": not found";
        let found =
            find(&evidence(&json!({"job": null, "events": [["Pod", "migrate-x", "Failed", said]]}))).unwrap();
        assert!(found.what.contains("\"shop:1\""));
    }

    #[test]
    fn an_image_that_came_to_a_pod_that_nobody_may_look_at_was_called_missing() {
        let said = "Failed to pull image \"shop:1\": timeout";
        let events = json!([
            ["Pod", "migrate-x", "Failed", said],
            ["Pod", "migrate-x", "Started", "Started container main"]
        ]);
        assert!(find(&evidence(&json!({"blind": true, "events": events}))).is_none());
    }

    #[test]
    fn an_image_that_came_in_the_end_is_no_cause() {
        let said = "Failed to pull image \"shop:1\": timeout";
        let seen =
            json!({"pods": [pod(&ended("Error", 1))], "events": [["Pod", "migrate-x", "Failed", said]]});
        assert!(find(&evidence(&seen)).is_none());
    }
}
