//! Release records: what Helm stores of each revision in a Secret, decoded as a stream into the parts that matter here.

use std::{fmt, io::Write as _};

use base64::Engine as _;
use flate2::{Compression, write::GzEncoder};

mod decode;
mod secret;
mod status;
mod stored;
mod stream;
mod told;

pub use secret::{SecretView, is_type, secret};
pub use status::{Phase, Status};
pub use told::{Run, Told};

/// How much a record may demand of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of JSON, once decompressed.
    pub decompressed: u64,
    /// The most levels of lists and maps, also where nothing is kept.
    pub nesting: usize,
    /// The most bytes of one text, also where it is not kept: what is read is there twice for a moment.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { decompressed: 32 << 20, nesting: 1_000, text: 8 << 20 }
    }
}

/// Why something is no release record. Says nothing of what it holds, since that is a Secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nothing to decode.
    #[error("the release record is empty")]
    Empty,
    /// One of the two layers of base64 is broken.
    #[error("the release record is not base64")]
    NotBase64,
    /// It begins like gzip and is not, or its checksum is wrong.
    #[error("the release record is damaged: its gzip data cannot be read")]
    NotGzip,
    /// The compressed data ends before its end.
    #[error("the release record is cut off: its gzip data ends too early")]
    Truncated,
    /// More JSON than [`Limits::decompressed`].
    #[error("the release record is too large to be judged: it has more than {limit} bytes of JSON")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// One text of more than [`Limits::text`].
    #[error("the release record is too large to be judged: one text in it has more than {limit} bytes")]
    TextTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// More hooks than any release has, or larger ones.
    #[error(
        "the release record is too large to be judged: it has more than {limit} hooks, or {bytes} bytes of them"
    )]
    TooManyHooks {
        /// The limit.
        limit: usize,
        /// The limit of all of them, in bytes.
        bytes: usize,
    },
    /// More levels than [`Limits::nesting`], or than a JSON reader follows where something is kept.
    #[error("the release record is nested too deeply")]
    TooDeep,
    /// No JSON.
    #[error("the release record is not JSON: it breaks at line {line}, column {column}")]
    NotJson {
        /// From 1.
        line: usize,
        /// In bytes, from 1; 0 at the end of the line before.
        column: usize,
    },
    /// JSON, but not what Helm stores: a field has another type, or the release has no name.
    #[error("the release record is not one that Helm wrote")]
    NoRelease,
}

/// One revision of a release: what the record says of it, without values, files and notes.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The name of the release.
    pub name: String,
    /// Its namespace, which need not be that of the Secret.
    pub namespace: String,
    /// The revision, from 1.
    pub version: i64,
    /// Where the revision stands.
    pub status: Status,
    /// The rendered objects, without hooks: YAML documents, each under a `# Source:` comment.
    pub manifest: String,
    /// The rendered hooks, in Helm's order of kinds.
    pub hooks: Vec<RecordedHook>,
    /// Those of the chart's own templates, unrendered and without its subcharts', that mention hooks; 2 MiB of them at most, the
    /// others are left out.
    pub templates: Vec<Template>,
    /// The name of the chart; empty if unknown, or longer than 253 bytes.
    pub chart_name: String,
    /// The version of the chart; empty if unknown, or longer than 253 bytes.
    pub chart_version: String,
    /// Whether its objects were sent by server-side apply; Helm 3 never does.
    pub is_applied: bool,
}

/// One hook of a record.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordedHook {
    /// The template it was rendered from, as in `shop/templates/migrate.yaml`.
    pub path: String,
    /// The kind.
    pub kind: String,
    /// `metadata.name`; empty with `generateName`.
    pub name: String,
    /// The YAML document.
    pub manifest: String,
    /// How its last run ended or stands; `None` before the first.
    pub phase: Option<Phase>,
    /// When its last run began, in RFC 3339; `None` before the first.
    pub started_at: Option<String>,
}

/// One template of the chart, as its author wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    /// The path in the chart, as in `templates/migrate.yaml`.
    pub name: String,
    /// The source.
    pub text: String,
}

impl Record {
    /// Decodes the value of `data.release` as a Secret's JSON or YAML holds it: base64 of base64 of gzip of JSON.
    ///
    /// Records from before Helm compressed them are read too. Nothing but the result and a few buffers is held at any time.
    ///
    /// Source: Helm 4.2.4 `pkg/storage/driver/util.go`, `decodeRelease`; the outer base64 is that of any Secret.
    ///
    /// # Errors
    /// Whatever Helm did not write, and whatever exceeds `limits`.
    pub fn decode(secret_data: &[u8], limits: &Limits) -> Result<Self, Error> {
        decode::twice(secret_data, limits)
    }

    /// Decodes the value of `stringData.release`, or of `data.release` once the Secret's own base64 is gone.
    ///
    /// # Errors
    /// As [`Record::decode`].
    pub fn decode_stored(stored: &[u8], limits: &Limits) -> Result<Self, Error> {
        decode::once(stored, limits)
    }

    /// Bytes of all texts that are kept.
    #[must_use]
    pub fn length(&self) -> usize {
        let hooks = self.hooks.iter().map(RecordedHook::length).sum::<usize>();
        let templates = self.templates.iter().map(|one| one.name.len() + one.text.len()).sum::<usize>();
        self.manifest.len() + hooks + templates
    }

    /// All that was rendered, hooks behind the rest, each under a `# Source:` comment: as `helm template` prints it.
    #[must_use]
    pub fn rendered(&self) -> String {
        let mut text = self.manifest.clone();
        for hook in &self.hooks {
            text.extend(["\n---\n# Source: ", &hook.path, "\n", &hook.manifest, "\n"]);
        }
        text
    }

    /// Whether Helm has begun something with this revision and not ended it.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.status.is_pending()
    }
}

/// What Helm would write to `data.release` for this JSON, as it appears in the JSON of the Secret.
///
/// Source: Helm 4.2.4 `pkg/storage/driver/util.go`, `encodeRelease`.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "a vector takes every write")]
pub fn encode(json: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let compressed =
        encoder.write_all(json).and_then(|()| encoder.finish()).expect("a vector takes every write");
    let stored = decode::BASE64.encode(compressed);
    decode::BASE64.encode(stored)
}

impl RecordedHook {
    /// Bytes of all its texts, and of the hook around them.
    pub(crate) fn length(&self) -> usize {
        let Self { path, kind, name, manifest, started_at, .. } = self;
        let started_at = started_at.as_deref().unwrap_or_default();
        let texts = [path, kind, name, manifest, started_at].map(str::len);
        // A list has room for twice as many while it grows.
        2 * size_of::<Self>() + texts.iter().sum::<usize>()
    }
}

// By hand, since what a derived one prints may hold what must not reach a log.
impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, namespace, version, status, hooks, .. } = self;
        formatter
            .debug_struct("Record")
            .field("name", name)
            .field("namespace", namespace)
            .field("version", version)
            .field("status", status)
            .field("hooks", hooks)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RecordedHook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, kind, name, .. } = self;
        let mut debug = formatter.debug_struct("RecordedHook");
        debug.field("path", path).field("kind", kind).field("name", name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Template").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
