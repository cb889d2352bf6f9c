//! What the API server was asked, from its audit log.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use serde_json::Value;

/// A place in the audit log: what comes later happened later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditMarker(pub(super) u64);

/// One request and its answer; what a request does not have is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditEvent {
    /// `create`, `update`, `patch`, `delete`, `deletecollection`, `get`, `list`, `watch`.
    pub verb: String,
    /// The plural name, such as `jobs`.
    pub resource: String,
    /// The subresource, such as `status`.
    pub subresource: String,
    /// The namespace.
    pub namespace: String,
    /// The name; empty for lists and for objects that the API server names.
    pub name: String,
    /// The user agent: which program asked, such as `Helm/4.2.4`.
    pub user_agent: String,
    /// The user name.
    pub user: String,
    /// Path and query as requested.
    pub uri: String,
    /// The HTTP status of the answer.
    pub code: u16,
    /// Audit annotations, those of webhooks among them: key, value, by key.
    pub annotations: Vec<(String, String)>,
}

impl AuditEvent {
    /// Reads one line of the log; `None` when it is no event.
    ///
    /// Source: Kubernetes `k8s.io/apiserver/pkg/apis/audit/v1`, `Event`.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let event: Value = serde_json::from_str(line).ok()?;
        let text =
            |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let annotations = event["annotations"].as_object().into_iter().flatten();
        Some(Self {
            verb: event["verb"].as_str()?.to_owned(),
            resource: text("/objectRef/resource"),
            subresource: text("/objectRef/subresource"),
            namespace: text("/objectRef/namespace"),
            name: text("/objectRef/name"),
            user_agent: text("/userAgent"),
            user: text("/user/username"),
            uri: text("/requestURI"),
            code: event
                .pointer("/responseStatus/code")
                .and_then(Value::as_u64)
                .unwrap_or(0)
                .try_into()
                .ok()?,
            annotations: annotations
                .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
        })
    }

    /// Whether Helm asked, whichever Helm.
    #[must_use]
    pub fn is_from_helm(&self) -> bool {
        self.user_agent.starts_with("Helm/")
    }

    /// Whether the request may change something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

/// Where the log ends now.
pub(super) fn end(log: &Path) -> io::Result<AuditMarker> {
    Ok(AuditMarker(std::fs::metadata(log)?.len()))
}

/// The complete lines after a marker.
pub(super) fn since(log: &Path, marker: AuditMarker) -> io::Result<Vec<AuditEvent>> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(marker.0))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text.lines().filter_map(AuditEvent::parse).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_and_a_torn_line_is_not() {
        let line = r#"{"verb":"delete","user":{"username":"admin"},"userAgent":"Helm/4.2.4","requestURI":"/apis/batch/v1",
            "objectRef":{"resource":"jobs","namespace":"demo","name":"migrate"},"responseStatus":{"code":200},
            "annotations":{"a":"b"}}"#;
        let event = AuditEvent::parse(line).unwrap();
        assert_eq!((event.verb.as_str(), event.name.as_str(), event.code), ("delete", "migrate", 200));
        assert_eq!(event.annotations, [("a".to_owned(), "b".to_owned())]);
        assert!(event.is_from_helm() && event.is_write());
        assert_eq!(AuditEvent::parse(&line[..40]), None);
    }
}
