//! What looks like a secret: passwords in URLs, values of telling names, tokens, keys.

use super::HIDDEN;

/// Names whose values are not shown, as a part of a longer name too.
const TELLING: [&str; 20] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "accesskey",
    "access_key",
    "access-key",
    "privatekey",
    "private_key",
    "private-key",
    "credential",
    "authorization",
    "cookie",
    "connectionstring",
    "connection_string",
];
/// The same at the end of a name: `DB_PASS`, `encryption_key`.
const TELLING_ENDS: [&str; 8] = ["_pass", "-pass", "_key", "-key", "_auth", "-auth", "_dsn", "_salt"];
/// The same as the whole name.
const TELLING_WORDS: [&str; 4] = ["pass", "auth", "dsn", "sessionid"];
/// Names whose value is the rest of the line.
const WHOLE_LINE: [&str; 2] = ["authorization", "cookie"];
/// Words after which a quoted value may come without any sign between: `PASSWORD 'x'`.
const BEFORE_QUOTES: [&str; 4] = ["password", "passphrase", "token", "by"];
/// How tokens begin that are known by their beginning, and how long they are at least.
const BEGINNINGS: [(&str, usize); 22] = [
    ("eyJ", 20),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("ghr_", 20),
    ("github_pat_", 30),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxa-", 16),
    ("sk-", 20),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("hvs.", 16),
    ("npm_", 20),
    ("dop_v1_", 20),
    ("ya29.", 20),
    ("SG.", 30),
];

/// Hides what looks like a secret in a line of a log.
pub(super) fn of_log(line: &str) -> String {
    shapes(&assignments(&urls(line), true))
}

/// The same for texts in which `token: ` is followed by words.
pub(super) fn of_kubernetes(text: &str) -> String {
    shapes(&assignments(&urls(text), false))
}

/// Whether a private key begins here.
pub(super) fn begins_key(line: &str) -> bool {
    line.contains("-----BEGIN ") && line.contains("PRIVATE KEY")
}

/// Whether it ends here.
pub(super) fn ends_key(line: &str) -> bool {
    line.contains("-----END ") || line.is_empty()
}

/// Hides a word where it stands alone.
pub(super) fn without_word(text: &str, word: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, None);
    while let Some(at) = rest.find(word) {
        let (head, tail) = (&rest[..at], &rest[at + word.len()..]);
        let before_it = head.chars().next_back().or(before);
        let is_alone = !before_it.is_some_and(char::is_alphanumeric)
            && !tail.chars().next().is_some_and(char::is_alphanumeric);
        shown.push_str(head);
        shown.push_str(if is_alone { HIDDEN } else { word });
        before = word.chars().next_back();
        rest = tail;
    }
    shown + rest
}

/// `scheme://user:password@host`: up to the last `@`, since passwords may contain one.
fn urls(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        shown.push_str(head);
        let end = tail.find(|end: char| end.is_whitespace() || "\"'<>`".contains(end)).unwrap_or(tail.len());
        let (url, after) = tail.split_at(end);
        match url.rfind('@') {
            Some(host) => match url[..host].find(':') {
                Some(colon) => shown.extend([&url[..=colon], HIDDEN, &url[host..]]),
                None if host >= 16 => shown.extend([HIDDEN, &url[host..]]),
                None => shown.push_str(url),
            },
            None => shown.push_str(url),
        }
        rest = after;
    }
    shown + rest
}

/// `password=x`, `"token": "x"`, `--api-key x`, `PASSWORD 'x'`.
fn assignments(text: &str, with_colon_and_space: bool) -> String {
    let is_of_name =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_of_name) {
        let end = rest[at..].find(|character| !is_of_name(character)).map_or(rest.len(), |end| at + end);
        let name = rest[at..end].to_ascii_lowercase();
        shown.push_str(&rest[..end]);
        rest = &rest[end..];
        let Some(gap) = gap(&name, rest, with_colon_and_space) else { continue };
        let (sign, value) = rest.split_at(gap);
        let length = value_length(&name, value);
        if length > 0 {
            shown.push_str(sign);
            shown.push_str(HIDDEN);
            rest = &value[length..];
        }
    }
    shown + rest
}

/// How many bytes stand between a telling name and its value; `None` where there is no value, or the name tells nothing.
fn gap(name: &str, rest: &str, with_colon_and_space: bool) -> Option<usize> {
    let bare = name.trim_start_matches('-');
    let blanks = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let quoted = rest.trim_start_matches(' ').starts_with(['\'', '"']);
    if BEFORE_QUOTES.contains(&bare) && rest.starts_with(' ') && quoted {
        return Some(blanks(rest));
    }
    if !is_telling(bare) {
        return None;
    }
    if name.starts_with("--") && rest.starts_with(' ') && !rest.trim_start().starts_with('-') {
        return Some(blanks(rest));
    }
    let mut at = rest.len() - rest.trim_start_matches(['"', '\'', '`', '\\', ']']).len();
    let was_quoted = at > 0;
    at += blanks(&rest[at..]);
    let sign = ["=>", ":=", "=", ":"].into_iter().find(|sign| rest[at..].starts_with(sign))?;
    at += sign.len();
    let after = blanks(&rest[at..]);
    if sign == ":" && after > 0 && !was_quoted && !with_colon_and_space {
        return None;
    }
    Some(at + after)
}

/// Whether values of this name are not shown; in lower case.
pub(super) fn is_telling(name: &str) -> bool {
    TELLING.iter().any(|word| name.contains(word))
        || TELLING_ENDS.iter().any(|end| name.ends_with(end))
        || TELLING_WORDS.contains(&name)
}

/// How many bytes of the text are the value.
fn value_length(name: &str, value: &str) -> usize {
    if WHOLE_LINE.iter().any(|word| name.contains(word)) {
        return value.len();
    }
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'));
    match quote {
        Some(quote) => value[1..].find(quote).map_or(value.len(), |end| end + 2),
        None => {
            value.find(|end: char| end.is_whitespace() || ",;&\"')}]<>|".contains(end)).unwrap_or(value.len())
        }
    }
}

/// Tokens by their shape, and what follows `Bearer` and `Basic`.
fn shapes(text: &str) -> String {
    let is_of_token = |character: char| character.is_ascii_alphanumeric() || "+/=_.-".contains(character);
    let mut shown = String::with_capacity(text.len());
    let (mut rest, mut is_announced) = (text, false);
    while let Some(at) = rest.find(is_of_token) {
        let end = rest[at..].find(|character| !is_of_token(character)).map_or(rest.len(), |end| at + end);
        let word = &rest[at..end];
        is_announced &= &rest[..at] == " " && word.len() >= 8;
        shown.push_str(&rest[..at]);
        let is_digest = shown.ends_with("sha256:");
        shown.push_str(if is_announced || (is_token(word) && !is_digest) { HIDDEN } else { word });
        is_announced = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
        rest = &rest[end..];
    }
    shown + rest
}

fn is_token(word: &str) -> bool {
    // After a sign, as in `key=AKIA…`, too.
    let word = word.rsplit_once('=').filter(|(_, value)| value.len() >= 16).map_or(word, |(_, value)| value);
    if BEGINNINGS.iter().any(|(beginning, length)| word.starts_with(beginning) && word.len() >= *length) {
        return true;
    }
    let count = |is: fn(&u8) -> bool| word.bytes().filter(is).count();
    let (digits, upper, lower) =
        (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let is_hexadecimal = word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_dense = word.len() >= 32 && digits >= 2 && upper >= 4 && lower >= 4 && !word.contains('.');
    is_hexadecimal || is_dense
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_hidden() {
        assert_eq!(
            of_log("postgres://app:s3cr@t/x@db:5432/shop down"),
            "postgres://app:***@db:5432/shop down"
        );
        assert_eq!(of_log("see https://example.org/a?b=c"), "see https://example.org/a?b=c");
        assert_eq!(of_log("https://0123456789abcdef0@git/x"), "https://***@git/x");
        assert_eq!(of_log("redis://cache:6379/0"), "redis://cache:6379/0");
    }

    #[test]
    fn values_of_telling_names_are_hidden() {
        for (line, shown) in [
            ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
            ("password: hunter2", "password: ***"),
            (r#"{"apiKey": "abc def", "user": "x"}"#, r#"{"apiKey": ***, "user": "x"}"#),
            ("--api-key hunter2 --verbose", "--api-key *** --verbose"),
            ("--password=hunter2", "--password=***"),
            ("Authorization: Basic abc def", "Authorization: ***"),
            ("CREATE USER app PASSWORD 'hunter2';", "CREATE USER app PASSWORD ***;"),
            ("IDENTIFIED BY 'hunter2'", "IDENTIFIED BY ***"),
            ("Server=db;Pwd=hunter2;User Id=x", "Server=db;Pwd=***;User Id=x"),
            ("ENCRYPTION_KEY=abc", "ENCRYPTION_KEY=***"),
            ("?token=abc&x=1", "?token=***&x=1"),
            ("secret => 'a'", "secret => ***"),
        ] {
            assert_eq!(of_log(line), shown);
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_stays() {
        for line in [
            "password authentication failed for user \"app\"",
            "token expired",
            "duplicate key value violates unique constraint",
            "passing 5 of 6 tests: ok",
            "monkey: banana",
            "password=",
        ] {
            assert_eq!(of_log(line), line);
        }
    }

    #[test]
    fn tokens_are_known_by_their_shape() {
        for token in [
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_0123456789abcdefghij",
            "0123456789abcdef0123456789abcdef01234567",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY9",
        ] {
            assert_eq!(of_log(&format!("got {token}, so")), "got ***, so");
        }
        assert_eq!(of_log("curl -H 'Bearer abcdefgh1'"), "curl -H 'Bearer ***'");
        for word in [
            "/usr/lib/python3.11/site-packages/sqlalchemy/engine/base.py",
            "shop-migrate-7c9b5d8f6b-x7k2p",
            "123e4567-e89b-12d3-a456-426614174000",
            "org.springframework.beans.factory.BeanCreationException",
            "Basic checks",
        ] {
            assert_eq!(of_log(word), word);
        }
    }

    #[test]
    fn a_word_alone_is_no_part_of_another() {
        assert_eq!(without_word("a1 1 1b 1", "1"), "a1 *** 1b ***");
    }
}
