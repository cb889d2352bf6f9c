//! `try` for people: what the release gate says, what each hook would get, and how long that took.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use json_patch::PatchOperation;
use policies::{Profile, patch::FIXED};
use serde_json::Value;

use super::text::{WIDTH, left_out};
use crate::{
    plain,
    trial::{Answer, Hook, Release, Run, Trial},
};

/// What a note says of a chart that nobody could render.
const NEEDS_HELM: &str = ": skipped: needs helm";
/// What somebody can do first who does not want anything denied yet.
const SOFTER: &str =
    "With --profile audit nothing is denied and nothing changed: a first installation begins with it.";
/// Where the words about a hook begin at the latest, so that there is room for them.
const WIDEST_NAME: usize = 44;

/// Writes the answers.
///
/// # Errors
/// When they cannot be written.
pub fn write(trial: &Trial, colors: bool, out: &mut dyn Write) -> io::Result<()> {
    if let Some(Run { address, profile, rules }) = &trial.run {
        let version = env!("CARGO_PKG_VERSION");
        writeln!(
            out,
            "hookward {version} · https://{address} · own CA, TLS 1.3 · profile {profile} · {rules} rules"
        )?;
    }
    for one in &trial.releases {
        writeln!(out)?;
        release(one, colors, out)?;
    }
    if trial.run.is_some() {
        let summary = summary(trial) + &left_out(trial.skipped, trial.problems.len());
        writeln!(out, "\n{}", plain::wrap(&summary, WIDTH).join("\n"))?;
        if trial.releases.iter().any(|release| !release.hooks.is_empty()) {
            writeln!(
                out,
                "requests: one for each release (the gate), two for each hook (mutate, then validate)"
            )?;
        }
        skipped(trial, out)?;
    }
    if let Some(rule) = trial
        .releases
        .iter()
        .flat_map(answers)
        .filter(|answer| !answer.allowed)
        .find_map(|answer| answer.rules().first().copied())
    {
        writeln!(out, "explain: hookward rules {rule}")?;
        if trial.run.as_ref().is_some_and(|run| run.profile != Profile::Audit) {
            writeln!(out, "{SOFTER}")?;
        }
    }
    Ok(())
}

/// Which charts were not judged, and why: the notes that say so are far above, or in another stream.
fn skipped(trial: &Trial, out: &mut dyn Write) -> io::Result<()> {
    for note in trial.notes.iter().filter(|note| note.contains(NEEDS_HELM)) {
        writeln!(out, "{}", plain::wrap(&plain::line(note), WIDTH).join("\n"))?;
    }
    Ok(())
}

fn release(release: &Release, colors: bool, out: &mut dyn Write) -> io::Result<()> {
    let (hooks, objects) = (release.hook_objects, release.objects);
    let title = format!(
        "release {} ({}, {}) ",
        plain::line(&release.name),
        counted(hooks, "hook"),
        counted(objects, "object")
    );
    let dots = "·".repeat((WIDTH - 13).saturating_sub(title.chars().count()));
    writeln!(out, "{title}{dots} release gate")?;
    let words = gate(&release.gate);
    let row = Row { answer: &release.gate, name: "", widest: 0, colors };
    row.write(&words, out)?;
    if !release.hooks.is_empty() {
        writeln!(out, "\nwhat each hook would get, asked one by one:")?;
    }
    let names: Vec<String> = release.hooks.iter().map(shown).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(WIDEST_NAME);
    for (hook, name) in release.hooks.iter().zip(&names) {
        Row { answer: &hook.answer, name, widest, colors }.write(&about(hook), out)?;
    }
    for unasked in &release.unasked {
        writeln!(out, "  - {}", plain::wrap(&plain::line(unasked), WIDTH - 4).join("\n    "))?;
    }
    Ok(())
}

/// What the gate says, finding by finding; and what it could not judge.
fn gate(answer: &Answer) -> Vec<String> {
    let denying: Vec<_> = answer.message.lines().filter(|line| is_finding(line)).map(sentence).collect();
    let warning: Vec<_> = answer.warnings.iter().map(|line| sentence(line)).collect();
    let marks = marks(!denying.is_empty(), !warning.is_empty());
    let lines =
        |mark: &'static str, lines: Vec<String>| lines.into_iter().map(move |line| format!("{mark}{line}"));
    let mut lines: Vec<_> = lines(marks[0], denying).chain(lines(marks[1], warning)).collect();
    if !answer.allowed {
        lines.push("no hook and no object was touched: Helm stores the release first".to_owned());
    }
    lines
}

/// Whether a line is about a rule; the others say what was not judged, or lead on.
fn is_finding(line: &str) -> bool {
    line.starts_with('`')
}

/// What stands before findings that deny and before those that warn, where an answer has both kinds: else its own mark says it.
fn marks(denies: bool, warns: bool) -> [&'static str; 2] {
    if denies && warns { ["✗ ", "! "] } else { ["", ""] }
}

/// A finding as a sentence: the rule, the object, what will happen; the field is for those who change it, in `check`.
fn sentence(line: &str) -> String {
    if !is_finding(line) {
        return line.to_owned();
    }
    let line = line.replacen('`', "", 2);
    let parts = line.split_once(": ").and_then(|(rule, rest)| Some((rule, rest.split_once(": ")?)));
    let Some((rule, (place, what))) = parts else { return line };
    let object = place.split(" /").next().unwrap_or(place);
    match object.contains('"') {
        true if what.starts_with(object) => format!("{rule}: {what}"),
        true => format!("{rule}: {object} {what}"),
        false => line,
    }
}

/// What a hook would get: the rules that object, and how it would be changed.
fn about(hook: &Hook) -> Vec<String> {
    let (denying, warning) = (hook.answer.denying_rules(), hook.answer.warning_rules());
    let marks = marks(!denying.is_empty(), !warning.is_empty());
    let named = marks.into_iter().zip([denying, warning]).filter(|(_, rules)| !rules.is_empty());
    let mut lines: Vec<String> = named.map(|(mark, rules)| format!("{mark}{}", rules.join(", "))).collect();
    lines.extend(hook.answer.warnings.iter().filter(|line| !is_finding(line)).cloned());
    lines.extend(hook.patch.0.iter().filter_map(|operation| change(operation, &hook.before)));
    lines
}

/// `+ ttlSecondsAfterFinished: 300`, `~ backoffLimit: 6 → 3`. Lists and maps are named, not printed; the record of what was
/// changed says nothing that does not stand above it.
fn change(operation: &PatchOperation, before: &Value) -> Option<String> {
    let (path, value) = match operation {
        PatchOperation::Add(add) => (add.path.as_str(), &add.value),
        PatchOperation::Replace(replace) => (replace.path.as_str(), &replace.value),
        PatchOperation::Remove(remove) => {
            return Some(format!("- {}", field(remove.path.as_str())));
        }
        _ => return None,
    };
    if field(path) == FIXED {
        return None;
    }
    let word = |value: &Value| match value {
        Value::Object(_) | Value::Array(_) => "…".to_owned(),
        Value::String(text) => plain::line(text).into_owned(),
        other => other.to_string(),
    };
    Some(match before.pointer(path).filter(|old| !old.is_null()) {
        None => format!("+ {}: {}", field(path), word(value)),
        Some(old) => format!("~ {}: {} → {}", field(path), word(old), word(value)),
    })
}

/// The last step of a JSON pointer.
fn field(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or(path);
    plain::line(&last.replace("~1", "/").replace("~0", "~")).into_owned()
}

/// One answer: a mark, a name, a word, then lines beside each other, and the time at the right edge.
struct Row<'a> {
    answer: &'a Answer,
    name: &'a str,
    widest: usize,
    colors: bool,
}

impl Row<'_> {
    fn write(&self, lines: &[String], out: &mut dyn Write) -> io::Result<()> {
        let (mark, word, color) = match self.answer {
            Answer { allowed: false, .. } => ("✗", "denied", AnsiColor::BrightRed),
            Answer { warnings, .. } if !warnings.is_empty() => ("!", "warned", AnsiColor::Yellow),
            Answer { .. } => ("✓", "allowed", AnsiColor::Green),
        };
        let style = if self.colors { color.on_default().bold() } else { Style::new() };
        let time = time(self.answer.microseconds);
        let name = plain::line(self.name);
        let taken = name.chars().count();
        let gap = if self.widest == 0 { "" } else { "   " };
        let indent = 4 + self.widest + gap.len() + 10;
        let room = WIDTH - indent - time.chars().count() - 2;
        let mut wrapped = lines.iter().flat_map(|line| plain::wrap(&plain::line(line), room));
        let first = wrapped.next().unwrap_or_default();
        // What does not fit beside the words stands above them.
        let (end, used) = if taken > self.widest { ("\n    ", 0) } else { ("", taken) };
        write!(out, "  {style}{mark}{style:#} {name}{end}{}", " ".repeat(self.widest - used))?;
        let pad = room.saturating_sub(first.chars().count());
        writeln!(out, "{gap}{style}{word:8}{style:#}  {first}{}  {time}", " ".repeat(pad))?;
        for line in wrapped {
            writeln!(out, "{}{line}", " ".repeat(indent))?;
        }
        Ok(())
    }
}

/// A name that the API server makes up is shown as `plan` shows it.
fn shown(hook: &Hook) -> String {
    let generated = || hook.before["metadata"]["generateName"].as_str().map(|prefix| format!("{prefix}*"));
    let name = hook.object.name.clone().or_else(generated);
    format!("{}/{}", hook.object.kind, name.unwrap_or_else(|| "(no name)".to_owned()))
}

fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

fn time(microseconds: u64) -> String {
    if microseconds < 100 {
        return format!("{microseconds} µs");
    }
    format!("{}.{} ms", microseconds / 1000, microseconds % 1000 / 100)
}

fn answers(release: &Release) -> impl Iterator<Item = &Answer> {
    std::iter::once(&release.gate).chain(release.hooks.iter().map(|hook| &hook.answer))
}

/// `2 denied, 6 allowed, 1 changed · 8 requests, p50 0.1 ms, max 2.1 ms`.
fn summary(trial: &Trial) -> String {
    let all: Vec<&Answer> = trial.releases.iter().flat_map(answers).collect();
    let denied = all.iter().filter(|answer| !answer.allowed).count();
    let hooks: Vec<&Hook> = trial.releases.iter().flat_map(|release| &release.hooks).collect();
    let changed = hooks.iter().filter(|hook| !hook.patch.0.is_empty()).count();
    let mut times: Vec<u64> = all.iter().map(|answer| answer.microseconds).collect();
    times.sort_unstable();
    let took = match (times.get(times.len() / 2), times.last()) {
        (Some(middle), Some(longest)) => format!(", p50 {}, max {}", time(*middle), time(*longest)),
        _ => "; nothing was asked".to_owned(),
    };
    format!(
        "{denied} denied, {} allowed, {changed} changed · {}{took}",
        all.len() - denied,
        counted(all.len() + hooks.len(), "request"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ObjectName;

    #[test]
    fn a_finding_is_a_sentence() {
        let expected = "r: Job \"a\" never starts; do";
        assert_eq!(sentence("`r`: Job \"a\" /spec/suspend: never starts; do"), expected);
        assert_eq!(sentence("`r`: Job \"a\": Job \"a\" never starts; do"), expected);
        assert_eq!(
            sentence("`r`: shop/templates/x.yaml:4: Helm drops it"),
            "r: shop/templates/x.yaml:4: Helm drops it"
        );
    }

    #[test]
    fn what_only_warns_is_told_from_what_denies() {
        let answer = |message: &str, warnings: &[&str]| Answer {
            allowed: message.is_empty(),
            code: 200,
            message: message.to_owned(),
            warnings: warnings.iter().map(|&warning| warning.to_owned()).collect(),
            microseconds: 1,
        };
        let both = answer("refused:\n`a`: Job \"x\": stops", &["`b`: Job \"x\": stays"]);
        assert_eq!(gate(&both)[..2], ["✗ a: Job \"x\" stops", "! b: Job \"x\" stays"]);
        assert_eq!((both.denying_rules(), both.warning_rules()), (vec!["a"], vec!["b"]));
        assert_eq!(gate(&answer("", &["`b`: Job \"x\": stays"])), ["b: Job \"x\" stays"]);
    }

    #[test]
    fn a_warning_about_what_was_not_judged_was_passed_over() {
        let warning = "hookward: document 1 was not judged: line 3, column 1: invalid \"k\": here";
        let answer = Answer { allowed: true, warnings: vec![warning.to_owned()], ..Answer::default() };
        assert_eq!(gate(&answer), [warning]);
        let (object, before) = (
            ObjectName { api_version: "v1".to_owned(), kind: "Pod".to_owned(), namespace: None, name: None },
            Value::Null,
        );
        assert_eq!(about(&Hook { object, patch: json_patch::Patch::default(), before, answer }), [warning]);
    }

    #[test]
    fn changes_read_like_a_diff() {
        let before = serde_json::json!({"spec": {"backoffLimit": 6}});
        let change = |operation| change(&serde_json::from_value(operation).unwrap(), &before);
        let set = |path: &str, value: Value| serde_json::json!({"op": "add", "path": path, "value": value});
        assert_eq!(change(set("/spec/backoffLimit", 3.into())).unwrap(), "~ backoffLimit: 6 → 3");
        assert_eq!(
            change(set("/spec/ttlSecondsAfterFinished", 300.into())).unwrap(),
            "+ ttlSecondsAfterFinished: 300"
        );
        assert_eq!(change(set("/metadata/annotations/hookward.dev~1fixed", "x".into())), None);
    }
}
