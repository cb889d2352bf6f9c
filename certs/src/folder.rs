//! A folder of PEM files: `ca.crt`, `ca.key`, `tls.crt`, `tls.key`, named as Kubernetes names them in a TLS Secret.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
};

use crate::{Authority, Leaf, ServingPair, authority, pair};

/// The authority's certificate; optional when a folder is read.
pub const AUTHORITY_CERTIFICATE: &str = "ca.crt";
/// The authority's private key; written, never read by a server.
pub const AUTHORITY_KEY: &str = "ca.key";
/// The serving certificate, followed by intermediates if there are any.
pub const CERTIFICATE: &str = "tls.crt";
/// The private key of the serving certificate.
pub const KEY: &str = "tls.key";

/// A larger file is none of ours, and is not read into memory.
const LIMIT: u64 = 1 << 20;

/// Why a folder could not be written or read. Texts name the file and what to do; none holds a file's content.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is in the way, and replacing was not asked for.
    #[error(
        "{path} already exists; use --force to renew the certificate under the authority that is there, \
         --force --new-ca to replace both, or another folder"
    )]
    Exists {
        /// The file in the way.
        path: PathBuf,
    },
    /// A file or the folder could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that a server needs is not there.
    #[error("{path} does not exist; make one with `hookward certs make`, or mount a TLS Secret there")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is larger than certificates and keys are.
    #[error("{path} is larger than 1 MiB, so it is no certificate and no key")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The certificate file holds none, or a damaged one.
    #[error("{path} holds no readable certificate; it must be PEM, the server's certificate first")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pair::Error,
    },
    /// The key file holds none, or one that cannot be used.
    #[error("{path} holds no usable private key; it must be unencrypted PEM, PKCS#8 or SEC1")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pair::Error,
    },
    /// The authority that is there cannot sign.
    #[error(
        "{path} and {AUTHORITY_KEY} beside it are no authority that can sign; use --new-ca to replace both"
    )]
    Authority {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong with it.
        source: authority::Error,
    },
    /// Certificate and key are each fine but not of one pair.
    #[error(
        "the private key in {key} does not belong to the certificate in {certificate}; replace both together"
    )]
    KeyMismatch {
        /// The key file.
        key: PathBuf,
        /// The certificate file.
        certificate: PathBuf,
    },
}

/// Writes authority and leaf into `folder`, which is made if need be, and returns the four paths.
///
/// Keys are born with mode 0600. Each file appears whole, by renaming; with `force` a server that polls the folder may meet
/// a new key beside an old certificate for a moment, which [`crate::Reloader`] sits out.
///
/// # Errors
/// [`Error::Exists`] before anything is written, or [`Error::Write`].
pub fn write(folder: &Path, authority: &Authority, leaf: &Leaf, force: bool) -> Result<Vec<PathBuf>, Error> {
    let names = [AUTHORITY_CERTIFICATE, AUTHORITY_KEY, CERTIFICATE, KEY];
    let mut paths = names.iter().map(|name| folder.join(name));
    if !force && let Some(path) = paths.find(|path| path.symlink_metadata().is_ok()) {
        return Err(Error::Exists { path });
    }
    fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.to_owned(), source })?;
    let mut written = vec![
        put(folder, AUTHORITY_CERTIFICATE, authority.certificate_pem(), 0o644)?,
        put(folder, AUTHORITY_KEY, authority.key_pem().expose(), 0o600)?,
    ];
    written.extend(renew(folder, leaf)?);
    Ok(written)
}

/// Replaces the leaf in `folder`, signed by the authority that is there, as [`write()`] does, and returns the two paths.
///
/// # Errors
/// [`Error::Write`].
pub fn renew(folder: &Path, leaf: &Leaf) -> Result<Vec<PathBuf>, Error> {
    Ok(vec![
        put(folder, CERTIFICATE, leaf.certificate_pem(), 0o644)?,
        put(folder, KEY, leaf.key_pem().expose(), 0o600)?,
    ])
}

/// Puts a file in its place, whole.
fn put(folder: &Path, name: &str, content: &str, mode: u32) -> Result<PathBuf, Error> {
    let (path, unfinished) = (folder.join(name), folder.join(format!(".{name}.{}", process::id())));
    match write_new(&unfinished, content, mode).and_then(|()| fs::rename(&unfinished, &path)) {
        Ok(()) => Ok(path),
        Err(source) => {
            // What stopped the write is the news; an unfinished file that cannot be removed either is not.
            let _ = fs::remove_file(&unfinished);
            Err(Error::Write { path, source })
        }
    }
}

/// Creates the file with its final mode, so that a key is at no moment readable by others.
fn write_new(path: &Path, content: &str, mode: u32) -> io::Result<()> {
    // One left by a run that was killed: in a container every run has the same process id.
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    restrict(&mut options, mode);
    let mut file = options.open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn restrict(options: &mut OpenOptions, mode: u32) {
    std::os::unix::fs::OpenOptionsExt::mode(options, mode);
}

/// Other systems have no mode; the folder's own access list decides.
#[cfg(not(unix))]
fn restrict(_options: &mut OpenOptions, _mode: u32) {}

/// Reads what a server serves: `tls.crt` (a chain is fine), `tls.key`, and `ca.crt` if it is there and not empty.
///
/// # Errors
/// When a file is missing, unreadable or unusable, or certificate and key are of two pairs. Dates are not judged.
pub fn read(folder: &Path) -> Result<ServingPair, Error> {
    Contents::read(folder).pair(folder)
}

/// Reads the authority that [`write()`] left in `folder`; `None` where its certificate or its key is not there.
///
/// # Errors
/// When both are there and one cannot be read, or they cannot sign. Dates are not judged.
pub fn authority(folder: &Path) -> Result<Option<Authority>, Error> {
    let [certificate, key] = [AUTHORITY_CERTIFICATE, AUTHORITY_KEY].map(|name| {
        let path = folder.join(name);
        let content = read_bounded(&path).map_err(|error| error.kind());
        available(&content, path).map(|content| String::from_utf8_lossy(content).into_owned())
    });
    if [&certificate, &key].iter().any(|text| matches!(text, Err(Error::Missing { .. }))) {
        return Ok(None);
    }
    let read = Authority::from_pem(&certificate?, &key?);
    read.map(Some).map_err(|source| Error::Authority { path: folder.join(AUTHORITY_CERTIFICATE), source })
}

/// The bytes of the files a server reads, comparable with those of a moment later; errors compare by kind.
#[derive(PartialEq, Eq)]
pub(crate) struct Contents {
    certificate: Result<Vec<u8>, io::ErrorKind>,
    key: Result<Vec<u8>, io::ErrorKind>,
    authority: Result<Vec<u8>, io::ErrorKind>,
}

impl Contents {
    pub(crate) fn read(folder: &Path) -> Self {
        let read = |name| read_bounded(&folder.join(name)).map_err(|error| error.kind());
        Self { certificate: read(CERTIFICATE), key: read(KEY), authority: read(AUTHORITY_CERTIFICATE) }
    }

    pub(crate) fn pair(&self, folder: &Path) -> Result<ServingPair, Error> {
        let certificate = available(&self.certificate, folder.join(CERTIFICATE))?;
        let key = available(&self.key, folder.join(KEY))?;
        let authority = match &self.authority {
            Err(io::ErrorKind::NotFound) => None,
            found => authority_pem(available(found, folder.join(AUTHORITY_CERTIFICATE))?, folder)?,
        };
        ServingPair::from_pem(certificate, key, authority).map_err(|source| match source {
            pair::Error::KeyMismatch => {
                Error::KeyMismatch { key: folder.join(KEY), certificate: folder.join(CERTIFICATE) }
            }
            pair::Error::NotACertificate | pair::Error::Unreadable(_) => {
                Error::Certificate { path: folder.join(CERTIFICATE), source }
            }
            pair::Error::NotAKey | pair::Error::EncryptedKey | pair::Error::UnsupportedKey => {
                Error::Key { path: folder.join(KEY), source }
            }
        })
    }
}

/// An empty file is no authority: some issuers write one where they do not know it.
fn authority_pem(content: &[u8], folder: &Path) -> Result<Option<String>, Error> {
    let unreadable = |source| Error::Certificate { path: folder.join(AUTHORITY_CERTIFICATE), source };
    if content.trim_ascii().is_empty() {
        return Ok(None);
    }
    pair::certificates(content).map_err(unreadable)?;
    let pem = str::from_utf8(content).map_err(|_| unreadable(pair::Error::NotACertificate))?;
    Ok(Some(pem.to_owned()))
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(LIMIT + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LIMIT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(content)
}

fn available(content: &Result<Vec<u8>, io::ErrorKind>, path: PathBuf) -> Result<&[u8], Error> {
    content.as_deref().map_err(|kind| match kind {
        io::ErrorKind::NotFound => Error::Missing { path },
        io::ErrorKind::FileTooLarge => Error::TooLarge { path },
        kind => Error::Read { path, source: (*kind).into() },
    })
}

#[cfg(test)]
mod tests;
