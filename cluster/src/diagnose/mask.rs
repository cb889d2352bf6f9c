//! Keeps secrets out of what people see: values that the pod was given, and what looks like a secret wherever it comes from.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::words;

mod patterns;

/// Stands for what is not shown.
pub(super) const HIDDEN: &str = "***";

/// The most characters of one line that are shown.
const LINE: usize = 400;
/// Shorter values are hidden only where they stand alone: else nothing of a text would be left.
const SHORT: usize = 4;

/// What must not be shown.
#[derive(Default)]
pub(super) struct Mask {
    /// Longest first.
    values: Vec<String>,
}

impl Mask {
    /// Hides these values, however they are written.
    pub(super) fn of(values: impl IntoIterator<Item = String>) -> Self {
        let mut all: Vec<String> = values.into_iter().flat_map(|value| spellings(&value)).collect();
        all.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        all.dedup();
        Self { values: all }
    }

    /// A text of Kubernetes or Helm, on one line: names of Secrets and of their keys stay.
    pub(super) fn text(&self, text: &str) -> String {
        let text = self.without_values(&words::shown(text, usize::MAX));
        words::shown(&patterns::of_kubernetes(&text), 1_200)
    }

    /// The lines of a log.
    pub(super) fn lines(&self, log: &str) -> Vec<String> {
        let mut is_key = false;
        let mut lines = Vec::new();
        for raw in log.lines() {
            let line = words::shown(raw, usize::MAX);
            let (begins, ends) = (patterns::begins_key(&line), patterns::ends_key(&line));
            if is_key || begins {
                if begins {
                    lines.push(HIDDEN.to_owned());
                }
                is_key = !ends;
            } else {
                lines.push(words::shown(&patterns::of_log(&self.without_values(&line)), LINE));
            }
        }
        lines
    }

    fn without_values(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for value in &self.values {
            if value.chars().count() >= SHORT {
                text = text.replace(value.as_str(), HIDDEN);
            } else {
                text = patterns::without_word(&text, value);
            }
        }
        text
    }
}

// By hand, since what it holds must reach nobody.
impl std::fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mask").field("values", &self.values.len()).finish()
    }
}

/// Whether the value of an environment variable with this name is none to show.
pub(super) fn is_telling(name: &str) -> bool {
    patterns::is_telling(&name.to_ascii_lowercase())
}

/// The value and its lines, as they are, in base64, in a URL and in JSON.
fn spellings(value: &str) -> Vec<String> {
    let whole = words::shown(value, usize::MAX);
    let mut all = vec![whole.clone(), STANDARD.encode(value), STANDARD.encode(value.trim())];
    all.push(in_url(value.trim()));
    all.push(serde_json::to_string(value.trim()).unwrap_or_default().trim_matches('"').to_owned());
    let lines = value.lines().map(|line| words::shown(line, usize::MAX));
    // The frame of a PEM block, and what is common to all, is no secret.
    all.extend(lines.filter(|line| line.len() >= 6 && !line.starts_with("-----")));
    all.retain(|spelling| !spelling.is_empty() && spelling != HIDDEN);
    all
}

/// As `url.QueryEscape` and `encodeURIComponent` write it, where they agree.
fn in_url(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(value: &str, log: &str) -> String {
        Mask::of([value.to_owned()]).lines(log).join("\n")
    }

    #[test]
    fn a_known_value_is_hidden_however_it_is_written() {
        assert_eq!(masked("hunter2", "with hunter2!"), "with ***!");
        assert_eq!(masked("hunter2", "aHVudGVyMg=="), "***");
        assert_eq!(masked("p@ss/w0rd", "x=p%40ss%2Fw0rd&y"), "x=***&y");
        assert_eq!(masked("a\"b\\c", r#"{"x":"a\"b\\c"}"#), r#"{"x":"***"}"#);
        assert_eq!(masked("hunter2\n", "hunter2"), "***");
    }

    #[test]
    fn each_line_of_a_value_is_hidden() {
        assert_eq!(masked("first line\nsecond line", "got second line"), "got ***");
    }

    #[test]
    fn colours_do_not_split_a_value() {
        assert_eq!(masked("hunter2", "hun\u{1b}[1mter2"), "***");
    }

    #[test]
    fn short_values_are_hidden_as_words_only() {
        assert_eq!(masked("abc", "abc abcd x=abc"), "*** abcd x=***");
        assert_eq!(masked("1", "step 1 of 12"), "step *** of 12");
        assert_eq!(masked("", "nothing"), "nothing");
    }

    #[test]
    fn of_a_longer_value_no_part_is_left_by_a_shorter_one() {
        let mask = Mask::of(["hunter".to_owned(), "hunter2-extended".to_owned()]);
        assert_eq!(mask.lines("hunter2-extended"), [HIDDEN]);
    }

    #[test]
    fn a_private_key_is_one_hidden_line() {
        let log = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----\nb";
        assert_eq!(Mask::default().lines(log), ["a", HIDDEN, "b"]);
    }

    #[test]
    fn what_kubernetes_says_keeps_its_names() {
        let mask = Mask::default();
        for text in [
            r#"secret "shop-db" not found"#,
            "couldn't find key password in Secret shop/shop-db",
            "failed to fetch anonymous token: unexpected status from GET request: 401 Unauthorized",
            r#"serviceaccount "token-reader" not found"#,
        ] {
            assert_eq!(mask.text(text), text);
        }
        assert_eq!(mask.text("a\nb"), "a b");
    }

    #[test]
    fn nothing_of_it_is_printed_for_debugging() {
        assert!(!format!("{:?}", Mask::of(["hunter2".to_owned()])).contains("hunter2"));
    }
}
