//! From the text of a file to scenarios, with the place of whatever is wrong in it.

use std::{path::PathBuf, time::Duration};

use hooks::{
    Interest, Node, Value,
    manifest::{self, Manifest},
    name,
    yaml::{self, Limits},
};

use super::{
    API_VERSION, KIND, Scenario, Source, Step,
    written::{self, Document},
};
use crate::{
    Profile,
    answer::Action,
    command::{Flags, filter_fault},
};

mod expected;
mod foreign;
mod plainly;

use plainly::WORDS;

/// Why a document of the file is no scenario, and where in the file that shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The line in the whole file, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
    /// Whether the document is of another kind, and so meant for somebody else.
    pub is_foreign: bool,
}

/// Reads every document of a file; one that is no scenario does not keep the others from being read.
#[must_use]
pub fn read(text: &str) -> Vec<Result<Scenario, Error>> {
    read_for(text, None)
}

/// As [`read`], to be played by this tool, whatever the file says: `3`, `4`, `argocd` or `flux`.
#[must_use]
pub fn read_for(text: &str, helm: Option<&str>) -> Vec<Result<Scenario, Error>> {
    let documents = manifest::read(text, Interest::Everything, &Limits::default());
    documents.into_iter().map(|document| File { text, helm }.scenario(document)).collect()
}

struct File<'t> {
    text: &'t str,
    helm: Option<&'t str>,
}

impl File<'_> {
    fn scenario(&self, document: Result<Manifest<'_>, yaml::Error>) -> Result<Scenario, Error> {
        let manifest = document.map_err(|error| {
            let yaml::Error { message, line, column, .. } = error;
            Error {
                line,
                column,
                message: format!("this document cannot be read: {message}"),
                is_foreign: false,
            }
        })?;
        let root = &manifest.root;
        if root.str_at("kind") != Some(KIND) {
            let error = self.at(root, "/kind", format!("this is no {KIND} of {API_VERSION}"));
            return Err(Error { is_foreign: true, ..error });
        }
        if root.str_at("apiVersion") != Some(API_VERSION) {
            return Err(self.at(root, "/apiVersion", format!("unknown version; use {API_VERSION}")));
        }
        let Document { metadata, spec, .. } = self.typed(&manifest)?;
        let written::Spec { release, namespace, helm, steps } = spec;
        if !name::is_release(&release) {
            let message = format!("{release:?} is no name that Helm gives a release");
            return Err(self.at(root, "/spec/release", message));
        }
        if !name::is_label(&namespace) {
            let message = format!("{namespace:?} is no name of a namespace");
            return Err(self.at(root, "/spec/namespace", message));
        }
        if steps.is_empty() {
            return Err(self.at(root, "/spec/steps", "there is no step".to_owned()));
        }
        let helm = self.helm.map_or(helm.0, str::to_owned);
        let mut scenario = Scenario { name: metadata.name, release, namespace, helm, steps: Vec::new() };
        let profile = scenario.profile();
        for (index, step) in steps.into_iter().enumerate() {
            scenario.steps.push(self.step(root, index, step, &profile)?);
        }
        Ok(scenario)
    }

    fn step(
        &self,
        root: &Node<'_>,
        index: usize,
        written: written::Step,
        profile: &Profile,
    ) -> Result<Step, Error> {
        let pointer = format!("/spec/steps/{index}");
        let fail = |field: &str, message| Err(self.at(root, &format!("{pointer}{field}"), message));
        for action in [Action::Install, Action::Upgrade] {
            let field = format!("/{}", action.name());
            if is_nothing(root, &format!("{pointer}{field}")) {
                let name = action.name();
                return fail(&field, format!("{name} needs a chart: write {name}: {{chart: PATH}}"));
            }
        }
        let written::Step { install, upgrade, rollback, test, uninstall, after, outcomes, expect } = written;
        let usual = profile.flags();
        let actions = [
            install.map(|install| install.asked(&usual)),
            upgrade.map(|upgrade| upgrade.asked(&usual)),
            rollback.map(|rollback| rollback.asked(&usual)),
            test.map(written::Test::asked),
            uninstall.map(|uninstall| uninstall.asked(&usual)),
        ];
        let mut actions = actions.into_iter().flatten();
        let (Some((action, mut chart, flags)), None) = (actions.next(), actions.next()) else {
            let message = "a step is one of install, upgrade, rollback, test and uninstall".to_owned();
            return fail("", message);
        };
        if let Some(source) = &mut chart {
            let field = format!("/{}/chart", action.name());
            if source.chart.as_os_str().is_empty() {
                return fail(&field, "name a chart, or a file of manifests".to_owned());
            }
            source.place = self.place(root, &format!("{pointer}{field}"));
        }
        if let Some((flag, message)) = foreign::flag(root, &pointer, action, profile.engine) {
            return fail(&format!("/{}/{flag}", action.name()), format!("{flag}: {message}"));
        }
        let misread =
            || Some(("/test/filter", flags.filters.iter().find_map(|one| filter_fault(one))?.to_owned()));
        if let Some((field, message)) = misread().or_else(|| expected::fault(root, &pointer)) {
            return fail(field, message);
        }
        Ok(Step {
            action,
            chart,
            flags,
            after: after.map_or(Duration::ZERO, |after| after.0),
            outcomes: outcomes.into_iter().map(|(name, ending)| (name.0, ending.0)).collect(),
            expect: expect.map(Into::into),
            place: self.place(root, &pointer),
        })
    }

    fn at(&self, root: &Node<'_>, pointer: &str, message: String) -> Error {
        let (line, column) = self.place(root, pointer);
        Error { line, column, message, is_foreign: false }
    }

    /// Where a value is written; what has none is where its name is.
    fn place(&self, root: &Node<'_>, pointer: &str) -> (usize, usize) {
        let (node, member, _) = root.nearest(pointer);
        let named = member.filter(|_| node.value == Value::Null).map(|member| member.name_span);
        manifest::line_column(self.text, named.unwrap_or(node.span).start as usize)
    }

    fn typed(&self, manifest: &Manifest<'_>) -> Result<Document, Error> {
        let document = &manifest.document;
        serde_saphyr::from_str(document.text).map_err(|error| {
            let (mut line, mut column) = manifest::line_column(self.text, document.offset);
            if let Some(found) = error.location() {
                let within = usize::try_from(found.column()).unwrap_or(1);
                column = if found.line() == 1 { column + within - 1 } else { within };
                line += usize::try_from(found.line()).unwrap_or(1) - 1;
            }
            let field = manifest.root.field_at(self.text, line, column);
            let message = WORDS.plainly(&error.without_snippet().to_string(), field);
            Error { line, column, message, is_foreign: false }
        })
    }
}

/// Whether a name is there with nothing behind it.
fn is_nothing(root: &Node<'_>, pointer: &str) -> bool {
    let (node, member, is_exact) = root.nearest(pointer);
    is_exact && member.is_some() && node.value == Value::Null
}

type Asked = (Action, Option<Source>, Flags);

impl written::Install {
    fn asked(self, usual: &Flags) -> Asked {
        let source = source(self.chart, self.values, self.set, self.set_string);
        let flags = Flags {
            no_hooks: self.no_hooks,
            wait: self.wait.0.unwrap_or(usual.wait),
            wait_for_jobs: self.wait_for_jobs.unwrap_or(usual.wait_for_jobs),
            rollback_on_failure: self.rollback_on_failure || self.atomic,
            timeout: timeout(self.timeout),
            server_side: self.server_side,
            ..Flags::default()
        };
        (Action::Install, Some(source), flags)
    }
}

impl written::Upgrade {
    fn asked(self, usual: &Flags) -> Asked {
        let source = source(self.chart, self.values, self.set, self.set_string);
        let flags = Flags {
            no_hooks: self.no_hooks,
            wait: self.wait.0.unwrap_or(usual.wait),
            wait_for_jobs: self.wait_for_jobs.unwrap_or(usual.wait_for_jobs),
            rollback_on_failure: self.rollback_on_failure || self.atomic,
            timeout: timeout(self.timeout),
            server_side: self.server_side,
            install: self.install,
            cleanup_on_fail: self.cleanup_on_fail,
            ..Flags::default()
        };
        (Action::Upgrade, Some(source), flags)
    }
}

impl written::Rollback {
    fn asked(self, usual: &Flags) -> Asked {
        let flags = Flags {
            to: self.to.filter(|to| *to > 0),
            no_hooks: self.no_hooks,
            wait: self.wait.0.unwrap_or(usual.wait),
            wait_for_jobs: self.wait_for_jobs.unwrap_or(usual.wait_for_jobs),
            timeout: timeout(self.timeout),
            server_side: self.server_side,
            cleanup_on_fail: self.cleanup_on_fail,
            ..Flags::default()
        };
        (Action::Rollback, None, flags)
    }
}

impl written::Test {
    fn asked(self) -> Asked {
        let flags = Flags {
            filters: self.filter.into(),
            logs: self.logs,
            timeout: timeout(self.timeout),
            ..Flags::default()
        };
        (Action::Test, None, flags)
    }
}

impl written::Uninstall {
    fn asked(self, usual: &Flags) -> Asked {
        let flags = Flags {
            no_hooks: self.no_hooks,
            keep_history: self.keep_history,
            wait: self.wait.0.unwrap_or(usual.wait),
            timeout: timeout(self.timeout),
            ..Flags::default()
        };
        (Action::Uninstall, None, flags)
    }
}

fn source(
    chart: PathBuf,
    values: written::OneOrMore<PathBuf>,
    set: written::OneOrMore<String>,
    set_string: written::OneOrMore<String>,
) -> Source {
    Source { chart, values: values.into(), set: set.into(), set_string: set_string.into(), place: (1, 1) }
}

fn timeout(written: Option<written::Span>) -> Duration {
    written.map_or(crate::command::TIMEOUT, |written| written.0)
}

#[cfg(test)]
mod tests;
