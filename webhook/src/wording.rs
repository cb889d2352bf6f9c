//! The words of a denial and of a warning: one line per finding, safe for a terminal and for an HTTP header.

use std::fmt::Write as _;

use policies::{Judged, Membership};

/// The API server cuts a longer warning.
const LONGEST: usize = 256;
/// The API server drops warnings beyond this sum.
const TOGETHER: usize = 4096;
/// Findings in one denial; whoever has more reads `hookward check`.
const LINES: usize = 20;
/// Bytes of one line of a denial.
const LINE: usize = 1024;

/// The message of a denial: `header`, a line for each finding that denies, and how to learn more. `denying` names the object of
/// each finding, as `Job "migrate"`; `release` is the one it belongs to, if nothing has named it yet.
pub(crate) fn denial<'j>(
    header: Option<&str>,
    denying: impl Iterator<Item = (String, &'j Judged)>,
    release: Option<&Membership>,
) -> String {
    let mut text = String::new();
    if let Some(header) = header {
        text.push_str(&clean(header, LINE));
        text.push('\n');
    }
    let (mut first, mut count) = (None, 0_usize);
    for (subject, judged) in denying {
        first = first.or(Some(judged.rule.id));
        count += 1;
        if count <= LINES {
            text.push_str(&line(&subject, judged));
            text.push('\n');
        }
    }
    if count > LINES {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "and {} more, see hookward check", count - LINES);
    }
    if let Some(Membership { release, revision, .. }) = release {
        text.push_str(&clean(&format!("in release {release:?} revision {revision}"), LINE));
        text.push('\n');
    }
    text.push_str("explain: hookward rules ");
    text.push_str(first.unwrap_or_default());
    text
}

/// What a finding says after its object has been named: most messages begin with it.
fn predicate<'j>(subject: &str, judged: &'j Judged) -> &'j str {
    let message = judged.finding.message.as_str();
    message.strip_prefix(subject).and_then(|rest| rest.strip_prefix(' ')).unwrap_or(message)
}

/// `` `job-suspended`: Job "migrate" /spec/suspend: what will happen; what to do ``
pub(crate) fn line(subject: &str, judged: &Judged) -> String {
    let finding = &judged.finding;
    let field = if finding.field.is_empty() { String::new() } else { format!(" {}", finding.field) };
    let help = if finding.help.is_empty() { String::new() } else { format!("; {}", finding.help) };
    clean(&format!("`{}`: {subject}{field}: {}{help}", judged.rule.id, predicate(subject, judged)), LINE)
}

/// The warnings for what was not judged and for these findings: each short, all together within what the API server passes on.
pub(crate) fn warnings<'j>(
    unjudged: impl Iterator<Item = String>,
    findings: impl Iterator<Item = (String, &'j Judged)>,
) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let (mut bytes, mut left_out) = (0, 0_usize);
    let unjudged = unjudged.map(|sentence| clean(&format!("hookward: {sentence}"), LONGEST));
    for text in unjudged.chain(findings.map(|(subject, judged)| warning(&subject, judged))) {
        // Room for the sentence about what was left out.
        if bytes + text.len() + LONGEST > TOGETHER {
            left_out += 1;
        } else {
            bytes += text.len();
            kept.push(text);
        }
    }
    if left_out > 0 {
        kept.push(format!("hookward: {left_out} more warnings, see hookward check"));
    }
    kept
}

/// The warnings about an object of ours: each short, all together within what the API server passes on.
pub(crate) fn sentences(unbounded: &[String]) -> Vec<String> {
    warnings(unbounded.iter().cloned(), std::iter::empty())
}

fn warning(subject: &str, judged: &Judged) -> String {
    let help = &judged.finding.help;
    let short = format!("`{}`: {subject}: {}", judged.rule.id, predicate(subject, judged));
    let whole = format!("{short}; {help}");
    clean(if whole.len() <= LONGEST && !help.is_empty() { &whole } else { &short }, LONGEST)
}

/// `text` without control characters, line ends, direction marks or what has no width, and at most `limit` bytes: names in a request are not validated
/// yet when we read them, and must not be able to write to somebody's terminal.
pub(crate) fn clean(text: &str, limit: usize) -> String {
    let is_hidden = |character: char| {
        character.is_control()
            || matches!(
                character,
                '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            )
    };
    let mut clean: String = text
        .chars()
        .map(|character| if is_hidden(character) { char::REPLACEMENT_CHARACTER } else { character })
        .collect();
    if clean.len() > limit {
        let end = (0..=limit - '…'.len_utf8()).rev().find(|end| clean.is_char_boundary(*end)).unwrap_or(0);
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use policies::{Finding, Mode, RULES, Severity};

    use super::*;

    fn judged(message: &str, help: &str) -> Judged {
        Judged {
            rule: RULES[0].meta(),
            mode: Mode::Deny,
            severity: Severity::High,
            fixable: false,
            finding: Finding::new("/spec", message, help),
            excepted: None,
        }
    }

    fn denial_of(findings: &[Judged], header: Option<&str>) -> String {
        denial(header, findings.iter().map(|judged| ("Job \"migrate\"".to_owned(), judged)), None)
    }

    fn warnings_of(findings: &[Judged]) -> Vec<String> {
        warnings(std::iter::empty(), findings.iter().map(|judged| ("Job \"migrate\"".to_owned(), judged)))
    }

    #[test]
    fn a_denial_says_where_what_and_what_to_do() {
        let id = RULES[0].meta().id;
        assert_eq!(
            denial_of(&[judged("Helm waits for ever", "remove it")], None),
            format!(
                "`{id}`: Job \"migrate\" /spec: Helm waits for ever; remove it\nexplain: hookward rules {id}"
            )
        );
    }

    #[test]
    fn an_object_was_named_twice() {
        let found = [judged("Job \"migrate\" never starts: Helm waits for it", "remove suspend")];
        let id = RULES[0].meta().id;
        let denial = denial_of(&found, None);
        let line = format!("`{id}`: Job \"migrate\" /spec: never starts: Helm waits for it; remove suspend");
        assert_eq!(denial.lines().next(), Some(&*line));
        assert_eq!(warnings_of(&found), [line.replace(" /spec", "")]);
        let other = judged("Job \"migrate-2\" never starts", "");
        assert!(denial_of(&[other], None).contains("/spec: Job \"migrate-2\" never starts"));
    }

    #[test]
    fn help_was_left_out_where_it_would_have_fit() {
        let text = &warnings_of(&[judged(&"m".repeat(180), "help")])[0];
        assert!(text.len() <= LONGEST && text.ends_with("; help"));
    }

    #[test]
    fn a_release_has_a_line_of_its_own_before() {
        let text = denial_of(&[judged("m", "h")], Some("release \"shop\" is refused:"));
        assert_eq!(text.lines().count(), 3);
        assert!(text.starts_with("release \"shop\" is refused:\n`"));
    }

    #[test]
    fn a_hundred_findings_do_not_fill_the_screen() {
        let many: Vec<_> = (0..100).map(|_| judged("m", "h")).collect();
        let text = denial_of(&many, None);
        assert_eq!(text.lines().count(), LINES + 2);
        assert!(text.contains("and 80 more"));
    }

    #[test]
    fn a_warning_drops_the_help_before_the_message() {
        let texts = warnings_of(&[judged("short", "help"), judged(&"m".repeat(225), "help")]);
        assert!(texts[0].ends_with("short; help"));
        assert!(texts[1].ends_with('m'));
    }

    #[test]
    fn warnings_stay_within_what_the_api_server_passes_on() {
        let long: Vec<_> = (0..100).map(|_| judged(&"ä".repeat(500), "")).collect();
        let texts = warnings_of(&long);
        assert!(texts.iter().all(|text| text.len() <= LONGEST));
        assert!(texts.iter().map(String::len).sum::<usize>() <= TOGETHER);
        assert!(texts.last().unwrap().contains("more warnings"));
    }

    #[test]
    fn what_could_write_to_a_terminal_is_replaced() {
        assert_eq!(
            clean("a\u{1b}[31m\r\nb\u{202e}c\0", 100),
            "a\u{fffd}[31m\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}"
        );
    }

    #[test]
    fn what_nobody_sees_is_replaced() {
        let hidden =
            ['\u{61c}', '\u{200b}', '\u{200d}', '\u{200f}', '\u{202a}', '\u{2060}', '\u{2069}', '\u{feff}'];
        for character in hidden {
            assert_eq!(clean(&format!("a{character}b"), 100), "a\u{fffd}b", "{character:?}");
        }
    }

    #[test]
    fn a_cut_keeps_characters_whole() {
        assert_eq!(clean("ääää", 7), "ää…");
        assert_eq!(clean("ääää", 8), "ääää");
    }
}
