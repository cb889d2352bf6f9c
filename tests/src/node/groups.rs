//! The control groups of a node: one below our own in each hierarchy, so that its pods count as ours.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What the kubelet manages pods with; version 2 of control groups has no such hierarchies.
const NEEDED: [&str; 7] = ["cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids"];

/// Where hierarchies are mounted.
const MOUNTS: &str = "/sys/fs/cgroup";

/// The groups of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Groups {
    /// As `/proc/self/cgroup` names them (`cpu,cpuacct`, `name=systemd`), and the folder of our group there.
    hierarchies: Vec<(String, PathBuf)>,
}

impl Groups {
    /// Where the groups of that name would be; nothing is made yet. An error says why this machine has no place for them.
    pub(super) fn plan(name: &str) -> Result<Self, String> {
        let text = fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
        let groups = Self { hierarchies: read(&text, name) };
        if let Some(missing) = NEEDED.iter().find(|controller| groups.of(controller).is_none()) {
            return Err(format!(
                "there is no hierarchy of version 1 for the control group {missing:?}; this machine has version 2, \
                 or none"
            ));
        }
        let mut parents = groups.hierarchies.iter().filter_map(|(_, folder)| folder.parent());
        match parents.find(|parent| !parent.join("cgroup.procs").exists()) {
            Some(parent) => Err(format!("our own control group {} is not mounted", parent.display())),
            None => Ok(groups),
        }
    }

    /// Makes them.
    pub(super) fn make(&self) -> io::Result<()> {
        for (_, folder) in &self.hierarchies {
            fs::create_dir_all(folder)?;
        }
        // A group without processors and memory of its own takes no process.
        let cpuset = self.of("cpuset").expect("planned groups have every hierarchy that is needed");
        let parent = cpuset.parent().expect("a group lies in a mount");
        for file in ["cpuset.cpus", "cpuset.mems"] {
            fs::write(cpuset.join(file), fs::read(parent.join(file))?)?;
        }
        Ok(())
    }

    /// The folders, one per hierarchy.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        self.hierarchies.iter().map(|(_, folder)| folder.clone()).collect()
    }

    /// The names of the hierarchies.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.hierarchies.iter().map(|(name, _)| name.as_str())
    }

    /// The processes of a container, as the machine numbers them; empty when there is no such container.
    pub(super) fn processes(&self, container: &str) -> io::Result<Vec<u32>> {
        let pids = self.of("pids").expect("planned groups have every hierarchy that is needed");
        let Some(folder) = find(pids, container)? else { return Ok(Vec::new()) };
        let text = fs::read_to_string(folder.join("cgroup.procs"))?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    fn of(&self, controller: &str) -> Option<&Path> {
        let has = |name: &str| name.split(',').any(|one| one == controller);
        self.hierarchies.iter().find(|(name, _)| has(name)).map(|(_, folder)| folder.as_path())
    }
}

/// Source: Linux `cgroups(7)`, `/proc/pid/cgroup`: id, controllers, path; no controllers means version 2.
fn read(text: &str, name: &str) -> Vec<(String, PathBuf)> {
    let lines = text.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        Some((parts.next()?, parts.next()?))
    });
    let folder = |controllers: &str, path: &str| {
        let mount = Path::new(MOUNTS).join(controllers.trim_start_matches("name="));
        mount.join(path.trim_start_matches('/')).join(name)
    };
    lines
        .filter(|(controllers, _)| !controllers.is_empty())
        .map(|(controllers, path)| (controllers.to_owned(), folder(controllers, path)))
        .collect()
}

/// The folder of that name somewhere below.
fn find(folder: &Path, name: &str) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        if entry.file_name() == name {
            return Ok(Some(entry.path()));
        }
        if let Some(found) = find(&entry.path(), name)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hierarchy_gets_a_group_below_our_own() {
        let text = "9:name=systemd:/user/1\n4:memory:/build/a:b\n1:cpu,cpuacct:/\n0::/user\n";
        let path = |path: &str| PathBuf::from(path);
        assert_eq!(
            read(text, "n"),
            [
                ("name=systemd".to_owned(), path("/sys/fs/cgroup/systemd/user/1/n")),
                ("memory".to_owned(), path("/sys/fs/cgroup/memory/build/a:b/n")),
                ("cpu,cpuacct".to_owned(), path("/sys/fs/cgroup/cpu,cpuacct/n")),
            ]
        );
        let groups = Groups { hierarchies: read(text, "n") };
        assert_eq!(groups.of("cpuacct"), Some(Path::new("/sys/fs/cgroup/cpu,cpuacct/n")));
        assert_eq!(groups.of("pids"), None);
    }

    #[test]
    fn a_group_is_found_at_any_depth() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/wanted");
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(find(folder.path(), "wanted").unwrap(), Some(deep));
        assert_eq!(find(folder.path(), "other").unwrap(), None);
    }
}
