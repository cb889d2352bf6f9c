//! `--verify`: the same image again, from sources that lie elsewhere, built into another folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ::tests::archive::sha256;
use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use super::{Made, build::Source};

/// The sources as they were before the first build, in a folder that goes with the value.
#[derive(Debug)]
pub(super) struct Snapshot {
    root: PathBuf,
    folder: TempDir,
}

impl Snapshot {
    /// Copies the sources below `root`.
    ///
    /// # Errors
    /// When they cannot be listed or copied.
    pub(super) fn take(root: &Path) -> Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("hookward-image-").tempdir().context("no temporary folder")?;
        let snapshot = Self { root: root.to_owned(), folder };
        for name in names(root)? {
            let target = snapshot.sources().join(&name);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            }
            fs::copy(root.join(&name), &target).with_context(|| format!("cannot copy {name}"))?;
        }
        Ok(snapshot)
    }

    /// Makes everything once more, from here and into another folder, and compares.
    ///
    /// # Errors
    /// When what is made now differs from the `first`, with what differs, or cannot be made.
    pub(super) fn same_again(&self, first: &Made, make: impl FnOnce(&Source) -> Result<Made>) -> Result<()> {
        self.check_sources()?;
        let source = Source { root: self.sources(), target: self.folder.path().join("built") };
        let again = make(&source)?;
        if again.program != first.program {
            bail!("the program differs: {} and {}", sha256(&first.program), sha256(&again.program));
        }
        if again.archive != first.archive {
            bail!("the image differs: {} and {}", first.archive.digest, again.archive.digest);
        }
        eprintln!("image: made twice, from two folders, and the same: {}", first.archive.digest);
        Ok(())
    }

    /// Whoever edits while the first program is built gets another second one, and should not have to wonder why.
    fn check_sources(&self) -> Result<()> {
        for name in names(&self.root)? {
            let (before, now) = (fs::read(self.sources().join(&name)), fs::read(self.root.join(&name)));
            if before.ok() != now.ok() {
                bail!("{name} was changed meanwhile, so the two programs cannot be compared");
            }
        }
        Ok(())
    }

    fn sources(&self) -> PathBuf {
        self.folder.path().join("elsewhere")
    }
}

/// Every file that git knows or would add, as far as it is there: one that is deleted and not committed yet is known all the same.
fn names(folder: &Path) -> Result<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(folder)
        .output()
        .context("cannot run git")?;
    if !listed.status.success() {
        bail!("git does not list the sources: {}", String::from_utf8_lossy(&listed.stderr).trim());
    }
    let names = String::from_utf8(listed.stdout).context("a source has no readable name")?;
    let names = names.split('\0').filter(|name| !name.is_empty() && folder.join(name).is_file());
    Ok(names.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Arch, reference::Reference},
        *,
    };

    fn git(folder: &Path, arguments: &[&str]) {
        assert!(Command::new("git").args(arguments).current_dir(folder).status().unwrap().success());
    }

    /// A tree with a file that git knows, one that it would add, and one that it ignores.
    fn tree() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet"]);
        fs::create_dir(folder.path().join("src")).unwrap();
        for (name, text) in [("src/main.rs", "fn main() {}"), (".gitignore", "target\n"), ("target", "built")]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        git(folder.path(), &["add", "src/main.rs"]);
        folder
    }

    /// What a compiler makes that sees the path of a source, and so what is in it.
    fn made(source: &Source, of: impl Fn(&Path) -> Vec<u8>) -> Result<Made> {
        let program = of(&source.root.join("src/main.rs"));
        let archive = super::super::pack(Arch::Amd64, &Reference::of_this_version(), &program, b"{}")?;
        Ok(Made { program, materials: b"{}".to_vec(), archive })
    }

    fn verified(tree: &TempDir, edit: impl Fn(), of: impl Fn(&Path) -> Vec<u8>) -> Result<()> {
        let snapshot = Snapshot::take(tree.path())?;
        let make = |source: &Source| made(source, &of);
        let first = make(&Source { root: tree.path().to_owned(), target: tree.path().join("target") })?;
        edit();
        snapshot.same_again(&first, make)
    }

    fn content(path: &Path) -> Vec<u8> {
        fs::read(path).unwrap()
    }

    #[test]
    fn the_sources_are_what_git_knows_or_would_add_and_is_there() {
        let tree = tree();
        let sorted = || {
            let mut names = names(tree.path()).unwrap();
            names.sort();
            names
        };
        assert_eq!(sorted(), [".gitignore", "src/main.rs"]);
        fs::remove_file(tree.path().join("src/main.rs")).unwrap();
        assert_eq!(sorted(), [".gitignore"]);
    }

    #[test]
    fn a_program_of_its_sources_alone_is_the_same_again() {
        verified(&tree(), || {}, content).unwrap();
    }

    #[test]
    fn a_program_that_knows_where_it_was_built_differs() {
        let place = |path: &Path| path.to_string_lossy().into_owned().into_bytes();
        let error = verified(&tree(), || {}, place).unwrap_err().to_string();
        assert!(error.starts_with("the program differs: sha256:"), "{error}");
    }

    #[test]
    fn sources_that_are_edited_meanwhile_are_named() {
        let tree = tree();
        let edit = || fs::write(tree.path().join("src/main.rs"), "fn main() { again() }").unwrap();
        let error = verified(&tree, edit, content).unwrap_err().to_string();
        assert!(error.starts_with("src/main.rs was changed meanwhile"), "{error}");
    }
}
