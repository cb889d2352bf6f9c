//! Flags of `plan` and of Helm that people try here, although the file of a rollout says such things itself: where to say it.

use clap::builder::{StyledStr, UnknownArgumentValueParser};

/// None of them can be given.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// The namespace of the release.
    #[arg(short, long, hide = true, value_parser = said("in spec.namespace"))]
    namespace: Option<String>,
    /// The name of the release.
    #[arg(long, hide = true, value_parser = said("in spec.release"))]
    release: Option<String>,
    /// Values of the chart.
    #[arg(short = 'f', long, hide = true, value_parser = said("with values or set beside the chart of a step"))]
    values: Option<String>,
    /// Values of the chart.
    #[arg(long, hide = true, value_parser = said("with set or setString beside the chart of a step"))]
    set: Option<String>,
    /// What is done.
    #[arg(long, hide = true, value_parser = said("as a step; hookward plan takes this flag"))]
    action: Option<String>,
}

fn said(place: &str) -> UnknownArgumentValueParser {
    UnknownArgumentValueParser::suggest(StyledStr::from(format!("the file of the rollout says it {place}")))
}
