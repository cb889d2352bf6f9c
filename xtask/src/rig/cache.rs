//! The cache of built programs: a folder per state of the Go modules, and one folder of links to what is in use.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::recipe::Recipe;

/// The cache for one state of the Go modules and recipes.
#[derive(Debug)]
pub(super) struct Cache {
    root: PathBuf,
    bin: PathBuf,
}

impl Cache {
    /// Finds the folder that belongs to the modules as they are now, and makes it if it is new.
    pub(super) fn open(root: &Path, modules: &Path, recipes: &[Recipe]) -> Result<Self> {
        let root = std::path::absolute(root).with_context(|| format!("cannot find {}", root.display()))?;
        let key = key(modules, recipes).with_context(|| format!("cannot read {}", modules.display()))?;
        let bin = root.join(key).join("bin");
        fs::create_dir_all(&bin).with_context(|| format!("cannot make {}", bin.display()))?;
        Ok(Self { root, bin })
    }

    /// Where a program lies once it is built.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Waits until no other run works in this cache; the turn ends when the file is dropped.
    pub(super) fn lock(&self) -> Result<File> {
        let path = self.root.join("lock");
        let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }

    /// Links each program, by name, into the folder `current`, and returns that folder.
    pub(super) fn gather(&self, programs: &[(&str, PathBuf)]) -> Result<PathBuf> {
        let current = self.root.join("current");
        fs::create_dir_all(&current).with_context(|| format!("cannot make {}", current.display()))?;
        for (name, target) in programs {
            if *target == current.join(name) {
                continue;
            }
            // A link inside the cache is relative, so that the cache can be moved.
            let inside = target.strip_prefix(&self.root).map(|path| Path::new("..").join(path));
            link(inside.as_deref().unwrap_or(target), &current, name)
                .with_context(|| format!("cannot link {name} in {}", current.display()))?;
        }
        Ok(current)
    }
}

/// Replaces the link in one step: a test that starts meanwhile sees the old program or the new one.
fn link(target: &Path, folder: &Path, name: &str) -> io::Result<()> {
    let fresh = folder.join(format!(".{name}.new"));
    if fresh.is_symlink() {
        fs::remove_file(&fresh)?;
    }
    std::os::unix::fs::symlink(target, &fresh)?;
    fs::rename(&fresh, folder.join(name))
}

/// Names a state of the modules: 16 hexadecimal digits over the recipes and over every file beside them.
fn key(modules: &Path, recipes: &[Recipe]) -> io::Result<String> {
    let mut hash = Fnv::default();
    for recipe in recipes {
        hash.field(format!("{recipe:?}").as_bytes());
        let mut files = Vec::new();
        for entry in fs::read_dir(modules.join(recipe.module))? {
            files.push(entry?.path());
        }
        files.sort();
        for file in files {
            hash.field(file.file_name().unwrap_or_default().as_encoded_bytes());
            hash.field(&fs::read(&file)?);
        }
    }
    Ok(format!("{:016x}", hash.0))
}

/// FNV-1a with 64 bits: enough to tell states of our own files apart, and the same in every Rust release.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn field(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe = Recipe { name: "x", module: "m", package: ".", stamps: &[] };

    fn modules(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("hookward-cache-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("m")).unwrap();
        fs::write(folder.join("m/go.mod"), "module m\n").unwrap();
        folder
    }

    #[test]
    fn a_changed_module_or_recipe_is_another_key() {
        let folder = modules("key");
        let before = key(&folder, &[RECIPE]).unwrap();
        assert_eq!(key(&folder, &[RECIPE]).unwrap(), before);
        assert_ne!(key(&folder, &[Recipe { stamps: &[("a.b", "v1")], ..RECIPE }]).unwrap(), before);
        fs::write(folder.join("m/go.mod"), "module m\n\ngo 1.26\n").unwrap();
        assert_ne!(key(&folder, &[RECIPE]).unwrap(), before);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn gathering_again_points_to_the_newer_program() {
        let folder = modules("gather");
        let cache = Cache::open(&folder.join("rig"), &folder, &[RECIPE]).unwrap();
        for text in ["old", "new"] {
            let program = folder.join(text);
            fs::write(&program, text).unwrap();
            let bin = cache.gather(&[("x", program)]).unwrap();
            assert_eq!(fs::read_to_string(bin.join("x")).unwrap(), text);
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
