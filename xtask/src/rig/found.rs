//! The programs a developer has already, in place of built ones.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use super::recipe::{KUBERNETES, RECIPES};

/// Programs given by the environment, by the name they have in the test cluster.
#[derive(Debug, Default)]
pub(super) struct Found(BTreeMap<&'static str, PathBuf>);

impl Found {
    /// Looks at `HOOKWARD_HELM3`, `HOOKWARD_HELM4`, `helm` on `PATH` and `KUBEBUILDER_ASSETS`.
    ///
    /// What is named for one Helm must be that Helm; what merely lies about is used only when its version fits.
    pub(super) fn look() -> Result<Self> {
        let mut found = Self::default();
        if let Some(folder) = env::var_os("KUBEBUILDER_ASSETS") {
            found.assets(Path::new(&folder));
        }
        for name in ["helm3", "helm4"] {
            let wanted = helm_version(name);
            let variable = format!("HOOKWARD_{}", name.to_uppercase());
            if let Some(path) = env::var_os(&variable) {
                let path = PathBuf::from(path);
                let version = reported_helm_version(&path);
                ensure!(
                    version.as_deref().is_some_and(|version| same_major(version, wanted)),
                    "{variable} names {}, which says it is Helm {}, not {wanted}",
                    path.display(),
                    version.as_deref().unwrap_or("of unknown version"),
                );
                found.insert(name, path);
            } else if let Some(path) = on_path("helm")
                && reported_helm_version(&path).as_deref() == Some(wanted)
            {
                found.insert(name, path);
            }
        }
        Ok(found)
    }

    /// The developer's program for this name.
    pub(super) fn program(&self, name: &str) -> Option<&Path> {
        self.0.get(name).map(PathBuf::as_path)
    }

    /// Follows links, so that naming our own folder of links does not make links that point to themselves.
    fn insert(&mut self, name: &'static str, path: PathBuf) {
        self.0.insert(name, path.canonicalize().unwrap_or(path));
    }

    /// An API server of another minor version would not go with the controllers built here.
    fn assets(&mut self, folder: &Path) {
        let server = folder.join("kube-apiserver");
        let version = says(&server, &["--version"]).unwrap_or_default();
        if !version.contains(&format!("v{}.", minor_series(KUBERNETES))) {
            return;
        }
        for name in ["etcd", "kube-apiserver", "kubectl"] {
            let path = folder.join(name);
            if path.is_file() {
                self.insert(name, path);
            }
        }
    }
}

/// The Helm release stamped into a built program, such as `v4.2.4`.
fn helm_version(name: &str) -> &'static str {
    let stamps = RECIPES.iter().filter(|recipe| recipe.name == name).flat_map(|recipe| recipe.stamps);
    let mut versions = stamps.filter(|(variable, _)| variable.ends_with("version.version"));
    versions.next().map(|(_, value)| *value).expect("both Helms have a version stamp")
}

fn reported_helm_version(path: &Path) -> Option<String> {
    says(path, &["version", "--template", "{{.Version}}"])
}

fn same_major(left: &str, right: &str) -> bool {
    left.split('.').next() == right.split('.').next()
}

/// `1.36.3` → `1.36`.
fn minor_series(version: &str) -> &str {
    version.rsplit_once('.').map_or(version, |(series, _)| series)
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn says(program: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_parts() {
        assert!(same_major("v4.1.0", "v4.2.4"));
        assert!(!same_major("v3.21.4", "v4.2.4"));
        assert_eq!(minor_series("1.36.3"), "1.36");
    }

    #[test]
    fn each_helm_knows_its_release() {
        assert_eq!(helm_version("helm3"), "v3.21.4");
        assert_eq!(helm_version("helm4"), "v4.2.4");
    }
}
