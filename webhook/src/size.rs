//! Sizes of memory: as flags are written, and as the system limits us.

use std::{fs, path::Path};

/// Suffixes and what they stand for, as in quantities of Kubernetes.
const UNITS: [(&str, u64); 6] =
    [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)];

/// Where the groups of processes and their limits are.
const GROUPS: &str = "/sys/fs/cgroup";

/// Reads the value of a flag.
///
/// # Errors
/// With a sentence about what it should have been.
pub(crate) fn flag(text: &str) -> Result<u64, String> {
    let unit = UNITS.iter().find(|(suffix, _)| text.ends_with(suffix));
    let (suffix, factor) = unit.copied().unwrap_or(("", 1));
    let number = text.strip_suffix(suffix).unwrap_or(text).parse::<u64>().ok();
    let size = number.and_then(|number| number.checked_mul(factor)).filter(|size| *size > 0);
    size.ok_or_else(|| "write a size such as 128Mi, 1Gi or 134217728".to_owned())
}

/// The memory limit of the group of processes that this one is in; `None` when there is none.
pub(crate) fn of_cgroup() -> Option<u64> {
    of_cgroup_in(Path::new(GROUPS), &fs::read_to_string("/proc/self/cgroup").unwrap_or_default())
}

/// The same, where groups are below `root`, and `membership` says which are ours. In a container the root is our own group, whatever
/// its name is outside.
///
/// Source: Linux `Documentation/admin-guide/cgroup-v2.rst`, `memory.max`, and `cgroup-v1/memory.rst`, `memory.limit_in_bytes`.
fn of_cgroup_in(root: &Path, membership: &str) -> Option<u64> {
    let limits = membership.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?.trim_start_matches('/'));
        let (root, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        // A group may not take more than the groups around it.
        let groups = Path::new(path).ancestors().map(|group| root.join(group).join(file));
        groups.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok()).min()
    });
    // Without a limit the first version says a very large number.
    limits.min().filter(|limit| *limit < 1 << 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_in_kubernetes() {
        for (text, size) in [
            ("134217728", 128 << 20),
            ("128Mi", 128 << 20),
            ("1Gi", 1 << 30),
            ("64Ki", 1 << 16),
            ("100M", 100_000_000),
        ] {
            assert_eq!(flag(text), Ok(size), "{text}");
        }
        for text in ["", "0", "Mi", "128m", "-1", "1.5Gi", "99999999999Gi", "128 Mi"] {
            assert!(flag(text).unwrap_err().contains("128Mi"), "{text}");
        }
    }

    #[test]
    fn the_tightest_group_around_us_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let limit = |membership: &str| of_cgroup_in(root.path(), membership);
        assert_eq!(limit("0::/kubepods/pod1\n"), None);
        write("memory.max", "134217728\n");
        assert_eq!(limit("0::/kubepods/pod1\n"), Some(128 << 20), "in a container the root is ours");
        write("system/memory.max", "1000\n");
        write("system/unit/memory.max", "max\n");
        assert_eq!(limit("1:name=systemd:/x\n0::/system/unit\n"), Some(1000));
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(limit("4:memory:/a\n"), None);
        write("memory/a/memory.limit_in_bytes", "2000\n");
        assert_eq!(limit("4:cpu,memory:/a\n3:cpuset:/\n"), Some(2000));
    }
}
