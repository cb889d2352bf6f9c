//! `--policy` and `--profile`: what the rules may do.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::ValueEnum;
use policies::{
    PolicySet, Profile,
    documents::{self, Documents},
    policy_set::BadPolicy,
};

use crate::report::Problem;

/// What the rules may do.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Policy")]
pub struct Args {
    /// A file of HookPolicy and HookException documents.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
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
    /// Reads the policies.
    ///
    /// # Errors
    /// When the file cannot be read, or says something that no policy can say.
    pub fn load(&self, generation: u64) -> Result<PolicySet, Problem> {
        let profile = self.profile();
        if self.policy.is_none() {
            return Ok(PolicySet::shipped(profile));
        }
        // A file has no cluster to ask for labels.
        self.read(|Documents { policies, exceptions }| {
            PolicySet::new(policies, exceptions, profile, generation).and_then(PolicySet::by_name_only)
        })
    }

    /// Reads the policies for servers that know the labels of namespaces, and lay more policies over these.
    ///
    /// # Errors
    /// As [`Args::load`].
    pub fn load_base(&self) -> Result<Documents, Problem> {
        self.read(|documents| {
            let Documents { policies, exceptions } = &documents;
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
        let (shown, text) = match &self.policy {
            Some(path) => {
                let shown = path.display().to_string();
                let text = crate::inputs::read_file(path, &shown)?;
                (shown, text)
            }
            None => Default::default(),
        };
        let documents = documents::read(&text)
            .map_err(|error| Problem::new(&shown, error.to_string()).at(error.line, error.column))?;
        make(documents).map_err(|error| {
            let problem = Problem::new(&shown, error.to_string());
            match documents::place(&text, &error.name, error.error.rule()) {
                Some((line, column)) => problem.at(line, column),
                None => problem,
            }
        })
    }

    /// What to say when a profile was given by hand and the policy file names another one for everything.
    #[must_use]
    pub fn overruled(&self, policies: &PolicySet) -> Option<String> {
        let (given, path) = (Profile::from(self.profile?), self.policy.as_ref()?);
        let named = policies.policy(None).profile;
        (named != given).then(|| {
            format!(
                "--profile {given} has no effect: {} names the profile {named} for everything",
                path.display()
            )
        })
    }
}

/// Seconds since 1970, for the expiry of exceptions; a clock before that counts as 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
