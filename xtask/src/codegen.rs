//! Writes the generated files; a test fails when one is stale and names this command.

use std::fs;

use crate::shell::root;

/// Writes what [`cli::generated::files`] lists, and runs the commands that the pages show.
pub(crate) fn codegen() -> anyhow::Result<()> {
    for (path, text) in cli::generated::files() {
        let path = root().join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        fs::write(&path, text)?;
        println!("wrote {}", path.strip_prefix(root())?.display());
    }
    for page in tests::readme::PAGES {
        let path = root().join(page);
        let old = fs::read_to_string(&path)?;
        let fresh = tests::readme::refreshed(&old, tests::server::program(), &root());
        if fresh != old {
            fs::write(&path, fresh)?;
            println!("wrote {page}");
        }
    }
    Ok(())
}
