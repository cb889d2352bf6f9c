//! The namespaces of a node: its processes, mounts, network and control groups, apart from those of the machine.

use std::{
    ffi::OsStr,
    io,
    path::Path,
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

use super::groups::Groups;
use crate::cluster::{self, OUTER_LIMIT, Servers, StartError};

const HOLD: &str = include_str!("hold.sh");
const NETWORK: &str = include_str!("network.sh");

/// Joins groups, named up to `--`, and becomes the command after it.
const JOIN: &str = r#"
while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 125; shift; done
shift
exec "$@"
"#;

/// Becomes a command in a folder; entering a mount namespace leaves one at its root.
const IN_FOLDER: &str = r#"cd "$1"; shift; exec "$@""#;

/// Services have their addresses here.
pub(super) const SERVICES: &str = "10.0.0.0/24";

/// A network of two addresses, of which nobody on the machine knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    /// That of the machine, such as `198.18.0.1`.
    pub(super) machine: String,
    /// That of the node, such as `198.18.0.2`.
    pub(super) node: String,
}

impl Pair {
    /// The addresses that go with `number`, of 32,768 pairs in the range that RFC 2544 keeps for tests.
    fn new(number: u32) -> Self {
        let base = number % 32_768 * 4;
        let address = |host: u32| {
            let host = base + host;
            format!("198.{}.{}.{}", 18 + (host >> 16), host >> 8 & 255, host & 255)
        };
        Self { machine: address(1), node: address(2) }
    }

    /// The first pair from `number` on that no interface of the machine uses.
    pub(super) fn free(number: u32) -> io::Result<Self> {
        let ran = cluster::run(Command::new("ip").args(["-oneline", "address"]), b"", OUTER_LIMIT)?;
        let is_free = |pair: &Self| !ran.stdout.contains(&format!(" {}/", pair.machine));
        let found = (number..number + 32_768).map(Self::new).find(is_free);
        found.ok_or_else(|| io::Error::other("every address for a node is in use"))
    }
}

/// A number that no other node has which started from this machine lately.
pub(super) fn number() -> (u32, u32) {
    static NODES: AtomicU32 = AtomicU32::new(0);
    (process::id(), NODES.fetch_add(1, Ordering::Relaxed))
}

/// Namespaces that live as long as their first process does.
#[derive(Debug)]
pub(super) struct Space {
    holder: u32,
    groups: Groups,
}

impl Space {
    /// Makes the groups and the namespaces, and joins their network to the machine through the interface `link`.
    pub(super) fn open(
        servers: &Servers,
        groups: Groups,
        link: &str,
        pair: &Pair,
    ) -> Result<Self, StartError> {
        groups.make()?;
        let mut command = join(&groups);
        command
            .args(["unshare", "--mount", "--propagation=private", "--net", "--cgroup"])
            .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
            .args(["sh", "-c", HOLD, "hold"])
            .arg(servers.folder())
            .args(groups.names());
        let holder = servers.start("namespaces", command)?;
        let mut test = Command::new("test");
        test.arg("-e").arg(servers.folder().join("namespaces"));
        servers.wait_until("namespaces", || cluster::run(&mut test, b"", OUTER_LIMIT), |_| true)?;
        let mut network = Command::new("sh");
        network.args([
            "-c",
            NETWORK,
            "network",
            &holder.to_string(),
            link,
            &pair.machine,
            &pair.node,
            SERVICES,
        ]);
        let ran = cluster::run(&mut network, b"", OUTER_LIMIT)?;
        if !ran.ok() {
            return Err(StartError::Refused { what: "making the network", said: ran.stderr });
        }
        Ok(Self { holder, groups })
    }

    /// A command that will run inside, in `folder`.
    pub(super) fn command(&self, folder: &Path, program: impl AsRef<OsStr>) -> Command {
        let mut command = join(&self.groups);
        let holder = self.holder.to_string();
        command
            .args(["nsenter", "--target", &holder, "--mount", "--net", "--cgroup"])
            .arg(format!("--pid=/proc/{holder}/ns/pid_for_children"))
            .args(["sh", "-c", IN_FOLDER, "inside"])
            .arg(folder)
            .arg(program);
        command
    }

    /// The control groups.
    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }
}

fn join(groups: &Groups) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", JOIN, "join"]).args(groups.folders()).arg("--");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_apart_and_inside_the_range_for_tests() {
        assert_eq!(Pair::new(0), Pair { machine: "198.18.0.1".to_owned(), node: "198.18.0.2".to_owned() });
        assert_eq!(Pair::new(64).machine, "198.18.1.1");
        assert_eq!(Pair::new(32_767).node, "198.19.255.254");
        assert_eq!(Pair::new(32_768), Pair::new(0));
    }
}
