//! Pages show what the program really prints: blocks that begin with `$ hookward …` are run again.

use std::{path::Path, process::Command};

/// The pages that show it.
pub const PAGES: [&str; 2] = ["README.md", "docs/testing-a-rollout.md"];

/// A page with every block of output as the program prints it now. Times and ports differ from run to run: a block that differs
/// in nothing else stays as it is.
///
/// # Panics
///
/// When the program cannot be run.
#[must_use]
pub fn refreshed(readme: &str, program: &Path, root: &Path) -> String {
    let mut blocks = readme.split("```");
    let mut fresh = blocks.next().unwrap_or_default().to_owned();
    for (index, block) in blocks.enumerate() {
        fresh.push_str("```");
        let command = block.strip_prefix("text\n$ hookward ").and_then(|rest| rest.lines().next());
        match command.filter(|_| index % 2 == 0) {
            Some(command) => {
                let printed = format!("text\n$ hookward {command}\n{}", run(command, program, root));
                fresh.push_str(if steady(&printed) == steady(block) { block } else { &printed });
            }
            None => fresh.push_str(block),
        }
    }
    fresh
}

fn run(command: &str, program: &Path, root: &Path) -> String {
    let output = Command::new(program)
        .args(command.split(' '))
        .current_dir(root)
        .env("NO_COLOR", "1")
        .output()
        .expect("the program can be run");
    let mut text = String::from_utf8(output.stdout).expect("the program prints UTF-8");
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

/// How times are measured.
const UNITS: [&str; 2] = ["ms", "µs"];

/// The text without what differs from run to run: numbers before ` ms` or ` µs`, the unit, and ports.
fn steady(text: &str) -> String {
    let words = text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let (mut steady, mut was_time) = (String::new(), false);
    for (index, word) in words.iter().enumerate() {
        let next = words.get(index + 1).unwrap_or(&"");
        let is_time = UNITS.iter().any(|unit| next.starts_with(unit)) && word.parse::<f64>().is_ok();
        let rest = UNITS.iter().find_map(|unit| word.strip_prefix(unit)).filter(|_| was_time);
        match rest {
            Some(rest) => steady.push_str(rest),
            None if is_time || word.starts_with("https://127.0.0.1:") => steady.push('…'),
            None => steady.push_str(word),
        }
        was_time = is_time;
        steady.push(' ');
    }
    steady
}

#[cfg(test)]
mod tests {
    use super::steady;

    #[test]
    fn times_and_ports_do_not_count() {
        assert_eq!(
            steady("a  0.4 ms, on https://127.0.0.1:1 x"),
            steady("a 12.0 ms, on https://127.0.0.1:2 x")
        );
        assert_eq!(steady("p50 0.4 ms, max 1.0 ms\n"), steady("p50 83 µs, max 12.0 ms\n"));
        assert_ne!(steady("2 denied"), steady("3 denied"));
    }
}
