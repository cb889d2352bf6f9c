//! Somebody who reads no further, as `head` does, or a place that cannot be written: the exit code and the other results stay.

use std::{
    ffi::OsString,
    io::{self, Write},
};

use super::{Files, PLAIN, SUSPENDED, hookward_with};

/// A pipe whose reader has left.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The exit code without a reader of the results, and what was said; then the one without a reader of what is said, and the results.
fn unread(stdin: &str, arguments: &[&str]) -> [(u8, String); 2] {
    let run = |is_stdout: bool| {
        let (mut stdin, mut gone) = (stdin.as_bytes(), Gone);
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut io = cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr);
        if is_stdout {
            io.stdout = &mut gone;
        } else {
            io.stderr = &mut gone;
        }
        let words = std::iter::once(&"hookward").chain(arguments).map(OsString::from);
        let code = cli::run(words, &mut io);
        (code, String::from_utf8(if is_stdout { stderr } else { stdout }).unwrap())
    };
    [run(true), run(false)]
}

/// An upgrade that is expected to fail, and does not.
const DISAPPOINTED: &str = "apiVersion: hookward.dev/v1alpha1
kind: RolloutScenario
metadata: {name: disappointed}
spec:
  release: shop
  namespace: shop
  helm: \"4\"
  steps:
  - install: {chart: ./plain.yaml}
    expect: {exit: 1}
";

#[test]
fn a_reader_who_left_turned_every_exit_code_into_0() {
    let files = Files::new(&[("plain.yaml", PLAIN), ("rollout.yaml", DISAPPOINTED)]);
    let (rollout, missing) = (files.path("rollout.yaml"), files.path("missing.yaml"));
    for (code, arguments) in [
        (1, &["check", "-"][..]),
        (1, &["check", "-", "--format", "json"]),
        (1, &["try", "-", "--fail-on", "deny"]),
        (1, &["plan", "-", "--fail-on", "deny"]),
        (1, &["rollout", &rollout]),
        (2, &["check", "-", &missing]),
        (2, &["try", &missing]),
        (2, &["plan", &missing]),
        (2, &["rollout", &missing]),
        (2, &["rules", "nope"]),
        (2, &["certs", "inspect", &missing]),
        (0, &["check", "-", "--fail-on", "never"]),
        (0, &["rules"]),
        (0, &["completions", "bash"]),
    ] {
        let [(of_stdout, said), (of_stderr, _)] = unread(SUSPENDED, arguments);
        assert_eq!((of_stdout, of_stderr), (code, code), "{arguments:?}");
        assert!(!said.contains("cannot write"), "{said}");
    }
}

#[test]
fn results_were_lost_with_the_reader_of_the_errors() {
    let files = Files::new(&[]);
    let missing = files.path("missing.yaml");
    let [_, (code, results)] = unread(SUSPENDED, &["check", &missing, "-", "--format", "json"]);
    let results: serde_json::Value = serde_json::from_str(&results).unwrap();
    assert_eq!((code, &results["summary"]["deny"]), (2, &1.into()));
}

#[test]
fn a_file_was_lost_with_the_reader_of_the_standard_output() {
    let files = Files::new(&[("plain.yaml", PLAIN), ("rollout.yaml", DISAPPOINTED)]);
    let (rollout, lost) = (files.path("rollout.yaml"), files.path("lost.xml"));
    let [(code, _), _] =
        unread("", &["rollout", &rollout, "--format", "text", "--format", "junit", "-o", &lost]);
    assert_eq!(code, 1);
    assert!(std::fs::read_to_string(&lost).unwrap().contains("disappointed"));
}

#[test]
fn a_file_that_could_not_be_written_took_the_other_results_with_it() {
    let files = Files::new(&[]);
    let (nowhere, neither) = (files.path("no/such.json"), files.path("not/this.json"));
    let there = files.path("there.txt");
    let arguments = ["check", "-", "--format", "json", "-o", &nowhere, "--format", "json", "-o", &neither];
    let others = ["--format", "text", "-o", &there, "--format", "json"];
    let ran = hookward_with(SUSPENDED, arguments.into_iter().chain(others));
    assert_eq!((ran.code, &ran.json()["summary"]["deny"]), (2, &1.into()));
    assert!(std::fs::read_to_string(&there).unwrap().contains("job-suspended"));
    for lost in [nowhere, neither] {
        assert!(ran.stderr.contains(&format!("cannot write {lost}: ")), "{}", ran.stderr);
    }
}

#[test]
fn a_log_that_nobody_read_ended_the_program() {
    let (reader, log) = io::pipe().unwrap();
    drop(reader);
    let files = Files::new(&[("hook.yaml", SUSPENDED)]);
    let mut program = std::process::Command::new(tests::server::program());
    program.args(["try", &files.path("hook.yaml"), "--log-level", "trace", "--format", "json"]).stderr(log);
    let output = program.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok());
}
