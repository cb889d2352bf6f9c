//! What a packed chart says of itself.

use std::{fs::File, io::Read as _, path::Path};

use flate2::read::MultiGzDecoder;

use super::file;

/// The text of a file in the folder of a packed chart, if it is no longer than `most`, and within the first `limit` bytes of what is
/// packed; helm says what is wrong with an archive.
///
/// Source: Helm 4.2.4 `pkg/chart/loader/archive/archive.go`, `LoadArchiveFiles`: the first folder may have any name.
pub(super) fn read(archive: &Path, name: &str, most: u64, limit: u64) -> Option<String> {
    // Not a pipe: who reads from one leaves nothing for helm.
    let packed = archive.is_file().then(|| File::open(archive).ok()).flatten()?;
    let mut unpacked = tar::Archive::new(MultiGzDecoder::new(packed).take(limit));
    for entry in unpacked.entries().ok()? {
        let entry = entry.ok()?;
        let path = entry.path_bytes();
        let is_meant = path.splitn(2, |byte| *byte == b'/').nth(1) == Some(name.as_bytes());
        drop(path);
        if is_meant {
            return file::read_stream(entry, name, most).ok();
        }
    }
    None
}
