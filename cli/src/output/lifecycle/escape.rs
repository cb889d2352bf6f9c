//! Text from outside as HTML, XML and Markdown may show it: nothing in it is markup.

use crate::plain;

/// As the text of an element, or the value of an attribute in double quotes, of HTML and of XML.
pub(super) fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars().map(visible) {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The lines of a text, each as [`markup`].
pub(super) fn lines(text: &str) -> String {
    text.lines().map(markup).collect::<Vec<_>>().join("\n")
}

/// As Markdown that is nothing but text, also in a table: no mention, no reference, no link.
pub(super) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 4);
    let is_link = is_link(text);
    for character in text.chars().map(visible) {
        match character {
            // What GitHub would turn into a mention, or into a reference to an issue, it leaves alone in code.
            '@' | '#' => escaped.extend(["<code>", &format!("&#{};", u32::from(character)), "</code>"]),
            '-' | ',' | ';' | ':' | '(' | ')' | '/' | '%' | '?' | '\'' | '=' | '"' | '.' if !is_link => {
                escaped.push(character);
            }
            other if other.is_ascii_punctuation() => {
                escaped.extend(["&#", &u32::from(other).to_string(), ";"]);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

fn is_link(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("www.") || lower.contains("://")
}

/// Also without the two characters that XML has no place for.
const fn visible(character: char) -> char {
    match plain::shown(character) {
        '\u{fffe}' | '\u{ffff}' => plain::REPLACEMENT,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        assert_eq!(
            markup("<b a='1'>&\"\u{1b}\u{202e}\u{ffff}"),
            "&lt;b a=&#39;1&#39;&gt;&amp;&quot;\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(lines("a<\r\nb"), "a&lt;\nb");
    }

    #[test]
    fn nothing_is_markdown() {
        assert_eq!(markdown("Job/migrate-db (w 5)"), "Job/migrate-db (w 5)");
        assert_eq!(markdown("a|b`c`*d*[e](f)"), "a&#124;b&#96;c&#96;&#42;d&#42;&#91;e&#93;(f)");
        assert_eq!(markdown("<img>"), "&#60;img&#62;");
        assert_eq!(markdown("@all #1"), "<code>&#64;</code>all <code>&#35;</code>1");
        assert!(!markdown("see https://a.example www.b.example").contains(['.', '/', ':']));
    }
}
