//! The annotations that make an object a hook, read as Helm reads them; the only file that spells their names.

use std::borrow::Cow;

use crate::{
    delete_policy::DeletePolicies,
    event::Events,
    node::{Node, Value},
    weight::Weight,
};

/// Which events run the hook.
pub const HOOK: &str = "helm.sh/hook";
/// Its place among the hooks of one event.
pub const WEIGHT: &str = "helm.sh/hook-weight";
/// When Helm deletes its objects.
pub const DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// When Helm prints its logs (since 3.18).
pub const OUTPUT_LOG_POLICY: &str = "helm.sh/hook-output-log-policy";
/// Keeps an ordinary resource through uninstall; Helm ignores it on hooks.
pub const RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// The name and the namespace of the release that owns an ordinary object; Helm writes both, and on hooks neither.
///
/// Source: Helm v4.2.4 `pkg/action/validate.go`, `helmReleaseNameAnnotation` and `helmReleaseNamespaceAnnotation`.
pub const RELEASE: [&str; 2] = ["meta.helm.sh/release-name", "meta.helm.sh/release-namespace"];
/// The type of the Secrets that Helm stores releases in, which is named like its annotations.
///
/// Source: Helm 4.2.4 `pkg/storage/driver/secrets.go`, `newSecretsObject`.
pub const RELEASE_TYPE: &str = "helm.sh/release.v1";
/// What all of them start with.
pub const PREFIX: &str = "helm.sh/";
/// Other keys of the same domain that people write on purpose.
pub const FOREIGN: [&str; 4] = ["helm.sh/chart", "helm.sh/depends-on", "helm.sh/images", RESOURCE_POLICY];

/// A hook, as its annotations describe it.
///
/// Source: Helm 4.2.4 `pkg/release/v1/util/manifest_sorter.go`, `sortManifests`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook<'a> {
    /// The events, in the order they were written.
    pub events: Events<'a>,
    /// The weight.
    pub weight: Weight<'a>,
    /// The delete policies.
    pub delete_policies: DeletePolicies<'a>,
    /// The output log policies; same words as delete policies.
    pub output_log_policies: DeletePolicies<'a>,
}

impl<'a> Hook<'a> {
    /// Reads `metadata.annotations`; `None` when there is no hook annotation, which makes the object an ordinary resource.
    #[must_use]
    pub fn parse(annotations: Option<&'a Node<'_>>) -> Option<Self> {
        let annotations = annotations?;
        let events = Written::of(annotations, HOOK)?;
        Some(Self {
            events: Events::parse(events),
            weight: Weight::parse(Written::of(annotations, WEIGHT)),
            delete_policies: DeletePolicies::parse(Written::of(annotations, DELETE_POLICY)),
            output_log_policies: DeletePolicies::parse(Written::of(annotations, OUTPUT_LOG_POLICY)),
        })
    }
}

/// The value of an annotation as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<'a> {
    /// The text that Helm's sorter sees: it turns numbers and booleans into text, and nothing into `""`.
    pub text: Cow<'a, str>,
    /// Whether it was text to begin with. Anything else survives the sorter, and fails when Helm builds the object.
    pub is_text: bool,
}

impl<'a> Written<'a> {
    /// The annotation `name`; `None` when it is absent.
    ///
    /// Source: sigs.k8s.io/yaml 1.6.0 `yaml.go`, `convertToJSONableObject`: with a string as the target, scalars become text.
    #[must_use]
    pub fn of(annotations: &'a Node<'_>, name: &str) -> Option<Self> {
        let node = &annotations.member(name)?.node;
        let (text, is_text) = match &node.value {
            Value::String(text) => (Cow::Borrowed(text.as_ref()), true),
            Value::Null => (Cow::Borrowed(""), true),
            Value::Bool(value) => (Cow::Borrowed(if *value { "true" } else { "false" }), false),
            Value::Number(number) => (Cow::Owned(number.to_string()), false),
            Value::List(_) => (Cow::Borrowed("(a list)"), false),
            Value::Map(_) => (Cow::Borrowed("(a map)"), false),
        };
        Some(Self { text, is_text })
    }

    /// The items between commas, trimmed; never empty, since `""` has one empty item.
    pub(crate) fn items(&self) -> impl Iterator<Item = String> + '_ {
        self.text.split(',').map(|item| item.trim().chars().map(lower).collect())
    }
}

/// Go's `unicode.ToLower`: one character to one character, so that a dotted capital I is an `i` for Helm too.
fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}
