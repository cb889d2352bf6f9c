//! Words of commands that people copy into a shell.

use std::borrow::Cow;

/// One word for a shell: as it is, or quoted where the shell would see more in it.
pub(super) fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:=".contains(&byte);
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let shown = super::words::shown(text, 300);
    Cow::Owned(format!("'{}'", shown.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_run_is_quoted() {
        assert_eq!(word("migrate-1"), "migrate-1");
        assert_eq!(word("a; rm -rf /"), "'a; rm -rf /'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word("--all"), "'--all'");
        assert_eq!(word("a\n\u{1b}[2Jb"), "'a b'");
    }
}
