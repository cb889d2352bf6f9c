//! A `JUnit` report: a test suite for each release that was played, a test case for each step and each thing expected of it.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use super::{
    Kind, Look,
    escape::{lines, markup},
    story::{Story, name, value},
    text,
};
use crate::{
    commands::check::Level,
    rehearsal::{Mark, Rehearsal, Rehearsed},
    report::Problem,
};

/// Writes the document.
///
/// # Errors
/// When it cannot be written.
pub fn write(rehearsal: &Rehearsal, kind: Kind, out: &mut dyn Write) -> io::Result<()> {
    let suites: Vec<_> = rehearsal
        .scenarios
        .iter()
        .filter(|scenario| !scenario.answer.actions.is_empty())
        .map(|scenario| suite(scenario, kind))
        .chain((!rehearsal.problems.is_empty()).then(|| unread(&rehearsal.problems)))
        .collect();
    let sum = |count: fn(&Case) -> bool| {
        suites.iter().flat_map(|suite| &suite.cases).filter(|case| count(case)).count()
    };
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"hookward {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        if kind == Kind::Rollout { "rollout" } else { "plan" },
        sum(|_| true),
        sum(|case| matches!(case.end, End::Failure(_))),
        sum(|case| matches!(case.end, End::Error(_))),
    )?;
    for suite in &suites {
        suite.write(out)?;
    }
    writeln!(out, "</testsuites>")
}

struct Suite {
    name: String,
    file: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    /// Seconds, simulated or real.
    time: f64,
    end: End,
    /// What is told beside it, in lines.
    output: String,
}

enum End {
    Fine,
    /// It is not what was expected.
    Failure(String),
    /// It could not be looked at.
    Error(String),
}

fn suite(scenario: &Rehearsed, kind: Kind) -> Suite {
    let mut cases = Vec::new();
    for story in Story::all(scenario) {
        let step = if kind == Kind::Rollout { format!("step {}: ", story.index + 1) } else { String::new() };
        let title = format!("{step}{}", story.title());
        // What a scenario does not expect fails it; of a plan nobody has said what is expected.
        let failed = story.error().filter(|_| kind != Kind::Rollout);
        let end = failed.map_or(End::Fine, End::Failure);
        cases.push(Case { name: title, time: story.lasts(), end, output: told(&story) });
        for expected in scenario.expectations.iter().filter(|expected| expected.step == story.index) {
            let (wanted, actual) = (value(&expected.expected), value(&expected.actual));
            let field = expected.field.name();
            let end = if expected.ok {
                End::Fine
            } else {
                End::Failure(format!("{field} is {actual}, expected {wanted}"))
            };
            let name = format!("{step}{} {field} is {wanted}", story.played.action.name());
            cases.push(Case { name, time: 0.0, end, output: String::new() });
        }
    }
    if let Kind::Plan(Some(level)) = kind {
        cases.extend(rules(scenario, level));
    }
    if !scenario.passed && scenario.expectations.iter().all(|expected| expected.ok) {
        let end = End::Failure("what happened is not what was simulated".to_owned());
        cases.push(Case { name: "the rollout".to_owned(), time: 0.0, end, output: String::new() });
    }
    Suite { name: scenario.name.clone(), file: scenario.file.clone(), cases }
}

/// A test case for each finding that counts, or one that says that there is none.
fn rules(scenario: &Rehearsed, level: Level) -> Vec<Case> {
    let case = |name: String, end| Case { name, time: 0.0, end, output: String::new() };
    let counting = scenario.marks.iter().filter(|mark| level.is_reached(Some(mark.mode)));
    let mut named: HashMap<_, usize> = HashMap::new();
    let cases: Vec<_> = counting
        .map(|mark| {
            let whose = mark.object.as_ref().map_or_else(
                || format!("release {}", scenario.answer.release),
                |object| name(object, &scenario.answer.namespace),
            );
            let Mark { rule, mode, message, .. } = mark;
            let words = format!("{rule} ({}): {message}; hookward rules {rule} says more", mode.name());
            // A CI server takes two test cases of one name for one.
            let times = named.entry((*rule, whose.clone())).or_default();
            *times += 1;
            let again = if *times > 1 { format!(" ({times})") } else { String::new() };
            case(format!("rule {rule}: {whose}{again}"), End::Failure(words))
        })
        .collect();
    if cases.is_empty() { vec![case("rules".to_owned(), End::Fine)] } else { cases }
}

fn unread(problems: &[Problem]) -> Suite {
    let case = |problem: &Problem| Case {
        name: problem.file.clone(),
        time: 0.0,
        end: End::Error(problem.to_string()),
        output: String::new(),
    };
    Suite {
        name: "could not be read".to_owned(),
        file: String::new(),
        cases: problems.iter().map(case).collect(),
    }
}

/// The timeline, as text.
fn told(story: &Story<'_>) -> String {
    let mut bytes = Vec::new();
    // Memory takes whatever is written to it.
    let _ = text::one(story, Look::default(), &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Suite {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let failures = self.cases.iter().filter(|case| matches!(case.end, End::Failure(_))).count();
        let errors = self.cases.iter().filter(|case| matches!(case.end, End::Error(_))).count();
        let time: f64 = self.cases.iter().map(|case| case.time).sum();
        let name = markup(&self.name);
        let file =
            if self.file.is_empty() { String::new() } else { format!(" file=\"{}\"", markup(&self.file)) };
        writeln!(
            out,
            "  <testsuite name=\"{name}\"{file} tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"0\" time=\"{time:.3}\">",
            self.cases.len()
        )?;
        for case in &self.cases {
            case.write(&name, out)?;
        }
        writeln!(out, "  </testsuite>")
    }
}

impl Case {
    fn write(&self, suite: &str, out: &mut dyn Write) -> io::Result<()> {
        let name = markup(&self.name);
        write!(out, "    <testcase classname=\"{suite}\" name=\"{name}\" time=\"{:.3}\"", self.time)?;
        let (element, words) = match &self.end {
            End::Fine if self.output.is_empty() => return writeln!(out, "/>"),
            End::Fine => ("", ""),
            End::Failure(words) => ("failure", words.as_str()),
            End::Error(words) => ("error", words.as_str()),
        };
        writeln!(out, ">")?;
        if !element.is_empty() {
            let words = markup(words);
            writeln!(out, "      <{element} message=\"{words}\">{words}</{element}>")?;
        }
        if !self.output.is_empty() {
            writeln!(out, "      <system-out>{}</system-out>", lines(&self.output))?;
        }
        writeln!(out, "    </testcase>")
    }
}

#[cfg(test)]
mod tests;
