//! What an object refers to by name: pods to what they need to start, bindings to whom and what they bind.

use std::fmt;

use hooks::{Container, Node, Object, Pods};

/// The API group of roles and bindings.
pub(crate) const RBAC: &str = "rbac.authorization.k8s.io";

/// The kinds that are referred to by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Referent {
    /// Rights for the whole cluster.
    ClusterRole,
    /// Settings and scripts.
    ConfigMap,
    /// A claim for a volume.
    PersistentVolumeClaim,
    /// Rights in one namespace.
    Role,
    /// Credentials.
    Secret,
    /// Who a pod is.
    ServiceAccount,
}

impl Referent {
    /// The kind.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ClusterRole => "ClusterRole",
            Self::ConfigMap => "ConfigMap",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::Role => "Role",
            Self::Secret => "Secret",
            Self::ServiceAccount => "ServiceAccount",
        }
    }

    /// The API group of the kind, `""` for the core group.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::ClusterRole | Self::Role => RBAC,
            _ => "",
        }
    }

    /// Which of them `object` is.
    #[must_use]
    pub fn of(object: Object<'_>) -> Option<Self> {
        use Referent::{ClusterRole, ConfigMap, PersistentVolumeClaim, Role, Secret, ServiceAccount};
        let all = [ClusterRole, ConfigMap, PersistentVolumeClaim, Role, Secret, ServiceAccount];
        all.into_iter().find(|referent| object.is(referent.group(), referent.kind()))
    }
}

impl fmt::Display for Referent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind())
    }
}

/// One name that an object mentions. Displayed as `Secret "shop-db"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    /// What kind of object it is.
    pub to: Referent,
    /// Its name; never empty.
    pub name: &'a str,
    /// Its namespace as written, for subjects of a binding; otherwise it is where the object is.
    pub namespace: Option<&'a str>,
    /// Whether a pod starts without it: `optional: true`, and secrets for pulling images, which the kubelet merely tries.
    pub is_optional: bool,
    /// What the object does with it, to be read between two names: `mounts`, `reads`, `runs as`.
    pub verb: &'static str,
    /// JSON pointer from the object to the name.
    pub pointer: String,
}

impl Reference<'_> {
    /// Whether `object`, in `namespace` when it names none itself, is what is meant by an object in `from`.
    #[must_use]
    pub fn means(&self, object: Object<'_>, namespace: Option<&str>, from: Option<&str>) -> bool {
        let is_same_place = match self.to {
            Referent::ClusterRole => true,
            _ => self.namespace.or(from).or(namespace) == object.namespace().or(namespace),
        };
        is_same_place && object.name() == Some(self.name) && object.is(self.to.group(), self.to.kind())
    }
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} \"{}\"", self.to, self.name)
    }
}

/// Everything that `object` mentions by name, in the order in which it is written; the same name may come twice.
#[must_use]
pub fn references(object: Object<'_>) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    if let Some(pods) = object.pods() {
        of_pods(&pods, &mut found);
    } else if object.group() == RBAC && matches!(object.kind(), "RoleBinding" | "ClusterRoleBinding") {
        of_binding(object.root(), &mut found);
    }
    found
}

/// Collects references that differ only in a few parts.
struct Collector<'f, 'a> {
    found: &'f mut Vec<Reference<'a>>,
    verb: &'static str,
}

impl<'a> Collector<'_, 'a> {
    /// Adds what `node` says in its member `field`, unless that is absent or empty. Most places name nothing, so a pointer is written
    /// out only where something is found.
    fn add(&mut self, to: Referent, node: Option<&'a Node<'a>>, pointer: fmt::Arguments<'_>, field: &str) {
        let Some((node, name)) =
            node.and_then(|node| Some((node, node.str_at(field).filter(|name| !name.is_empty())?)))
        else {
            return;
        };
        let is_optional = node.get("optional").and_then(Node::as_bool).unwrap_or(false);
        let pointer = format!("{pointer}/{field}");
        self.found.push(Reference { to, name, namespace: None, is_optional, verb: self.verb, pointer });
    }
}

/// Source: Kubernetes `pkg/api/v1/pod/util.go`, `VisitPodSecretNames` and `VisitPodConfigmapNames`.
fn of_pods<'a>(pods: &Pods<'a>, found: &mut Vec<Reference<'a>>) {
    let (spec, at) = (pods.spec, pods.pointer);
    let account =
        if spec.str_at("serviceAccountName").is_some() { "serviceAccountName" } else { "serviceAccount" };
    let mut runs_as = Collector { found, verb: "runs as" };
    runs_as.add(Referent::ServiceAccount, Some(spec), format_args!("{at}"), account);
    let first = found.len();
    let mut pulls = Collector { found, verb: "pulls its image with" };
    for (index, secret) in items(spec, "imagePullSecrets") {
        pulls.add(Referent::Secret, Some(secret), format_args!("{at}/imagePullSecrets/{index}"), "name");
    }
    found[first..].iter_mut().for_each(|reference| reference.is_optional = true);
    for (index, volume) in items(spec, "volumes") {
        of_volume(volume, format_args!("{at}/volumes/{index}"), &mut Collector { found, verb: "mounts" });
    }
    let mut reads = Collector { found, verb: "reads" };
    for Container { node, list, index: place } in pods.containers() {
        for (index, env) in items(node, "env") {
            for (to, source) in [(Referent::ConfigMap, "configMapKeyRef"), (Referent::Secret, "secretKeyRef")]
            {
                let pointer = format_args!("{at}/{list}/{place}/env/{index}/valueFrom/{source}");
                reads.add(to, env.at(&["valueFrom", source]), pointer, "name");
            }
        }
        for (index, env) in items(node, "envFrom") {
            for (to, source) in [(Referent::ConfigMap, "configMapRef"), (Referent::Secret, "secretRef")] {
                let pointer = format_args!("{at}/{list}/{place}/envFrom/{index}/{source}");
                reads.add(to, env.get(source), pointer, "name");
            }
        }
    }
}

fn of_volume<'a>(volume: &'a Node<'a>, at: fmt::Arguments<'_>, mounts: &mut Collector<'_, 'a>) {
    let plain = [
        (Referent::ConfigMap, "configMap", "name"),
        (Referent::Secret, "secret", "secretName"),
        (Referent::PersistentVolumeClaim, "persistentVolumeClaim", "claimName"),
        (Referent::Secret, "azureFile", "secretName"),
    ];
    for (to, source, field) in plain {
        mounts.add(to, volume.get(source), format_args!("{at}/{source}"), field);
    }
    for (source, field) in [
        ("cephfs", "secretRef"),
        ("csi", "nodePublishSecretRef"),
        ("flexVolume", "secretRef"),
        ("iscsi", "secretRef"),
        ("rbd", "secretRef"),
        ("scaleIO", "secretRef"),
        ("storageos", "secretRef"),
    ] {
        let pointer = format_args!("{at}/{source}/{field}");
        mounts.add(Referent::Secret, volume.at(&[source, field]), pointer, "name");
    }
    for (index, source) in
        volume.get("projected").map(|projected| items(projected, "sources")).into_iter().flatten()
    {
        for (to, field) in [(Referent::ConfigMap, "configMap"), (Referent::Secret, "secret")] {
            let pointer = format_args!("{at}/projected/sources/{index}/{field}");
            mounts.add(to, source.get(field), pointer, "name");
        }
    }
}

fn of_binding<'a>(root: &'a Node<'a>, found: &mut Vec<Reference<'a>>) {
    let role = root.get("roleRef");
    let to = if role.and_then(|role| role.str_at("kind")) == Some("Role") {
        Referent::Role
    } else {
        Referent::ClusterRole
    };
    Collector { found, verb: "binds" }.add(to, role, format_args!("/roleRef"), "name");
    for (index, subject) in
        items(root, "subjects").filter(|(_, subject)| subject.str_at("kind") == Some("ServiceAccount"))
    {
        let first = found.len();
        let pointer = format_args!("/subjects/{index}");
        Collector { found, verb: "gives rights to" }.add(
            Referent::ServiceAccount,
            Some(subject),
            pointer,
            "name",
        );
        found[first..].iter_mut().for_each(|reference| reference.namespace = subject.str_at("namespace"));
    }
}

/// The items of the list `name`, with their places.
fn items<'a>(node: &'a Node<'a>, name: &str) -> impl Iterator<Item = (usize, &'a Node<'a>)> + use<'a> {
    node.get(name).map_or(&[][..], Node::items).iter().enumerate()
}

#[cfg(test)]
mod tests {
    use hooks::{Interest, manifest};

    use super::*;

    /// `verb Kind "name" at pointer`, with `?` when optional.
    fn said(yaml: &str) -> Vec<String> {
        let manifest = manifest::read(yaml, Interest::Judged, &hooks::yaml::Limits::default())
            .into_iter()
            .next()
            .unwrap()
            .unwrap();
        let line = |reference: &Reference<'_>| {
            let mark = if reference.is_optional { "?" } else { "" };
            format!("{} {reference}{mark} at {}", reference.verb, reference.pointer)
        };
        references(Object::new(&manifest.root)).iter().map(line).collect()
    }

    #[test]
    fn a_job_refers_to_its_account_its_volumes_and_its_environment() {
        let yaml = r"
apiVersion: batch/v1
kind: Job
spec:
  template:
    spec:
      serviceAccountName: migrate
      imagePullSecrets: [{name: registry}]
      volumes:
        - {name: a, configMap: {name: scripts}}
        - {name: b, secret: {secretName: keys, optional: true}}
        - {name: c, persistentVolumeClaim: {claimName: data}}
        - {name: d, projected: {sources: [{secret: {name: token}}, {serviceAccountToken: {path: t}}]}}
      initContainers: [{name: wait, envFrom: [{configMapRef: {name: settings}}]}]
      containers: [{name: run, env: [{name: A, value: b}, {name: P, valueFrom: {secretKeyRef: {name: db, key: p}}}]}]
";
        let at = "/spec/template/spec";
        assert_eq!(
            said(yaml),
            [
                format!("runs as ServiceAccount \"migrate\" at {at}/serviceAccountName"),
                format!("pulls its image with Secret \"registry\"? at {at}/imagePullSecrets/0/name"),
                format!("mounts ConfigMap \"scripts\" at {at}/volumes/0/configMap/name"),
                format!("mounts Secret \"keys\"? at {at}/volumes/1/secret/secretName"),
                format!(
                    "mounts PersistentVolumeClaim \"data\" at {at}/volumes/2/persistentVolumeClaim/claimName"
                ),
                format!("mounts Secret \"token\" at {at}/volumes/3/projected/sources/0/secret/name"),
                format!("reads ConfigMap \"settings\" at {at}/initContainers/0/envFrom/0/configMapRef/name"),
                format!("reads Secret \"db\" at {at}/containers/0/env/1/valueFrom/secretKeyRef/name"),
            ]
        );
    }

    #[test]
    fn a_binding_refers_to_its_role_and_its_accounts() {
        let yaml = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: User, name: jane}, {kind: ServiceAccount, name: migrate, namespace: shop}]
";
        let expected = [
            "binds Role \"reader\" at /roleRef/name",
            "gives rights to ServiceAccount \"migrate\" at /subjects/1/name",
        ];
        assert_eq!(said(yaml), expected);
    }

    #[test]
    fn what_makes_no_pods_refers_to_nothing() {
        assert!(said("{apiVersion: v1, kind: ConfigMap, spec: {serviceAccountName: a}}").is_empty());
    }
}
