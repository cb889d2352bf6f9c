//! Texts that were named and hold our own documents alone, of which nothing is judged.

use std::collections::BTreeSet;

use hooks::{Node, Object, manifest};

use super::is_ours;
use crate::inputs::Text;

/// That there is nothing of a release in a text, and what it is for.
pub(crate) fn note<'n, 't: 'n>(
    text: &Text,
    documents: &(impl Iterator<Item = &'n Node<'t>> + Clone),
) -> Option<String> {
    let objects = || documents.clone().flat_map(manifest::objects).map(|(_, root)| Object::new(root));
    let objects = || objects().filter(|object| !object.kind().is_empty());
    if text.is_walked || objects().any(|object| !is_ours(object)) {
        return None;
    }
    let uses: BTreeSet<_> = objects().map(|object| purpose(object.kind())).collect();
    let uses: String = uses.into_iter().flat_map(|purpose| ["; ", purpose]).collect();
    (!uses.is_empty()).then(|| format!("{}: nothing of a release in it{uses}", text.shown))
}

fn purpose(kind: &str) -> &'static str {
    match kind {
        "HookPolicy" => "a HookPolicy is given by --policy",
        "HookException" => "a HookException is given by --policy",
        "RolloutScenario" => "a RolloutScenario is played by hookward rollout",
        _ => "other objects of hookward.dev are judged nowhere",
    }
}
