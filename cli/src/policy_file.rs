//! `--policy` and `--profile`: what the rules may do.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::ValueEnum;
use policies::{
    PolicySet, Profile,
    documents::{self, Documents},
    exception::Unapproved,
    policy_set::{BadPolicy, Named},
    settings::{Engine, Settings},
};

use crate::report::Problem;

/// The longest timeout that a policy may name, in seconds: a week.
const LONGEST: i64 = 604_800;

/// What the rules may do.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Policy")]
pub struct Args {
    /// A file of HookPolicy and HookException documents, or of a List of them as kubectl prints it (repeatable).
    #[arg(long, value_name = "FILE")]
    pub policy: Vec<PathBuf>,
    /// The modes to start from where no policy names a profile [default: baseline].
    #[arg(long, value_enum)]
    pub profile: Option<ProfileName>,
}

/// The modes to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// Deny nothing, report everything.
    Audit,
    /// What each rule declares.
    Baseline,
    /// Deny what is grave.
    Strict,
}

impl From<ProfileName> for Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Audit => Self::Audit,
            ProfileName::Baseline => Self::Baseline,
            ProfileName::Strict => Self::Strict,
        }
    }
}

impl Args {
    /// Reads the policies, and what is to be said about them that is no error.
    ///
    /// # Errors
    /// When a file cannot be read, or says something that no policy can say.
    pub fn load(&self, generation: u64) -> Result<(PolicySet, Vec<String>), Problem> {
        self.load_within(None, generation)
    }

    /// The same, where Helm's `--timeout` is given whatever the policies say of it.
    ///
    /// # Errors
    /// As [`Args::load`].
    pub fn load_within(
        &self,
        timeout: Option<Duration>,
        generation: u64,
    ) -> Result<(PolicySet, Vec<String>), Problem> {
        let profile = self.profile();
        if self.policy.is_empty() && timeout.is_none() {
            return Ok((PolicySet::shipped(profile), Vec::new()));
        }
        // A file has no cluster to ask for labels.
        self.read(|Documents { mut policies, exceptions, unapproved }| {
            if let Some(timeout) = timeout {
                overlay(&mut policies, timeout);
            }
            let set = PolicySet::new(policies, exceptions, profile, generation)?.by_name_only()?;
            let mut notes = not_counted(&unapproved);
            notes.extend(self.overruled(&set));
            Ok((set, notes))
        })
    }

    /// Reads the policies for servers that know the labels of namespaces, and lay more policies over these.
    ///
    /// # Errors
    /// As [`Args::load`].
    pub fn load_base(&self) -> Result<Documents, Problem> {
        self.read(|documents| {
            let Documents { policies, exceptions, .. } = &documents;
            PolicySet::new(policies.clone(), exceptions.clone(), self.profile(), 0)?;
            Ok(documents)
        })
    }

    /// The profile where no policy names one.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile.unwrap_or(ProfileName::Baseline).into()
    }

    fn read<T>(&self, make: impl FnOnce(Documents) -> Result<T, BadPolicy>) -> Result<T, Problem> {
        let mut whole = Documents::default();
        let mut files = Vec::new();
        for path in &self.policy {
            let shown = path.display().to_string();
            let text = crate::inputs::read_file(path, &shown)?;
            let Documents { policies, exceptions, unapproved } = documents::read(&text)
                .map_err(|error| Problem::new(&shown, error.to_string()).at(error.line, error.column))?;
            whole.policies.extend(policies);
            whole.exceptions.extend(exceptions);
            whole.unapproved.extend(unapproved);
            files.push((shown, text));
        }
        make(whole).map_err(|error| {
            let place = |(shown, text): &(String, String)| {
                let (line, column) = documents::place(text, &error.name, &error.error.pointer())?;
                Some(Problem::new(shown, error.to_string()).at(line, column))
            };
            files.iter().find_map(place).unwrap_or_else(|| Problem::new(self.shown(), error.to_string()))
        })
    }

    /// The files as they were given.
    #[must_use]
    pub fn shown(&self) -> String {
        self.policy.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    /// What to say when a profile was given by hand and the policies name another one for everything.
    #[must_use]
    pub fn overruled(&self, policies: &PolicySet) -> Option<String> {
        let given = Profile::from(self.profile?);
        let named = policies.policy(None).profile;
        (named != given && !self.policy.is_empty()).then(|| {
            format!(
                "--profile {given} has no effect: {} names the profile {named} for everything",
                self.shown()
            )
        })
    }
}

/// Puts a timeout in the place of those that the policies name, or have because they name none.
fn overlay(policies: &mut Vec<Named>, timeout: Duration) {
    // It comes last, so that of what a policy says of the engine only the timeout is taken from it.
    let settings = Settings { engine: Some(Engine::default()), priority: i32::MIN, ..Settings::default() };
    policies.push(Named { name: "--timeout".to_owned(), settings, is_base: true });
    let seconds = i64::try_from(timeout.as_secs()).unwrap_or(LONGEST).clamp(1, LONGEST);
    for engine in policies.iter_mut().filter_map(|policy| policy.settings.engine.as_mut()) {
        engine.timeout_seconds = seconds;
    }
}

/// What to say about exceptions that a cluster has printed and that do not count there.
#[must_use]
pub fn not_counted(unapproved: &[(String, Unapproved)]) -> Vec<String> {
    unapproved.iter().map(|(name, why)| format!("HookException {name} does not count: {why}")).collect()
}

/// Seconds since 1970, for the expiry of exceptions; a clock before that counts as 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
