//! What is taken for one release because it stands in one folder, and may well be several.

use std::{collections::BTreeSet, path::Path};

use crate::{inputs::Text, judge::Read};

/// What to say of a folder when not all that is in it seems to be of one release: a chart beside manifests, manifests of several charts,
/// or of none and in several folders. `released` has the places of the documents that are of the release.
pub(super) fn note(
    folder: &str,
    texts: &[Text],
    documents: &[Read<'_>],
    released: impl Iterator<Item = usize>,
) -> Option<String> {
    let (mut taken, mut charts, mut folders) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (text, manifest) in released.map(|place| &documents[place]) {
        let is_new = taken.insert(text);
        let Text { shown, chart, .. } = &texts[*text];
        match manifest.document.source.filter(|_| chart.is_none()) {
            Some(source) => _ = charts.insert(source.split('/').next()),
            None if is_new && chart.is_none() => _ = folders.insert(Path::new(shown).parent()),
            None => {}
        }
    }
    let rendered = taken.iter().filter(|text| texts[***text].chart.is_some()).count();
    let is_several = match (rendered, charts.len()) {
        (0, 0) => folders.len() > 1,
        (0, count) => count > 1,
        _ => taken.len() > rendered,
    };
    let files = match taken.len() - rendered {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    };
    let chart = if rendered > 0 { " and a chart" } else { "" };
    is_several.then(|| {
        format!("{folder}: {files}{chart} are taken for one release; name a part of it if they are several")
    })
}
