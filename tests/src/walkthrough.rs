//! A chapter of the README, followed word for word: its commands run as they stand, and what it shows is what is printed.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::cluster::{self, Cluster, Helm, OUTER_LIMIT, Ran};

/// One block of a chapter that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Lines for a shell; all succeed.
    Commands(String),
    /// A command, which may fail, and what it prints.
    Shown {
        /// The command.
        command: String,
        /// Both of its outputs.
        output: String,
    },
}

/// What the chapter with this heading tells its readers to do, in its order.
#[must_use]
pub fn steps(text: &str, heading: &str) -> Vec<Step> {
    chapter(text, heading).split("```").skip(1).step_by(2).filter_map(step).collect()
}

/// The commands that the prose and the tables of this chapter name.
#[must_use]
pub fn named_commands(text: &str, heading: &str) -> Vec<String> {
    let prose = chapter(text, heading).split("```").step_by(2);
    let spans = prose.flat_map(|prose| prose.split('`').skip(1).step_by(2));
    let is_command = |span: &&str| ["kubectl ", "helm "].iter().any(|program| span.starts_with(program));
    spans.filter(is_command).map(str::to_owned).collect()
}

fn chapter<'t>(text: &'t str, heading: &str) -> &'t str {
    let start = format!("## {heading}\n");
    text.split_once(&start).map_or("", |(_, rest)| rest.split("\n## ").next().unwrap_or(rest))
}

fn step(block: &str) -> Option<Step> {
    let (language, text) = block.split_once('\n')?;
    match language {
        "sh" => Some(Step::Commands(text.to_owned())),
        "text" => {
            let (command, output) = text.strip_prefix("$ ")?.split_once('\n')?;
            Some(Step::Shown { command: command.to_owned(), output: output.to_owned() })
        }
        _ => None,
    }
}

/// Whether two outputs are the same to a reader: breaks between lines, ages and times do not count.
#[must_use]
pub fn reads_like(one: &str, other: &str) -> bool {
    let plain =
        |text: &str| text.split_whitespace().filter(|word| !is_age(word)).collect::<Vec<_>>().join(" ");
    plain(one) == plain(other)
}

/// `4s`, `1m30s`
fn is_age(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
        && word.ends_with(['s', 'm', 'h', 'd'])
        && word.chars().all(|letter| letter.is_ascii_digit() || "smhd".contains(letter))
}

/// A reader at the root of the repository, with `helm` and `kubectl` for one cluster, and nothing of his own.
#[derive(Debug)]
pub struct Reader {
    home: TempDir,
    kubeconfig: PathBuf,
    root: PathBuf,
}

impl Reader {
    /// Somebody whose `helm` is this one.
    ///
    /// # Panics
    /// When there is no folder for him.
    #[must_use]
    pub fn new(cluster: &Cluster, helm: Helm, root: &Path) -> Self {
        let home = home(cluster, helm).unwrap_or_else(|error| panic!("no home for a reader: {error}"));
        Self { home, kubeconfig: cluster.kubeconfig(), root: root.to_owned() }
    }

    /// Runs a script as he would, line by line, until one fails.
    ///
    /// # Panics
    /// When there is no shell.
    #[must_use]
    #[track_caller]
    pub fn run(&self, script: &str) -> Ran {
        let home = self.home.path();
        let mut shell = Command::new("bash");
        shell.args(["-e", "-u", "-c", script]).current_dir(&self.root).env_clear();
        shell.env("PATH", format!("{}:/usr/bin:/bin", home.join("bin").display()));
        shell.env("HOME", home).env("KUBECONFIG", &self.kubeconfig).env("NO_PROXY", "*");
        match cluster::run(&mut shell, b"", OUTER_LIMIT) {
            Ok(ran) => ran,
            Err(error) => panic!("no shell: {error}"),
        }
    }

    /// Follows a step.
    ///
    /// # Panics
    /// When something fails that should not, or something else is printed.
    #[track_caller]
    pub fn follow(&self, step: &Step) {
        match step {
            Step::Commands(script) => {
                let ran = self.run(script);
                assert!(ran.ok(), "this failed:\n{script}\n{ran:?}");
            }
            Step::Shown { command, output } => {
                let ran = self.run(command);
                let printed = format!("{}{}", ran.stdout, ran.stderr);
                assert!(reads_like(&printed, output), "{command} printed\n{printed}\nand not\n{output}");
            }
        }
    }
}

fn home(cluster: &Cluster, helm: Helm) -> io::Result<TempDir> {
    let home = tempfile::Builder::new().prefix("hookward-reader-").tempdir()?;
    let bin = home.path().join("bin");
    fs::create_dir(&bin)?;
    let helm = match helm {
        Helm::V3 => "helm3",
        Helm::V4 => "helm4",
    };
    for (name, program) in [("helm", helm), ("kubectl", "kubectl")] {
        symlink(fs::canonicalize(cluster.programs().path(program))?, bin.join(name))?;
    }
    Ok(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_is_what_it_tells_to_do() {
        let text = "# X\n## One\n```sh\nno\n```\n## Two\nwords\n```sh\na\nb\n```\n```yaml\nk: v\n```\n```text\n$ c d\nout\nput\n```\n## Three\n```sh\nno\n```\n";
        let shown = Step::Shown { command: "c d".into(), output: "out\nput\n".into() };
        assert_eq!(steps(text, "Two"), [Step::Commands("a\nb\n".into()), shown]);
        assert!(steps(text, "Four").is_empty());
        assert_eq!(
            named_commands("## One\n`helm test` and `kubectl get`, `else`\n", "One"),
            ["helm test", "kubectl get"]
        );
    }

    #[test]
    fn ages_do_not_count_and_words_do() {
        assert!(reads_like("a   True  4s\n", "a True 1m30s"));
        assert!(!reads_like("a True 4s", "a False 4s"));
        assert!(!reads_like("2 pods", "3 pods"));
    }
}
