//! The text of a source file as the tests of the architecture look at it.

use std::collections::BTreeSet;

/// The code of a file, line by line where it was: comments and what only tests have are empty lines.
pub(super) fn code(text: &str) -> String {
    let mut code = String::new();
    // How far an item that only tests have is indented, while we are in it.
    let mut skipped: Option<usize> = None;
    for line in text.lines() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        if skipped.is_some() && line.starts_with("mod ") && line.ends_with('{') {
            // Clippy sees to it that nothing comes after the tests.
            break;
        }
        if trimmed.starts_with("#[cfg(test)]") {
            skipped = skipped.or(Some(indent));
        } else if skipped.is_none() && !trimmed.starts_with("//") {
            code.push_str(line);
        } else if skipped == Some(indent) && !trimmed.starts_with("//") && line.ends_with([';', '}', ',']) {
            skipped = None;
        }
        code.push('\n');
    }
    code
}

/// Each path into the standard library, with the line it begins in and all names in it: of `use std::{fs, path::Path}` these are `fs`,
/// `path` and `Path`.
pub(super) fn paths_into_std(code: &str) -> impl Iterator<Item = (usize, BTreeSet<&str>)> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let starts = code.match_indices("std::").filter(move |(at, _)| !code[..*at].ends_with(is_name));
    starts.map(move |(at, start)| {
        let rest = &code[at + start.len()..];
        let mut depth = 0;
        let end = rest.find(|letter: char| {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => return depth == 0 && !is_name(letter) && letter != ':',
            }
            depth < 0
        });
        let names = rest[..end.unwrap_or(rest.len())].split(move |letter| !is_name(letter));
        (1 + code[..at].matches('\n').count(), names.filter(|name| !name.is_empty()).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(code: &str) -> Vec<&str> {
        paths_into_std(code).flat_map(|(_, names)| names).collect()
    }

    #[test]
    fn an_import_in_braces_does_not_hide() {
        assert_eq!(names("use std::{fs, path::Path};\nlet x = fs::y;"), ["Path", "fs", "path"]);
        assert_eq!(
            names("use std::{\n    fmt,\n    os::unix::{net, thread},\n};"),
            ["fmt", "net", "os", "thread", "unix"]
        );
    }

    #[test]
    fn a_path_ends_where_its_last_name_ends() {
        assert_eq!(names("let x = { std::env::var(fs) } + fs; my_std::net();"), ["env", "var"]);
        assert_eq!(names("fn f() -> std::fmt::Result {\n    thread()\n}"), ["Result", "fmt"]);
        assert_eq!(names("{ a(std::process::id) } net {}"), ["id", "process"]);
    }

    #[test]
    fn a_line_is_told_where_the_path_begins() {
        let lines: Vec<_> = paths_into_std("std::a;\n\nlet x =\n  std::b;").map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 4]);
    }

    #[test]
    fn of_what_only_tests_have_nothing_else_is_lost() {
        let text = "//! Head.\n#[cfg(test)]\nmod example;\nmod go;\n\nimpl X {\n    #[cfg(test)]\n    /// Doc;\n    fn f(\n        a: u8,\n    ) -> u8 {\n        \
                    b;\n    }\n    // why\n    fn g() {}\n}\n\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    \"\n}\nc\"\n}\n";
        let code = code(text);
        let left: Vec<_> = code.lines().enumerate().filter(|(_, line)| !line.is_empty()).collect();
        assert_eq!(left, [(3, "mod go;"), (5, "impl X {"), (14, "    fn g() {}"), (15, "}")]);
    }
}
