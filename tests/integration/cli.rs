//! The command line, run in this process: arguments and files in, streams and an exit code out.

mod bad_input;
mod charts;
mod check;
mod contract;
mod diagnose;
mod documents;
mod first_use;
mod json_streams;
mod plan;
mod readers_who_leave;
mod rollout;
mod rules_and_certs;
mod scenario_slips;
mod serve;
mod stored_release;
mod try_release;
mod two_namespaces;
mod unplayed;
mod values;

use std::{ffi::OsString, fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

/// What a run left behind.
struct Ran {
    code: u8,
    stdout: String,
    stderr: String,
}

impl Ran {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {:?}", self.stdout))
    }

    /// The sentences in `errors`, each with file and line.
    #[track_caller]
    fn errors(&self) -> Vec<(String, Option<u64>, String)> {
        let document = self.json();
        let errors = document["errors"].as_array().unwrap().iter();
        let one = |error: &Value| {
            let text = |field: &str| error[field].as_str().unwrap().to_owned();
            (text("file"), error["line"].as_u64(), text("message"))
        };
        errors.map(one).collect()
    }
}

/// A folder of files that goes with the value.
struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::Builder::new().prefix("hookward-cli-").tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Takes the name of the folder out of a text.
    fn relative(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder().display()), "")
    }
}

fn hookward<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    hookward_with("", arguments)
}

fn hookward_with<S: AsRef<str>>(stdin: &str, arguments: impl IntoIterator<Item = S>) -> Ran {
    let (mut stdin, mut stdout, mut stderr) = (stdin.as_bytes(), Vec::new(), Vec::new());
    let mut io = cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr);
    let arguments = arguments.into_iter().map(|argument| OsString::from(argument.as_ref()));
    let code = cli::run(std::iter::once(OsString::from("hookward")).chain(arguments), &mut io);
    Ran { code, stdout: String::from_utf8(stdout).unwrap(), stderr: String::from_utf8(stderr).unwrap() }
}

/// A hook Job that is never started: denied, whatever else is said of it.
const SUSPENDED: &str = "apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations:
    helm.sh/hook: pre-upgrade
spec:
  suspend: true
";

/// An ordinary resource.
const PLAIN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n";
