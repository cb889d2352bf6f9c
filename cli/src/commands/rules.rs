//! `hookward rules`: the rules that there are, and what each is about.

use clap::{ArgMatches, ValueEnum};
use policies::rules::{RULES, find, nearest};

use crate::{
    Io,
    args::Global,
    exit,
    output::{self, rules},
    report::Problem,
};

/// Which rule, and how to print it.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// The rule to explain; all are listed without one.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Where they go.
    #[command(flatten)]
    pub output: output::Args<Format>,
}

/// How rules are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines; version 1.
    Json,
    /// For a page.
    Markdown,
}

impl Args {
    /// Prints one rule, or all.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn run(&self, global: &Global, matches: &ArgMatches, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let targets = self.output.targets(matches)?;
        let one = self.id.as_deref().map(|id| find(id).ok_or_else(|| unknown(id))).transpose();
        if let Err(problem) = &one {
            io.error(&problem.message, global)?;
        }
        output::write(&targets, global, io, |format, colors, out| {
            let text = match (format, &one) {
                (Format::Json, Ok(None)) => rules::json(RULES, &[]),
                (Format::Json, Ok(Some(rule))) => rules::json(&[*rule], &[]),
                (Format::Json, Err(problem)) => rules::json(&[], std::slice::from_ref(problem)),
                (_, Err(_)) => String::new(),
                (Format::Text, Ok(None)) => rules::table(RULES, colors),
                (Format::Text, Ok(Some(rule))) => rules::explain(rule.meta(), colors),
                (Format::Markdown, Ok(None)) => rules::markdown(),
                (Format::Markdown, Ok(Some(rule))) => rules::markdown_of(rule.meta()),
            };
            out.write_all(text.as_bytes())
        })?;
        Ok(if one.is_ok() { exit::CLEAN } else { exit::FAILED })
    }
}

fn unknown(id: &str) -> Problem {
    let nearest = nearest(id);
    let suggestion =
        if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(", ")) };
    let message = format!("there is no rule {id:?}{suggestion} (hookward rules lists all)");
    Problem::new(output::COMMAND_LINE, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rule_is_suggested() {
        assert!(unknown("hook-data").to_string().contains("did you mean hook-data-kind-recreated?"));
        assert!(unknown("job-suspend").to_string().contains("did you mean job-suspended?"));
        assert!(!unknown("zzzzzzzzzzzzzzz").to_string().contains("did you mean"));
    }
}
