//! `cargo xtask rig`: builds the programs of the test cluster from their Go modules, once, and says where they are.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "progress and the folder are what this command is for"
)]

mod build;
mod cache;
mod found;
mod recipe;

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result};

use self::{
    cache::Cache,
    found::Found,
    recipe::{RECIPES, Recipe},
};

/// Where the programs of the test cluster are kept, and how hard to work on them.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct RigArgs {
    /// Folder of the cache; one folder inside it per state of the Go modules.
    ///
    /// Without it the environment variable `HOOKWARD_RIG` decides, and without both it is `target/rig`.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Go packages compiled at once; default: one per core.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<u32>,
}

/// The programs of the test cluster, complete and runnable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RigPrograms {
    /// The folder that has every program under its own name; tests are told it as `HOOKWARD_RIG_BIN`.
    pub(crate) bin: PathBuf,
}

/// Builds what is missing and gathers everything in one folder of links.
///
/// A developer's own programs are used in place of built ones where their versions fit: `HOOKWARD_HELM3`, `HOOKWARD_HELM4`,
/// `helm` on `PATH`, and `etcd`, `kube-apiserver`, `kubectl` in `KUBEBUILDER_ASSETS`.
///
/// # Errors
/// When Go is missing or too old, a program does not build, or the cache cannot be written.
pub(crate) fn programs(args: &RigArgs) -> Result<RigPrograms> {
    let root = args.dir.clone().or_else(|| std::env::var_os("HOOKWARD_RIG").map(PathBuf::from));
    let root = root.unwrap_or_else(|| workspace().join("target/rig"));
    let modules = workspace().join("tests/rig");
    let cache = Cache::open(&root, &modules, RECIPES)?;
    // Two runs at once would build everything twice; the second waits and finds it done.
    let _turn = cache.lock()?;
    let found = Found::look()?;
    let mut programs = Vec::with_capacity(RECIPES.len());
    for recipe in RECIPES {
        programs.push((recipe.name, provide(recipe, &cache, &found, &modules, args.jobs)?));
    }
    let bin = cache.gather(&programs)?;
    Ok(RigPrograms { bin })
}

/// The same, for people: prints the folder.
///
/// # Errors
/// As [`programs`].
pub(crate) fn rig(args: &RigArgs) -> Result<()> {
    println!("{}", programs(args)?.bin.display());
    Ok(())
}

fn provide(
    recipe: &Recipe,
    cache: &Cache,
    found: &Found,
    modules: &Path,
    jobs: Option<u32>,
) -> Result<PathBuf> {
    if let Some(path) = found.program(recipe.name) {
        eprintln!("rig: {:<24} yours, {}", recipe.name, path.display());
        return Ok(path.to_owned());
    }
    let path = cache.program(recipe.name);
    if path.is_file() {
        eprintln!("rig: {:<24} cached", recipe.name);
        return Ok(path);
    }
    let start = Instant::now();
    eprintln!("rig: {:<24} building …", recipe.name);
    build::build(recipe, modules, &path, jobs).with_context(|| format!("cannot build {}", recipe.name))?;
    eprintln!("rig: {:<24} built in {} s", recipe.name, start.elapsed().as_secs());
    Ok(path)
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace's folder")
}
