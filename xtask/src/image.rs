//! `cargo xtask image`: the container image as one file, from a static program and nothing else, the same bytes on every machine.

mod build;
mod reference;
mod sbom;
mod verify;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ::tests::archive::{self, Archive, Entry, Image};
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use self::{build::Source, reference::Reference, verify::Snapshot};
use crate::shell::root;

/// What a registry may hold at most; an image that grows beyond has swallowed something.
const LIMIT: usize = 30 * 1024 * 1024;

/// Whom the program runs as: a user that no image and no machine has.
const USER: &str = "65532:65532";

/// Which image, and where to put it.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ImageArgs {
    /// What machine it is for; the default is this one's kind.
    #[arg(long, value_enum)]
    pub(crate) arch: Option<Arch>,
    /// Folder for the archive and its bill of materials; the default is `target/image`.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Name of the image; the default is `docker.io/library/hookward:` and the version of the workspace.
    #[arg(long, value_name = "NAME:TAG")]
    pub(crate) tag: Option<Reference>,
    /// Builds once more, from a copy of the sources and into another folder, and fails unless the archives are the same.
    #[arg(long)]
    pub(crate) verify: bool,
}

/// A kind of machine, as container images name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Arch {
    /// x86-64.
    Amd64,
    /// 64-bit ARM.
    Arm64,
}

impl Arch {
    const fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    fn of_this_machine() -> Result<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Ok(Self::Amd64),
            "aarch64" => Ok(Self::Arm64),
            other => bail!("no image is made for {other}; --arch names another kind of machine"),
        }
    }
}

/// What is made of the sources.
#[derive(Debug)]
struct Made {
    program: Vec<u8>,
    materials: Vec<u8>,
    archive: Archive,
}

impl Made {
    fn of(source: &Source, arch: Arch, reference: &Reference) -> Result<Self> {
        let program = build::program(source, arch)?;
        let materials = sbom::cyclonedx(arch, &created()?)?;
        let archive = pack(arch, reference, &program, &materials)?;
        Ok(Self { program, materials, archive })
    }
}

/// Writes the image and its bill of materials, and says where; gives the path of the archive.
///
/// # Errors
/// When the program does not build here, with what is missing, when the image is too large, or differs when made again.
pub(crate) fn image(args: &ImageArgs) -> Result<PathBuf> {
    let arch = args.arch.map_or_else(Arch::of_this_machine, Ok)?;
    let folder = args.output.clone().unwrap_or_else(|| root().join("target/image"));
    let reference = args.tag.clone().unwrap_or_else(Reference::of_this_version);
    let source = Source { root: root(), target: target_folder() };
    let snapshot = args.verify.then(|| Snapshot::take(&root())).transpose()?;
    let make = |source: &Source| Made::of(source, arch, &reference);
    let first = make(&source)?;
    if let Some(snapshot) = snapshot {
        snapshot.same_again(&first, make)?;
    }
    let Made { materials, archive, .. } = first;
    let stem = format!("hookward-{}-{}", env!("CARGO_PKG_VERSION"), arch.name());
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(format!("{stem}.tar"));
    write(&path, &archive.bytes)?;
    write(&folder.join(format!("{stem}.cdx.json")), &materials)?;
    eprintln!(
        "image: {reference} {} {} bytes, manifest {}",
        arch.name(),
        archive.bytes.len(),
        archive.digest
    );
    println!("{}", path.display());
    Ok(path)
}

/// Where cargo builds, unless told otherwise.
fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

fn pack(arch: Arch, reference: &Reference, program: &[u8], materials: &[u8]) -> Result<Archive> {
    let image = Image {
        reference: reference.to_string(),
        architecture: arch.name().to_owned(),
        created: created()?,
        config: json!({
            "User": USER,
            "Entrypoint": ["/hookward"],
            "WorkingDir": "/",
            "ExposedPorts": {"8080/tcp": {}, "8443/tcp": {}},
            "Labels": labels(),
        }),
        files: BTreeMap::from([
            ("hookward".to_owned(), Entry::File(program.to_vec(), 0o755)),
            ("hookward.cdx.json".to_owned(), Entry::File(materials.to_vec(), 0o644)),
        ]),
    };
    let archive = image.pack().context("cannot pack the image")?;
    if archive.bytes.len() > LIMIT {
        bail!("the image has {} bytes, more than {LIMIT}", archive.bytes.len());
    }
    Ok(archive)
}

/// What tools show about an image; the revision only where the tree is that revision.
fn labels() -> BTreeMap<&'static str, String> {
    let mut labels = BTreeMap::from([
        ("org.opencontainers.image.title", "hookward".to_owned()),
        (
            "org.opencontainers.image.description",
            "The guardrail for Helm hooks: an admission webhook".to_owned(),
        ),
        ("org.opencontainers.image.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("org.opencontainers.image.licenses", env!("CARGO_PKG_LICENSE").to_owned()),
    ]);
    if let Some(revision) = revision() {
        labels.insert("org.opencontainers.image.revision", revision);
    }
    labels
}

/// The commit of the tree; `None` where something is changed, or where there is no git.
fn revision() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(root()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changed = git(&["status", "--porcelain"])?;
    changed.is_empty().then(|| git(&["rev-parse", "HEAD"]))?
}

/// When the image was made: `SOURCE_DATE_EPOCH`, else the beginning of time, so that the day is not in the bytes.
fn created() -> Result<String> {
    let Ok(seconds) = std::env::var("SOURCE_DATE_EPOCH") else { return Ok(archive::EPOCH.to_owned()) };
    let seconds = seconds.parse().context("SOURCE_DATE_EPOCH is no number of seconds")?;
    let moment = OffsetDateTime::from_unix_timestamp(seconds).context("SOURCE_DATE_EPOCH is out of range")?;
    moment.format(&Rfc3339).context("SOURCE_DATE_EPOCH is out of range")
}

/// Writes beside it and renames, so that nobody reads half an image.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension(format!("part-{}", std::process::id()));
    fs::write(&beside, bytes)
        .and_then(|()| fs::rename(&beside, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_program_gives_the_same_image() {
        let pack = || pack(Arch::Amd64, &Reference::of_this_version(), b"program", b"{}").unwrap();
        assert_eq!(pack(), pack());
    }

    #[test]
    fn an_image_that_has_swallowed_something_is_refused() {
        let error = pack(Arch::Amd64, &Reference::of_this_version(), &vec![0; LIMIT], b"{}").unwrap_err();
        assert!(error.to_string().contains("more than 31457280"), "{error}");
    }

    #[test]
    fn a_commit_is_a_label_only_of_a_tree_that_is_that_commit() {
        let labels = labels();
        assert_eq!(labels["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
        let revision = labels.get("org.opencontainers.image.revision");
        assert!(revision.is_none_or(|commit| commit.len() == 40));
    }
}
