//! `--verify`: the same image again, from sources that lie elsewhere, built into another folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ::tests::archive::{Archive, sha256};
use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use super::{
    Arch,
    build::{self, Source},
    pack, sbom,
};
use crate::shell::root;

/// The sources as they were before the first build, in a folder that goes with the value.
#[derive(Debug)]
pub(super) struct Snapshot {
    folder: TempDir,
}

impl Snapshot {
    /// Copies the sources.
    ///
    /// # Errors
    /// When they cannot be listed or copied.
    pub(super) fn take() -> Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("hookward-image-").tempdir().context("no temporary folder")?;
        let snapshot = Self { folder };
        for name in names(&root())? {
            let target = snapshot.sources().join(&name);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            }
            fs::copy(root().join(&name), &target).with_context(|| format!("cannot copy {name}"))?;
        }
        Ok(snapshot)
    }

    /// Builds everything once more, from here and into another folder, and compares.
    ///
    /// # Errors
    /// When the second archive differs from the first, with what differs, or cannot be made.
    pub(super) fn same_again(
        &self,
        arch: Arch,
        reference: &str,
        program: &[u8],
        archive: &Archive,
    ) -> Result<()> {
        self.check_sources()?;
        let source = Source { root: self.sources(), target: self.folder.path().join("built") };
        let again = build::program(&source, arch)?;
        if again != program {
            bail!("the program differs: {} and {}", sha256(program), sha256(&again));
        }
        let materials = sbom::cyclonedx(arch, &super::created()?)?;
        let second = pack(arch, reference, &again, &materials)?;
        if second != *archive {
            bail!("the image differs: {} and {}", archive.digest, second.digest);
        }
        eprintln!("image: made twice, from two folders, and the same: {}", archive.digest);
        Ok(())
    }

    /// Whoever edits while the first program is built gets another second one, and should not have to wonder why.
    fn check_sources(&self) -> Result<()> {
        for name in names(&root())? {
            let (before, now) = (fs::read(self.sources().join(&name)), fs::read(root().join(&name)));
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
