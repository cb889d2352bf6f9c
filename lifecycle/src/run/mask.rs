//! What must not be read by others is taken out of logs.

/// What stands in its place.
const MASK: &str = "[masked]";
/// Shorter values are words that stand everywhere.
const SHORTEST: usize = 4;
/// Letters and digits in a row, so many and mixed, are no word.
const LONG: usize = 24;
/// What stands before a secret.
const NAMES: [&str; 10] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "credential",
    "authorization",
];

/// A line without `values`, and without what looks like a secret.
pub(super) fn line(line: &str, values: &[String]) -> String {
    let mut line = line.to_owned();
    for value in values.iter().filter(|value| value.len() >= SHORTEST) {
        line = line.replace(value.as_str(), MASK);
    }
    if line.contains("-----BEGIN") || line.contains("PRIVATE KEY") {
        return MASK.to_owned();
    }
    if let Some(end) = named(&line) {
        return format!("{}{MASK}", &line[..end]);
    }
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Where the value begins of something that is named like a secret: the rest of the line may belong to it.
fn named(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let ends = NAMES.iter().filter_map(|name| {
        let after = lower.find(name)? + name.len();
        let sign = lower[after..].find(['=', ':'])?;
        // What stands between is part of the name, such as `_FILE` or a quote.
        (sign <= 16 && !lower[after..after + sign].contains(' ')).then_some(after + sign + 1)
    });
    ends.min().filter(|end| !line[*end..].trim().is_empty())
}

fn word(word: &str) -> String {
    // The part of a connection string between `//` and `@` says who and with which password.
    if let Some((scheme, rest)) = word.split_once("://")
        && let Some((_, host)) = rest.rsplit_once('@')
    {
        return format!("{scheme}://{MASK}@{host}");
    }
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '=' | '_' | '-');
    let mixed = |part: &str| {
        part.len() >= LONG
            && part.chars().any(|letter| letter.is_ascii_digit())
            && part.chars().any(|letter| letter.is_ascii_alphabetic())
    };
    let parts: Vec<_> = word.split(|letter| !is_letter(letter)).filter(|part| mixed(part)).collect();
    parts.iter().fold(word.to_owned(), |word, part| word.replace(part, MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        line(text, &["hunter22".to_owned(), "abc".to_owned()])
    }

    #[test]
    fn values_of_secrets_are_masked_wherever_they_stand() {
        assert_eq!(masked("login as hunter22, abc"), "login as [masked], abc");
    }

    #[test]
    fn what_is_named_like_a_secret_is_masked_to_the_end_of_the_line() {
        assert_eq!(masked("DB_PASSWORD=a b c"), "DB_PASSWORD=[masked]");
        assert_eq!(masked("Authorization: Bearer x.y"), "Authorization:[masked]");
        assert_eq!(masked("{\"token\": \"x\"}"), "{\"token\":[masked]");
    }

    #[test]
    fn connection_strings_keys_and_long_tokens_are_masked() {
        assert_eq!(masked("to postgres://me:pw@db/x now"), "to postgres://[masked]@db/x now");
        assert_eq!(masked("-----BEGIN RSA PRIVATE KEY-----"), "[masked]");
        assert_eq!(masked("got (AKIA0123456789abcdefghij)"), "got ([masked])");
    }

    #[test]
    fn ordinary_lines_stay() {
        for plain in
            ["table \"orders\" exists", "2026-01-02T03:04:05Z migrating", "secrets are fine", "token:"]
        {
            assert_eq!(masked(plain), plain);
        }
    }
}
