//! Container images as one file, written without a container engine: an OCI layout that is a docker archive at the same time.

use std::{collections::BTreeMap, fs::File, io, path::Path};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

/// The moment that everything in an image was made, unless somebody says otherwise: the same bytes on every day.
pub const EPOCH: &str = "1970-01-01T00:00:00Z";

/// What lies at one path of an image; everything belongs to root, and was changed at the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file: its bytes, and its mode such as `0o755`.
    File(Vec<u8>, u32),
    /// A folder: its mode. The folders above an entry need not be named; they get `0o755`.
    Folder(u32),
    /// A symbolic link: what it points to.
    Link(String),
}

/// An image of one layer.
#[derive(Debug, Clone)]
pub struct Image {
    /// Full name with tag, such as `docker.io/library/hookward:0.1.0`.
    pub reference: String,
    /// As Go spells it: `amd64`, `arm64`.
    pub architecture: String,
    /// When it was made, RFC 3339; [`EPOCH`] where nobody asks.
    pub created: String,
    /// `config` of the image: `Entrypoint`, `User`, `Labels` and so on, as the OCI image specification names them.
    pub config: Value,
    /// What is in it, by path without a leading slash.
    pub files: BTreeMap<String, Entry>,
}

/// A finished archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The tar file, loadable by `docker load` and `ctr images import`, and an OCI layout once unpacked.
    pub bytes: Vec<u8>,
    /// `sha256:…` of the manifest: what a registry would call the image.
    pub digest: String,
}

impl Image {
    /// Packs it. The same image gives the same bytes on every machine: entries are sorted, nothing is compressed.
    ///
    /// # Errors
    /// When a path or a link is longer than a tar header takes.
    pub fn pack(&self) -> io::Result<Archive> {
        let layer = self.layer()?;
        let layer_digest = sha256(&layer);
        let config = serde_json::to_vec(&json!({
            "architecture": self.architecture,
            "os": "linux",
            "created": self.created,
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
            "history": [{"created": self.created, "created_by": "cargo xtask image"}],
        }))?;
        let config_digest = sha256(&config);
        let manifest = serde_json::to_vec(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config_digest, config.len()),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer_digest, layer.len())],
        }))?;
        let digest = sha256(&manifest);
        let files = [
            (blob(&config_digest), config),
            (blob(&layer_digest), layer),
            (blob(&digest), manifest.clone()),
            ("index.json".to_owned(), self.index(&digest, manifest.len())?),
            // What `docker load` reads, also where it knows nothing of OCI layouts.
            (
                "manifest.json".to_owned(),
                serde_json::to_vec(&json!([{
                    "Config": blob(&config_digest),
                    "RepoTags": [self.reference],
                    "Layers": [blob(&layer_digest)],
                }]))?,
            ),
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ];
        let entries = files.into_iter().map(|(path, bytes)| (path, Entry::File(bytes, 0o644))).collect();
        Ok(Archive { bytes: tar(&entries)?, digest })
    }

    /// The layer: every entry, below every folder that leads to it.
    fn layer(&self) -> io::Result<Vec<u8>> {
        let mut entries = self.files.clone();
        for path in self.files.keys() {
            for folder in Path::new(path).ancestors().skip(1) {
                let folder = folder.to_string_lossy().into_owned();
                if !folder.is_empty() {
                    entries.entry(folder).or_insert(Entry::Folder(0o755));
                }
            }
        }
        tar(&entries)
    }

    fn index(&self, digest: &str, size: usize) -> serde_json::Result<Vec<u8>> {
        let mut manifest = descriptor("application/vnd.oci.image.manifest.v1+json", digest, size);
        manifest["platform"] = json!({"architecture": self.architecture, "os": "linux"});
        let tag = self.reference.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        // containerd names what it imports by the first, tools for OCI layouts by the second.
        manifest["annotations"] = json!({
            "io.containerd.image.name": self.reference,
            "org.opencontainers.image.ref.name": tag,
        });
        serde_json::to_vec(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [manifest],
        }))
    }
}

/// What an OCI layout or a docker archive begins to be read with.
const FIRST: [&str; 2] = ["index.json", "manifest.json"];

/// Whether a file is an image, as far as the names in it say; what is no tar file is none.
///
/// # Errors
/// When the file cannot be read.
pub fn is_image(path: &Path) -> io::Result<bool> {
    let mut archive = tar::Archive::new(File::open(path)?);
    // A tar file that ends too early is told by whoever imports it.
    for entry in archive.entries_with_seek()?.map_while(Result::ok) {
        let name = entry.path()?;
        let name = name.strip_prefix(".").unwrap_or(&name);
        if FIRST.iter().any(|first| name == Path::new(first)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `sha256:` and the digest in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes)
        .as_ref()
        .iter()
        .fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

fn descriptor(media_type: &str, digest: &str, size: usize) -> Value {
    json!({"mediaType": media_type, "digest": digest, "size": size})
}

fn blob(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

/// A tar file of these entries, in the order of their paths, so that a folder comes before what is in it.
fn tar(entries: &BTreeMap<String, Entry>) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for (path, entry) in entries {
        let mut header = Header::new_ustar();
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        match entry {
            Entry::File(bytes, mode) => {
                header.set_mode(*mode);
                header.set_size(bytes.len() as u64);
                builder.append_data(&mut header, path, bytes.as_slice())?;
            }
            Entry::Folder(mode) => {
                header.set_mode(*mode);
                header.set_size(0);
                header.set_entry_type(EntryType::Directory);
                builder.append_data(&mut header, format!("{path}/"), io::empty())?;
            }
            Entry::Link(target) => {
                header.set_mode(0o777);
                header.set_size(0);
                header.set_entry_type(EntryType::Symlink);
                builder.append_link(&mut header, path, target)?;
            }
        }
    }
    builder.into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn image() -> Image {
        let file = |text: &str| Entry::File(text.into(), 0o755);
        Image {
            reference: "docker.io/library/thing:1".to_owned(),
            architecture: "amd64".to_owned(),
            created: EPOCH.to_owned(),
            config: json!({"Entrypoint": ["/bin/thing"], "User": "65532"}),
            files: BTreeMap::from([
                ("bin/thing".to_owned(), file("program")),
                ("bin/other".to_owned(), Entry::Link("thing".to_owned())),
                ("tmp".to_owned(), Entry::Folder(0o1777)),
            ]),
        }
    }

    fn read(archive: &[u8]) -> BTreeMap<String, (Header, Vec<u8>)> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().to_string_lossy().into_owned(), (entry.header().clone(), bytes))
        });
        entries.collect()
    }

    fn parsed(files: &BTreeMap<String, (Header, Vec<u8>)>, path: &str) -> Value {
        serde_json::from_slice(&files[path].1).unwrap()
    }

    #[test]
    fn every_blob_lies_under_its_digest_and_is_named_by_what_refers_to_it() {
        let archive = image().pack().unwrap();
        let files = read(&archive.bytes);
        for (path, (_, bytes)) in files.iter().filter(|(path, _)| path.starts_with("blobs/")) {
            assert_eq!(*path, blob(&sha256(bytes)));
        }
        let index = parsed(&files, "index.json");
        assert_eq!(index["manifests"][0]["digest"], archive.digest);
        let manifest = parsed(&files, &blob(&archive.digest));
        let docker = parsed(&files, "manifest.json");
        assert_eq!(docker[0]["Config"], blob(manifest["config"]["digest"].as_str().unwrap()));
        assert_eq!(docker[0]["Layers"][0], blob(manifest["layers"][0]["digest"].as_str().unwrap()));
        let config = parsed(&files, docker[0]["Config"].as_str().unwrap());
        assert_eq!(config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"]);
        for descriptor in [&index["manifests"][0], &manifest["config"], &manifest["layers"][0]] {
            let bytes = &files[&blob(descriptor["digest"].as_str().unwrap())].1;
            assert_eq!(descriptor["size"], bytes.len());
        }
    }

    #[test]
    fn an_image_is_told_from_any_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let holds = |bytes: &[u8]| {
            let path = folder.path().join("file");
            std::fs::write(&path, bytes).unwrap();
            is_image(&path).unwrap()
        };
        assert!(holds(&image().pack().unwrap().bytes));
        let other = BTreeMap::from([("a/index.json".to_owned(), Entry::File(b"{}".to_vec(), 0o644))]);
        assert!(!holds(&tar(&other).unwrap()));
        assert!(!holds(b""));
        assert!(!holds("# A page\n".repeat(1000).as_bytes()));
        assert!(!is_image(folder.path()).unwrap());
        assert!(is_image(&folder.path().join("none")).is_err());
    }

    #[test]
    fn the_layer_holds_files_links_and_the_folders_above_them() {
        let archive = image().pack().unwrap();
        let files = read(&archive.bytes);
        let layer = parsed(&files, "manifest.json")[0]["Layers"][0].as_str().unwrap().to_owned();
        let inside = read(&files[&layer].1);
        let paths: Vec<_> = inside.keys().map(String::as_str).collect();
        assert_eq!(paths, ["bin/", "bin/other", "bin/thing", "tmp/"]);
        assert_eq!(inside["bin/thing"].1, b"program");
        assert_eq!(inside["bin/thing"].0.mode().unwrap(), 0o755);
        assert_eq!(inside["tmp/"].0.mode().unwrap(), 0o1777);
        assert_eq!(inside["bin/other"].0.link_name().unwrap().unwrap(), Path::new("thing"));
    }

    #[test]
    fn nothing_of_the_day_or_the_person_is_in_it() {
        let archive = image().pack().unwrap();
        assert_eq!(archive, image().pack().unwrap());
        for (path, (header, _)) in read(&archive.bytes) {
            assert_eq!(
                (header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()),
                (0, 0, 0),
                "{path}"
            );
        }
    }

    #[test]
    fn the_digest_is_the_well_known_one() {
        assert_eq!(sha256(b""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
