//! `--format json` leaves one document, with what is wrong in `errors`, whatever goes wrong and whichever command it is.

use super::{Files, hookward};

#[test]
fn rules_and_certificates_said_nothing_of_errors() {
    let files = Files::new(&[("none.crt", "hello")]);
    let (missing, none) = (files.path("missing.crt"), files.path("none.crt"));
    assert!(hookward(["rules", "--format", "json"]).errors().is_empty());

    let ran = hookward(["rules", "job-suspend", "--format", "json"]);
    assert_eq!((ran.code, &ran.json()["rules"]), (2, &serde_json::json!([])));
    assert!(ran.errors()[0].2.contains("did you mean job-suspended?"), "{}", ran.stdout);
    assert!(ran.stderr.starts_with("error: there is no rule"), "{}", ran.stderr);

    let ran = hookward(["certs", "inspect", &missing, &none, "--format", "json"]);
    assert_eq!((ran.code, &ran.json()["certificates"]), (2, &serde_json::json!([])));
    let errors = ran.errors();
    assert_eq!((&errors[0].0, errors[0].2.as_str()), (&missing, "no such file"));
    assert_eq!((&errors[1].0, errors.len()), (&none, 2));
    assert!(ran.stderr.starts_with(&format!("error: {missing}: no such file\n")), "{}", ran.stderr);
}

#[test]
fn rules_and_certificates_could_not_be_written_to_a_file() {
    let files = Files::new(&[]);
    let (folder, page, json) = (files.path("tls"), files.path("page.md"), files.path("all.json"));
    let ran = hookward(["rules", "--format", "markdown", "-o", &page, "--format", "json", "-o", &json]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&page).unwrap(), cli::output::rules::markdown());
    assert_eq!(hookward(["certs", "make", "--dir", &folder, "--name", "localhost"]).code, 0);
    let ran = hookward(["certs", "inspect", &folder, "--format", "json", "-o", &json]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(written["certificates"].as_array().unwrap().len(), 2);
}

#[test]
fn a_bad_flag_behind_a_global_one_left_no_document() {
    for command in
        [&["check"][..], &["try"], &["plan"], &["rollout"], &["diagnose"], &["rules"], &["certs", "inspect"]]
    {
        let words = ["--color", "never"].iter().chain(command).chain(&["x", "--format", "json", "--bogus"]);
        let ran = hookward(words);
        assert_eq!((ran.code, ran.json()["version"].as_i64()), (2, Some(1)), "{command:?}");
        let message = &ran.json()["errors"][0]["message"];
        assert_eq!(message, "unexpected argument '--bogus' found", "{command:?}");
    }
}

#[test]
fn what_was_missing_on_the_command_line_was_cut_off() {
    let message = |arguments: &[&str]| hookward(arguments).errors()[0].2.clone();
    let missing = message(&["try", "--format=json"]);
    assert_eq!(missing, "the following required arguments were not provided: <PATH>...");
    let wrong = message(&["check", "x", "--fail-on", "y", "--format", "json"]);
    let wanted = "invalid value 'y' for '--fail-on <MODE>' [possible values: deny, warn, audit, never]";
    assert_eq!(wrong, wanted);
}

#[test]
fn a_negative_value_was_taken_for_a_flag() {
    for (arguments, wanted) in [
        (
            &["plan", "x", "--timeout", "-5s"][..],
            "'-5s' for '--timeout <DURATION>': write a duration as 90s or 1m30s",
        ),
        (
            &["plan", "x", "--after", "-1h"],
            "'-1h' for '--after <DURATION>': write a duration as 90s or 1m30s",
        ),
        (
            &["certs", "make", "--dir", "x", "--name", "a", "--days", "-1"],
            "'-1' for '--days <DAYS>': -1 is not in 1..=36500",
        ),
        (
            &["check", "x", "--helm-timeout", "-1"],
            "'-1' for '--helm-timeout <SECONDS>': -1 is not in 1..=3600",
        ),
        (&["plan", "x", "--max-file-size", "-1"], "'-1' for '--max-file-size <MIB>': -1 is not in 1..=1024"),
        (
            &["rollout", "x", "--max-file-size", "-1"],
            "'-1' for '--max-file-size <MIB>': -1 is not in 1..=1024",
        ),
        (
            &["diagnose", "x", "--revision", "-1"],
            "'-1' for '--revision <NUMBER>': write the number of a revision",
        ),
        (&["plan", "x", "--timeout", "--wait"], "'--wait' for '--timeout <DURATION>': write a duration"),
    ] {
        let ran = hookward(arguments);
        let wanted = format!("error: invalid value {wanted}");
        assert!(ran.code == 2 && ran.stderr.starts_with(&wanted), "{}", ran.stderr);
    }
}
