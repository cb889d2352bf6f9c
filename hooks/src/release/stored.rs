//! The JSON of a record, as far as it is kept.

use std::fmt;

use base64::Engine as _;
use serde::{
    Deserialize, Deserializer,
    de::{Unexpected, Visitor},
};

use super::{Error, Phase, Record, RecordedHook, Status, Template, decode::BASE64};
use crate::annotations;

/// Source: Helm 4.2.4 `pkg/release/v1/release.go`, `Release`. Every field may be absent or `null`, as Go allows.
#[derive(Deserialize)]
pub(super) struct Stored {
    name: Option<String>,
    namespace: Option<String>,
    version: Option<i64>,
    info: Option<Info>,
    manifest: Option<String>,
    hooks: Option<Vec<Option<Hook>>>,
    chart: Option<Chart>,
}

#[derive(Deserialize)]
struct Info {
    status: Option<String>,
}

/// Source: Helm 4.2.4 `pkg/release/v1/hook.go`, `Hook`.
#[derive(Deserialize)]
struct Hook {
    path: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    manifest: Option<String>,
    last_run: Option<LastRun>,
}

#[derive(Deserialize)]
struct LastRun {
    phase: Option<String>,
    started_at: Option<String>,
}

/// Source: Helm 4.2.4 `pkg/chart/v2/chart.go`, `Chart`; its dependencies are not stored.
#[derive(Deserialize, Default)]
struct Chart {
    metadata: Option<Metadata>,
    templates: Option<Vec<Option<File>>>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    name: Option<String>,
    version: Option<String>,
}

/// Source: Helm 4.2.4 `pkg/chart/common/file.go`, `File`.
#[derive(Deserialize)]
struct File {
    name: Option<String>,
    data: Option<Source>,
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

impl Stored {
    /// The record, if this is one: only a release has a name and a status.
    pub(super) fn into_record(self) -> Result<Record, Error> {
        let name = self.name.filter(|name| !name.is_empty()).ok_or(Error::NoRelease)?;
        let status = self.info.ok_or(Error::NoRelease)?.status.unwrap_or_default();
        let chart = self.chart.unwrap_or_default();
        let metadata = chart.metadata.unwrap_or_default();
        Ok(Record {
            name,
            namespace: self.namespace.unwrap_or_default(),
            version: self.version.unwrap_or_default(),
            status: Status::parse(&status),
            manifest: self.manifest.unwrap_or_default(),
            hooks: self.hooks.into_iter().flatten().flatten().map(Hook::into_recorded).collect(),
            templates: chart
                .templates
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(File::into_template)
                .collect(),
            chart_name: metadata.name.unwrap_or_default(),
            chart_version: metadata.version.unwrap_or_default(),
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
    /// Notes are text for people, whatever they mention.
    fn into_template(self) -> Option<Template> {
        let name = self.name.unwrap_or_default();
        let text = self.data?.0.filter(|_| !name.ends_with("NOTES.txt"))?;
        Some(Template { name, text })
    }
}
