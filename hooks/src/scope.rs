//! Which kinds Kubernetes has by itself, and which of their objects have no namespace.

/// Whether the objects of a kind have a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// They have.
    Namespaced,
    /// They have none.
    Cluster,
}

/// One version of a group: the kinds with a namespace, and those without.
type Group = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Source: what `kubectl api-resources` of Kubernetes 1.36 lists, but for what cannot be created to stay.
const GROUPS: [Group; 20] = [
    (
        "v1",
        &[
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
        &["Namespace", "Node", "PersistentVolume"],
    ),
    (
        "admissionregistration.k8s.io/v1",
        &[],
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io/v1", &[], &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io/v1", &[], &["APIService"]),
    ("apps/v1", &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"], &[]),
    ("autoscaling/v1", &["HorizontalPodAutoscaler"], &[]),
    ("autoscaling/v2", &["HorizontalPodAutoscaler"], &[]),
    ("batch/v1", &["CronJob", "Job"], &[]),
    ("certificates.k8s.io/v1", &[], &["CertificateSigningRequest"]),
    ("coordination.k8s.io/v1", &["Lease"], &[]),
    ("discovery.k8s.io/v1", &["EndpointSlice"], &[]),
    ("events.k8s.io/v1", &["Event"], &[]),
    ("flowcontrol.apiserver.k8s.io/v1", &[], &["FlowSchema", "PriorityLevelConfiguration"]),
    ("networking.k8s.io/v1", &["Ingress", "NetworkPolicy"], &["IPAddress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io/v1", &[], &["RuntimeClass"]),
    ("policy/v1", &["PodDisruptionBudget"], &[]),
    ("rbac.authorization.k8s.io/v1", &["Role", "RoleBinding"], &["ClusterRole", "ClusterRoleBinding"]),
    ("resource.k8s.io/v1", &["ResourceClaim", "ResourceClaimTemplate"], &["DeviceClass", "ResourceSlice"]),
    ("scheduling.k8s.io/v1", &[], &["PriorityClass"]),
    (
        "storage.k8s.io/v1",
        &["CSIStorageCapacity"],
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
    ),
];

/// The scope of a kind that Kubernetes has by itself; `None` for all others, and for versions it no longer serves.
#[must_use]
pub fn built_in(api_version: &str, kind: &str) -> Option<Scope> {
    let (_, namespaced, cluster) = GROUPS.iter().find(|(group, ..)| *group == api_version)?;
    if namespaced.contains(&kind) {
        Some(Scope::Namespaced)
    } else if cluster.contains(&kind) {
        Some(Scope::Cluster)
    } else {
        None
    }
}

/// Whether Kubernetes alone decides if it serves this kind: it has it, or would have it in other letters, or nobody else can bring kinds
/// to its group, which has no domain.
#[must_use]
pub fn is_known(api_version: &str, kind: &str) -> bool {
    let group = GROUPS.iter().find(|(group, ..)| *group == api_version);
    group.is_some_and(|(group, namespaced, cluster)| {
        let is_it = |known: &&str| known.eq_ignore_ascii_case(kind);
        !group.contains('.') || namespaced.iter().chain(*cluster).any(is_it)
    })
}

/// The kind that Kubernetes has by itself and that is written in small letters here: its clients find it, and nobody can read it.
#[must_use]
pub fn in_small_letters(api_version: &str, kind: &str) -> Option<&'static str> {
    let (_, namespaced, cluster) = GROUPS.iter().find(|(group, ..)| *group == api_version)?;
    namespaced.iter().chain(*cluster).copied().find(|known| known.to_ascii_lowercase() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_in_small_letters_was_taken_for_one_that_somebody_brings() {
        assert!(is_known("batch/v1", "job") && is_known("batch/v1", "Jobs"));
        assert!(is_known("networking.k8s.io/v1", "networkpolicy"));
        assert!(!is_known("networking.k8s.io/v1", "Other") && !is_known("example.com/v1", "Job"));
        assert_eq!(in_small_letters("batch/v1", "cronjob"), Some("CronJob"));
        assert_eq!(in_small_letters("batch/v1", "cronJob"), None);
    }

    #[test]
    fn the_scope_of_a_kind_is_known() {
        assert_eq!(built_in("batch/v1", "Job"), Some(Scope::Namespaced));
        assert_eq!(built_in("v1", "Namespace"), Some(Scope::Cluster));
        assert_eq!(built_in("apiextensions.k8s.io/v1", "CustomResourceDefinition"), Some(Scope::Cluster));
    }

    #[test]
    fn what_is_no_longer_served_and_what_others_bring_is_not_known() {
        assert_eq!(built_in("batch/v1beta1", "Job"), None);
        assert_eq!(built_in("example.com/v1", "Job"), None);
        assert_eq!(built_in("v1", "Job"), None);
    }
}
