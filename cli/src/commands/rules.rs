//! `hookward rules`: the rules that there are, and what each is about.

use anyhow::anyhow;
use clap::ValueEnum;
use policies::rules::{RULES, find, nearest};

use crate::{Io, args::Global, exit, output::rules};

/// Which rule, and how to print it.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// The rule to explain; all are listed without one.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How rules are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
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
    /// When there is no such rule.
    pub fn run(&self, global: &Global, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let one = self.id.as_deref().map(|id| find(id).ok_or_else(|| unknown(id))).transpose()?;
        let rules = one.map_or_else(|| RULES.to_vec(), |rule| vec![rule]);
        let colors = global.colors(io.stdout_is_terminal, io.no_color);
        let text = match (self.format, one) {
            (Format::Text, None) => rules::table(&rules, colors),
            (Format::Text, Some(rule)) => rules::explain(rule.meta(), colors),
            (Format::Json, _) => rules::json(&rules),
            (Format::Markdown, None) => rules::markdown(),
            (Format::Markdown, Some(rule)) => rules::markdown_of(rule.meta()),
        };
        io.print(|out| out.write_all(text.as_bytes()))?;
        Ok(exit::CLEAN)
    }
}

fn unknown(id: &str) -> anyhow::Error {
    let nearest = nearest(id);
    let suggestion =
        if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(", ")) };
    anyhow!("there is no rule {id:?}{suggestion} (hookward rules lists all)")
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
