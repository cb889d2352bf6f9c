//! One thing that is wrong, where, and what to do: data only, printing is the outputs' work.

use crate::{
    mode::{Mode, Severity},
    rule::Meta,
};

/// What a rule has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// JSON pointer into the document, `""` for the whole object.
    pub field: String,
    /// One sentence for the author of the YAML: what will happen. It never repeats the rule's name.
    pub message: String,
    /// One line: what to do about it.
    pub help: String,
    /// A few words for the place itself, under the caret.
    pub label: Option<String>,
    /// What makes it the same finding after an UPDATE; the message where it says everything.
    pub identity: Option<String>,
    /// A stricter mode is lowered to this.
    pub at_most: Mode,
    /// A stricter baseline is lowered to this before the profile looks at it, unless a policy names the mode of the rule.
    pub unless_told: Mode,
    /// A graver severity is lowered to this.
    pub severity_at_most: Severity,
    /// Whether the rule's fix can repair it.
    pub fixable: bool,
    /// The item of the release that it is about; the engine fills it in for findings about one object.
    pub item: Option<usize>,
    /// A template source that it is about, where no object exists.
    pub template: Option<Place>,
}

/// A line of a template that was never rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Path of the template as Helm names it: `shop/templates/migrate.yaml`.
    pub path: String,
    /// Line, from 1; `None` when only the file is known.
    pub line: Option<usize>,
}

impl Finding {
    /// A finding at the JSON pointer `field`: what will happen, and what to do.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            help: help.into(),
            label: None,
            identity: None,
            at_most: Mode::Deny,
            unless_told: Mode::Deny,
            severity_at_most: Severity::Critical,
            fixable: false,
            item: None,
            template: None,
        }
    }

    /// Says a few words at the place itself.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Says what makes it the same finding after an UPDATE, where the message does not say everything.
    #[must_use]
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Lowers the mode.
    #[must_use]
    pub const fn at_most(mut self, mode: Mode) -> Self {
        self.at_most = mode;
        self
    }

    /// Lowers the baseline that the profile starts from, but not a mode that a policy names.
    #[must_use]
    pub const fn unless_told(mut self, mode: Mode) -> Self {
        self.unless_told = mode;
        self
    }

    /// Lowers the severity.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity_at_most = severity;
        self
    }

    /// Says that the rule's fix can repair it.
    #[must_use]
    pub const fn fixable(mut self) -> Self {
        self.fixable = true;
        self
    }

    /// Names the item of the release that it is about.
    #[must_use]
    pub const fn on(mut self, item: usize) -> Self {
        self.item = Some(item);
        self
    }

    /// Names the template that it is about.
    #[must_use]
    pub fn in_template(mut self, path: impl Into<String>, line: Option<usize>) -> Self {
        self.template = Some(Place { path: path.into(), line });
        self
    }
}

/// A finding with the mode that the policy in force gives it.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The rule that found it.
    pub rule: &'static Meta,
    /// What it leads to; never [`Mode::Off`].
    pub mode: Mode,
    /// How bad it is.
    pub severity: Severity,
    /// Whether the rule repairs it here, or would but for the profile.
    pub fixable: bool,
    /// The finding itself.
    pub finding: Finding,
    /// The exception that covers it, with the mode it would have had.
    pub excepted: Option<Excepted>,
}

/// Why a finding does not count, and what it would have led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excepted {
    /// Name of the `HookException`.
    pub by: String,
    /// The mode without it.
    pub would_be: Mode,
}

/// All findings about one object or one release, the strictest first.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// The findings; none is off.
    pub findings: Vec<Judged>,
}

impl Verdict {
    /// Whether nothing denies.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.of(Mode::Deny).next().is_none()
    }

    /// The findings of one mode.
    pub fn of(&self, mode: Mode) -> impl Iterator<Item = &Judged> {
        self.findings.iter().filter(move |judged| judged.mode == mode)
    }

    /// The strictest mode, `None` when there is no finding.
    #[must_use]
    pub fn worst(&self) -> Option<Mode> {
        self.findings.iter().map(|judged| judged.mode).max()
    }
}
