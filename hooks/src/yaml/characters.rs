//! What Go's YAML reader sees in single characters and another reader does not.

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

/// Whether a block scalar that ends at byte `end` lost its last line break to the end of the text.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `scannerc.go`, `yaml_parser_scan_block_scalar`: a line break is only kept where there is one.
pub(super) fn cut_by_the_end(text: &str, end: usize) -> bool {
    end >= text.len() && !text.ends_with('\n') && !text.ends_with('\r')
}

/// Whether a quoted text spells a character as a surrogate pair, which is fine in JSON and an error in Go's YAML reader.
pub(super) fn has_surrogate(value: &str, written: Option<&str>) -> bool {
    // A pair always makes a character of four bytes.
    let Some(written) = written.filter(|_| value.bytes().any(|byte| byte >= 0xf0)) else { return false };
    let mut rest = written;
    while let Some(at) = rest.find('\\') {
        let escape = &rest.as_bytes()[at + 1..];
        if matches!(escape, [b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..]) {
            return true;
        }
        // What is escaped may be a character of several bytes, or another backslash.
        let skipped = rest[at + 1..].chars().next().map_or(0, char::len_utf8);
        rest = &rest[at + 1 + skipped..];
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
    fn surrogates_are_told_from_escaped_backslashes() {
        assert!(has_surrogate("😀", Some(r#""\ud83d\ude00""#)));
        assert!(!has_surrogate("😀\\ud83d", Some(r#""😀\\ud83d""#)));
        assert!(!has_surrogate("😀", Some(r#""\U0001F600""#)));
    }
}
