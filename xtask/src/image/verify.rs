//! `--verify`: the same image again, from sources that lie elsewhere, built into another folder.

use std::{fs, path::Path, process::Command};

use ::tests::archive::{Archive, sha256};
use anyhow::{Context as _, Result, bail};

use super::{
    Arch,
    build::{self, Source},
    pack, sbom,
};
use crate::shell::root;

/// Builds everything once more and compares.
///
/// # Errors
/// When the second archive differs from the first, with what differs, or cannot be made.
pub(super) fn same_again(arch: Arch, reference: &str, program: &[u8], archive: &Archive) -> Result<()> {
    let folder =
        tempfile::Builder::new().prefix("hookward-image-").tempdir().context("no temporary folder")?;
    let source = Source { root: folder.path().join("elsewhere"), target: folder.path().join("built") };
    copy(&root(), &source.root)?;
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

/// Everything that git knows or would add, as it lies there.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(from)
        .output()
        .context("cannot run git")?;
    if !listed.status.success() {
        bail!("git does not list the sources: {}", String::from_utf8_lossy(&listed.stderr).trim());
    }
    let names = String::from_utf8(listed.stdout).context("a source has no readable name")?;
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        // A file that is deleted and not committed yet is listed all the same.
        if !from.join(name).is_file() {
            continue;
        }
        let target = to.join(name);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        fs::copy(from.join(name), &target).with_context(|| format!("cannot copy {name}"))?;
    }
    Ok(())
}
