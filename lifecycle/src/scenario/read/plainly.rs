//! What serde says of a value, in words for whoever wrote it: which field, what is wanted there, and how that is written.

use crate::scenario::spelling;

/// Without the place, which stands elsewhere, and without the words of programmers; and what a name that is not known was most likely
/// meant to be. `field` is whose value it is.
pub(super) fn plainly(said: &str, field: Option<&str>) -> String {
    const WORDS: [(&str, &str); 4] = [
        (", set DuplicateKeyPolicy in Options if acceptable", ""),
        ("duplicate mapping key: ", "written twice: "),
        ("invalid boolean", "true or false is wanted here"),
        ("missing field", "there is no"),
    ];
    const WANTED: [(&str, &str, &str); 4] = [
        ("expected string scalar", "a text", "TEXT"),
        ("cannot deserialize null into string", "a text", "TEXT"),
        ("expected sequence start", "a list", "[…]"),
        ("expected mapping start", "a map", "{…}"),
    ];
    let said = said.rfind(" at line ").map_or(said, |end| &said[..end]);
    let like = |example: &str| field.map_or_else(String::new, |field| format!(": write {field}: {example}"));
    if let Some(kind) =
        said.strip_prefix("invalid ").filter(|kind| kind.starts_with(['i', 'u']) && kind.len() <= 5)
    {
        let least = if kind.starts_with('u') { ", not below 0" } else { "" };
        return format!("a whole number is wanted here{least}{}", like("1"));
    }
    if said.contains("untagged enum") {
        return "a text is wanted here, or a list of texts".to_owned();
    }
    if let Some(rest) = said.strip_prefix("unknown field ") {
        let (unknown, known) = rest.split_once(", expected ").unwrap_or((rest, ""));
        let unknown = unknown.trim_matches('`');
        let names = known.split([' ', ',', '`']).filter(|name| !name.is_empty());
        return format!("unknown field {unknown:?}{}", spelling::hint(unknown, names));
    }
    if let Some((_, what, example)) = WANTED.iter().find(|(word, ..)| said.contains(word)) {
        return format!("{what} is wanted here{}", like(example));
    }
    WORDS.iter().fold(said.to_owned(), |said, (word, plain)| said.replace(word, plain))
}
