//! The values that labels can have: closed, so that no caller can make the metrics grow.

/// Declares a label: its values in order, each with the word that metrics show.
macro_rules! label {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $value_doc:literal])+ $value:ident = $word:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $value_doc])+ $value,)+
        }

        impl $name {
            /// Every value, in the order of their numbers.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$value),+];

            /// The word in metrics and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }
    };
}

label! {
    /// Where a review was sent.
    Path {
        /// `/mutate`: one object, before it is validated.
        Mutate = "mutate",
        /// `/validate`: one object, as it would be stored.
        Validate = "validate",
        /// `/release`: a release record, before Helm touches anything.
        Release = "release",
        /// `/policy`: an object of ours, as it would be stored.
        Policy = "policy",
        /// `/policy/stamp`: an object of ours, before it is written down who asks.
        Stamp = "stamp",
    }
}

label! {
    /// What the reviewed request does.
    Operation {
        /// Makes an object.
        Create = "create",
        /// Changes an object.
        Update = "update",
        /// Anything else, which is never judged.
        Other = "other",
    }
}

label! {
    /// How a review was answered.
    Decision {
        /// Judged, and nothing to say.
        Allowed = "allowed",
        /// Allowed, with a warning.
        Warned = "warned",
        /// Allowed, and changed.
        Patched = "patched",
        /// Refused.
        Denied = "denied",
        /// Allowed without a judgement: no hook, a subresource, an object being deleted, a release that is not pending.
        Skipped = "skipped",
        /// Allowed because the release record could not be decoded.
        Undecodable = "undecodable",
    }
}

label! {
    /// Why a request got an HTTP error.
    Reason {
        /// The body did not arrive in time.
        BodyTimeout = "body_timeout",
        /// The object or the record is larger than the limit.
        BodyTooLarge = "body_too_large",
        /// The body did not arrive whole.
        BodyTruncated = "body_truncated",
        /// The body is compressed.
        ContentEncoding = "content_encoding",
        /// The body is not said to be JSON.
        ContentType = "content_type",
        /// There was no time left to answer.
        Deadline = "deadline",
        /// The path exists, for POST.
        Method = "method",
        /// The labels of a namespace that a policy asks for are not known.
        NamespaceUnknown = "namespace_unknown",
        /// Policies are not read yet.
        NotReady = "not_ready",
        /// As many requests as allowed are being answered.
        Overloaded = "overloaded",
        /// A bug was caught.
        Panic = "panic",
        /// The object has more values than are judged.
        TooManyValues = "too_many_values",
        /// There is no such path.
        UnknownPath = "unknown_path",
        /// The body is no `AdmissionReview` with a request.
        Unreadable = "unreadable",
        /// The review is of another version than v1.
        Version = "version",
    }
}
