//! Generated files are committed, and fresh.

#[test]
fn generated_files_are_fresh() {
    for (path, text) in cli::generated::files() {
        let committed = std::fs::read_to_string(crate::architecture::root().join(path)).unwrap_or_default();
        assert!(committed == text, "{path} is stale: run `cargo xtask codegen` and commit the result");
    }
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let root = crate::architecture::root();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let fresh = tests::readme::refreshed(&readme, tests::server::program(), &root);
    assert!(readme == fresh, "README.md is stale: run `cargo xtask codegen` and commit the result");
}
