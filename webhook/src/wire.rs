//! The `AdmissionReview` on the wire, borrowed from the body: what is not needed is read past, the objects are left as text.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, de::Visitor};
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// The only version there is.
const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    #[serde(borrow)]
    api_version: Text<'a>,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    request: Option<Request<'a>>,
}

/// What we read of an `AdmissionRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request<'a> {
    #[serde(borrow)]
    pub(crate) uid: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) kind: GroupVersionKind<'a>,
    #[serde(borrow, default)]
    pub(crate) sub_resource: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) operation: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) namespace: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) user_info: Option<UserInfo<'a>>,
    #[serde(borrow, default)]
    pub(crate) object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) old_object: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) dry_run: Option<bool>,
    #[serde(borrow, default)]
    pub(crate) options: Option<Options<'a>>,
}

/// `kind` of the object.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct GroupVersionKind<'a> {
    #[serde(borrow, default)]
    pub(crate) group: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) version: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) kind: Text<'a>,
}

/// Who asks.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct UserInfo<'a> {
    #[serde(borrow, default)]
    pub(crate) username: Text<'a>,
}

/// The options of the operation.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Options<'a> {
    #[serde(borrow, default)]
    pub(crate) field_manager: Option<Text<'a>>,
}

impl Request<'_> {
    /// The namespace; `None` for cluster-scoped objects.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_ref().map(Text::as_str).filter(|namespace| !namespace.is_empty())
    }

    /// The namespace whose policies hold: none for cluster-scoped objects, and so for a Namespace, of which the API server says that
    /// it is in itself.
    ///
    /// Source: Kubernetes `k8s.io/apiserver/pkg/endpoints/handlers/create.go`, `namespacesGVK`.
    pub(crate) fn governing_namespace(&self) -> Option<&str> {
        let is_namespace = self.kind.group.as_str().is_empty() && self.kind.kind.as_str() == "Namespace";
        self.namespace().filter(|_| !is_namespace)
    }

    /// Who asks; empty when nobody says.
    pub(crate) fn user(&self) -> &str {
        self.user_info.as_ref().map_or("", |user| user.username.as_str())
    }

    /// Whether nothing will be stored.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run.unwrap_or(false)
    }

    /// Who is writing, as `metadata.managedFields` would say.
    pub(crate) fn field_manager(&self) -> Option<&str> {
        self.options.as_ref()?.field_manager.as_ref().map(Text::as_str).filter(|manager| !manager.is_empty())
    }

    /// Whether this is about a subresource, such as the status.
    pub(crate) fn is_subresource(&self) -> bool {
        self.sub_resource.as_ref().is_some_and(|name| !name.as_str().is_empty())
    }
}

/// Reads the review in `body`.
///
/// # Errors
/// With a sentence that says where, and quotes nothing of the body.
pub(crate) fn parse(body: &[u8]) -> Result<Request<'_>, Refusal> {
    let review: Review<'_> = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    if review.api_version.as_str() != API_VERSION {
        return Err(Refusal::Version);
    }
    if review.kind.as_str() != KIND {
        return Err(Refusal::Unreadable("its kind is another".to_owned()));
    }
    let request = review.request.ok_or_else(|| Refusal::Unreadable("it holds no request".to_owned()))?;
    if request.uid.as_str().is_empty() {
        return Err(Refusal::Unreadable("its request has no uid".to_owned()));
    }
    Ok(request)
}

fn unreadable(error: &serde_json::Error) -> Refusal {
    let place = format!("at line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    let what = if error.is_eof() {
        "the JSON ends too early"
    } else if error.is_syntax() {
        "this is not JSON"
    } else {
        // These two name fields of ours; any other text might quote a value.
        let field = ["missing field `", "duplicate field `"].iter().find(|start| text.starts_with(**start));
        let end = field.and_then(|_| text.rfind('`'));
        return Refusal::Unreadable(match end {
            Some(end) => format!("{} {place}", &text[..=end]),
            None => format!("a field has another type than it should {place}"),
        });
    };
    Refusal::Unreadable(format!("{what} {place}"))
}

/// What we answer. Written by hand so that nothing is copied into a larger type first.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Response<'a> {
    pub(crate) uid: &'a str,
    pub(crate) allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audit_annotations: Option<AuditAnnotations>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) patch: Option<Patch>,
}

/// Why a request is refused.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// What the audit log of the API server keeps; it puts the name of the webhook before each key.
#[derive(Debug, Serialize)]
pub(crate) struct AuditAnnotations {
    /// Ids with commas.
    pub(crate) rules: String,
    /// The strictest mode, or `fix`.
    pub(crate) mode: &'static str,
    /// Generation of the policies in force.
    pub(crate) generation: String,
    /// Names of the exceptions that were used, with commas.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) exceptions: String,
}

/// A JSON patch. The API server refuses one without its type, and a type without a patch.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Patch {
    /// In base64.
    pub(crate) patch: String,
    pub(crate) patch_type: &'static str,
}

/// The whole answer as bytes.
pub(crate) fn write(response: &Response<'_>) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply<'a> {
        api_version: &'static str,
        kind: &'static str,
        response: &'a Response<'a>,
    }
    serde_json::to_vec(&Reply { api_version: API_VERSION, kind: KIND, response })
        .expect("an answer is plain text and numbers, which JSON can always hold")
}

/// Text that is borrowed unless it has escapes, also where serde's own `Cow` would copy it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        reader.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests;
