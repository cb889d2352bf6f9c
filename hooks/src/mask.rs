//! Keeps secrets out of what people see: values that the pod was given, and what looks like a secret wherever it comes from.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::plain;

mod patterns;

use patterns::keys;

/// Stands for what is not shown.
pub const HIDDEN: &str = "***";

/// The most characters of one line that are shown.
const LINE: usize = 400;
/// Shorter values are hidden only where they stand alone: else nothing of a text would be left.
const SHORT: usize = 4;
/// Of a variable whose name tells that it is a secret, shorter values are switches and numbers, which say more than they give away.
const SHORTEST_TELLING: usize = SHORT;
/// Of any other variable, shorter values are words that stand everywhere.
const SHORTEST: usize = 6;

/// What must not be shown.
#[derive(Default)]
pub struct Mask {
    /// Longest first, each with whether it is hidden in logs only.
    values: Vec<(String, bool)>,
}

impl Mask {
    /// Hides these values, however they are written.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = String>) -> Self {
        Self::all(values.into_iter().map(|value| (value, false)))
    }

    /// Hides the values of Secrets, and those of environment variables, which may be secrets too. A variable whose name does not tell
    /// so is mostly the name of a host or of an object: it is hidden in logs only, since Kubernetes could name nothing without it.
    #[must_use]
    pub fn of_pod<'a>(
        secrets: impl IntoIterator<Item = String>,
        environment: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let hidden = |(name, value): (&str, &str)| {
            let (is_of_logs, shortest) =
                if patterns::is_telling(name) { (false, SHORTEST_TELLING) } else { (true, SHORTEST) };
            (value.len() >= shortest).then(|| (value.to_owned(), is_of_logs))
        };
        let secrets = secrets.into_iter().map(|value| (value, false));
        Self::all(secrets.chain(environment.into_iter().filter_map(hidden)))
    }

    fn all(values: impl Iterator<Item = (String, bool)>) -> Self {
        let spelled = |(value, is_of_logs): (String, bool)| {
            spellings(&value).into_iter().map(move |spelling| (spelling, is_of_logs))
        };
        let mut values: Vec<_> = values.flat_map(spelled).collect();
        values.sort_by(|left, right| right.0.len().cmp(&left.0.len()).then_with(|| left.cmp(right)));
        values.dedup_by(|later, first| later.0 == first.0);
        Self { values }
    }

    /// A text of Kubernetes or Helm, which may quote what programs wrote, on one line.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let text = without_objects(&plain::shown(text, usize::MAX));
        plain::shown(&patterns::hidden(&self.without_values(&text, false)), 1_200)
    }

    /// The lines of a log.
    #[must_use]
    pub fn lines(&self, log: &str) -> Vec<String> {
        let mut is_key = false;
        // Each with whether it may be the last, or another line of a private key whose beginning is cut off.
        let mut lines: Vec<(String, bool, bool)> = Vec::new();
        for (number, raw) in log.lines().enumerate() {
            let line = plain::shown(raw, usize::MAX);
            if is_key {
                is_key = !keys::ends(&line) || keys::begins(&line);
            } else if keys::contains(&line) {
                if !keys::has_beginning(&line) {
                    lines.pop_if(|(_, is_last, _)| *is_last);
                    while lines.pop_if(|(.., is_body)| *is_body).is_some() {}
                }
                lines.push((HIDDEN.to_owned(), false, false));
                is_key = keys::begins(&line);
            } else {
                let shown = plain::shown(&patterns::hidden(&self.without_values(&line, true)), LINE);
                let is_body = |is_last| keys::is_body(&line, is_last, number == 0);
                lines.push((shown, is_body(true), is_body(false)));
            }
        }
        lines.into_iter().map(|(line, ..)| line).collect()
    }

    fn without_values(&self, text: &str, is_log: bool) -> String {
        let mut text = text.to_owned();
        for (value, _) in self.values.iter().filter(|(_, is_of_logs)| is_log || !is_of_logs) {
            if !text.contains(value.as_str()) {
                continue;
            }
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

/// Leaves out whole objects that the API server quotes when one of their fields may not be changed, with all that is in them.
///
/// Source: Kubernetes `apimachinery/pkg/util/validation/field/errors.go`, `ErrorBody`.
#[must_use]
pub fn without_objects(text: &str) -> String {
    const WORDS: &str = "Invalid value: ";
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(WORDS) {
        let (head, value) = rest.split_at(at + WORDS.len());
        shown.push_str(head);
        let is_of_name = |character: char| character.is_ascii_alphanumeric() || "._*&[]".contains(character);
        let begin = value.find(|character| !is_of_name(character)).unwrap_or(value.len());
        rest = if value[begin..].starts_with('{') {
            shown.push('…');
            &value[begin + object_length(&value[begin..])..]
        } else {
            value
        };
    }
    shown + rest
}

/// How many bytes the object has that the text begins with; all of a text in which it does not end.
fn object_length(text: &str) -> usize {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '{' if !is_quoted => depth += 1,
            '}' if !is_quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// The value and its lines, as they are, in base64, in a URL and in JSON.
fn spellings(value: &str) -> Vec<String> {
    let whole = plain::shown(value, usize::MAX);
    let mut all = vec![whole.clone(), STANDARD.encode(value), STANDARD.encode(value.trim())];
    all.push(in_url(value.trim()));
    all.push(serde_json::to_string(value.trim()).unwrap_or_default().trim_matches('"').to_owned());
    let lines = value.lines().map(|line| plain::shown(line, usize::MAX));
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
            let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase();
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
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
    fn a_short_password_of_the_environment_was_shown_by_a_rollout() {
        let environment =
            [("PASSWORD", "abcde"), ("WHO", "shopkeeper"), ("MODE", "batch"), ("USE_TOKEN", "1")];
        let mask = Mask::of_pod(["x".to_owned()], environment);
        let said = mask.lines("abcde of shopkeeper in batch 1 of x");
        assert_eq!(said, ["*** of *** in batch 1 of ***"]);
    }

    #[test]
    fn kubernetes_names_what_variables_name_too() {
        let mask = Mask::of_pod(
            ["shop-db".to_owned()],
            [("CLAIM", "shop-data"), ("DB", "shop-db"), ("DB_PASS", "abcde")],
        );
        assert_eq!(mask.text("claim \"shop-data\" abcde shop-db"), "claim \"shop-data\" *** ***");
        assert_eq!(mask.lines("claim \"shop-data\" abcde shop-db"), ["claim \"***\" *** ***"]);
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
    fn an_encrypted_private_key_does_not_end_at_its_blank_line() {
        let head = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00";
        let log =
            format!("a\n-----BEGIN RSA PRIVATE KEY-----\n{head}\n\nX\n-----END RSA PRIVATE KEY-----\nb");
        assert_eq!(Mask::default().lines(&log), ["a", HIDDEN, "b"]);
        assert_eq!(Mask::default().lines("-----BEGIN PRIVATE KEY-----\nX\n\nY"), [HIDDEN]);
    }

    #[test]
    fn a_private_key_without_its_beginning_is_hidden() {
        let body = "MIIE".repeat(16);
        let log = format!("cut\n{body}\n{body}\nX==\n-----END PRIVATE KEY-----\nb");
        assert_eq!(Mask::default().lines(&log), [HIDDEN, "b"]);
        let log = format!("it failed\nProc-Type: 4,ENCRYPTED\n\n{body}\nX==\n-----END PRIVATE KEY-----\nb");
        assert_eq!(Mask::default().lines(&log), ["it failed", HIDDEN, "b"]);
        let certificate = "abc\n-----END CERTIFICATE-----";
        assert_eq!(Mask::default().lines(certificate), ["abc", "-----END CERTIFICATE-----"]);
    }

    #[test]
    fn what_kubernetes_says_keeps_its_names() {
        let mask = Mask::default();
        for text in [
            r#"secret "shop-db" not found"#,
            "couldn't find key password in Secret shop/shop-db",
            "failed to fetch anonymous token: unexpected status from GET request: 401 Unauthorized",
            r#"serviceaccount "token-reader" not found"#,
            r#"MountVolume.SetUp failed for volume "shop-secret" : secret "shop-db" not found"#,
            r#"failed to fetch token: pod "shop-0" not found"#,
            "references non-existent secret key: password",
            "pull access denied, may require authorization: server message: insufficient_scope",
            r#"failed to fetch anonymous token: Get "https://auth.example.org/token": dial tcp: no such host"#,
            "spec.volumes[0].secret.secretName: Required value",
            "exceeded quota: q, requested: secrets=1, used: secrets=10, limited: secrets=10",
            r#"secrets "shop-token" is forbidden: User "system:serviceaccount:shop:a" cannot get it"#,
            r#"failed to pull image "reg.example.org/shop-secrets:1.2": not found"#,
        ] {
            assert_eq!(mask.text(text), text);
        }
        assert_eq!(mask.text("a\nb"), "a b");
    }

    #[test]
    fn what_programs_wrote_is_hidden_in_the_words_of_kubernetes_too() {
        let mask = Mask::default();
        let said = |what: &str| {
            format!(
                "Exec lifecycle hook ([sh -c a]) for Container \"a\" in Pod \"b\" failed - error: command 'a' exited with 3: , message: \"{what}\""
            )
        };
        for (text, shown) in [
            ("password: X", "password: ***"),
            ("X-Api-Key: X", "X-Api-Key: ***"),
            ("Authorization: Bearer X", "Authorization: ***"),
            ("Authorization: Basic X", "Authorization: ***"),
            (r#"{\"password\":\"X\"}"#, r#"{\"password\":\"***\"}"#),
        ] {
            assert_eq!(mask.text(text), shown);
            assert_eq!(mask.text(&said(text)), said(shown));
            let more = |what: &str| said(&format!("{what}\\nconnection refused"));
            assert_eq!(mask.text(&more(text)), more(shown));
        }
        assert_eq!(
            mask.text("RunContainerError: run app --password X: exec failed"),
            "RunContainerError: run app --password ***: exec failed"
        );
    }

    #[test]
    fn objects_that_are_quoted_are_left_out() {
        let mask = Mask::default();
        for (text, shown) in [
            (
                r#"spec.template: Invalid value: {"Env":[{"Value":"a}b\""}]}: field is immutable"#,
                "spec.template: Invalid value: …: field is immutable",
            ),
            (
                r#"x: Invalid value: core.PodTemplateSpec{Env:"s"}: field is immutable"#,
                "x: Invalid value: …: field is immutable",
            ),
            (r#"x: Invalid value: "abc": too long"#, r#"x: Invalid value: "abc": too long"#),
            (r#"x: Invalid value: {"a": "hunter2"#, "x: Invalid value: …"),
            ("x: Invalid value: 99999: must be less", "x: Invalid value: 99999: must be less"),
        ] {
            assert_eq!(mask.text(text), shown);
        }
    }

    #[test]
    fn nothing_of_it_is_printed_for_debugging() {
        assert!(!format!("{:?}", Mask::of(["hunter2".to_owned()])).contains("hunter2"));
    }
}
