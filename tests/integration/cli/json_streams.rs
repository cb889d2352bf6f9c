//! A text of several JSON objects, wherever the command line takes one: none of them is passed over without a word.

use super::hookward_with;

const HOOK: &str = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"first","annotations":{"helm.sh/hook":"pre-install,pre-upgrade"}}}"#;
const CLAIM: &str = r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"data"}}"#;
const PLAIN: &str = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"plain"}}"#;
const SOURCE: &str = "---\n# Source: shop/templates/x.yaml\n";

#[test]
fn a_claim_behind_the_hook_was_checked_by_nobody() {
    for above in ["", SOURCE] {
        for between in ["", "\n", " --- \n"] {
            let ran = hookward_with(&format!("{above}{HOOK}{between}{CLAIM}\n"), ["check", "-"]);
            assert_eq!(ran.code, 1, "{}", ran.stderr);
            assert!(
                ran.stdout.contains("error[hook-data-kind-recreated]: PersistentVolumeClaim \"data\""),
                "{}",
                ran.stdout
            );
            assert!(ran.stdout.contains("2 hooks in 2 objects"), "{}", ran.stdout);
        }
    }
    let ran = hookward_with(&format!("{SOURCE}{HOOK}\n{CLAIM}\n"), ["plan", "-"]);
    assert!(ran.stdout.contains("PersistentVolumeClaim/data"), "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn what_cannot_be_read_behind_it_is_a_problem_and_the_rest_is_judged() {
    let ran = hookward_with(&format!("{HOOK}\n{CLAIM}\nkind: Pod\n"), ["check", "-"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("-:3:1: this document cannot be read: invalid character 'k'"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("hook-data-kind-recreated"), "{}", ran.stdout);
}

#[test]
fn the_other_document_was_checked_where_there_was_none() {
    let half = format!("{HOOK}\n{CLAIM}\nkind: Pod\n");
    for (text, others) in
        [(half.clone(), ""), (format!("{half}---\n{PLAIN}\n"), "; the other document was checked")]
    {
        let errors = hookward_with(&text, ["check", "-", "--format", "json"]).errors();
        let [(.., message)] = &errors[..] else { panic!("one error: {errors:?}") };
        assert!(message.ends_with(&format!("beginning of value{others}")), "{message}");
    }
}

#[test]
fn a_release_that_was_not_read_whole_was_allowed_without_a_word() {
    let hook = HOOK.replace(
        r#"upgrade"}"#,
        r#"upgrade","helm.sh/hook-delete-policy":"before-hook-creation,hook-succeeded"}"#,
    );
    let text = format!("{hook}\n{PLAIN}\nkind: Pod\n");
    let ran = hookward_with(&text, ["try", "-"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("error: -:3:1: this document cannot be read: invalid character 'k'"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("! warned    hookward: document 1 was not judged"), "{}", ran.stdout);
    let errors = hookward_with(&text, ["try", "-", "--format", "json"]).errors();
    assert!(errors.len() == 1 && errors[0].1 == Some(3), "{errors:?}");
}

#[test]
fn a_stream_of_ordinary_objects_is_checked_and_what_helm_drops_is_said() {
    let ran = hookward_with(&format!("{PLAIN}\n{PLAIN}\n"), ["check", "-"]);
    assert!(ran.stdout.contains("0 hooks in 2 objects"), "{}", ran.stdout);
    for text in
        [format!("{SOURCE}{PLAIN}\n{PLAIN}\n"), "apiVersion: v1\nkind: Pod\n...\nkind: Job\n".to_owned()]
    {
        let ran = hookward_with(&text, ["check", "-"]);
        assert!(ran.stdout.contains("0 hooks in 1 object"), "{}", ran.stdout);
        assert!(ran.stderr.contains("note: -:4:1"), "{}", ran.stderr);
        assert!(ran.stderr.contains("Helm does not look at what begins here"), "{}", ran.stderr);
        let planned = hookward_with(&text, ["plan", "-"]);
        let said = planned.stdout + &planned.stderr;
        assert!(said.contains("Helm does not look at what begins here"), "{said}");
    }
}
