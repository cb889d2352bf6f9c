//! `cargo xtask node`: the test cluster with a real node, for people who try things by hand and for scripts.
#![allow(clippy::print_stdout, reason = "where the cluster is, is what this command is for")]

use std::{
    env, fs,
    fs::File,
    io::{BufRead as _, BufReader},
    os::unix::{fs::symlink, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ::tests::{archive, node::Node};
use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    rig::{self, RigArgs, RigPrograms},
    shell,
};

/// A cluster is gone within seconds of the order, however busy the machine is.
const DOWN_LIMIT: Duration = Duration::from_secs(60);

/// What to do with a cluster.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeArgs {
    #[command(subcommand)]
    task: NodeTask,
}

#[derive(Debug, clap::Subcommand)]
enum NodeTask {
    /// Starts a cluster that stays until `down`, and prints `export` lines for a shell.
    Up(UpArgs),
    /// Ends it, with everything in it.
    Down(Place),
    /// Starts a cluster, runs a command with `KUBECONFIG` and a `PATH` that has kubectl, helm3, helm4 and helm, and ends it.
    Run(RunArgs),
    /// What `up` leaves running.
    #[command(hide = true)]
    Hold(Images),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Folder that remembers which cluster is up, and has `helm`.
    #[arg(long, value_name = "DIR", default_value = "target/node")]
    dir: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Images {
    /// Archive of an image that pods may use, as `cargo xtask image` writes it; repeatable.
    #[arg(long, value_name = "FILE")]
    image: Vec<PathBuf>,
}

impl Images {
    /// Notices a wrong file in a moment, and not after minutes in which programs are built and a cluster is started.
    fn check(&self) -> Result<()> {
        for image in &self.image {
            let is_image =
                archive::is_image(image).with_context(|| format!("cannot read {}", image.display()))?;
            ensure!(
                is_image,
                "{} is no archive of an image, as `cargo xtask image` and `docker save` write it",
                image.display()
            );
        }
        Ok(())
    }
}

#[derive(Debug, clap::Args)]
struct UpArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    images: Images,
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    images: Images,
    /// The command and its arguments.
    #[arg(required = true, last = true)]
    command: Vec<String>,
}

/// Does it.
pub(crate) fn node(args: &NodeArgs) -> Result<()> {
    match &args.task {
        NodeTask::Up(args) => up(args),
        NodeTask::Down(place) => down(&place.dir),
        NodeTask::Run(args) => run(args),
        NodeTask::Hold(images) => {
            let node = start(images)?;
            println!("{}", node.kubeconfig().display());
            // The end of this process, however it comes, is the end of the cluster.
            loop {
                thread::park();
            }
        }
    }
}

fn up(args: &UpArgs) -> Result<()> {
    let dir = &args.place.dir;
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    if let Some(holder) = holder(dir) {
        bail!("a cluster is up already, held by process {holder}: cargo xtask node down");
    }
    args.images.check()?;
    let RigPrograms { bin } = rig::programs(&RigArgs::default())?;
    let log = dir.join("log");
    let mut command = Command::new(env::current_exe()?);
    command.args(["node", "hold"]).env("HOOKWARD_RIG_BIN", &bin);
    for image in &args.images.image {
        command.arg("--image").arg(image);
    }
    // Not in our group: a Ctrl-C in this shell is not meant for it.
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(&log)?)
        .process_group(0)
        .spawn()
        .context("cannot start what holds the cluster")?;
    let mut kubeconfig = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut kubeconfig)?;
    }
    if kubeconfig.is_empty() {
        let _ = child.wait();
        let said = fs::read_to_string(&log).unwrap_or_default();
        let said = said.trim();
        bail!("no cluster: {}", said.strip_prefix(shell::ERROR).unwrap_or(said));
    }
    fs::write(dir.join("holder"), child.id().to_string())?;
    fs::write(dir.join("kubeconfig"), &kubeconfig)?;
    println!("export KUBECONFIG={}", kubeconfig.trim());
    println!("export PATH={}:{}:$PATH", helm_folder(dir, &bin)?.display(), bin.display());
    Ok(())
}

fn down(dir: &Path) -> Result<()> {
    let Some(holder) = holder(dir) else {
        bail!("no cluster is up, as far as {} knows", dir.display());
    };
    let kubeconfig = fs::read_to_string(dir.join("kubeconfig"))?;
    let status = Command::new("sh").args(["-c", r#"kill "$1""#, "kill", &holder.to_string()]).status()?;
    ensure!(status.success(), "cannot end process {holder}");
    let folder = Path::new(kubeconfig.trim()).parent().context("a kubeconfig lies in a folder")?;
    let start = Instant::now();
    while folder.exists() {
        ensure!(start.elapsed() < DOWN_LIMIT, "{} is still there", folder.display());
        thread::sleep(Duration::from_millis(50));
    }
    fs::remove_file(dir.join("holder"))?;
    fs::remove_file(dir.join("kubeconfig"))?;
    Ok(())
}

fn run(args: &RunArgs) -> Result<()> {
    args.images.check()?;
    let RigPrograms { bin } = rig::programs(&RigArgs::default())?;
    let node = start(&args.images)?;
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [helm_folder(&args.place.dir, &bin)?, bin].into_iter().chain(env::split_paths(&path));
    let (program, arguments) = args.command.split_first().context("there is a command")?;
    let status = Command::new(program)
        .args(arguments)
        .env("KUBECONFIG", node.kubeconfig())
        .env("PATH", env::join_paths(folders)?)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    drop(node);
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

/// A folder with `helm`, which is Helm 4, so that what pages say can be typed as it stands.
fn helm_folder(dir: &Path, bin: &Path) -> Result<PathBuf> {
    let folder = dir.join("bin");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = fs::canonicalize(folder)?;
    let helm = folder.join("helm");
    if fs::symlink_metadata(&helm).is_ok() {
        fs::remove_file(&helm)?;
    }
    symlink(fs::canonicalize(bin.join("helm4"))?, &helm)?;
    Ok(folder)
}

fn start(images: &Images) -> Result<Node> {
    let node = Node::start()?;
    for image in &images.image {
        node.import(image).with_context(|| format!("cannot import {}", image.display()))?;
    }
    Ok(node)
}

/// The process that holds the cluster, if it still does.
fn holder(dir: &Path) -> Option<u32> {
    let id = fs::read_to_string(dir.join("holder")).ok()?.trim().parse().ok()?;
    let command = fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
    // Ids are used again: it has to be the process that was started.
    command.contains("\0node\0hold").then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_image_is_a_sentence() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let said = |image: PathBuf| format!("{:#}", Images { image: vec![image] }.check().unwrap_err());
        assert!(
            said(manifest.clone()).contains("Cargo.toml is no archive of an image"),
            "{}",
            said(manifest)
        );
        let missing = said("no/such.tar".into());
        assert!(missing.starts_with("cannot read no/such.tar: No such file"), "{missing}");
    }
}
