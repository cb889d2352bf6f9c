//! What stands behind the first YAML document of a text, where Helm does not look any more.

use crate::{
    node::{Node, Value},
    yaml::{BREAKS, is_blank},
};

/// The byte of the file where something begins that is nothing to Helm; `root` is the first document of `text`, which begins at byte
/// `offset` of the file.
///
/// Source: sigs.k8s.io/yaml 1.6.0 `yaml.go`, `Unmarshal`: one document is read, and the rest is not looked at.
pub(super) fn unread(text: &str, offset: usize, root: &Node<'_>) -> Option<usize> {
    let place = |at: u32| (at as usize).saturating_sub(offset).min(text.len());
    let (start, end) = (place(root.span.start), place(root.span.end));
    let is_collection = matches!(root.value, Value::List(_) | Value::Map(_));
    let closes = is_collection && text[start..].starts_with(['{', '[']);
    // Behind anything but brackets the document goes on, until a line says that it is over.
    let mut at = if closes { end } else { over(text, end)? };
    loop {
        let rest = text[at..].trim_start_matches(is_blank);
        at = text.len() - rest.len();
        if rest.is_empty() {
            return None;
        }
        let is_marker = is_end(rest) && text[..at].ends_with('\n');
        if !rest.starts_with('#') && !is_marker {
            return Some(offset + at);
        }
        let skipped = if is_marker { "...".len() } else { rest.find(BREAKS).unwrap_or(rest.len()) };
        at += skipped;
    }
}

/// Where the line `...` begins that ends the document.
fn over(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text[at..].find("\n...")? + 1;
        if is_end(&text[at..]) {
            return Some(at);
        }
    }
}

/// Whether a line says that a document is over.
pub(super) fn is_end(line: &str) -> bool {
    let after = line.strip_prefix("...");
    after.is_some_and(|after| after.is_empty() || after.starts_with(is_blank))
}
