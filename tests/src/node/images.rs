//! The two images that every node has: one for what holds a pod together, and one with a shell for tests.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    archive::{EPOCH, Entry, Image},
    cluster::{self, OUTER_LIMIT},
};

/// Holds the namespaces of a pod.
pub(super) const PAUSE: &str = "registry.k8s.io/pause:3.10";

/// A shell and the small programs of busybox, for hooks of tests.
pub const BUSYBOX: &str = "docker.io/library/busybox:1.36";

/// A busybox that needs no library.
const PROGRAM: &str = "/bin/busybox";

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP: &str = "root:x:0:\nnogroup:x:65534:\n";

/// Why the images cannot be made here, if they cannot.
pub(super) fn possible() -> Result<(), String> {
    let is_there = Path::new(PROGRAM).is_file();
    if is_there { Ok(()) } else { Err(format!("there is no {PROGRAM} (Debian: busybox-static)")) }
}

/// Writes both archives into `folder`.
pub(super) fn write(folder: &Path) -> io::Result<[PathBuf; 2]> {
    let program = fs::read(PROGRAM)?;
    let mut files = BTreeMap::from([("bin/busybox".to_owned(), Entry::File(program, 0o755))]);
    // The sandbox of a pod is ended by force, and never asked to end by itself.
    let pause = image(PAUSE, &files, &json!({"Entrypoint": ["/bin/busybox", "sleep", "2147483647"]}));
    for name in applets()? {
        files.entry(format!("bin/{name}")).or_insert_with(|| Entry::Link("busybox".to_owned()));
    }
    files.insert("etc/passwd".to_owned(), Entry::File(PASSWD.into(), 0o644));
    files.insert("etc/group".to_owned(), Entry::File(GROUP.into(), 0o644));
    files.insert("root".to_owned(), Entry::Folder(0o700));
    files.insert("tmp".to_owned(), Entry::Folder(0o1777));
    let shell = image(BUSYBOX, &files, &json!({"Cmd": ["sh"], "Env": ["PATH=/bin"]}));
    let paths = [folder.join("pause.tar"), folder.join("busybox.tar")];
    for (path, image) in paths.iter().zip([pause, shell]) {
        fs::write(path, image.pack()?.bytes)?;
    }
    Ok(paths)
}

fn image(reference: &str, files: &BTreeMap<String, Entry>, config: &Value) -> Image {
    Image {
        reference: reference.to_owned(),
        architecture: architecture().to_owned(),
        created: EPOCH.to_owned(),
        config: config.clone(),
        files: files.clone(),
    }
}

/// This machine's architecture as Go spells it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The names that busybox answers to.
fn applets() -> io::Result<Vec<String>> {
    let ran = cluster::run(Command::new(PROGRAM).arg("--list"), b"", OUTER_LIMIT)?;
    Ok(ran.stdout.lines().map(str::to_owned).collect())
}
