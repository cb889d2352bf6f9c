//! Private keys in PEM blocks, whole and cut.

use super::super::HIDDEN;

/// The fewest characters of a line of a block, of the last and of a cut one apart.
const LONG: usize = 48;
const DASHES: &str = "-----";
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// Whether a private key begins here and does not end here.
pub(in crate::mask) fn begins(line: &str) -> bool {
    line.rfind(BEGIN).is_some_and(|at| line[at..].contains("PRIVATE KEY") && !line[at..].contains(END))
}

/// Whether one is here from beginning to end, or a part of one.
pub(in crate::mask) fn contains(line: &str) -> bool {
    (line.contains(BEGIN) || line.contains(END)) && line.contains("PRIVATE KEY")
}

/// Whether a block begins here.
pub(in crate::mask) fn has_beginning(line: &str) -> bool {
    line.contains(BEGIN)
}

/// Whether a block ends here.
pub(in crate::mask) fn ends(line: &str) -> bool {
    line.contains(END)
}

/// Whether it may be a line of a block that ends below: the last, the first of all, or one between.
pub(in crate::mask) fn is_body(line: &str, is_last: bool, is_first: bool) -> bool {
    let line = line.trim();
    let is_base64 = line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let is_header = line.starts_with("Proc-Type:") || line.starts_with("DEK-Info:");
    is_header || (is_base64 && (is_last || is_first || line.is_empty() || line.len() >= LONG))
}

/// Hides the keys in a text on one line.
pub(super) fn hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(DASHES) {
        let (head, block) = rest.split_at(at);
        let Some(frame) = [BEGIN, END].into_iter().find(|frame| block.starts_with(frame)) else {
            shown.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        };
        let label = &block[frame.len()..];
        let label_end = label.find(DASHES).unwrap_or(label.len());
        let after = frame.len() + label_end;
        if !label[..label_end].contains("PRIVATE KEY") {
            shown.extend([head, &block[..after]]);
            rest = &block[after..];
            continue;
        }
        let end = if frame == BEGIN { block.find(END).map(|end| end + END.len()) } else { Some(frame.len()) };
        shown.push_str(head);
        if frame == END {
            shown.truncate(without_body(&shown).len());
        }
        shown.push_str(HIDDEN);
        rest = end
            .and_then(|end| block[end..].find(DASHES).map(|close| &block[end + close + DASHES.len()..]))
            .unwrap_or("");
    }
    shown + rest
}

/// A text without the words at its end that are a part of a key.
fn without_body(text: &str) -> &str {
    let (mut left, mut is_last) = (text, true);
    loop {
        let trimmed = left.trim_end().trim_end_matches("\\n");
        let start = trimmed
            .rfind(|between: char| between.is_whitespace() || between == '\\')
            .map_or(0, |at| at + trimmed[at..].chars().next().map_or(0, char::len_utf8));
        let word = trimmed[start..].trim_start_matches('n');
        if word.is_empty() || !is_body(word, is_last, false) {
            return left;
        }
        (left, is_last) = (&trimmed[..start], false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_on_one_line_are_hidden() {
        for (line, shown) in [
            ("a -----BEGIN PRIVATE KEY----- X -----END PRIVATE KEY----- b", "a *** b"),
            ("a -----BEGIN RSA PRIVATE KEY----- X", "a ***"),
            ("-----BEGIN CERTIFICATE----- X", "-----BEGIN CERTIFICATE----- X"),
        ] {
            assert_eq!(hidden(line), shown);
        }
        let long = "MIIE".repeat(16);
        assert_eq!(hidden(&format!("got {long} {long} ab== -----END PRIVATE KEY----- b")), "got *** b");
    }
}
