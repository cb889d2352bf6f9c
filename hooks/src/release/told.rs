//! What a record tells of how it went: Helm's last words and its times, which nobody needs who judges what is to come.

use std::fmt;

use serde::Deserialize;

use super::{Error, Limits, decode};

/// The most bytes of Helm's words that are kept.
const WORDS: usize = 16 << 10;
/// The most bytes of any other text.
const SHORT: usize = 1_024;

/// How one revision went.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// `info.description`: what Helm last had to say, which after a failure is its error; 16 KiB at most.
    pub description: String,
    /// When Helm began with the revision, in RFC 3339; empty if unknown.
    pub deployed_at: String,
    /// When Helm began to uninstall it, in RFC 3339; empty if it has not.
    pub deleted_at: String,
    /// How the hooks that ran ended.
    pub runs: Vec<Run>,
}

/// The last run of one hook.
#[derive(Clone, PartialEq, Eq)]
pub struct Run {
    /// The template of the hook.
    pub path: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// When the run ended, in RFC 3339; empty while it has not.
    pub completed_at: String,
}

impl Told {
    /// Decodes the value of `data.release` of a Secret, as [`super::Record::decode`] does.
    ///
    /// # Errors
    /// The same.
    pub fn decode(secret_data: &[u8], limits: &Limits) -> Result<Self, Error> {
        decode::json_of_secret::<Stored>(secret_data, limits).map(Self::of)
    }

    /// Decodes the record once the Secret's own base64 is gone, as [`super::Record::decode_stored`] does.
    ///
    /// # Errors
    /// The same.
    pub fn decode_stored(stored: &[u8], limits: &Limits) -> Result<Self, Error> {
        decode::json_of_stored::<Stored>(stored, limits).map(Self::of)
    }

    /// When the last run of a hook ended, in RFC 3339; empty if that is not known.
    #[must_use]
    pub fn completed_at(&self, path: &str, kind: &str, name: &str) -> &str {
        let run = self.runs.iter().find(|run| run.path == path && run.kind == kind && run.name == name);
        run.map_or("", |run| &run.completed_at)
    }

    fn of(stored: Stored) -> Self {
        let info = stored.info.unwrap_or_default();
        let runs = stored.hooks.unwrap_or_default().into_iter().flatten().filter_map(Run::of);
        Self {
            description: cut(info.description, WORDS),
            deployed_at: cut(info.last_deployed, SHORT),
            deleted_at: cut(info.deleted, SHORT),
            runs: runs.collect(),
        }
    }
}

impl Run {
    fn of(hook: Hook) -> Option<Self> {
        let completed_at = cut(hook.last_run?.completed_at, SHORT);
        let text = |text| cut(text, SHORT);
        Some(Self { path: text(hook.path), kind: text(hook.kind), name: text(hook.name), completed_at })
    }
}

/// Source: Helm 4.2.4 `pkg/release/v1/release.go`, `Release`, and `info.go`, `Info`.
#[derive(Deserialize)]
struct Stored {
    info: Option<Info>,
    hooks: Option<Vec<Option<Hook>>>,
}

#[derive(Deserialize, Default)]
struct Info {
    description: Option<String>,
    last_deployed: Option<String>,
    deleted: Option<String>,
}

/// Source: Helm 4.2.4 `pkg/release/v1/hook.go`, `Hook`.
#[derive(Deserialize)]
struct Hook {
    path: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    last_run: Option<LastRun>,
}

#[derive(Deserialize)]
struct LastRun {
    completed_at: Option<String>,
}

fn cut(text: Option<String>, most: usize) -> String {
    let mut text = text.unwrap_or_default();
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text
}

// By hand: Helm's words may quote what must not reach a log.
impl fmt::Debug for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Told").field("deployed_at", &self.deployed_at).finish_non_exhaustive()
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, kind, name, completed_at } = self;
        let mut debug = formatter.debug_struct("Run");
        debug.field("path", path).field("kind", kind).field("name", name);
        debug.field("completed_at", completed_at).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::encode, *};

    fn told(record: &serde_json::Value) -> Told {
        Told::decode(encode(record.to_string().as_bytes()).as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn helms_words_and_times_are_kept() {
        let run = json!({"started_at": "2026-01-02T03:04:05Z", "completed_at": "2026-01-02T03:05:05Z"});
        let hook = json!({"path": "a.yaml", "kind": "Job", "name": "migrate", "last_run": run});
        let info = json!({"description": "Install complete", "last_deployed": "2026-01-02T03:04:00Z"});
        let told = told(&json!({"name": "shop", "info": info, "hooks": [null, hook]}));
        assert_eq!(told.description, "Install complete");
        assert_eq!(told.deployed_at, "2026-01-02T03:04:00Z");
        assert_eq!(told.completed_at("a.yaml", "Job", "migrate"), "2026-01-02T03:05:05Z");
        assert_eq!(told.completed_at("b.yaml", "Job", "migrate"), "");
    }

    #[test]
    fn what_is_missing_is_empty_and_what_is_long_is_cut() {
        assert_eq!(told(&json!({})), Told::default());
        let long = told(&json!({"info": {"description": "é".repeat(WORDS)}}));
        assert_eq!(long.description.len(), WORDS);
    }

    #[test]
    fn no_record_is_an_error() {
        assert_eq!(Told::decode(b"", &Limits::default()), Err(Error::Empty));
        assert_eq!(Told::decode(encode(b"[]").as_bytes(), &Limits::default()), Err(Error::NoRelease));
    }

    #[test]
    fn helms_words_are_not_shown() {
        assert!(!format!("{:?}", told(&json!({"info": {"description": "hunter2"}}))).contains("hunter2"));
    }
}
