//! What is said of a value in a scenario that is not what is wanted there.

use hooks::plainly::Words;

use crate::scenario::spelling;

/// What goes for scenarios.
pub(super) const WORDS: Words = Words {
    own,
    number: |is_natural, _| (if is_natural { ", not below 0" } else { "" }, "1"),
    wanted: ("cannot deserialize null into string", "a text", "TEXT"),
    instead: &[],
};

/// Of a name that is not known, what it was most likely meant to be.
fn own(said: &str) -> Option<String> {
    if said.contains("untagged enum") {
        return Some("a text is wanted here, or a list of texts".to_owned());
    }
    let rest = said.strip_prefix("unknown field ")?;
    let (unknown, known) = rest.split_once(", expected ").unwrap_or((rest, ""));
    let unknown = unknown.trim_matches('`');
    let names = known.split([' ', ',', '`']).filter(|name| !name.is_empty());
    Some(format!("unknown field {unknown:?}{}", spelling::hint(unknown, names)))
}
