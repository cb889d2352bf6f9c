//! JSON Patch operations, written by hand; what fixes share.

use hooks::{Object, node::escape};
use json_patch::{AddOperation, PatchOperation, jsonptr::PointerBuf};

/// The annotation that records which rules changed an object: their ids, with commas.
pub const FIXED: &str = "hookward.dev/fixed";

/// Sets the member at `pointer`, whether it is there or not; its parent must be.
///
/// # Panics
///
/// When `pointer` is no JSON pointer, which the first test of a fix would show.
#[must_use]
pub fn set(pointer: &str, value: impl Into<serde_json::Value>) -> PatchOperation {
    let path = PointerBuf::parse(pointer).expect("rules write valid JSON pointers");
    PatchOperation::Add(AddOperation { path, value: value.into() })
}

/// Sets an annotation of a hook, which has annotations by definition.
#[must_use]
pub fn annotate(name: &str, value: &str) -> PatchOperation {
    set(&format!("/metadata/annotations/{}", escape(name)), value)
}

/// Records `rules` beside those that are recorded already.
pub(crate) fn record(object: Object<'_>, rules: &[&str]) -> PatchOperation {
    let before =
        object.annotation(FIXED).unwrap_or("").split(',').filter(|id| crate::rules::find(id).is_some());
    let mut all: Vec<&str> = before.chain(rules.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    annotate(FIXED, &all.join(","))
}
