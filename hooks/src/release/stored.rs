//! The JSON of a record, as far as it is kept: texts and lists are capped, so that what is kept of a record is 14 MiB at the most.

use std::{fmt, marker::PhantomData};

use base64::Engine as _;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Unexpected, Visitor},
};

use super::{Error, Phase, Record, RecordedHook, Status, Template, decode::BASE64};
use crate::annotations;

/// The most hooks of a release; Helm runs them one after the other, so that a tenth of this would take hours.
pub(super) const HOOKS: usize = 5_000;
/// The most templates that are kept.
const TEMPLATES: usize = 5_000;
/// The most bytes of all templates that are kept, names included.
const TEMPLATE_BYTES: usize = 2 << 20;
/// The most bytes of all hooks together; those of the largest known charts have a tenth of this.
const HOOK_BYTES: usize = 4 << 20;
/// The most bytes of a name: Kubernetes has no longer ones, and Helm's are shorter.
const NAME: usize = 253;
/// The most bytes of a path in a chart.
const PATH: usize = 1_024;

/// Source: Helm 4.2.4 `pkg/release/v1/release.go`, `Release`. Every field may be absent or `null`, as Go allows.
#[derive(Deserialize)]
pub(super) struct Stored {
    #[serde(default, deserialize_with = "short")]
    name: Option<String>,
    #[serde(default, deserialize_with = "short")]
    namespace: Option<String>,
    version: Option<i64>,
    info: Option<Info>,
    manifest: Option<String>,
    hooks: Option<Listed<RecordedHook>>,
    chart: Option<Chart>,
    #[serde(default, deserialize_with = "short")]
    apply_method: Option<String>,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default, deserialize_with = "short")]
    status: Option<String>,
}

/// Source: Helm 4.2.4 `pkg/release/v1/hook.go`, `Hook`.
#[derive(Deserialize)]
struct Hook {
    #[serde(default, deserialize_with = "short")]
    path: Option<String>,
    #[serde(default, deserialize_with = "short")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "short")]
    name: Option<String>,
    manifest: Option<String>,
    last_run: Option<LastRun>,
}

#[derive(Deserialize)]
struct LastRun {
    #[serde(default, deserialize_with = "short")]
    phase: Option<String>,
    #[serde(default, deserialize_with = "short")]
    started_at: Option<String>,
}

/// Source: Helm 4.2.4 `pkg/chart/v2/chart.go`, `Chart`; its dependencies are not stored.
#[derive(Deserialize, Default)]
struct Chart {
    metadata: Option<Metadata>,
    templates: Option<Listed<Template>>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default, deserialize_with = "short")]
    name: Option<String>,
    #[serde(default, deserialize_with = "short")]
    version: Option<String>,
}

/// Source: Helm 4.2.4 `pkg/chart/common/file.go`, `File`.
#[derive(Deserialize)]
struct File {
    #[serde(default, deserialize_with = "short")]
    name: Option<String>,
    data: Option<Source>,
}

/// Text that is never long; of a longer one the beginning, too long for anything.
fn short<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    struct Short(String);

    impl<'de> Deserialize<'de> for Short {
        fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
            reader.deserialize_str(Beginning).map(Self)
        }
    }

    struct Beginning;

    impl Visitor<'_> for Beginning {
        type Value = String;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("text")
        }

        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text
                .char_indices()
                .take_while(|(at, _)| *at <= PATH)
                .map(|(_, character)| character)
                .collect())
        }
    }

    Ok(Option::<Short>::deserialize(reader)?.map(|Short(text)| text))
}

/// The source of a template that mentions hooks; `None` for any other, which is let go at once.
struct Source(Option<String>);

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Base64;

        impl Visitor<'_> for Base64 {
            type Value = Source;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Source, E> {
                let bytes = BASE64
                    .decode(text)
                    .map_err(|_| E::invalid_value(Unexpected::Other("other text"), &self))?;
                let text = String::from_utf8(bytes).ok();
                Ok(Source(text.filter(|text| text.contains(annotations::HOOK))))
            }
        }

        reader.deserialize_str(Base64)
    }
}

/// What a list of the record is read into.
trait Entry: Sized {
    /// As it is stored.
    type Stored: for<'de> Deserialize<'de>;
    /// How many are kept at most.
    const MOST: usize;
    /// How many bytes of all of them are kept at most.
    const BYTES: usize;

    /// `None` for what nobody needs.
    fn of(stored: Self::Stored) -> Option<Self>;

    /// What it counts for.
    fn bytes(&self) -> usize;
}

/// The entries that are kept of a list; the others are let go one by one.
struct Listed<T> {
    kept: Vec<T>,
    /// Whether there was more than may be kept.
    is_cut: bool,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), is_cut: false }
    }
}

impl<'de, T: Entry> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Entry> Visitor<'de> for Entries<T> {
            type Value = Listed<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Listed<T>, A::Error> {
                let mut listed = Listed::default();
                let mut left = T::BYTES;
                while listed.kept.len() < T::MOST {
                    let Some(item) = items.next_element::<Option<T::Stored>>()? else { return Ok(listed) };
                    let Some(entry) = item.and_then(T::of) else { continue };
                    match left.checked_sub(entry.bytes()) {
                        Some(rest) => {
                            left = rest;
                            listed.kept.push(entry);
                        }
                        None => listed.is_cut = true,
                    }
                }
                while items.next_element::<IgnoredAny>()?.is_some() {
                    listed.is_cut = true;
                }
                Ok(listed)
            }
        }

        reader.deserialize_seq(Entries(PhantomData))
    }
}

impl Entry for RecordedHook {
    type Stored = Hook;
    const MOST: usize = HOOKS;
    const BYTES: usize = HOOK_BYTES;

    fn of(stored: Hook) -> Option<Self> {
        Some(stored.into_recorded())
    }

    fn bytes(&self) -> usize {
        self.length()
    }
}

impl Entry for Template {
    type Stored = File;
    const MOST: usize = TEMPLATES;
    const BYTES: usize = TEMPLATE_BYTES;

    fn of(stored: File) -> Option<Self> {
        stored.into_template()
    }

    fn bytes(&self) -> usize {
        self.name.len() + self.text.len()
    }
}

impl Stored {
    /// The record, if this is one: only a release has a name and a status.
    pub(super) fn into_record(self) -> Result<Record, Error> {
        let is_name = |name: &String| name.len() <= NAME;
        let name = self.name.filter(|name| !name.is_empty() && is_name(name)).ok_or(Error::NoRelease)?;
        let status = self.info.ok_or(Error::NoRelease)?.status.unwrap_or_default();
        let namespace = self.namespace.unwrap_or_default();
        let chart = self.chart.unwrap_or_default();
        let metadata = chart.metadata.unwrap_or_default();
        let hooks = self.hooks.unwrap_or_default();
        if !is_name(&namespace) {
            return Err(Error::NoRelease);
        }
        if hooks.is_cut {
            return Err(Error::TooManyHooks { limit: HOOKS, bytes: HOOK_BYTES });
        }
        Ok(Record {
            name,
            namespace,
            version: self.version.unwrap_or_default(),
            status: Status::parse(&status),
            manifest: self.manifest.unwrap_or_default(),
            hooks: hooks.kept,
            templates: chart.templates.unwrap_or_default().kept,
            chart_name: metadata.name.filter(is_name).unwrap_or_default(),
            chart_version: metadata.version.filter(is_name).unwrap_or_default(),
            is_applied: self.apply_method.is_some_and(|method| method == "ssa"),
        })
    }
}

impl Hook {
    fn into_recorded(self) -> RecordedHook {
        let (phase, started_at) = self.last_run.map_or((None, None), |run| (run.phase, run.started_at));
        RecordedHook {
            path: self.path.unwrap_or_default(),
            kind: self.kind.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            manifest: self.manifest.unwrap_or_default(),
            phase: phase.as_deref().and_then(Phase::parse),
            started_at: started_at.filter(|text| !text.is_empty()),
        }
    }
}

impl File {
    /// Notes are text for people, whatever they mention. No file has a name that is longer than its path may be.
    fn into_template(self) -> Option<Template> {
        let name = self.name.unwrap_or_default();
        let is_read = !name.ends_with("NOTES.txt") && name.len() <= PATH;
        let text = self.data?.0.filter(|_| is_read)?;
        Some(Template { name, text })
    }
}
