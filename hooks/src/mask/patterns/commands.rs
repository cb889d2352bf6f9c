//! Passwords in the short flags of commands: `mysql -px`, `curl -u user:x`.

use super::super::HIDDEN;

/// Parts of a command.
const BETWEEN: &str = "|;&";
/// How programs are called that take a password after a short flag, the flag, and whether blanks may stand between.
const PROGRAMS: [(&str, &str, bool); 7] = [
    ("mysql", "-p", false),
    ("mariadb", "-p", false),
    ("sshpass", "-p", true),
    ("redis-cli", "-a", true),
    ("mongo", "-p", true),
    ("login", "-p", true),
    ("ldap", "-w", true),
];

/// Hides the passwords that follow short flags.
pub(super) fn hidden(text: &str) -> String {
    let is_end = |end: char| end.is_whitespace() || is_quote(end) || end == ',' || BETWEEN.contains(end);
    let mut shown = String::with_capacity(text.len());
    let (mut rest, mut program, mut is_user, mut is_curl) = (text, None, false, false);
    while let Some(begin) = rest.find(|character| !is_end(character)) {
        if rest[..begin].contains(|between: char| BETWEEN.contains(between)) {
            (program, is_user, is_curl) = (None, false, false);
        }
        let end = rest[begin..].find(is_end).map_or(rest.len(), |end| begin + end);
        let (mut word, head) = (&rest[begin..end], &rest[..begin]);
        shown.push_str(head);
        rest = &rest[end..];
        let base = word.rsplit(['/', '[', '(']).next().unwrap_or_default();
        if let Some(found) = PROGRAMS.iter().find(|(name, ..)| base.starts_with(name)) {
            program = Some(*found);
        }
        is_curl |= base == "curl";
        let flag = ["--user=", "--proxy-user=", "-u"].into_iter().find(|flag| word.starts_with(flag));
        if let Some(flag) = flag.filter(|_| !is_user) {
            is_user = word == flag;
            if !is_user {
                shown.push_str(flag);
                word = &word[flag.len()..];
                rest = user(&mut shown, word, rest, is_curl, head);
                continue;
            }
        } else if is_user {
            is_user = false;
            rest = user(&mut shown, word, rest, is_curl, head);
            continue;
        } else {
            is_user = ["--user", "--proxy-user"].contains(&word);
        }
        let Some((_, flag, is_apart)) = program.filter(|(_, flag, _)| word.starts_with(flag)) else {
            shown.push_str(word);
            continue;
        };
        shown.push_str(flag);
        if word.len() > flag.len() {
            shown.push_str(HIDDEN);
            rest = to_quote(head, rest);
        } else if rest.starts_with(['\'', '"']) || is_apart {
            rest = argument(&mut shown, rest);
        }
    }
    shown + rest
}

const fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\'' | '`' | '\\')
}

/// Where the text goes on after a word that stands in the quotes that end the head.
fn to_quote<'text>(head: &str, rest: &'text str) -> &'text str {
    let quote = head.chars().next_back().filter(|last| "\"'".contains(*last));
    match quote.and_then(|quote| rest.find(quote)) {
        Some(end) => &rest[end..],
        None => rest,
    }
}

/// Hides the argument that follows.
fn argument<'text>(shown: &mut String, rest: &'text str) -> &'text str {
    let begin = rest.len()
        - rest.trim_start_matches(|between: char| is_quote(between) || " ,".contains(between)).len();
    let (head, value) = rest.split_at(begin);
    shown.push_str(head);
    let quote = head.chars().next_back().filter(|last| "\"'".contains(*last));
    let is_end = |end: char| quote.map_or_else(|| end.is_whitespace() || is_quote(end), |quote| end == quote);
    let end = value.find(is_end).unwrap_or(value.len());
    if end > 0 {
        shown.push_str(HIDDEN);
    }
    &value[end..]
}

/// Hides the password after the user; ids of users and groups stay where they may be meant.
fn user<'text>(shown: &mut String, word: &str, rest: &'text str, is_curl: bool, head: &str) -> &'text str {
    let is_id = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match word.split_once(':') {
        Some((user, password))
            if (!password.is_empty() || !rest.starts_with(' ')) && (is_curl || !is_id(password)) =>
        {
            shown.extend([user, ":", HIDDEN]);
            to_quote(head, rest)
        }
        _ => {
            shown.push_str(word);
            rest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_after_short_flags_are_hidden() {
        for (line, shown) in [
            ("mysql -uroot -pX shop", "mysql -uroot -p*** shop"),
            ("sh -c '/usr/bin/mysqldump -p\"X Y\" shop'", "sh -c '/usr/bin/mysqldump -p\"***\" shop'"),
            (r#"["mysql","-pX"]"#, r#"["mysql","-p***"]"#),
            ("curl -u a:X https://b", "curl -u a:*** https://b"),
            ("curl -ua:1 -s", "curl -ua:*** -s"),
            ("curl -u 'a:X Y' -s", "curl -u 'a:***' -s"),
            ("curl --user a:X -s", "curl --user a:*** -s"),
            ("--user=a:X -s", "--user=a:*** -s"),
            (r#"["curl", "-u", "a:X"]"#, r#"["curl", "-u", "a:***"]"#),
            ("redis-cli -a X ping", "redis-cli -a *** ping"),
        ] {
            assert_eq!(hidden(line), shown);
            assert_eq!(hidden(shown), shown);
        }
    }

    #[test]
    fn other_flags_stay() {
        for line in [
            "mysql -p shop",
            "mysql -P3306 | mkdir -p /a",
            "docker run -u 1000:1000 a",
            "cp -pr a b",
            "id -u app",
            "curl -u a https://b:1",
        ] {
            assert_eq!(hidden(line), line);
        }
    }
}
