//! The image under test: the archive that `cargo xtask image` writes, as a registry would have it.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

use crate::archive::{EPOCH, Entry, Image};

/// The archive: the one in `HOOKWARD_IMAGE`, else the one that belongs to these sources, made when it is not up to date.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn archive() -> &'static Path {
    static ARCHIVE: OnceLock<PathBuf> = OnceLock::new();
    ARCHIVE.get_or_init(|| env::var_os("HOOKWARD_IMAGE").map_or_else(make, PathBuf::from))
}

fn make() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let made = Command::new(cargo)
        .args(["run", "--quiet", "--package", "xtask", "--", "image"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|error| panic!("cargo does not run: {error}"));
    assert!(made.status.success(), "no image: {}", String::from_utf8_lossy(&made.stderr));
    let text = String::from_utf8_lossy(&made.stdout);
    PathBuf::from(text.lines().last().unwrap_or_else(|| panic!("the image was made, and not said where")))
}

/// An archive that was read.
#[derive(Debug)]
pub struct Opened {
    files: BTreeMap<String, Vec<u8>>,
}

impl Opened {
    /// Reads an archive.
    ///
    /// # Panics
    /// When it cannot be read, or holds no image of one layer.
    #[must_use]
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        match fs::read(path).and_then(|bytes| files(&bytes)) {
            Ok(files) => Self { files },
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }

    /// A file of the archive, such as `index.json`, as JSON.
    ///
    /// # Panics
    /// When there is no such file, or it is no JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let bytes = self.files.get(path).unwrap_or_else(|| panic!("no {path} in the archive"));
        serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// How the image is to be run: `config` of its configuration.
    #[must_use]
    #[track_caller]
    pub fn config(&self) -> Value {
        self.json(self.named("Config").as_str())["config"].take()
    }

    /// The tar file of its one layer.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    #[track_caller]
    pub fn layer(&self) -> &[u8] {
        self.files.get(&self.named("Layers")).unwrap_or_else(|| panic!("the archive lacks its layer"))
    }

    /// The archive of another image under another name: its layer has one more file, so that none of its digests is the same.
    ///
    /// # Panics
    /// When the layer is no tar file.
    #[must_use]
    #[track_caller]
    pub fn with_another_file(&self, reference: &str) -> Vec<u8> {
        let manifest = self.json(&self.named("Config"));
        let files = entries(self.layer()).unwrap_or_else(|error| panic!("the layer: {error}")).into_iter();
        let files = files.map(|(path, bytes, mode)| (path, Entry::File(bytes, mode)));
        let another = ("another".to_owned(), Entry::File(reference.as_bytes().to_vec(), 0o644));
        let image = Image {
            reference: reference.to_owned(),
            architecture: manifest["architecture"].as_str().unwrap_or_default().to_owned(),
            created: EPOCH.to_owned(),
            config: manifest["config"].clone(),
            files: files.chain([another]).collect(),
        };
        image.pack().unwrap_or_else(|error| panic!("packing {reference}: {error}")).bytes
    }

    /// The paths in its layer.
    ///
    /// # Panics
    /// When the layer is no tar file.
    #[must_use]
    #[track_caller]
    pub fn paths(&self) -> Vec<String> {
        files(self.layer()).unwrap_or_else(|error| panic!("the layer: {error}")).into_keys().collect()
    }

    /// What the docker half of the archive names: `Config`, or the one of `Layers`.
    #[track_caller]
    fn named(&self, what: &str) -> String {
        let manifest = &self.json("manifest.json")[0][what];
        let name = manifest.get(0).unwrap_or(manifest).as_str();
        name.unwrap_or_else(|| panic!("manifest.json names no {what}")).to_owned()
    }
}

fn files(bytes: &[u8]) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let files = entries(bytes)?.into_iter();
    Ok(files.map(|(path, bytes, _)| (path, bytes)).collect())
}

/// Path, bytes and mode of each file.
fn entries(bytes: &[u8]) -> io::Result<Vec<(String, Vec<u8>, u32)>> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(bytes).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let mode = entry.header().mode()?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.push((path, bytes, mode));
    }
    Ok(files)
}
