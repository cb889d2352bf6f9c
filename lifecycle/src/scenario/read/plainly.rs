//! What serde says of a value, in words for whoever wrote it: which field, what is wanted there, and how that is written.

use hooks::Node;

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

/// The innermost field whose value is written there.
pub(super) fn field_at<'n>(node: &'n Node<'_>, offset: usize) -> Option<&'n str> {
    let holds = |node: &Node<'_>| {
        (node.span.start..=node.span.end).contains(&u32::try_from(offset).unwrap_or(u32::MAX))
    };
    let member = node.members().iter().rfind(|member| holds(&member.node));
    if let Some(member) = member {
        return field_at(&member.node, offset).or(Some(&member.name));
    }
    node.items().iter().rfind(|item| holds(item)).and_then(|item| field_at(item, offset))
}

/// Bytes before a line and a column, both from 1.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    before + text[before..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
}
