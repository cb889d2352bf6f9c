//! Writes the file of a new rule from a template and its line in the registry.

use std::fs;

use anyhow::{Context, bail};

use crate::shell::root;

/// Which rule.
#[derive(clap::Args)]
pub(crate) struct NewRuleArgs {
    /// Its id: kebab case, names the problem, reads well after "allow"; `job-suspended`.
    id: String,
}

const TEMPLATE: &str = include_str!("new_rule.rs.template");

/// Writes both, or neither.
pub(crate) fn new_rule(args: &NewRuleArgs) -> anyhow::Result<()> {
    let id = &args.id;
    let is_kebab = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if !id.split('-').all(is_kebab) || !id.contains('-') {
        bail!("{id:?} is no rule id: lower-case words with hyphens, such as job-suspended");
    }
    let module = id.replace('-', "_");
    let name: String = id.split('-').map(capitalised).collect();
    let file = root().join(format!("policies/src/rules/{module}.rs"));
    if file.exists() {
        bail!("{} exists already", file.display());
    }
    let registry = root().join("policies/src/rules.rs");
    let text =
        fs::read_to_string(&registry).with_context(|| format!("cannot read {}", registry.display()))?;
    let registered = register(&text, &format!("    {module}::{name},"))
        .context("policies/src/rules.rs has no rules! list")?;
    fs::write(&file, TEMPLATE.replace("{id}", id).replace("{name}", &name))?;
    fs::write(&registry, registered)?;
    println!("wrote {} and its line in the registry; now fill the headings and `check`", file.display());
    Ok(())
}

fn capitalised(word: &str) -> String {
    word.chars()
        .enumerate()
        .map(|(index, letter)| if index == 0 { letter.to_ascii_uppercase() } else { letter })
        .collect()
}

/// Puts `line` into the sorted list behind `rules! {`.
fn register(text: &str, line: &str) -> Option<String> {
    let start = text.find("\nrules! {\n")? + "\nrules! {\n".len();
    let end = start + text[start..].find("}\n")?;
    let mut lines: Vec<&str> = text[start..end].lines().chain([line]).collect();
    lines.sort_unstable();
    Some(format!("{}{}\n{}", &text[..start], lines.join("\n"), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_registered_in_its_place() {
        let text = "//! x\n\nrules! {\n    a::A,\n    c::C,\n}\nrest\n";
        assert_eq!(
            register(text, "    b::B,").unwrap(),
            "//! x\n\nrules! {\n    a::A,\n    b::B,\n    c::C,\n}\nrest\n"
        );
        assert_eq!(register("nothing", "    b::B,"), None);
    }
}
