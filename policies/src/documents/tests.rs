//! What a policy file may say, and where it says what is wrong.

use super::*;

#[test]
fn a_file_holds_policies_and_exceptions() {
    let documents = read(
        "apiVersion: hookward.dev/v1alpha1
kind: HookPolicy
metadata: {name: team, labels: {owner: platform}}
spec: {profile: strict, rules: {job-suspended: {mode: warn}}}
---
# nothing here
---
apiVersion: hookward.dev/v1alpha1
kind: HookException
metadata: {name: legacy}
spec: {rules: [job-suspended], namespaces: [legacy-*], reason: moves in May, expiresAt: '2027-05-01T00:00:00Z'}
",
    )
    .unwrap();
    assert_eq!(documents.policies[0].name, "team");
    assert_eq!(documents.exceptions[0].name, "legacy");
}

#[test]
fn a_misspelt_field_is_refused_with_its_document() {
    let error = read(
        "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: x}\nspec: {profil: strict}\n",
    )
    .unwrap_err();
    let text = error.to_string();
    assert!((error.line, error.column) == (4, 8) && text.contains("profil"), "{text}");
}

#[test]
fn what_kubectl_prints_was_no_policy_file() {
    let exception = |name: &str, approved: i64| {
        format!(
            "- apiVersion: hookward.dev/v1alpha1
  kind: HookException
  metadata:
    generation: 2
    name: {name}
  spec:
    expiresAt: \"2030-01-01T00:00:00Z\"
    namespaces:
    - shop
    reason: ticket 7
    requestedBy: ann
    rules:
    - job-*
  status:
    approvedBy: bob
    approvedGeneration: {approved}
    conditions: []
"
        )
    };
    let policy = "- apiVersion: hookward.dev/v1alpha1
  kind: HookPolicy
  metadata: {name: team}
  spec: {profile: strict}
  status: {conditions: []}
";
    let list = |items: &str| {
        format!("apiVersion: v1\nitems:\n{items}kind: List\nmetadata:\n  resourceVersion: \"\"\n")
    };
    let text = list(&[policy, &exception("new", 2), &exception("old", 1)].concat());
    let documents = read(&text).unwrap();
    assert_eq!((&*documents.policies[0].name, &*documents.exceptions[0].name), ("team", "new"));
    let voided = Unapproved::Voided { approved: 1, generation: 2 };
    assert_eq!((documents.exceptions.len(), documents.unapproved), (1, vec![("old".to_owned(), voided)]));
    assert_eq!(place(&text, "team", "/rules"), Some((5, 20)));

    let error = read(&list(&policy.replace("profile", "profil"))).unwrap_err();
    assert_eq!((error.line, error.column), (6, 10), "{error}");
    let error = read("kind: List\nitems: 7\n").unwrap_err();
    assert_eq!((error.line, &error.problem), (2, &Problem::Items));
    assert!(read("apiVersion: v1\nitems: []\nkind: List\n").unwrap().policies.is_empty());
    assert_eq!(read("# nothing\n---\n").unwrap_err().problem, Problem::Nothing);
}

#[test]
fn an_exception_from_a_rule_that_is_not_there_excepted_nothing_in_silence() {
    let error = read(
        "apiVersion: hookward.dev/v1alpha1
kind: HookException
metadata: {name: legacy}
spec: {rules: [job-suspend], namespaces: [shop], reason: moves in May, expiresAt: '2027-05-01T00:00:00Z'}
",
    )
    .unwrap_err();
    let said = "HookException legacy: there is no rule \"job-suspend\", did you mean \"job-suspended\"?";
    assert_eq!((error.line, error.column, error.to_string().as_str()), (4, 16, said));
}

#[test]
fn a_misspelt_field_of_a_policy_was_not_guessed() {
    let said = |spec: &str| {
        let head = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: a}\nspec:\n";
        read(&format!("{head}  {spec}\n")).unwrap_err().to_string()
    };
    assert!(
        said("profle: strict").ends_with(", rules; did you mean \"profile\"?"),
        "{}",
        said("profle: strict")
    );
    let engine = said("engine: {timeoutSecond: 3}");
    assert!(engine.ends_with("did you mean \"timeoutSeconds\"?"), "{engine}");
    assert!(!said("wholly: other").contains("did you mean"));
}

#[test]
fn an_object_says_group_and_version() {
    assert_eq!(API_VERSION, format!("{GROUP}/{VERSION}"));
}

#[test]
fn another_version_is_refused() {
    let error =
        read("apiVersion: hookward.dev/v9\nkind: HookPolicy\nmetadata: {name: x}\nspec: {}\n").unwrap_err();
    assert!(matches!(error.problem, Problem::Version { .. }), "{error}");
}

#[test]
fn a_value_of_another_kind_was_told_without_its_field_and_what_is_wanted() {
    for (spec, wanted) in [
        ("profile: [a]", "one word is wanted here: write profile: WORD"),
        ("recoveryEvents: [[a]]", "one word is wanted here: write recoveryEvents: WORD"),
        (
            "rules: {job-suspended: warn}",
            "rule job-suspended: a map is wanted here: write job-suspended: {…}",
        ),
        (
            "rules: {job-suspended: {mode: [x]}}",
            "rule job-suspended: one word is wanted here: write mode: WORD",
        ),
        (
            "engine: {helmVersion: four}",
            "a whole number is wanted here, and not a larger one than makes sense: write helmVersion: 4",
        ),
        (
            "priority: a",
            "a whole number is wanted here, and not a larger one than makes sense: write priority: 1",
        ),
    ] {
        let head = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: p}\nspec:\n  ";
        assert_eq!(read(&format!("{head}{spec}\n")).unwrap_err().to_string(), wanted, "{spec}");
    }
}

#[test]
fn a_wrong_number_was_told_at_the_name_of_the_policy() {
    let text = "apiVersion: hookward.dev/v1alpha1
kind: HookPolicy
metadata: {name: p}
spec:
  engine:
    helmVersion: 5
  rules: {job-suspended: {options: {a: 1}}}
";
    assert_eq!(place(text, "p", "/engine/helmVersion"), Some((6, 5)));
    assert_eq!(place(text, "p", "/rules/job-suspended/options"), Some((7, 27)));
    assert_eq!(place(text, "p", "/rules/job-suspended/fix"), Some((3, 18)), "not written here");
}

#[test]
fn an_empty_reason_was_asked_to_name_one() {
    let error = read(
        "apiVersion: hookward.dev/v1alpha1
kind: HookException
metadata: {name: legacy}
spec:
  rules: [job-suspended]
  namespaces: [shop]
  reason: ''
  expiresAt: '2027-05-01T00:00:00Z'
",
    )
    .unwrap_err();
    let said = "HookException legacy: reason is empty; say why, such as reason: ticket 7";
    assert_eq!((error.line, error.to_string().as_str()), (7, said));
}
