//! The kernel ended a container that took more memory than it may.

use k8s_openapi::api::core::v1::Container;

use super::{super::evidence::Evidence, cause, template};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let container = evidence.containers().find(|container| {
        container
            .states()
            .filter_map(|state| state.terminated.as_ref())
            .any(|ended| ended.reason.as_deref() == Some("OOMKilled"))
    })?;
    let name = &container.status.name;
    let spec = evidence.pod_spec();
    let containers =
        spec.into_iter().flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers));
    let limit = containers.filter(|one| one.name == *name).find_map(limit);
    let limit =
        limit.map_or_else(|| "the node had no more".to_owned(), |limit| format!("its limit is {limit}"));
    let what = format!("ran out of memory: the kernel ended the container {name:?}; {limit}");
    Some(cause("out-of-memory", what).advice(format!(
        "raise resources.limits.memory of {name:?} in {}, or let it take less",
        template(evidence)
    )))
}

fn limit(container: &Container) -> Option<&str> {
    container.resources.as_ref()?.limits.as_ref()?.get("memory").map(|quantity| quantity.0.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{ended, evidence, pod};

    #[test]
    fn the_limit_is_told() {
        let mut pod = pod(&ended("OOMKilled", 137));
        pod["spec"]["containers"][0]["resources"] = json!({"limits": {"memory": "32Mi"}});
        let found = find(&evidence(&json!({"pods": [pod]}))).unwrap();
        assert_eq!(
            found.what,
            "ran out of memory: the kernel ended the container \"main\"; its limit is 32Mi"
        );
    }

    #[test]
    fn another_signal_is_another_cause() {
        assert!(find(&evidence(&json!({"pods": [pod(&ended("Error", 137))]}))).is_none());
    }
}
