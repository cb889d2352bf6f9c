//! `rules`, `certs`, completions and what clap says.

use super::{Files, hookward};

#[test]
fn rules_are_listed_within_the_width() {
    let ran = hookward(["rules"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.contains("job-suspended") && ran.stdout.lines().all(|line| line.chars().count() <= 100)
    );
}

#[test]
fn nobody_said_what_the_columns_are_and_what_the_exit_codes() {
    assert!(hookward(["rules"]).stdout.contains("RELEASE is the mode of a release that is judged whole"));
    for command in ["check", "try"] {
        let help = hookward([command, "--help"]).stdout;
        assert!(help.contains("Exit codes: 0 ") && help.contains("2 could not run"), "{help}");
    }
    assert!(hookward(["try", "--help"]).stdout.contains("And one that changes an object"));
}

#[test]
fn a_rule_is_explained_and_a_wrong_name_is_corrected() {
    let ran = hookward(["rules", "job-suspended"]);
    for heading in ["What it checks", "Why it matters", "Bad", "Good"] {
        assert!(ran.stdout.contains(&format!("\n{heading}\n")), "{}", ran.stdout);
    }
    let wrong = hookward(["rules", "job-suspend"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("did you mean job-suspended?"), "{}", wrong.stderr);
}

#[test]
fn rules_for_machines_and_for_pages() {
    let document = hookward(["rules", "--format", "json"]).json();
    assert_eq!(document["rules"].as_array().unwrap().len(), policies::RULES.len());
    assert_eq!(hookward(["rules", "--format", "markdown"]).stdout, cli::output::rules::markdown());
}

#[test]
fn certificates_are_made_once_and_inspected() {
    let files = Files::new(&[]);
    let folder = files.path("tls");
    let make = |more: &[&str]| {
        hookward(
            ["certs", "make", "--dir", &folder, "--name", "localhost", "--name", "127.0.0.1"]
                .iter()
                .chain(more),
        )
    };
    assert_eq!(make(&[]).code, 0);
    let again = make(&[]);
    assert!(again.code == 2 && again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(make(&["--force"]).code, 0);

    let text = hookward(["certs", "inspect", &folder]).stdout;
    assert!(
        text.contains("localhost, 127.0.0.1") && text.contains("signed by    the authority beside it"),
        "{text}"
    );
    let document = hookward(["certs", "inspect", &folder, "--format", "json"]).json();
    let trusted: Vec<_> =
        document["certificates"].as_array().unwrap().iter().map(|one| one["isTrusted"].as_bool()).collect();
    assert_eq!(trusted, [None, Some(true)]);
}

#[test]
fn a_renewed_certificate_was_told_as_if_the_authority_were_replaced() {
    let files = Files::new(&[]);
    let make = |more: &[&str]| {
        let folder = files.path("tls");
        let ran = hookward(["certs", "make", "--dir", &folder, "--name", "localhost"].iter().chain(more));
        (ran.code, files.relative(&ran.stdout).split_whitespace().collect::<Vec<_>>().join(" "), ran.stderr)
    };
    let all = "tls/ca.crt tls/ca.key tls/tls.crt tls/tls.key";
    assert_eq!(make(&[]).1, all);
    let (code, _, said) = make(&[]);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let hint = "use --force to renew the certificate under the authority that is there";
    assert!(code == 2 && said.contains(hint), "{said}");
    assert_eq!(make(&["--force"]).1, "tls/tls.crt tls/tls.key");
    assert_eq!(make(&["--force", "--new-ca"]).1, all);
}

#[test]
fn a_certificate_that_is_none_is_named() {
    let files = Files::new(&[("a.crt", "hello")]);
    let ran = hookward(["certs", "inspect", &files.path("a.crt"), &files.path("b.crt")]);
    assert!(ran.code == 2 && ran.stderr.contains("a.crt") && ran.stderr.contains("b.crt"), "{}", ran.stderr);
    let ran = hookward(["certs", "make", "--dir", &files.path("x"), "--name", "https://a"]);
    assert!(ran.code == 2 && !std::path::Path::new(&files.path("x")).exists(), "{}", ran.stderr);
}

#[test]
fn the_program_tells_about_itself() {
    assert!(hookward(["--version"]).stdout.starts_with("hookward "));
    let help = hookward(["--help"]);
    assert!(help.code == 0 && help.stdout.contains("check"));
    assert!(hookward(["completions", "bash"]).stdout.contains("_hookward"));
    assert_eq!(hookward(["no-such-command"]).code, 2);
}
