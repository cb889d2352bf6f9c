//! Passwords in addresses: `scheme://user:password@host`, `user:password@tcp(host)`.

use super::super::HIDDEN;

/// What ends an address, if not blanks.
const ENDS: &str = "\"'<>`";
/// What stands before the colon of other things with an `@`.
const OTHER: [&str; 6] = ["mailto", "email", "from", "to", "npm", "by"];

/// Hides the passwords of addresses, those with a scheme first.
pub(super) fn hidden(text: &str) -> String {
    logins(&urls(text))
}

/// Where the host begins, with its `@`, since passwords may contain one; digests of images have none.
fn host(address: &str) -> Option<usize> {
    let at = address.rfind('@')?;
    let is_digest = ["@sha256:", "@sha512:"].iter().any(|digest| address[at..].starts_with(digest));
    if is_digest { address[..at].rfind('@') } else { Some(at) }
}

fn urls(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        shown.push_str(head);
        let end = tail.find(|end: char| end.is_whitespace() || ENDS.contains(end)).unwrap_or(tail.len());
        let (mut url, mut after) = tail.split_at(end);
        if host(url).is_none() && is_cut(url) && after.starts_with(|end: char| ENDS.contains(end)) {
            let word = tail.find(char::is_whitespace).unwrap_or(tail.len());
            let word = tail[..word].find("://").unwrap_or(word).max(end);
            if let Some(host) = tail[end..word].find('@') {
                (url, after) = tail.split_at(end + host + 1);
            }
        }
        match host(url) {
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

/// Whether what follows the colon is no port, but the beginning of a password with a quote in it.
fn is_cut(url: &str) -> bool {
    url.split_once(':').is_some_and(|(user, port)| {
        !user.contains(['/', '?', '['])
            && !port.starts_with(|first: char| first.is_ascii_digit() || first == '/')
    })
}

/// `user:password@host` in words.
fn logins(text: &str) -> String {
    let is_end = |end: char| end.is_whitespace() || ENDS.contains(end);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(|character| !is_end(character)) {
        let end = rest[begin..].find(is_end).map_or(rest.len(), |end| begin + end);
        shown.push_str(&rest[..begin]);
        let word = &rest[begin..end];
        match password(word) {
            Some((start, end)) => shown.extend([&word[..start], HIDDEN, &word[end..]]),
            None => shown.push_str(word),
        }
        rest = &rest[end..];
    }
    shown + rest
}

/// Where the password is in `user:password@host`.
fn password(word: &str) -> Option<(usize, usize)> {
    if word.contains("://") {
        return None;
    }
    let colon = word.find(':')?;
    let end = host(word)?;
    let is_of_user = |character: char| character.is_ascii_alphanumeric() || "_.-+%".contains(character);
    let user = word[..colon].rsplit(|character| !is_of_user(character)).next().unwrap_or_default();
    let is_host = word[end + 1..].starts_with(|first: char| first.is_alphanumeric() || "[(/".contains(first));
    let is_login = (!user.is_empty() || colon == 0)
        && end > colon + 1
        && is_host
        && !word[..colon].contains('@')
        && !OTHER.contains(&user.to_ascii_lowercase().as_str());
    is_login.then_some((colon + 1, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_hidden() {
        assert_eq!(
            hidden("postgres://app:s3cr@t/x@db:5432/shop down"),
            "postgres://app:***@db:5432/shop down"
        );
        assert_eq!(hidden("postgres://app:ab'cd@db:5432/shop"), "postgres://app:***@db:5432/shop");
        assert_eq!(hidden("https://0123456789abcdef0@git/x"), "https://***@git/x");
    }

    #[test]
    fn passwords_without_a_scheme_are_hidden() {
        assert_eq!(hidden("app:X@tcp(db:3306)/shop"), "app:***@tcp(db:3306)/shop");
        assert_eq!(hidden("dsn=app:a/b@c@db/shop"), "dsn=app:***@db/shop");
        assert_eq!(hidden("redis :X@cache:6379"), "redis :***@cache:6379");
    }

    #[test]
    fn addresses_without_passwords_stay() {
        for line in [
            "see https://example.org/a?b=c",
            "redis://cache:6379/0",
            "docker-pullable://reg:5000/app:1.2@sha256:0123",
            "reg.example.org:5000/shop/app:1.2@sha256:0123",
            "git@github.com:shop/app.git",
            "mailto:a@example.org",
            "root@10.0.0.1:22: refused",
            "12:30:05 bob@host",
        ] {
            assert_eq!(hidden(line), line);
        }
    }
}
