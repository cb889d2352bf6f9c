//! Reloading as a kubelet, an editor and a broken script cause it.

use std::{fs, os::unix::fs::symlink};

use rustls::version::TLS13;
use tempfile::TempDir;

use super::*;
use crate::{Authority, Leaf, Summary, authority::DAY, handshake::handshake};

const NAME: &str = "hooks.demo.svc";

/// Ends a test that would hang; nothing is expected to take this long.
const PATIENCE: Duration = Duration::from_secs(60);

fn leaf(authority: &Authority) -> Leaf {
    authority.issue(&[NAME.parse().unwrap()], DAY).unwrap()
}

fn serial(leaf: &Leaf) -> String {
    leaf.serving_pair(None).unwrap().leaf().serial.clone()
}

/// The serial number that a client really meets.
fn served(resolver: &Arc<Resolver>, authority: &Authority) -> String {
    let certificate = handshake(resolver, authority, NAME, &TLS13).unwrap();
    Summary::from_der(&certificate).unwrap().serial
}

/// A Secret volume as a kubelet writes it: a new folder, a new symlink, renamed over `..data`, the old folder removed.
/// Kubernetes: `pkg/volume/util/atomic_writer.go`, `AtomicWriter.Write`.
struct Volume {
    root: TempDir,
    generation: u32,
}

impl Volume {
    fn new(authority: &Authority, leaf: &Leaf) -> Self {
        let mut volume = Self { root: TempDir::new().unwrap(), generation: 0 };
        volume.publish(authority, leaf);
        for name in [folder::CERTIFICATE, folder::KEY, folder::AUTHORITY_CERTIFICATE] {
            symlink(format!("..data/{name}"), volume.root.path().join(name)).unwrap();
        }
        volume
    }

    fn publish(&mut self, authority: &Authority, leaf: &Leaf) {
        let root = self.root.path();
        let old = root.join(format!("..2026_{}", self.generation));
        self.generation += 1;
        let new = format!("..2026_{}", self.generation);
        folder::write(&root.join(&new), authority, leaf, false).unwrap();
        symlink(&new, root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        if old.exists() {
            fs::remove_dir_all(old).unwrap();
        }
    }
}

#[test]
fn five_symlink_swaps_of_a_kubelet_are_each_served() {
    let authority = Authority::new("demo", DAY).unwrap();
    let first = leaf(&authority);
    let mut volume = Volume::new(&authority, &first);
    let mut reloader = Reloader::new(volume.root.path()).unwrap();
    let resolver = reloader.resolver();
    assert_eq!(served(&resolver, &authority), serial(&first));
    for _ in 0..5 {
        let next = leaf(&authority);
        volume.publish(&authority, &next);
        assert!(matches!(reloader.check_once(), Outcome::Exchanged { .. }));
        assert_eq!(served(&resolver, &authority), serial(&next));
        assert!(matches!(reloader.check_once(), Outcome::Unchanged));
    }
}

#[test]
fn a_mismatching_pair_keeps_the_old_one_is_said_once_and_heals() {
    let authority = Authority::new("demo", DAY).unwrap();
    let (first, second) = (leaf(&authority), leaf(&authority));
    let folder = TempDir::new().unwrap();
    folder::write(folder.path(), &authority, &first, false).unwrap();
    let mut reloader = Reloader::new(folder.path()).unwrap();
    let resolver = reloader.resolver();

    fs::write(folder.path().join(folder::CERTIFICATE), second.certificate_pem()).unwrap();
    assert!(matches!(reloader.check_once(), Outcome::Kept(folder::Error::KeyMismatch { .. })));
    assert!(matches!(reloader.check_once(), Outcome::Unchanged));
    assert_eq!(served(&resolver, &authority), serial(&first));

    fs::write(folder.path().join(folder::KEY), second.key_pem().expose()).unwrap();
    assert!(matches!(reloader.check_once(), Outcome::Exchanged { .. }));
    assert_eq!(served(&resolver, &authority), serial(&second));
}

#[test]
fn a_half_written_or_vanished_file_keeps_the_old_pair() {
    let authority = Authority::new("demo", DAY).unwrap();
    let first = leaf(&authority);
    let folder = TempDir::new().unwrap();
    folder::write(folder.path(), &authority, &first, false).unwrap();
    let mut reloader = Reloader::new(folder.path()).unwrap();
    let path = folder.path().join(folder::CERTIFICATE);

    fs::write(&path, &first.certificate_pem()[..300]).unwrap();
    assert!(matches!(reloader.check_once(), Outcome::Kept(folder::Error::Certificate { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(reloader.check_once(), Outcome::Kept(folder::Error::Missing { .. })));
    assert_eq!(served(&reloader.resolver(), &authority), serial(&first));
}

#[test]
fn a_rewrite_with_the_same_bytes_changes_nothing() {
    let authority = Authority::new("demo", DAY).unwrap();
    let leaf = leaf(&authority);
    let mut volume = Volume::new(&authority, &leaf);
    let mut reloader = Reloader::new(volume.root.path()).unwrap();
    let before = reloader.resolver().current();
    volume.publish(&authority, &leaf);
    assert!(matches!(reloader.check_once(), Outcome::Unchanged));
    assert!(Arc::ptr_eq(&before, &reloader.resolver().current()));
}

#[test]
fn a_folder_without_a_pair_is_no_start() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(Reloader::new(folder.path()), Err(folder::Error::Missing { .. })));
}

#[tokio::test]
async fn the_loop_finds_each_change_by_itself() {
    let authority = Authority::new("demo", DAY).unwrap();
    let mut volume = Volume::new(&authority, &leaf(&authority));
    let reloader = Reloader::new(volume.root.path()).unwrap();
    let resolver = reloader.resolver();
    let (sender, mut exchanged) = tokio::sync::mpsc::unbounded_channel();
    let polling = tokio::spawn(reloader.run(Duration::from_millis(1), move |outcome| {
        if let Outcome::Exchanged { not_after } = outcome {
            sender.send(*not_after).unwrap();
        }
    }));
    for _ in 0..3 {
        let next = leaf(&authority);
        volume.publish(&authority, &next);
        let not_after = tokio::time::timeout(PATIENCE, exchanged.recv()).await.unwrap().unwrap();
        assert_eq!(not_after, resolver.not_after());
        assert_eq!(served(&resolver, &authority), serial(&next));
    }
    polling.abort();
}

#[test]
fn the_end_of_a_certificate_was_logged_as_no_other_program_reads_it() {
    assert_eq!(written(OffsetDateTime::UNIX_EPOCH), "1970-01-01T00:00:00Z");
}
