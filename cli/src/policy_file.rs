//! `--policy` and `--profile`: what the rules may do.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::ValueEnum;
use policies::{PolicySet, Profile, documents};

use crate::report::Problem;

/// What the rules may do.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Policy")]
pub struct Args {
    /// A file of HookPolicy and HookException documents.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The modes to start from where no policy says otherwise.
    #[arg(long, value_enum, default_value_t = ProfileName::Baseline)]
    pub profile: ProfileName,
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
        let profile = self.profile.into();
        let Some(path) = &self.policy else { return Ok(PolicySet::shipped(profile)) };
        let shown = path.display().to_string();
        let text = crate::inputs::read_file(path, &shown)?;
        let problem = |error: anyhow::Error| Problem::new(shown.clone(), format!("{error:#}"));
        let documents = documents::read(&text).map_err(|error| problem(error.into()))?;
        // A file has no cluster to ask for labels.
        PolicySet::new(documents.policies, documents.exceptions, profile, generation)
            .and_then(PolicySet::by_name_only)
            .map_err(|error| problem(error.into()))
    }
}

/// Seconds since 1970, for the expiry of exceptions; a clock before that counts as 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
