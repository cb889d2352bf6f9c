//! The words of the file: durations, outcomes, names of objects, ways to wait.

use std::{str::FromStr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    Outcome, Profile, command,
    scenario::{KIND, spelling},
};

/// The one kind that this is.
#[derive(Debug, JsonSchema)]
pub(super) enum Kind {
    #[expect(dead_code, reason = "the schema shows it")]
    RolloutScenario,
    #[schemars(skip)]
    Read,
}

/// Which tool plays the rollout.
#[derive(Debug, JsonSchema)]
#[schemars(with = "HelmWord")]
pub(in crate::scenario) struct Helm(pub(in crate::scenario) String);

/// The words for it.
#[derive(JsonSchema)]
#[schemars(rename = "Helm")]
#[expect(dead_code, reason = "only its schema is used")]
enum HelmWord {
    /// Helm 3.
    #[serde(rename = "3")]
    Three,
    /// Helm 4, as when nothing is said.
    #[serde(rename = "4")]
    Four,
    /// Argo CD, which runs the hooks of a chart itself.
    #[serde(rename = "argocd")]
    ArgoCd,
    /// Flux's helm-controller.
    #[serde(rename = "flux")]
    Flux,
}

/// One, or a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::scenario) enum OneOrMore<T> {
    /// A list.
    More(Vec<T>),
    /// One.
    One(T),
}

impl<T> Default for OneOrMore<T> {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl<T> From<OneOrMore<T>> for Vec<T> {
    fn from(written: OneOrMore<T>) -> Self {
        match written {
            OneOrMore::One(one) => vec![one],
            OneOrMore::More(more) => more,
        }
    }
}

/// Values of `set`, which people know as a map from elsewhere.
pub(super) fn set<'de, D: Deserializer<'de>>(written: D) -> Result<OneOrMore<String>, D::Error> {
    OneOrMore::deserialize(written).map_err(|_| D::Error::custom("write set: [key=value]"))
}

/// Values of `setString`.
pub(super) fn set_string<'de, D: Deserializer<'de>>(written: D) -> Result<OneOrMore<String>, D::Error> {
    OneOrMore::deserialize(written).map_err(|_| D::Error::custom("write setString: [key=value]"))
}

/// A duration as Go writes it: `90s`, `1m30s`.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(with = "String")]
pub(in crate::scenario) struct Span(pub(in crate::scenario) Duration);

/// What the pods of a hook do.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(with = "String")]
pub(in crate::scenario) struct Ending(pub(in crate::scenario) Outcome);

/// `Kind/name`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(with = "String")]
pub(in crate::scenario) struct Name(pub(in crate::scenario) String);

/// `true`, `false`, or how Helm 4 waits.
#[derive(Debug, Clone, Copy, Default, JsonSchema)]
#[schemars(with = "serde_word::Wait")]
pub(in crate::scenario) struct Wait(pub(in crate::scenario) Option<command::Wait>);

/// What the schema shows of [`Wait`].
mod serde_word {
    #[derive(schemars::JsonSchema)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only its schema is used")]
    pub(super) enum Wait {
        /// Whether.
        Whether(bool),
        /// How.
        How(How),
    }

    #[derive(schemars::JsonSchema)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its schema is used")]
    pub(super) enum How {
        /// Helm 4's own way.
        Watcher,
        /// Not at all, but for hooks.
        HookOnly,
        /// Helm 3's way.
        Legacy,
    }
}

impl Default for Helm {
    fn default() -> Self {
        Self("4".to_owned())
    }
}

/// Reads a word of the file; the error says what would be one.
macro_rules! read_as_text {
    ($($type:ty),*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                String::deserialize(reader)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

read_as_text!(Kind, Helm, Span, Ending, Name, Wait);

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == KIND { Ok(Self::Read) } else { Err(format!("this is no {KIND}")) }
    }
}

impl FromStr for Helm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = || Profile::ALL.iter().map(|(word, _)| *word);
        if words().any(|word| word == text) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("unknown word {text:?}; say 3, 4, argocd or flux{}", spelling::hint(text, words())))
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = command::duration(text).map(Self);
        let days = command::without_days(text);
        read.ok_or_else(|| format!("{text:?} is no duration; write it as 90s or 1m30s{days}"))
    }
}

impl FromStr for Ending {
    type Err = crate::outcome::NoOutcome;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(format!("{text:?} names no object; write Kind/name, as in Job/migrate")),
        }
    }
}

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "true" | "watcher" => Ok(Self(Some(command::Wait::Watcher))),
            "false" | "hookOnly" => Ok(Self(Some(command::Wait::HookOnly))),
            "legacy" => Ok(Self(Some(command::Wait::Legacy))),
            _ => Err(format!("{text:?} is no way to wait; say true, false, watcher, hookOnly or legacy")),
        }
    }
}
