//! Flags of Helm and of other commands that `rollout` does not take, each with what to do instead: what is spelt like them does not help.

use clap::{Arg, ArgAction, Command, builder::UnknownArgumentValueParser};

/// The name of a flag, its letter, what people write behind it, and what stands for it in a scenario.
const IN_SCENARIO: [(&str, Option<char>, &str, &str); 14] = [
    ("action", None, "ACTION", "steps: [install: {chart: ./shop}, test: {}]"),
    ("after", None, "DURATION", "test: {}, and beside it after: 24h"),
    ("fail-on", None, "MODE", "expect: {exit: 0}"),
    ("namespace", Some('n'), "NAME", "spec: {namespace: shop}"),
    ("no-hooks", None, "", "upgrade: {chart: ./shop, noHooks: true}"),
    ("release", None, "NAME", "spec: {release: shop}"),
    ("atomic", None, "", "upgrade: {chart: ./shop, atomic: true}"),
    ("rollback-on-failure", None, "", "upgrade: {chart: ./shop, rollbackOnFailure: true}"),
    ("set", None, "KEY=VALUE", "upgrade: {chart: ./shop, set: [a=b]}"),
    ("set-string", None, "KEY=VALUE", "upgrade: {chart: ./shop, setString: [a=b]}"),
    ("timeout", None, "DURATION", "upgrade: {chart: ./shop, timeout: 10m}"),
    ("values", Some('f'), "FILE", "upgrade: {chart: ./shop, values: [values.yaml]}"),
    ("wait", None, "", "upgrade: {chart: ./shop, wait: true}"),
    ("wait-for-jobs", None, "", "upgrade: {chart: ./shop, waitForJobs: true}"),
];

/// `rollout` with those flags, which are refused with a tip.
pub(super) fn of_rollout(rollout: Command) -> Command {
    let tip = |(name, letter, value, written)| {
        refused(name, letter, value, format!("it stands in the scenario: {written}"))
    };
    let no_rules = "a rollout asks no rules; hookward check and hookward plan do".to_owned();
    rollout.args(IN_SCENARIO.map(tip)).arg(refused("policy", None, "FILE", no_rules))
}

fn refused(name: &'static str, letter: Option<char>, value: &'static str, tip: String) -> Arg {
    let refusal = UnknownArgumentValueParser::suggest(tip);
    let arg = Arg::new(name).long(name).value_parser(refusal).hide(true);
    let arg = letter.into_iter().fold(arg, Arg::short);
    if value.is_empty() { arg.action(ArgAction::SetTrue) } else { arg.value_name(value) }
}
