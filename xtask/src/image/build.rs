//! The static program of the image: which target and compiler it takes, and how the machine it is built on is kept out of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::Arch;
use crate::shell::step;

/// A tree of sources, and the folder in which cargo builds it.
#[derive(Debug)]
pub(super) struct Source {
    /// The root of the workspace.
    pub(super) root: PathBuf,
    /// The target folder.
    pub(super) target: PathBuf,
}

/// Flags that take the moment out of C: mimalloc wants to say when it was compiled.
const TIMELESS: [&str; 3] =
    ["-Wno-builtin-macro-redefined", r#"-D__DATE__="1970-01-01""#, r#"-D__TIME__="00:00:00""#];

/// What building for one kind of machine takes.
struct Tools {
    triple: &'static str,
    compiler: &'static str,
    /// Debian's package of the compiler.
    package: &'static str,
    /// Flags of the compiler besides the common ones.
    flags: &'static str,
    /// The linker, where the compiler is not the right one.
    linker: Option<&'static str>,
}

impl Tools {
    const fn of(arch: Arch) -> Self {
        match arch {
            Arch::Amd64 => Self {
                triple: "x86_64-unknown-linux-musl",
                compiler: "musl-gcc",
                package: "musl-tools",
                flags: "",
                linker: None,
            },
            // Debian has no cross compiler for musl. Its one for glibc will do, since the C parts ask little of the library: without
            // the checks that only glibc can back, and linked by Rust itself with the library that comes with the target.
            Arch::Arm64 => Self {
                triple: "aarch64-unknown-linux-musl",
                compiler: "aarch64-linux-gnu-gcc",
                package: "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
                flags: " -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=0 -fno-stack-protector",
                linker: Some("rust-lld"),
            },
        }
    }
}

/// The triple that Rust knows a kind of machine by, with musl.
pub(super) const fn triple(arch: Arch) -> &'static str {
    Tools::of(arch).triple
}

/// Builds the program and gives its bytes.
///
/// # Errors
/// When the target or the compiler is not installed, with how to get it, or the program does not build, is not static, or names a
/// folder of this machine.
pub(super) fn program(source: &Source, arch: Arch) -> Result<Vec<u8>> {
    let tools = Tools::of(arch);
    check(&tools)?;
    let prefixes = prefixes(source)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--locked", "--package", "cli", "--bin", "hookward"]);
    cargo.args(["--target", tools.triple]).arg("--target-dir").arg(&source.target).current_dir(&source.root);
    let triple = tools.triple.replace('-', "_");
    cargo.env(format!("CC_{triple}"), tools.compiler);
    cargo.env(format!("CFLAGS_{triple}"), c_flags(&prefixes) + tools.flags);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", rust_flags(&prefixes));
    if let Some(linker) = tools.linker {
        cargo.env(format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase()), linker);
    }
    step(&format!("static program for {}", arch.name()), &mut cargo)?;
    let path = source.target.join(tools.triple).join("release/hookward");
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    inspect(&bytes, &prefixes)?;
    Ok(bytes)
}

/// Says what is missing before cargo says it in a hundred lines.
fn check(tools: &Tools) -> Result<()> {
    let Tools { triple, compiler, package, .. } = tools;
    let library = rustc(&["--print", "target-libdir", "--target", triple])?;
    if !Path::new(&library).is_dir() {
        bail!("Rust's target {triple} is not installed; rustup target add {triple}");
    }
    if Command::new(compiler).arg("--version").output().is_err() {
        bail!(
            "{compiler} is not installed, and aws-lc-sys and libmimalloc-sys are C (Debian: apt-get install {package})"
        );
    }
    Ok(())
}

fn rustc(arguments: &[&str]) -> Result<String> {
    let output = Command::new("rustc").args(arguments).output().context("cannot run rustc")?;
    if !output.status.success() {
        bail!("rustc {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Folders of this machine that would end up in messages of the program, and what stands there instead; the last match counts.
fn prefixes(source: &Source) -> Result<Vec<(String, String)>> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut prefixes = vec![(text(&source.root), "/hookward".to_owned())];
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let registries = home.map(|home| home.join("registry/src")).and_then(|folder| fs::read_dir(folder).ok());
    for registry in registries.into_iter().flatten() {
        prefixes.push((text(&registry?.path()), "/registry".to_owned()));
    }
    // Where the sources of the standard library are installed, their paths are no longer the ones of its release.
    let commit = rustc(&["--version", "--verbose"])?;
    let commit = commit.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    let library = Path::new(&rustc(&["--print", "sysroot"])?).join("lib/rustlib/src/rust");
    prefixes.push((text(&library), format!("/rustc/{commit}")));
    prefixes.push((text(&source.target), "/target".to_owned()));
    prefixes.sort_by_key(|(folder, _)| folder.len());
    Ok(prefixes)
}

/// Separated as cargo wants it, so that folders with spaces are no trouble.
fn rust_flags(prefixes: &[(String, String)]) -> String {
    let flags = prefixes.iter().map(|(folder, name)| format!("--remap-path-prefix={folder}={name}"));
    flags.collect::<Vec<_>>().join("\x1f")
}

fn c_flags(prefixes: &[(String, String)]) -> String {
    let flags = prefixes.iter().map(|(folder, name)| format!("-ffile-prefix-map={folder}={name}"));
    flags.chain(TIMELESS.map(str::to_owned)).collect::<Vec<_>>().join(" ")
}

/// Whether the program is what an empty image can run, and nothing of this machine.
fn inspect(program: &[u8], prefixes: &[(String, String)]) -> Result<()> {
    if contains(program, b"/lib/ld-") || contains(program, b"ld-linux") {
        bail!("the program asks for a dynamic loader, which an empty image has not");
    }
    // A folder such as /src is also a part of many others.
    let mut telling = prefixes.iter().filter(|(folder, _)| folder.matches('/').count() > 1);
    let named = telling.find(|(folder, _)| contains(program, folder.as_bytes()));
    named.map_or(Ok(()), |(folder, _)| bail!("the program names {folder}, a folder of this machine"))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    let first = part.first();
    text.iter().enumerate().any(|(at, byte)| Some(byte) == first && text[at..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped() -> Vec<(String, String)> {
        vec![("/a/b/c".to_owned(), "/hookward".to_owned()), ("/opt/a b".to_owned(), "/target".to_owned())]
    }

    #[test]
    fn a_folder_inside_another_is_mapped_after_it_since_the_last_match_counts() {
        let source = Source { root: "/w".into(), target: "/w/target".into() };
        let prefixes = prefixes(&source).unwrap();
        let place = |name: &str| prefixes.iter().position(|(_, found)| found == name).unwrap();
        assert!(place("/hookward") < place("/target"));
    }

    #[test]
    fn flags_name_every_folder_and_survive_spaces() {
        assert_eq!(
            rust_flags(&mapped()),
            "--remap-path-prefix=/a/b/c=/hookward\x1f--remap-path-prefix=/opt/a b=/target"
        );
        assert!(c_flags(&mapped()).starts_with("-ffile-prefix-map=/a/b/c=/hookward "));
    }

    #[test]
    fn a_program_that_names_the_machine_or_needs_a_loader_is_refused() {
        let refused = |program: &[u8]| inspect(program, &mapped()).unwrap_err().to_string();
        assert!(refused(b"..panicked at /a/b/c/cli.rs..").contains("names /a/b/c"));
        assert!(refused(b"../lib/ld-musl-x86_64.so.1..").contains("loader"));
        inspect(b"..panicked at /hookward/cli.rs..", &mapped()).unwrap();
        inspect(b"../registry/tokio/src/..", &[("/src".to_owned(), "/hookward".to_owned())]).unwrap();
    }
}
