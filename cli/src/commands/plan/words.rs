//! What may stand behind a flag: tools, outcomes, durations, actions.

use std::time::Duration;

use clap::ValueEnum;
use lifecycle::{Outcomes, Profile, answer::Action, command, scenario::spelling};
use policies::settings::{Engine, Gitops};

/// What is asked of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ActionWord {
    /// `helm install`.
    Install,
    /// `helm upgrade`.
    Upgrade,
    /// `helm rollback`.
    Rollback,
    /// `helm uninstall`.
    Uninstall,
    /// `helm test`.
    Test,
}

impl From<ActionWord> for Action {
    fn from(word: ActionWord) -> Self {
        match word {
            ActionWord::Install => Self::Install,
            ActionWord::Upgrade => Self::Upgrade,
            ActionWord::Rollback => Self::Rollback,
            ActionWord::Uninstall => Self::Uninstall,
            ActionWord::Test => Self::Test,
        }
    }
}

/// `Job/migrate=fail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    name: String,
    outcome: lifecycle::Outcome,
}

/// Reads which tool plays a release.
///
/// # Errors
/// When there is none of that name.
pub(crate) fn tool(text: &str) -> Result<String, String> {
    let known = || Profile::ALL.iter().map(|(word, _)| *word);
    if known().any(|word| word == text) {
        return Ok(text.to_owned());
    }
    let major =
        text.strip_prefix("helm").unwrap_or(text).trim_start_matches(['-', '@', 'v']).split('.').next();
    let hint = match major {
        Some(major @ ("3" | "4")) => format!("; did you mean {major:?}?"),
        _ => spelling::hint(text, known()),
    };
    let is_program = text.contains(['/', '\\']) || text.starts_with("helm");
    let what = if is_program { "; a program is given by --helm-bin" } else { "" };
    Err(format!("say 3, 4, argocd or flux{hint}{what}"))
}

/// The tool of a word that [`tool`] has read.
#[must_use]
pub(crate) fn profile(word: &str) -> Profile {
    Profile::find(word).unwrap_or_default()
}

/// The word for the tool that policies name.
#[must_use]
pub(super) const fn tool_of(engine: &Engine) -> &'static str {
    match (engine.gitops, engine.helm_version) {
        (Gitops::Argocd, _) => "argocd",
        (Gitops::Flux, _) => "flux",
        (Gitops::Helm, Some(3)) => "3",
        (Gitops::Helm, _) => "4",
    }
}

/// Reads an outcome.
///
/// # Errors
/// When it is none.
pub(crate) fn outcome(text: &str) -> Result<Outcome, String> {
    let wanted = || "say what becomes of which object, as in Job/migrate=fail".to_owned();
    let (name, outcome) = text.split_once('=').ok_or_else(wanted)?;
    if !name.split_once('/').is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty()) {
        return Err(wanted());
    }
    let outcome = outcome.parse().map_err(|error: lifecycle::outcome::NoOutcome| error.to_string())?;
    Ok(Outcome { name: name.to_owned(), outcome })
}

/// All of them; the last one counts.
#[must_use]
pub(crate) fn outcomes(read: &[Outcome]) -> Outcomes {
    read.iter().map(|one| (one.name.clone(), one.outcome)).collect()
}

/// Reads a duration as Helm's flags do.
///
/// # Errors
/// When it is none.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let days = command::without_days(text);
    command::duration(text).ok_or_else(|| format!("write a duration as 90s or 1m30s{days}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_names_an_object_and_what_becomes_of_it() {
        let read = [outcome("Job/a=fail").unwrap(), outcome("Job/a=90s").unwrap()];
        let ninety = lifecycle::Outcome::Succeeds(Duration::from_secs(90));
        assert_eq!(outcomes(&read), [("Job/a".to_owned(), ninety)].into());
        for text in ["a=fail", "Job/a", "Job/=ok", "Job/a=explode"] {
            assert!(outcome(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tool_is_no_program() {
        for slip in ["helm3", "v3", "helm-3", "3.19.0"] {
            assert!(tool(slip).unwrap_err().contains("did you mean \"3\"?"), "{slip}");
        }
        assert!(
            tool("helm4").unwrap_err().ends_with("did you mean \"4\"?; a program is given by --helm-bin")
        );
        assert!(tool("argcd").unwrap_err().contains("did you mean \"argocd\"?"));
        assert!(tool("/usr/bin/helm").unwrap_err().contains("--helm-bin"));
        assert_eq!(profile(&tool("3").unwrap()).version, "3.21.4");
    }
}
