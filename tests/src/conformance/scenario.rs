//! A scenario: two versions of a chart, and what is asked of its release.

use std::{fmt::Write as _, fs, io, path::Path};

use hooks::annotations::{DELETE_POLICY, HOOK, WEIGHT};
use lifecycle::{
    answer::Action,
    command::{Flags, Wait},
};
use serde_json::{Value, json};

use crate::rig::Helm;

/// The name of every release.
pub(super) const RELEASE: &str = "demo";

/// What is played.
#[derive(Debug)]
pub(super) struct Scenario {
    /// The namespace of the release; what has none of its own is named after it.
    pub(super) namespace: String,
    /// What is installed first, and what it is upgraded to.
    pub(super) versions: [Version; 2],
    /// One command after the other.
    pub(super) moves: Vec<Move>,
}

/// One command.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) action: Action,
    /// Which version, for those that need one.
    pub(super) version: usize,
    pub(super) flags: Flags,
}

/// One version of the chart.
#[derive(Debug, Clone, Default)]
pub(super) struct Version(pub(super) Vec<Template>);

/// One document of it; those of one path stand in one file.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// From `templates/` on.
    pub(super) path: String,
    pub(super) document: Value,
}

impl Version {
    /// Writes the chart into a folder that is there.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let templates = folder.join("templates");
        fs::create_dir_all(&templates)?;
        fs::create_dir_all(folder.join("crds"))?;
        let metadata = json!({"apiVersion": "v2", "name": "shop", "version": "0.1.0"});
        fs::write(folder.join("Chart.yaml"), metadata.to_string())?;
        for Template { path, .. } in &self.0 {
            let documents = self.0.iter().filter(|other| other.path == *path);
            let documents: Vec<_> = documents.map(|template| template.document.to_string()).collect();
            fs::write(templates.join(path), documents.join("\n---\n"))?;
        }
        Ok(())
    }

    /// As Helm renders it.
    pub(super) fn rendered(&self) -> String {
        let mut text = String::new();
        for Template { path, document } in &self.0 {
            let path = path.strip_prefix("../").map_or_else(|| format!("templates/{path}"), str::to_owned);
            let _ = writeln!(text, "---\n# Source: shop/{path}\n{document}");
        }
        text
    }

    /// Every document.
    pub(super) fn documents(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().map(|template| &template.document)
    }

    fn describe(&self, text: &mut String) {
        for Template { path, document } in &self.0 {
            let annotation = |name: &str| {
                let value = &document["metadata"]["annotations"][name];
                if value.is_null() { "–".to_owned() } else { value.to_string() }
            };
            let _ = write!(text, "    {path}: {}", shown(document));
            if is_hook(document) {
                let _ = write!(
                    text,
                    " hook {} weight {} policy {}",
                    annotation(HOOK),
                    annotation(WEIGHT),
                    annotation(DELETE_POLICY)
                );
            }
            text.push('\n');
        }
    }
}

/// Whether it is annotated as a hook.
pub(super) fn is_hook(object: &Value) -> bool {
    !object["metadata"]["annotations"][HOOK].is_null()
}

/// The document itself, or the items of a list.
pub(super) fn items(document: &Value) -> Vec<&Value> {
    document["items"].as_array().map_or_else(|| vec![document], |items| items.iter().collect())
}

/// The object in a word, and what makes it special.
fn shown(document: &Value) -> String {
    if let Some(items) = document["items"].as_array() {
        let items: Vec<_> = items.iter().map(shown).collect();
        return format!("List/{} [{}]", text(&document["metadata"]["name"]), items.join(", "));
    }
    let metadata = &document["metadata"];
    let name = metadata["name"].as_str().or_else(|| metadata["generateName"].as_str());
    let mut shown = format!("{}/{}", text(&document["kind"]), name.unwrap_or_default());
    if let Some(namespace) = metadata["namespace"].as_str() {
        let _ = write!(shown, " in {namespace}");
    }
    let outcomes = ["/spec/template/metadata/annotations", "/metadata/annotations"];
    let outcome =
        outcomes.iter().find_map(|at| document.pointer(at)?[lifecycle::outcome::ANNOTATION].as_str());
    let _ = write!(shown, " {}", outcome.unwrap_or_default());
    for name in ["activeDeadlineSeconds", "ttlSecondsAfterFinished", "suspend", "completions"] {
        if let Some(value) = document["spec"].get(name) {
            let _ = write!(shown, " {name}={value}");
        }
    }
    for (name, pointer) in [
        ("restart", "/spec/restartPolicy"),
        ("account", "/spec/template/spec/serviceAccountName"),
        ("account", "/spec/serviceAccountName"),
        ("volumes", "/spec/template/spec/volumes"),
        ("finalizers", "/metadata/finalizers"),
        ("image", "/spec/template/spec/containers/0/image"),
        ("image", "/spec/containers/0/image"),
        ("data", "/data"),
    ] {
        if let Some(value) = document.pointer(pointer) {
            let _ = write!(shown, " {name}={value}");
        }
    }
    shown
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Move {
    /// Helm's arguments, without the chart and the namespace.
    pub(super) fn args(&self, helm: Helm) -> Vec<String> {
        let flags = &self.flags;
        let mut args = vec![self.action.name().to_owned(), RELEASE.to_owned()];
        args.extend(flags.to.filter(|_| self.action == Action::Rollback).map(|to| to.to_string()));
        let mut add = |given: bool, flag: &str| {
            if given {
                args.push(flag.to_owned());
            }
        };
        add(flags.no_hooks, "--no-hooks");
        add(flags.wait == Wait::Watcher, "--wait");
        add(flags.wait == Wait::Legacy, "--wait=legacy");
        add(flags.wait_for_jobs, "--wait-for-jobs");
        let undo = if helm == Helm::V3 { "--atomic" } else { "--rollback-on-failure" };
        add(flags.rollback_on_failure, undo);
        add(flags.keep_history, "--keep-history");
        add(flags.cleanup_on_fail, "--cleanup-on-fail");
        add(flags.install, "--install");
        add(flags.logs, "--logs");
        add(flags.server_side == Some(false), "--server-side=false");
        add(flags.server_side == Some(true), "--server-side=true");
        for filter in &flags.filters {
            args.extend(["--filter".to_owned(), filter.clone()]);
        }
        args.push(format!("--timeout={}s", flags.timeout.as_secs()));
        args
    }

    /// Whether it takes a chart.
    pub(super) const fn needs_chart(&self) -> bool {
        matches!(self.action, Action::Install | Action::Upgrade)
    }

    /// The command as people write it.
    pub(super) fn shown(&self, helm: Helm) -> String {
        let chart = if self.needs_chart() { format!(" v{}", self.version + 1) } else { String::new() };
        format!("helm {}{chart}", self.args(helm).join(" "))
    }
}

impl Scenario {
    /// Both charts, for whoever has to find out why two disagree.
    pub(super) fn describe(&self) -> String {
        let mut text = String::new();
        for (index, version) in self.versions.iter().enumerate() {
            let _ = writeln!(text, "  v{}:", index + 1);
            version.describe(&mut text);
        }
        text
    }

    /// Every object of every version, those of lists too.
    pub(super) fn objects(&self) -> impl Iterator<Item = (&Value, &Value)> {
        let documents = self.versions.iter().flat_map(Version::documents);
        documents.flat_map(|document| items(document).into_iter().map(move |item| (document, item)))
    }
}
