//! What Go's YAML reader sees in single characters and another reader does not.

/// What ends a line, and with it a comment.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `yamlprivateh.go`, `is_break`.
pub(crate) const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// What may stand between two tokens.
pub(crate) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t') || BREAKS.contains(&character)
}

/// The text with a line feed for each line break that only Go knows, as many bytes as before; `None` where there is none.
pub(super) fn plain_breaks(text: &str) -> Option<String> {
    let is_foreign = |character: char| !character.is_ascii() && BREAKS.contains(&character);
    if text.is_ascii() || !text.contains(is_foreign) {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_foreign(character) {
            plain.push_str(&"  \n"[3 - character.len_utf8()..]);
        } else {
            plain.push(character);
        }
    }
    Some(plain)
}

/// The first character that may stand nowhere in a document: controls but tab, line feed, return and U+0085, and two non-characters.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `readerc.go`, `yaml_parser_update_buffer`.
pub(super) fn forbidden(text: &str) -> Option<usize> {
    let suspicious = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r') || *byte == 0x7f;
    let bytes = text.as_bytes();
    let single = bytes.iter().position(suspicious);
    let wide = |(at, pair): (usize, &[u8])| match pair {
        [0xc2, 0x80..=0x84 | 0x86..=0x9f] => Some(at),
        [0xef, 0xbf] if matches!(bytes.get(at + 2), Some(0xbe | 0xbf)) => Some(at),
        _ => None,
    };
    let double = if text.is_ascii() { None } else { bytes.windows(2).enumerate().find_map(wide) };
    [single, double].into_iter().flatten().min()
}

/// Whether the block scalar `value`, written from byte `start` to `end`, has a line break at its end that is not in the text.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `scannerc.go`, `yaml_parser_scan_block_scalar`: a line break is only kept where there is one.
pub(super) fn cut_by_the_end(value: &str, text: &str, start: usize, end: usize) -> bool {
    if end < text.len() || text.ends_with(['\n', '\r']) || !value.ends_with('\n') {
        return false;
    }
    let line_start = |at: usize| text[..at].rfind(['\n', '\r']).map_or(0, |line| line + 1);
    let last = &text[line_start(text.len())..];
    if last.bytes().any(|byte| byte != b' ') {
        return true;
    }
    // A last line of nothing but spaces belongs to the scalar only as far as it is indented deeper than the first line.
    match (first_indent(&text[line_start(start)..]), first_indent(value)) {
        (Some(written), Some(held)) => last.len() > written - held.min(written),
        _ => true,
    }
}

/// How many spaces the first line that is not blank begins with.
fn first_indent(text: &str) -> Option<usize> {
    let spaces = |line: &str| line.bytes().take_while(|byte| *byte == b' ').count();
    text.lines()
        .map(|line| (spaces(line), line.len()))
        .find(|(spaces, length)| spaces < length)
        .map(|(spaces, _)| spaces)
}

/// Whether the first line that is not blank of the block scalar whose content begins at `start` has a tab before its text, and
/// nobody has said how deep it is indented.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `scannerc.go`, `yaml_parser_scan_block_scalar_breaks`.
pub(super) fn begins_with_tab(text: &str, start: usize) -> bool {
    if !text[start..].trim_start_matches([' ', '\n', '\r']).starts_with('\t') {
        return false;
    }
    let before = text[..start].trim_end();
    let line = before.rsplit(['\n', '\r']).next().unwrap_or_default();
    let header = line.split(" #").next().unwrap_or_default().trim_end();
    let modifiers = header.rsplit(['|', '>']).next().unwrap_or_default();
    !modifiers.contains(|character: char| character.is_ascii_digit())
}

/// Whether a double-quoted text holds an escape that only JSON has: `\/`, or half of a surrogate pair.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `scannerc.go`, `yaml_parser_scan_flow_scalar`.
pub(super) fn has_foreign_escape(written: &str) -> bool {
    let mut rest = written.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        match &rest[at + 1..] {
            [b'/', ..] | [b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..] => return true,
            [_, after @ ..] => rest = after,
            [] => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_found_where_they_are() {
        assert_eq!(forbidden("a: b\t\r\n\u{85}\u{a0}\u{fffd}\u{feff}é"), None);
        assert_eq!(forbidden("é\u{7f}"), Some(2));
        assert_eq!(forbidden("a\u{0}"), Some(1));
        assert_eq!(forbidden("a\u{80}"), Some(1));
        assert_eq!(forbidden("a\u{ffff}"), Some(1));
    }

    #[test]
    fn escapes_of_json_are_told_from_escaped_backslashes() {
        for written in [r#""\ud83d\ude00""#, r#""a\/b""#, r#""\\\/""#] {
            assert!(has_foreign_escape(written), "{written}");
        }
        for written in [r#""\\ud83d""#, r#""\\/""#, r#""\U0001F600 \u00e9 /""#, r#""é\""#] {
            assert!(!has_foreign_escape(written), "{written}");
        }
    }
}
