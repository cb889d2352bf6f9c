//! Whether this machine can carry a node, and if not, why.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{groups::Groups, images};
use crate::cluster::{self, OUTER_LIMIT, Programs};

/// Programs of the machine, and the Debian packages that have them.
const NEEDED: [(&str, &str); 11] = [
    ("containerd", "containerd"),
    ("ctr", "containerd"),
    ("containerd-shim-runc-v2", "containerd"),
    ("runc", "runc"),
    ("nft", "nftables"),
    ("iptables", "iptables"),
    ("conntrack", "conntrack"),
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("mount", "mount"),
];

/// Built programs that a cluster without a node does not need.
const BUILT: [&str; 2] = ["kubelet", "kube-proxy"];

/// Folders of CNI plugins: Debian's, and that of everybody else.
const PLUGINS: [&str; 2] = ["/usr/lib/cni", "/opt/cni/bin"];

/// Folders that are not on everybody's `PATH`.
const MORE: [&str; 2] = ["/usr/sbin", "/sbin"];

/// Nothing, or the first thing that is missing, with the built programs in `bin`.
pub(super) fn possible(bin: Option<&Path>) -> Result<Programs, String> {
    let status = fs::read_to_string("/proc/self/status")
        .map_err(|_| "a node needs Linux: there is no /proc/self/status".to_owned())?;
    if !is_root(&status) {
        return Err("only root may make the namespaces of a node".to_owned());
    }
    Groups::plan("hookward").map(drop)?;
    for (program, package) in NEEDED {
        if !search_path().iter().any(|folder| folder.join(program).is_file()) {
            return Err(format!("there is no {program} (Debian: {package})"));
        }
    }
    let probe = ["--mount", "--net", "--cgroup", "--pid", "--fork", "mount", "-t", "tmpfs", "probe", "/tmp"];
    match cluster::run(Command::new("unshare").args(probe), b"", OUTER_LIMIT) {
        Ok(ran) if ran.ok() => {}
        Ok(ran) => return Err(format!("no namespaces may be made here: {}", ran.stderr.trim())),
        Err(error) => return Err(format!("cannot run unshare: {error}")),
    }
    images::possible()?;
    plugins().map(drop)?;
    let programs = bin.map_or_else(Programs::find, Programs::in_folder);
    let programs = programs.ok_or("the programs of the test cluster are not built: cargo xtask rig")?;
    match BUILT.iter().find(|name| !programs.path(name).is_file()) {
        Some(missing) => Err(format!("{missing} is not built: cargo xtask rig")),
        None => Ok(programs),
    }
}

/// The folder of CNI plugins.
pub(super) fn plugins() -> Result<PathBuf, String> {
    let found = PLUGINS.iter().map(Path::new).find(|folder| folder.join("bridge").is_file());
    found
        .map(Path::to_path_buf)
        .ok_or_else(|| "there are no CNI plugins (Debian: containernetworking-plugins)".to_owned())
}

/// `PATH`, and the folders of programs for root.
pub(super) fn search_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(MORE.map(PathBuf::from)).collect()
}

/// Source: Linux `proc(5)`: real, effective, saved and file system user.
fn is_root(status: &str) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_who_acts_as_root() {
        assert!(is_root("Name:\tx\nUid:\t1000\t0\t0\t0\n"));
        assert!(!is_root("Uid:\t0\t1000\t0\t0\n"));
        assert!(!is_root(""));
    }
}
