//! Which names tell that their value is a secret.

/// Words that tell it wherever they stand in a name.
const TELLING: [&str; 9] =
    ["password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "authorization", "cookie"];
/// The same of several words, which names join in many ways: `apiKey`, `api_key`, `api.key`.
const JOINED: [&str; 10] = [
    "apikey",
    "accesskey",
    "privatekey",
    "encryptionkey",
    "signingkey",
    "masterkey",
    "accountkey",
    "sharedkey",
    "sessionid",
    "connectionstring",
];
/// Words that tell it at the end of a name: `DB_PASS`, `dbPass`, `db.pass`.
const LAST: [&str; 5] = ["pass", "pw", "auth", "dsn", "salt"];
/// Words that end with `pass` and have nothing to do with it.
const NO_PASS: [&str; 7] = ["bypass", "compass", "trespass", "surpass", "overpass", "underpass", "encompass"];
/// What comes before `key` where the key is none to a lock.
const NO_LOCK: [&str; 30] = [
    "primary",
    "foreign",
    "public",
    "cache",
    "partition",
    "sort",
    "order",
    "routing",
    "unique",
    "composite",
    "index",
    "object",
    "row",
    "shard",
    "lookup",
    "map",
    "idempotency",
    "registry",
    "duplicate",
    "message",
    "translation",
    "group",
    "dedup",
    "lock",
    "item",
    "query",
    "column",
    "label",
    "annotation",
    "ref",
];

/// Whether values of this name are not shown.
pub(in crate::mask) fn is_telling(name: &str) -> bool {
    let small = name.to_ascii_lowercase();
    if TELLING.iter().any(|word| small.contains(word)) {
        return true;
    }
    let joined: String = small.chars().filter(|character| !"_-.".contains(*character)).collect();
    JOINED.iter().any(|word| joined.contains(word)) || ends_telling(name)
}

fn ends_telling(name: &str) -> bool {
    let (head, last) = last_word(name);
    let last = last.to_ascii_lowercase();
    if last == "key" {
        let before = last_word(head).1.to_ascii_lowercase();
        return !before.is_empty() && !NO_LOCK.contains(&before.as_str());
    }
    LAST.contains(&last.as_str()) || (last.ends_with("pass") && !NO_PASS.contains(&last.as_str()))
}

/// The last word of `DB_PASS`, `dbPass`, `DBPass` and `db.pass`, and what is before it.
fn last_word(name: &str) -> (&str, &str) {
    let name = name.trim_end_matches(['_', '-', '.']);
    let bytes = name.as_bytes();
    let begins = |at: usize| {
        let (before, first) = (bytes[at - 1], bytes[at]);
        let is_in_capitals = before.is_ascii_uppercase()
            && first.is_ascii_uppercase()
            && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        b"_-.".contains(&before)
            || (first.is_ascii_uppercase() && !before.is_ascii_uppercase())
            || is_in_capitals
    };
    let is_between = |at: &usize| name.is_char_boundary(*at) && begins(*at);
    name.split_at((1..name.len()).rev().find(is_between).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_it_in_every_way_of_writing() {
        for name in [
            "dbPass",
            "DBPass",
            "db.pass",
            "DB_PASS",
            "db-pass",
            "dbpass",
            "pass",
            "encryptionKey",
            "APIKey",
            "api.key",
            "spring.datasource.password",
            "stripeKey",
            "tls.key",
            "clientSecret",
            "PGPASS",
        ] {
            assert!(is_telling(name), "{name}");
        }
    }

    #[test]
    fn other_keys_and_passes_tell_nothing() {
        for name in [
            "key",
            "monkey",
            "primaryKey",
            "primary_key",
            "foreign-key",
            "publicKey",
            "bypass",
            "compass",
            "passing",
            "passed",
            "author",
            "é",
        ] {
            assert!(!is_telling(name), "{name}");
        }
    }
}
