//! Where the programs of the test cluster are.

use std::{
    env,
    path::{Path, PathBuf},
};

/// What a control plane and its tests need, by file name.
const NEEDED: [&str; 8] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kwok",
    "helm3",
    "helm4",
];

/// The folder of programs that `cargo xtask rig` builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    bin: PathBuf,
}

impl Programs {
    /// The folder in `HOOKWARD_RIG_BIN`, else the one `cargo xtask rig` left last; `None` when a program is missing there.
    #[must_use]
    pub fn find() -> Option<Self> {
        Self::in_folder(&Self::folder())
    }

    /// The program that reads YAML as Helm does; see `tests/rig/yaml`. It may be there without the others.
    #[must_use]
    pub fn yaml_reader() -> Option<PathBuf> {
        let path = Self::folder().join("yaml-reader");
        path.is_file().then_some(path)
    }

    /// The path of one program.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    fn folder() -> PathBuf {
        if let Some(bin) = env::var_os("HOOKWARD_RIG_BIN") {
            return bin.into();
        }
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/rig");
        env::var_os("HOOKWARD_RIG").map_or(built, PathBuf::from).join("current")
    }

    /// Those in one folder, if none is missing there.
    #[must_use]
    pub fn in_folder(bin: &Path) -> Option<Self> {
        let bin = std::path::absolute(bin).ok()?;
        NEEDED.iter().all(|name| bin.join(name).is_file()).then_some(Self { bin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_counts_only_when_complete() {
        let folder = tempfile::tempdir().unwrap();
        for name in NEEDED {
            assert_eq!(Programs::in_folder(folder.path()), None, "before {name}");
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert!(Programs::in_folder(folder.path()).is_some());
    }
}
