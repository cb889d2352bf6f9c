//! `hookward diagnose` on a test cluster, in this process.

use std::{ffi::OsString, path::Path};

use serde_json::Value;

use crate::cluster::Cluster;

/// What it said about a release.
#[derive(Debug)]
pub struct Diagnosed {
    /// The exit code.
    pub code: u8,
    /// What people see.
    pub text: String,
    /// What programs see.
    pub json: Value,
    /// What it said besides.
    pub stderr: String,
}

impl Diagnosed {
    /// Looks at the release `shop` as administrator.
    #[must_use]
    #[track_caller]
    pub fn of(cluster: &Cluster, namespace: &str) -> Self {
        Self::by(&cluster.kubeconfig(), &["shop", "--namespace", namespace])
    }

    /// Looks as somebody, with these arguments.
    ///
    /// # Panics
    /// When it does not say anything.
    #[must_use]
    #[track_caller]
    pub fn by(kubeconfig: &Path, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let page = folder.path().join("page.txt");
        let mut all: Vec<OsString> = ["hookward", "diagnose"].map(OsString::from).to_vec();
        all.extend(arguments.iter().map(OsString::from));
        all.extend(["--kubeconfig".into(), kubeconfig.into(), "--format".into(), "json".into()]);
        all.extend(["--format".into(), "text".into(), "-o".into(), page.clone().into()]);
        let (mut stdin, mut stdout, mut stderr) = (&b""[..], Vec::new(), Vec::new());
        let code = cli::run(all, &mut cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr));
        let text = std::fs::read_to_string(page).unwrap_or_default();
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        let json = serde_json::from_slice(&stdout).unwrap_or_else(|error| {
            panic!("no JSON: {error}: {}: {stderr}", String::from_utf8_lossy(&stdout))
        });
        Self { code, text, json, stderr }
    }

    /// The causes that it names, the first one first.
    #[must_use]
    pub fn causes(&self) -> Vec<&str> {
        let causes = self.json["release"]["hook"]["causes"].as_array();
        causes.into_iter().flatten().filter_map(|cause| cause["cause"].as_str()).collect()
    }

    /// Fails unless it found a failing hook, for this reason first, and said all of this on its page.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn assert_first(&self, cause: &str, words: &[&str]) {
        assert_eq!(self.causes().first(), Some(&cause), "{}\n{}", self.text, self.stderr);
        assert_eq!(self.code, 1, "{}", self.text);
        // Long lines are broken between words.
        let page = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(page.contains(word), "{word:?} is missing in\n{}\n{}", self.text, self.stderr);
        }
    }

    /// The commands that mend it.
    #[must_use]
    pub fn commands(&self) -> Vec<&str> {
        let steps = self.json["release"]["repair"].as_array();
        steps.into_iter().flatten().filter_map(|step| step["command"].as_str()).collect()
    }
}
