//! A document in brackets, which is over when they are closed.

use crate::yaml::BREAKS;

/// The text up to the bracket that closes the first one, if the document stands in brackets: then Go has read it, while the parser
/// looks further. `None` also when they are the name of a member.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `parserc.go`, `yaml_parser_parse_document_end`.
pub(super) fn closed(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let (mut depth, mut quote) = (0_usize, None);
    let mut at = begin(text)?;
    while let Some(byte) = bytes.get(at).copied() {
        let before = if at == 0 { b' ' } else { bytes[at - 1] };
        match (quote, byte) {
            (Some(b'"'), b'\\') => at += 1,
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') if before.is_ascii_whitespace() || b"{[,:".contains(&before) => {
                quote = Some(byte);
            }
            (None, b'#') if before.is_ascii_whitespace() => {
                at += text[at..].find(BREAKS).unwrap_or(text.len()) - 1;
            }
            (None, b'{' | b'[') => depth += 1,
            (None, b'}' | b']') if depth == 1 => {
                let is_name = text[at + 1..].trim_start_matches([' ', '\t']).starts_with(':');
                return (!is_name).then(|| &text[..=at]);
            }
            (None, b'}' | b']') => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The byte of the first bracket, if nothing stands before it but comments, a separator, an anchor and a tag.
fn begin(text: &str) -> Option<usize> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let after = match rest.as_bytes() {
            [b'{' | b'[', ..] => return Some(text.len() - rest.len()),
            [b'#' | b'%', ..] => &rest[rest.find(BREAKS)?..],
            [b'&' | b'!', ..] => &rest[rest.find(char::is_whitespace)?..],
            _ => rest.strip_prefix("---").filter(|after| after.starts_with(char::is_whitespace))?,
        };
        rest = after.trim_start();
    }
}
