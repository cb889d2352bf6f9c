//! What the test cluster is made of: each program, its Go module, its package and what the linker writes into it.

/// The Kubernetes release whose control plane is built.
pub(super) const KUBERNETES: &str = "1.36.3";

/// One program and how it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recipe {
    /// File name in the folder of programs.
    pub(super) name: &'static str,
    /// Folder below `tests/rig` that holds `go.mod` and `go.sum`.
    pub(super) module: &'static str,
    /// The Go package to build, as seen from the module's folder.
    pub(super) package: &'static str,
    /// Variables that release builds set through the linker: `package.variable`, value.
    pub(super) stamps: &'static [(&'static str, &'static str)],
}

/// Without these the API server calls itself v0.0.0, and the `kubeVersion` of charts is checked against that.
///
/// Source: Kubernetes `hack/lib/version.sh`, `kube::version::ldflags`.
const KUBERNETES_STAMPS: &[(&str, &str)] = &[
    ("k8s.io/component-base/version.gitVersion", "v1.36.3"),
    ("k8s.io/component-base/version.gitMajor", "1"),
    ("k8s.io/component-base/version.gitMinor", "36"),
    ("k8s.io/client-go/pkg/version.gitVersion", "v1.36.3"),
    ("k8s.io/client-go/pkg/version.gitMajor", "1"),
    ("k8s.io/client-go/pkg/version.gitMinor", "36"),
];

/// Helm 3 believes in Kubernetes 1.20 unless its build says otherwise.
///
/// Source: Helm 3.21.4 `Makefile`, `LDFLAGS`.
const HELM3_STAMPS: &[(&str, &str)] = &[
    ("helm.sh/helm/v3/internal/version.version", "v3.21.4"),
    ("helm.sh/helm/v3/internal/version.gitTreeState", "clean"),
    ("helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor", "1"),
    ("helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor", "36"),
    ("helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor", "1"),
    ("helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor", "36"),
];

/// Helm 4 reads the Kubernetes version from its own build information and needs only its own.
///
/// Source: Helm 4.2.4 `Makefile`, `internal/version/clientgo.go`.
const HELM4_STAMPS: &[(&str, &str)] = &[
    ("helm.sh/helm/v4/internal/version.version", "v4.2.4"),
    ("helm.sh/helm/v4/internal/version.gitTreeState", "clean"),
];

/// Every program, the quick ones first, so that a broken set-up shows early.
pub(super) const RECIPES: &[Recipe] = &[
    Recipe { name: "yaml-reader", module: "yaml", package: ".", stamps: &[] },
    Recipe { name: "etcd", module: "etcd", package: "go.etcd.io/etcd/server/v3", stamps: &[] },
    Recipe { name: "helm4", module: "helm4", package: "helm.sh/helm/v4/cmd/helm", stamps: HELM4_STAMPS },
    Recipe { name: "helm3", module: "helm3", package: "helm.sh/helm/v3/cmd/helm", stamps: HELM3_STAMPS },
    Recipe { name: "kwok", module: "kwok", package: "sigs.k8s.io/kwok/cmd/kwok", stamps: &[] },
    kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    kubernetes("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    kubernetes("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    kubernetes("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
    kubernetes("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
    kubernetes("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),
];

const fn kubernetes(name: &'static str, package: &'static str) -> Recipe {
    Recipe { name, module: "kubernetes", package, stamps: KUBERNETES_STAMPS }
}

impl Recipe {
    /// What follows `-ldflags`: no symbol tables, and the stamps.
    #[must_use]
    pub(super) fn linker_flags(&self) -> String {
        let mut flags = "-s -w".to_owned();
        for (variable, value) in self.stamps {
            flags.push_str(" -X ");
            flags.push_str(variable);
            flags.push('=');
            flags.push_str(value);
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_stamped_version_is_the_one_its_module_asks_for() {
        let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/rig");
        for recipe in RECIPES {
            let text = std::fs::read_to_string(modules.join(recipe.module).join("go.mod")).unwrap();
            for (_, version) in recipe.stamps.iter().filter(|(_, value)| value.starts_with('v')) {
                let module = recipe.package.split("/cmd/").next().unwrap();
                assert!(text.contains(&format!("{module} {version}")), "{}: {module} {version}", recipe.name);
            }
        }
    }

    #[test]
    fn the_kubernetes_stamps_agree_with_the_release() {
        let minor = KUBERNETES.split('.').nth(1).unwrap();
        for (variable, value) in KUBERNETES_STAMPS.iter().chain(HELM3_STAMPS) {
            if variable.ends_with("Minor") {
                assert_eq!(*value, minor, "{variable}");
            }
        }
        assert!(KUBERNETES_STAMPS.iter().any(|(_, value)| *value == format!("v{KUBERNETES}")));
    }

    #[test]
    fn linker_flags_carry_every_stamp() {
        assert_eq!(RECIPES[0].linker_flags(), "-s -w");
        assert!(RECIPES[2].linker_flags().contains("-X helm.sh/helm/v4/internal/version.version=v4.2.4"));
    }
}
