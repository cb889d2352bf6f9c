//! Requests that cannot be judged: an HTTP status, a sentence, and a reason to count.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::metrics::Reason;

/// Why a request gets an HTTP error instead of a review.
///
/// Never with `Retry-After`: the API server applies the failure policy of the webhook, and must not be made to wait for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More than the limit, or more than the limit is announced.
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge {
        /// In bytes.
        limit: usize,
    },
    /// It stopped coming, or came too slowly.
    #[error("the body did not arrive in time")]
    BodyTimeout,
    /// The connection ended, or broke, before the body was whole.
    #[error("the body ended before it was whole")]
    BodyTruncated,
    /// Compressed.
    #[error("the body is compressed; send it as it is")]
    ContentEncoding,
    /// Another content type, or none.
    #[error("the content type must be application/json")]
    ContentType,
    /// The caller stops waiting soon.
    #[error("there was not enough time to judge the request")]
    Deadline,
    /// Not a POST.
    #[error("send an AdmissionReview with POST")]
    Method,
    /// A policy asks for labels of a namespace that nobody could say.
    #[error("a policy selects namespaces by labels, and those of this one are not known")]
    NamespaceUnknown {
        /// The namespace.
        name: String,
    },
    /// Policies are not read yet.
    #[error("policies and exceptions are not read yet")]
    NotReady,
    /// Too many at once.
    #[error("as many requests as allowed are being judged")]
    Overloaded,
    /// A bug; it was logged with its place.
    #[error("an internal error prevented the judgement")]
    Panic,
    /// More than can be judged in the memory there is.
    #[error("the object has more values than are judged")]
    TooManyValues,
    /// No such path.
    #[error("there is nothing here; reviews go to /mutate, /validate, /release, /policy and /policy/stamp")]
    UnknownPath,
    /// No `AdmissionReview` with a request.
    #[error("this is no AdmissionReview: {0}")]
    Unreadable(String),
    /// Another version.
    #[error("only AdmissionReview in admission.k8s.io/v1 is understood")]
    Version,
}

impl Refusal {
    /// The label under which it is counted.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::BodyTimeout => Reason::BodyTimeout,
            Self::BodyTooLarge { .. } => Reason::BodyTooLarge,
            Self::BodyTruncated => Reason::BodyTruncated,
            Self::ContentEncoding => Reason::ContentEncoding,
            Self::ContentType => Reason::ContentType,
            Self::Deadline => Reason::Deadline,
            Self::Method => Reason::Method,
            Self::NamespaceUnknown { .. } => Reason::NamespaceUnknown,
            Self::NotReady => Reason::NotReady,
            Self::Overloaded => Reason::Overloaded,
            Self::Panic => Reason::Panic,
            Self::TooManyValues => Reason::TooManyValues,
            Self::UnknownPath => Reason::UnknownPath,
            Self::Unreadable(_) => Reason::Unreadable,
            Self::Version => Reason::Version,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTruncated | Self::Unreadable(_) | Self::Version => StatusCode::BAD_REQUEST,
            Self::ContentEncoding | Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnknownPath => StatusCode::NOT_FOUND,
            Self::Deadline
            | Self::NamespaceUnknown { .. }
            | Self::NotReady
            | Self::Overloaded
            | Self::Panic
            | Self::TooManyValues => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status(), format!("{self}\n")).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}
