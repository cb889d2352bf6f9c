//! `helm template` on the chart, and its objects.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use hooks::{Interest, manifest, yaml};
use serde_json::Value;
pub(super) use tests::installed::NAMESPACE;
use tests::{
    installed::Installed,
    rig::{Helm, Programs},
};

/// What Helm answered: the rendered text, or what it refused.
pub(super) type Rendered = Result<String, String>;

pub(super) fn chart() -> PathBuf {
    Installed::chart()
}

/// The value sets beside the chart, by name; `default` has none of its own.
pub(super) fn sets() -> Vec<(String, Vec<String>)> {
    let files = fs::read_dir(chart().join("ci")).unwrap().map(|entry| entry.unwrap().path());
    let mut sets: Vec<_> = files
        .map(|path| {
            let file = path.file_name().unwrap().to_str().unwrap();
            let name = file.strip_suffix("-values.yaml").unwrap().to_owned();
            (name, vec!["--values".to_owned(), path.display().to_string()])
        })
        .collect();
    sets.push(("default".to_owned(), Vec::new()));
    sets.sort();
    sets
}

/// The value set without `helm test`, which has no client certificate to show.
pub(super) const UNTESTED: &str = "client-certificates";

/// Helm without a cluster; `None` where it is not built.
pub(super) struct Offline {
    programs: Programs,
    home: tempfile::TempDir,
}

impl Offline {
    pub(super) fn find() -> Option<Self> {
        Programs::find().map(|programs| Self { programs, home: tempfile::tempdir().unwrap() })
    }

    pub(super) fn run(&self, helm: Helm, args: &[&str], chart: &Path) -> Rendered {
        let program = match helm {
            Helm::V3 => "helm3",
            Helm::V4 => "helm4",
        };
        let output = Command::new(self.programs.path(program))
            .args(args)
            .arg(chart)
            .env_clear()
            .env("HOME", self.home.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// The release `hookward` with these flags.
    pub(super) fn template(&self, helm: Helm, flags: &[impl AsRef<str>]) -> Rendered {
        let mut args = vec!["template", "hookward", "--namespace", NAMESPACE];
        args.extend(flags.iter().map(AsRef::as_ref));
        self.run(helm, &args, &chart())
    }

    /// The objects of the release with these flags.
    #[track_caller]
    pub(super) fn objects(&self, flags: &[impl AsRef<str>]) -> Vec<Value> {
        objects(&self.template(Helm::V4, flags).unwrap())
    }
}

#[track_caller]
pub(super) fn objects(text: &str) -> Vec<Value> {
    let documents = manifest::read(text, Interest::Everything, &yaml::Limits::default());
    documents.into_iter().map(|document| document.unwrap().root.to_json()).collect()
}

/// The one object of this kind and name.
#[track_caller]
pub(super) fn find<'o>(objects: &'o [Value], kind: &str, name: &str) -> &'o Value {
    let is_it = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter().find(is_it).unwrap_or_else(|| panic!("there is no {kind} {name}"))
}
