//! A hook that gives the cluster away.

use hooks::{Node, Object};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    references::RBAC,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// A ClusterRoleBinding or RoleBinding that is a hook binds the ClusterRole `cluster-admin`.
    ///
    /// ## Why it matters
    ///
    /// Whoever is bound may do everything: in the whole cluster, or in the namespace of a RoleBinding. Helm does not delete hooks on
    /// uninstall, so the binding outlives the release unless its delete policy says otherwise, and while it lives, everything that runs
    /// as that account has these rights.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: rbac.authorization.k8s.io/v1
    /// kind: ClusterRoleBinding
    /// metadata: {name: cleanup, annotations: {helm.sh/hook: pre-delete}}
    /// roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
    /// subjects: [{kind: ServiceAccount, name: cleanup, namespace: shop}]
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: rbac.authorization.k8s.io/v1
    /// kind: ClusterRoleBinding
    /// metadata: {name: cleanup, annotations: {helm.sh/hook: pre-delete}}
    /// roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: shop-cleanup}
    /// subjects: [{kind: ServiceAccount, name: cleanup, namespace: shop}]
    /// ```
    SecClusterAdminBinding, "sec-cluster-admin-binding", severity: Critical, release: Deny, object: Deny
}

/// The role that may do everything.
const CLUSTER_ADMIN: &str = "cluster-admin";

impl Rule for SecClusterAdminBinding {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let place = match cx.object.kind() {
            _ if cx.object.group() != RBAC => return,
            "ClusterRoleBinding" => "in the whole cluster",
            "RoleBinding" => "in its namespace",
            _ => return,
        };
        let Some(role) = cx.object.root().get("roleRef") else { return };
        if role.str_at("name") != Some(CLUSTER_ADMIN) || role.str_at("kind") != Some("ClusterRole") {
            return;
        }
        let message = format!("{} gives its subjects every right {place}", cx.object);
        findings.push(
            Finding::new("/roleRef/name", message, "bind a role that holds only what the hook needs")
                .label("every right")
                .identity(subjects(cx.object)),
        );
    }
}

/// Who gets the rights, in an order of its own: a binding with another subject is another problem.
fn subjects(binding: Object<'_>) -> String {
    let subjects = binding.root().get("subjects").map_or(&[][..], Node::items);
    let part = |subject: &Node<'_>, name| subject.str_at(name).unwrap_or("").to_owned();
    let mut all: Vec<_> =
        subjects.iter().map(|one| ["kind", "namespace", "name"].map(|name| part(one, name)).join("/")).collect();
    all.sort_unstable();
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{accepts, rejects};

    fn binding(kind: &str, role: &str) -> String {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: cleanup, annotations: {{helm.sh/hook: pre-delete}}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, {role}}}"
        )
    }

    #[test]
    fn a_role_binding_gives_away_its_namespace() {
        rejects(
            &SecClusterAdminBinding,
            &binding("RoleBinding", "kind: ClusterRole, name: cluster-admin"),
            "RoleBinding \"cleanup\" gives its subjects every right in its namespace",
        );
    }

    #[test]
    fn a_role_of_that_name_is_another_one() {
        accepts(&SecClusterAdminBinding, &binding("RoleBinding", "kind: Role, name: cluster-admin"));
    }

    #[test]
    fn other_groups_are_not_meant() {
        let yaml = binding("ClusterRoleBinding", "kind: ClusterRole, name: cluster-admin");
        accepts(&SecClusterAdminBinding, &yaml.replacen("rbac.authorization.k8s.io/v1", "example.com/v1", 1));
    }
}
