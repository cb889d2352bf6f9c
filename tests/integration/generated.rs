//! Generated files are committed, and fresh.

#[test]
fn generated_files_are_fresh() {
    for (path, text) in cli::generated::files() {
        let committed = std::fs::read_to_string(crate::architecture::root().join(path)).unwrap_or_default();
        assert!(committed == text, "{path} is stale: run `cargo xtask codegen` and commit the result");
    }
}

#[test]
fn the_pages_show_what_the_program_prints() {
    let root = crate::architecture::root();
    for page in tests::readme::PAGES {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let fresh = tests::readme::refreshed(&text, tests::server::program(), &root);
        assert!(text == fresh, "{page} is stale: run `cargo xtask codegen` and commit the result");
    }
}

#[test]
fn the_policy_to_begin_with_denies_and_changes_nothing() {
    let text = std::fs::read_to_string(crate::architecture::root().join("deploy/policy.yaml")).unwrap();
    let documents = policies::documents::read(&text).unwrap();
    let set =
        policies::PolicySet::new(documents.policies, documents.exceptions, policies::Profile::Strict, 1)
            .unwrap();
    let policy = set.policy(None);
    for rule in policies::RULES {
        let mode = policy.mode(rule.meta().id, policies::Judging::Release).unwrap();
        assert!(mode <= policies::Mode::Audit, "{} is {mode}", rule.meta().id);
    }
}

#[test]
fn the_number_of_rules_in_the_readme_is_right() {
    let readme = std::fs::read_to_string(crate::architecture::root().join("README.md")).unwrap();
    let wanted = format!("{} rules, each with", policies::RULES.len());
    assert!(readme.contains(&wanted), "README.md must say «{wanted}»");
}
