//! A sidecar that somebody put into the pod goes on when the work is done, so that the pod never ends.

use hooks::plain::shell_word;

use super::{
    super::evidence::{Evidence, Standing},
    cause,
};
use crate::diagnose::Cause;

/// Containers that meshes and others add to pods.
const SIDECARS: [&str; 10] = [
    "istio-proxy",
    "linkerd-proxy",
    "consul-dataplane",
    "kuma-sidecar",
    "envoy",
    "envoy-sidecar",
    "vault-agent",
    "cloud-sql-proxy",
    "cloudsql-proxy",
    "dapr",
];

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let pod = evidence
        .pods
        .iter()
        .find(|pod| pod.status.as_ref().is_some_and(|status| status.phase.as_deref() == Some("Running")))?;
    let of_pod: Vec<Standing<'_>> = evidence
        .own_containers()
        .filter(|container| !container.is_init && std::ptr::eq(container.pod, pod))
        .collect();
    let (ended, running): (Vec<_>, Vec<_>) = of_pod.into_iter().partition(|container| {
        container.status.state.as_ref().is_some_and(|state| state.terminated.is_some())
    });
    let written: Vec<&str> =
        evidence.written_containers().iter().map(|container| container.name.as_str()).collect();
    let is_sidecar = |container: &&Standing<'_>| {
        let name = container.status.name.as_str();
        SIDECARS.contains(&name)
            || name.contains("-proxy")
            || (!written.is_empty() && !written.contains(&name))
    };
    let is_well = |container: &Standing<'_>| {
        container
            .states()
            .find_map(|state| state.terminated.as_ref())
            .is_some_and(|ended| ended.exit_code == 0)
    };
    let sidecar = running.iter().find(is_sidecar)?;
    if ended.is_empty()
        || !ended.iter().all(is_well)
        || !running.iter().all(|container| is_sidecar(&container))
    {
        return None;
    }
    let (name, work) = (&sidecar.status.name, &ended[0].status.name);
    let is_added = !written.is_empty() && !written.contains(&name.as_str());
    let whence = if is_added { ", which is not in the chart," } else { "" };
    let what = format!(
        "has done its work, but its pod does not end: {work:?} ended well, and the sidecar {name:?}{whence} still runs"
    );
    let namespace = shell_word(&evidence.hook.namespace);
    let found = cause("mesh-sidecar", what);
    let found = match name.as_str() {
        "istio-proxy" => found.advice("give the pod template the label sidecar.istio.io/inject: \"false\", or use native sidecars"),
        "linkerd-proxy" => found.advice("give the pod template the annotation linkerd.io/inject: disabled, or use native sidecars"),
        _ => found.advice(format!("declare {name:?} as an init container with restartPolicy: Always, or end it when the work is done")),
    };
    let pod = pod.metadata.name.as_deref().unwrap_or_default();
    Some(found.command(
        format!("kubectl -n {namespace} exec {} -c {} -- kill 1", shell_word(pod), shell_word(name)),
        "ends it by hand, this once",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::diagnose::testing::{ended, evidence};

    fn pod(sidecar: &str, work: &Value) -> Value {
        let status = |name: &str, state: &Value| json!({"name": name, "image": "x", "imageID": "", "ready": true, "restartCount": 0, "state": state});
        let statuses = [status("main", work), status(sidecar, &json!({"running": {}}))];
        json!({"metadata": {"name": "migrate-x"}, "status": {"phase": "Running", "containerStatuses": statuses}})
    }

    #[test]
    fn a_proxy_that_outlives_the_work_is_found() {
        let found = find(&evidence(&json!({"pods": [pod("istio-proxy", &ended("Completed", 0))]}))).unwrap();
        assert!(found.what.contains("the sidecar \"istio-proxy\" still runs"), "{}", found.what);
        assert!(found.repair[0].text.contains("sidecar.istio.io/inject"));
    }

    #[test]
    fn a_container_that_the_chart_does_not_know_is_one_too() {
        let seen = json!({"pods": [pod("agent", &ended("Completed", 0))], "spec": {"containers": [{"name": "main"}]}});
        assert!(find(&evidence(&seen)).unwrap().what.contains("which is not in the chart"));
        let known = json!({"pods": [pod("agent", &ended("Completed", 0))], "spec": {"containers": [{"name": "main"}, {"name": "agent"}]}});
        assert!(find(&evidence(&known)).is_none());
    }

    #[test]
    fn as_long_as_the_work_goes_on_nothing_is_wrong() {
        assert!(find(&evidence(&json!({"pods": [pod("istio-proxy", &json!({"running": {}}))]}))).is_none());
        assert!(find(&evidence(&json!({"pods": [pod("istio-proxy", &ended("Error", 1))]}))).is_none());
    }
}
