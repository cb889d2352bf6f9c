//! `diagnose` for people: one page, no line wider than a terminal but for what cannot be broken.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use cluster::diagnose::{Diagnosis, Hook, Repair};
use policies::Mode;

use super::Prevention;
use crate::{output::text::WIDTH, plain};

/// How wide the words at the margin are.
const MARGIN: usize = 9;

/// Where the comments of commands begin at the most.
const COMMENT: usize = 58;

/// Writes the page.
///
/// # Errors
/// When it cannot be written.
pub fn write(
    diagnosis: &Diagnosis,
    prevent: &[Prevention],
    colors: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let page = Page { colors };
    for line in plain::wrap(&plain::line(&diagnosis.state), WIDTH) {
        writeln!(out, "{line}")?;
    }
    if let Some(hook) = &diagnosis.hook {
        page.hook(hook, out)?;
    } else {
        let more = if diagnosis.is_healthy() { "" } else { "; see what Helm says" };
        writeln!(out, "no hook of it failed{more}")?;
        if let Some(said) = &diagnosis.said {
            writeln!(out)?;
            page.paragraph("helm", said, out)?;
        }
    }
    page.repair(&diagnosis.repair, out)?;
    for (index, one) in prevent.iter().enumerate() {
        page.paragraph(if index == 0 { "prevent" } else { "" }, &prevention(one), out)?;
    }
    Ok(())
}

fn prevention(one: &Prevention) -> String {
    let would = match one.mode {
        Mode::Deny => "refuses this",
        Mode::Warn => "warns of this",
        Mode::Audit | Mode::Off => "reports this",
    };
    format!("rule {} {would}: {}", one.rule, one.message)
}

struct Page {
    colors: bool,
}

impl Page {
    fn hook(&self, hook: &Hook, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out)?;
        let event = hook.event.map_or_else(String::new, |event| format!("{event}, "));
        for (index, cause) in hook.causes.iter().enumerate() {
            let text = if index == 0 {
                format!("{}/{} ({event}weight {}) {}", hook.kind, hook.name, hook.weight, cause.what)
            } else {
                format!("it {}", cause.what)
            };
            self.paragraph(if index == 0 { "cause" } else { "also" }, &text, out)?;
            let is_new = index == 0 || cause.said != hook.causes[index - 1].said;
            if let Some(said) = cause.said.as_ref().filter(|_| is_new) {
                self.quoted(said, out)?;
            }
        }
        self.paragraph("helm", &hook.helm, out)?;
        self.paragraph("now", &hook.now, out)?;
        for log in &hook.logs {
            let part = match log.lines.len() {
                _ if !log.is_cut => String::new(),
                1 => ", its last line".to_owned(),
                count => format!(", its last {count} lines"),
            };
            self.paragraph("log", &format!("{} {}{part}:", log.pod, log.container), out)?;
            for line in &log.lines {
                // A log is shown as it is: broken lines would look like others.
                writeln!(out, "{:MARGIN$}| {}", "", plain::line(line))?;
            }
        }
        Ok(())
    }

    fn repair(&self, repair: &[Repair], out: &mut dyn Write) -> io::Result<()> {
        let widest =
            repair.iter().filter_map(|one| one.command.as_ref()).map(|command| command.chars().count());
        let column = widest.filter(|width| *width < COMMENT).max().unwrap_or_default() + 2;
        for (index, one) in repair.iter().enumerate() {
            let name = if index == 0 { "repair" } else { "" };
            let Some(command) = &one.command else {
                self.paragraph(name, &one.text, out)?;
                continue;
            };
            let (command, text) = (plain::line(command), plain::line(&one.text));
            let fits =
                MARGIN + column + 2 + text.chars().count() <= WIDTH && command.chars().count() < column;
            if fits {
                writeln!(out, "{}{command:column$}# {text}", self.name(name))?;
            } else {
                writeln!(out, "{}{command}", self.name(name))?;
                for line in plain::wrap(&text, WIDTH - MARGIN - 4) {
                    writeln!(out, "{:MARGIN$}  # {line}", "")?;
                }
            }
        }
        Ok(())
    }

    fn paragraph(&self, name: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        for (index, line) in plain::wrap(&plain::line(text), WIDTH - MARGIN).iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            writeln!(out, "{}{line}", self.name(name))?;
        }
        Ok(())
    }

    fn quoted(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let style = if self.colors { Style::new().italic() } else { Style::new() };
        for line in plain::wrap(&plain::line(text), WIDTH - MARGIN - 2) {
            writeln!(out, "{:MARGIN$}  {style}{line}{style:#}", "")?;
        }
        Ok(())
    }

    /// The word at the margin.
    fn name(&self, name: &str) -> String {
        let color = match name {
            "cause" => AnsiColor::BrightRed,
            "repair" => AnsiColor::BrightGreen,
            _ => AnsiColor::BrightBlue,
        };
        let style = if self.colors && !name.is_empty() { color.on_default().bold() } else { Style::new() };
        format!("{style}{name:MARGIN$}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use cluster::diagnose::{Cause, Log, Revision};
    use hooks::{
        Event,
        release::{Limits, Record, Status, encode},
    };

    use super::*;

    fn diagnosis(hook: Option<Hook>) -> Diagnosis {
        let record = br#"{"name":"shop","info":{"status":"failed"}}"#;
        Diagnosis {
            release: "shop".into(),
            namespace: "shop".into(),
            revision: 2,
            status: Status::Failed,
            since: None,
            history: vec![Revision { revision: 2, status: Status::Failed }],
            state: "shop revision 2 is failed since 14:02:11 UTC (4m ago); revision 1 is still deployed and serving.".into(),
            said: Some("Upgrade \"shop\" failed: x".into()),
            hook,
            repair: vec![
                Repair { command: Some("kubectl -n shop delete job migrate".into()), text: "stops the retries".into() },
                Repair { command: None, text: "raise the quota".into() },
                Repair { command: Some("helm upgrade shop … -n shop".into()), text: "revision 2 does not block it".into() },
            ],
            notes: Vec::new(),
            record: Record::decode(encode(record).as_bytes(), &Limits::default()).unwrap(),
        }
    }

    fn hook() -> Hook {
        let cause = |id, what: &str, said: Option<&str>| Cause {
            id,
            what: what.into(),
            said: said.map(str::to_owned),
            repair: Vec::new(),
            rules: &[],
        };
        Hook {
            api_version: "batch/v1".into(),
            kind: "Job".into(),
            namespace: "shop".into(),
            name: "migrate".into(),
            event: Some(Event::PreUpgrade),
            weight: 0,
            path: "shop/templates/migrate.yaml".into(),
            began: None,
            ended: None,
            causes: vec![
                cause("quota", "could not have its pod: the quota \"team\" leaves no room for it", Some("pods \"migrate-x7k2p\" is forbidden: exceeded quota: team")),
                cause("timeout", "had not ended when Helm stopped waiting after 5m", None),
            ],
            helm: "Helm waited its whole timeout (5m) for a pod that was never created and gave up.".into(),
            now: "The Job has no deadline and keeps trying: it will run as soon as it can, with nobody watching.".into(),
            logs: vec![Log { pod: "migrate-x".into(), container: "main".into(), lines: vec!["a\u{1b}b".into()], is_cut: false }],
        }
    }

    fn page(diagnosis: &Diagnosis, prevent: &[Prevention]) -> String {
        let mut out = Vec::new();
        write(diagnosis, prevent, false, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_is_one_page() {
        let prevent =
            Prevention { rule: "job-deadline-missing", mode: Mode::Warn, message: "it has none".into() };
        let expected = "\
shop revision 2 is failed since 14:02:11 UTC (4m ago); revision 1 is still deployed and serving.

cause    Job/migrate (pre-upgrade, weight 0) could not have its pod: the quota \"team\" leaves no room
         for it
           pods \"migrate-x7k2p\" is forbidden: exceeded quota: team
also     it had not ended when Helm stopped waiting after 5m
helm     Helm waited its whole timeout (5m) for a pod that was never created and gave up.
now      The Job has no deadline and keeps trying: it will run as soon as it can, with nobody
         watching.
log      migrate-x main:
         | a\u{fffd}b
repair   kubectl -n shop delete job migrate  # stops the retries
         raise the quota
         helm upgrade shop … -n shop         # revision 2 does not block it
prevent  rule job-deadline-missing warns of this: it has none
";
        assert_eq!(page(&diagnosis(Some(hook())), &[prevent]), expected);
    }

    #[test]
    fn no_line_is_too_wide() {
        let mut wide = hook();
        wide.causes[0].said = Some("word ".repeat(200));
        wide.now = "word ".repeat(100);
        let text = page(&diagnosis(Some(wide)), &[]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn without_a_hook_helms_words_are_shown() {
        let text = page(&diagnosis(None), &[]);
        assert!(
            text.contains(
                "no hook of it failed; see what Helm says\n\nhelm     Upgrade \"shop\" failed: x\n"
            ),
            "{text}"
        );
    }
}
