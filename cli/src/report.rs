//! What `check` has found, before any format: data only.

use std::collections::HashSet;

use policies::{Mode, Severity, rule::Meta};

/// Everything that one run of `check` has to say.
#[derive(Debug, Default)]
pub struct Report {
    /// The findings, sorted by file, line and rule.
    pub findings: Vec<Entry>,
    /// What could not be read, sorted by file and line.
    pub problems: Vec<Problem>,
    /// Things worth a line on stderr that are no error.
    pub notes: Vec<String>,
    /// How many charts were left out because there is no helm.
    pub skipped: usize,
    /// How many objects were read.
    pub objects: usize,
    /// How many of them are hooks.
    pub hooks: usize,
}

/// One finding, with its place.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The rule that found it.
    pub rule: &'static Meta,
    /// What it leads to.
    pub mode: Mode,
    /// How bad it is.
    pub severity: Severity,
    /// What will happen.
    pub message: String,
    /// What to do.
    pub help: String,
    /// A few words for the place itself.
    pub label: Option<String>,
    /// Whether Hookward can repair it.
    pub fixable: bool,
    /// The exception that covers it.
    pub exception: Option<String>,
    /// The object, if there is one.
    pub object: Option<ObjectName>,
    /// JSON pointer into the document, if there is an object.
    pub field: Option<String>,
    /// Which release it belongs to, where the file does not say so.
    pub release: Option<String>,
    /// Where it is.
    pub place: Place,
}

/// What identifies an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// As written, else that of the release.
    pub namespace: Option<String>,
    /// `metadata.name`; an object with `generateName` has none yet.
    pub name: Option<String>,
}

/// Where something was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file as given; `-` for the standard input.
    pub file: String,
    /// From 1.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
    /// What people may see of that line.
    pub excerpt: Option<Excerpt>,
}

/// A line of a file, made fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line; what must stay secret is replaced.
    pub text: String,
    /// The bytes of `text` that matter.
    pub caret: std::ops::Range<usize>,
}

/// Something that could not be read, and what to do about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// The file as given.
    pub file: String,
    /// From 1.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
    /// One sentence: lower case, no full stop.
    pub message: String,
}

impl Problem {
    /// A problem with a whole file.
    #[must_use]
    pub fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, column: None, message: message.into() }
    }

    /// At a place in the file.
    #[must_use]
    pub const fn at(mut self, line: usize, column: usize) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }
}

/// `shop.yaml:31:7: what is wrong`.
impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.file)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(formatter, ":{number}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

/// Leaves of notes that say the same only the first.
pub(crate) fn once(notes: &mut Vec<String>) {
    let mut said = HashSet::new();
    notes.retain(|note| said.insert(note.clone()));
}

impl Report {
    /// Takes over what another part of the work has found.
    pub fn absorb(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.problems.extend(other.problems);
        self.notes.extend(other.notes);
        self.skipped += other.skipped;
        self.objects += other.objects;
        self.hooks += other.hooks;
    }

    /// Sorts the findings by file, line and rule, what those leave open by column, field and message; and the problems by file and line.
    /// What was said twice is said once.
    pub fn sort(&mut self) {
        let key = |entry: &Entry| {
            (
                entry.place.file.clone(),
                entry.place.line,
                entry.rule.id,
                entry.place.column,
                entry.field.clone(),
            )
        };
        self.findings.sort_by_cached_key(|entry| (key(entry), entry.message.clone()));
        self.problems.sort_by(|left, right| (&left.file, left.line).cmp(&(&right.file, right.line)));
        // A helm that is not there is one problem, however many charts need it.
        self.problems.dedup();
        once(&mut self.notes);
    }

    /// How many findings have this mode.
    #[must_use]
    pub fn count(&self, mode: Mode) -> usize {
        self.findings.iter().filter(|entry| entry.mode == mode).count()
    }

    /// The strictest mode of any finding.
    #[must_use]
    pub fn worst(&self) -> Option<Mode> {
        self.findings.iter().map(|entry| entry.mode).max()
    }
}
