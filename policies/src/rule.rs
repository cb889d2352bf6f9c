//! What a rule is, and the macro that keeps its documentation as data.

use std::{any::Any, sync::Arc};

use json_patch::PatchOperation;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    context::{Context, ReleaseContext},
    finding::Finding,
    mode::{Mode, Severity},
    range,
};

/// A rule: pure, synchronous, and the only thing in its file.
pub trait Rule: Sync {
    /// What does not change from one object to the next.
    fn meta(&self) -> &'static Meta;

    /// Pushes a finding for everything that is wrong with one hook.
    fn check(&self, _cx: &Context<'_>, _findings: &mut Vec<Finding>) {}

    /// Pushes a finding for everything that only the whole release shows; each names its item.
    fn check_release(&self, _cx: &ReleaseContext<'_>, _findings: &mut Vec<Finding>) {}

    /// The operations that repair what [`Rule::check`] finds. Empty when there is nothing to repair; applying them twice changes nothing more.
    fn fix(&self, _cx: &Context<'_>) -> Vec<PatchOperation> {
        Vec::new()
    }
}

/// What does not change from one object to the next. No other table of modes exists.
#[derive(Debug)]
pub struct Meta {
    /// Names the problem, in kebab case, so that it reads well after "allow".
    pub id: &'static str,
    /// The user documentation: Markdown with four fixed headings.
    pub docs: &'static str,
    /// How much harm the problem does; a finding may lower it.
    pub severity: Severity,
    /// The baseline mode when a release is judged whole: `check`, the release gate.
    pub release: Mode,
    /// The baseline mode when one object is judged, at admission.
    pub object: Mode,
    /// The mode under `strict` where severity alone would not make it stricter.
    pub strict: Option<Mode>,
    /// The baseline mode of both where Argo CD runs the hooks, if it is another one there.
    pub argocd: Option<Mode>,
    /// Whether the rule repairs, and whether it does so unless told otherwise.
    pub fix: Fix,
    /// Whether the rule is off for test hooks.
    pub off_for_tests: bool,
    /// Whether the rule has something to say about a rendered hook that Helm drops for one of its events.
    pub of_dropped: bool,
    /// How its options are read and described.
    pub options: OptionsKind,
}

/// Whether a rule can repair what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// It cannot.
    None,
    /// It can, when told to.
    OptIn,
    /// It does, unless told not to.
    Default,
}

/// The options of one rule, which only that rule knows how to look at.
pub type Parsed = Arc<dyn Any + Send + Sync>;

/// How the options of one rule are read and described.
#[derive(Debug, Clone, Copy)]
pub struct OptionsKind {
    /// Reads the options as written; `None` gives the defaults. The error is a sentence.
    pub parse: fn(Option<&serde_json::Value>) -> Result<Parsed, String>,
    /// Their JSON schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl OptionsKind {
    /// The kind for options of type `T`, which are written again to show their defaults in the schema.
    #[must_use]
    pub const fn of<T: DeserializeOwned + Serialize + Default + JsonSchema + Send + Sync + 'static>() -> Self
    {
        Self { parse: parse::<T>, schema: SchemaGenerator::subschema_for::<T> }
    }
}

/// Options of a rule that has none; any key is refused.
#[derive(Debug, Default, serde::Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

fn parse<T: DeserializeOwned + Default + JsonSchema + Send + Sync + 'static>(
    written: Option<&serde_json::Value>,
) -> Result<Parsed, String> {
    match written {
        None => Ok(Arc::new(T::default())),
        Some(value) => {
            range::verify(&SchemaGenerator::default().root_schema_for::<T>(), value)?;
            T::deserialize(value).map(|options| Arc::new(options) as _).map_err(|error| error.to_string())
        }
    }
}

/// Whether `docs` has the four headings in their order; checked when a rule is compiled.
#[must_use]
pub const fn is_documented(docs: &str) -> bool {
    let headings = [" ## What it checks\n", " ## Why it matters\n", " ## Bad\n", " ## Good\n"];
    let (docs, mut at, mut next) = (docs.as_bytes(), 0, 0);
    while at < docs.len() && next < headings.len() {
        if starts_with(docs, at, headings[next].as_bytes()) {
            next += 1;
        }
        at += 1;
    }
    next == headings.len()
}

const fn starts_with(text: &[u8], at: usize, wanted: &[u8]) -> bool {
    let mut index = 0;
    while index < wanted.len() {
        if at + index >= text.len() || text[at + index] != wanted[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Declares a rule and keeps its doc comment as data, for `hookward rules`, `docs/rules.md` and the tests of the examples.
///
/// After the name: the id, then `severity`, `release` and `object` modes, then what differs from the defaults, in this order:
/// `strict: Mode`, `argocd: Mode`, `fix: OptIn|Default`, `off_for_tests: true`, `of_dropped: true`, `options: Type`.
#[macro_export]
macro_rules! declare_rule {
    ($(#[doc = $line:literal])+ $name:ident, $id:literal, severity: $severity:ident, release: $release:ident, object: $object:ident
     $(, strict: $strict:ident)? $(, argocd: $argocd:ident)? $(, fix: $fix:ident)? $(, off_for_tests: $tests:literal)?
     $(, of_dropped: $dropped:literal)? $(, options: $options:ty)? $(,)?) => {
        $(#[doc = $line])+
        #[derive(Debug)]
        pub(crate) struct $name;

        const _: () = assert!(
            $crate::rule::is_documented(concat!($($line, "\n"),+)),
            "a rule documents ` ## What it checks`, ` ## Why it matters`, ` ## Bad` and ` ## Good`, in this order"
        );

        impl $name {
            pub(crate) const META: $crate::rule::Meta = $crate::rule::Meta {
                id: $id,
                docs: concat!($($line, "\n"),+),
                severity: $crate::mode::Severity::$severity,
                release: $crate::mode::Mode::$release,
                object: $crate::mode::Mode::$object,
                strict: $crate::declare_rule!(@option $($crate::mode::Mode::$strict)?),
                argocd: $crate::declare_rule!(@option $($crate::mode::Mode::$argocd)?),
                fix: $crate::declare_rule!(@or $crate::rule::Fix::None $(, $crate::rule::Fix::$fix)?),
                off_for_tests: $crate::declare_rule!(@or false $(, $tests)?),
                of_dropped: $crate::declare_rule!(@or false $(, $dropped)?),
                options: $crate::declare_rule!(@kind $($options)?),
            };
        }
    };
    (@option) => { None };
    (@option $value:expr) => { Some($value) };
    (@or $default:expr) => { $default };
    (@or $default:expr, $value:expr) => { $value };
    (@kind) => { $crate::rule::OptionsKind::of::<$crate::rule::NoOptions>() };
    (@kind $options:ty) => { $crate::rule::OptionsKind::of::<$options>() };
}

#[cfg(test)]
mod tests {
    use super::is_documented;

    #[test]
    fn the_headings_are_asked_for_in_their_order() {
        assert!(is_documented(" ## What it checks\n a\n ## Why it matters\n b\n ## Bad\n c\n ## Good\n d\n"));
        assert!(!is_documented(" ## What it checks\n ## Why it matters\n ## Bad\n"));
        assert!(!is_documented(" ## Good\n ## Bad\n ## Why it matters\n ## What it checks\n"));
        assert!(!is_documented(""));
    }
}
