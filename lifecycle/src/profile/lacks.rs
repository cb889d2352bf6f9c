//! Which of Helm's flags a tool does not have.

use super::Engine;

/// Those that change what becomes of a release, but for the revision of a rollback, which Argo CD has too.
const FLAGS: [&str; 11] = [
    "wait",
    "wait-for-jobs",
    "rollback-on-failure",
    "atomic",
    "no-hooks",
    "timeout",
    "cleanup-on-fail",
    "keep-history",
    "server-side",
    "filter",
    "logs",
];

/// The ways to wait, which have names since Helm 4.
const WAYS: [&str; 3] = ["watcher", "hookOnly", "legacy"];

impl Engine {
    /// What to say of a flag of Helm's that it does not have; `flag` without its dashes, with what is behind it.
    ///
    /// Source: Helm 3.21.4 `cmd/helm/install.go`, where `--wait` is a truth and no `--server-side` exists; fluxcd/helm-controller 1.6.3
    /// has `spec` for all others.
    #[must_use]
    pub fn lacks(self, flag: &str, value: &str) -> Option<&'static str> {
        match (self, flag) {
            (Self::ArgoCd, flag) if FLAGS.contains(&flag) => {
                Some("Argo CD never runs Helm and takes none of its flags; leave it out")
            }
            (Self::Flux, "logs") => Some("Flux prints no logs of tests; leave it out"),
            (Self::Helm3, "server-side") => Some("Helm 3 has no server-side apply; leave it out"),
            (Self::Helm3, "wait") if WAYS.contains(&value) => {
                Some("Helm 3 has one way to wait, without a name; say whether it waits, not how")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_a_tool_does_not_have_were_taken_in_silence() {
        for flag in FLAGS {
            assert!(Engine::ArgoCd.lacks(flag, "true").is_some(), "{flag}");
            assert_eq!(Engine::Helm4.lacks(flag, "watcher"), None, "{flag}");
        }
        assert_eq!(Engine::ArgoCd.lacks("to", "1"), None);
        assert!(Engine::Helm3.lacks("server-side", "true").is_some());
        assert!(Engine::Helm3.lacks("wait", "watcher").is_some());
        assert_eq!(Engine::Helm3.lacks("wait", "true"), None);
        assert!(Engine::Flux.lacks("logs", "true").is_some());
        assert_eq!(Engine::Flux.lacks("wait", "hookOnly"), None);
    }
}
