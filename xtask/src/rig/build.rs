//! Compiles one program with the ordinary Go client.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail, ensure};

use super::recipe::Recipe;

/// The oldest Go that the modules accept: `1.N`.
const OLDEST_MINOR: u32 = 26;

/// The version of the Go on `PATH`, such as `1.26.8`.
fn go_version() -> Result<String> {
    let output = Command::new("go")
        .args(["env", "GOVERSION"])
        .output()
        .context("the test cluster is built with Go 1.26 or newer, and there is no go on PATH")?;
    ensure!(output.status.success(), "go env failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.trim().trim_start_matches("go").to_owned();
    match minor(&version) {
        Some(minor) if minor >= OLDEST_MINOR => Ok(version),
        Some(_) => bail!("the test cluster needs Go 1.{OLDEST_MINOR} or newer; the go on PATH is {version}"),
        None => bail!("cannot read the version of the go on PATH: {version:?}"),
    }
}

fn minor(version: &str) -> Option<u32> {
    let digits = version.strip_prefix("1.")?;
    let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// Compiles `recipe` to `path`; nothing lies at `path` unless the build succeeded.
pub(super) fn build(recipe: &Recipe, modules: &Path, path: &Path, jobs: Option<u32>) -> Result<()> {
    go_version()?;
    let partial = path.with_extension("partial");
    let mut go = Command::new("go");
    go.current_dir(modules.join(recipe.module))
        // No C compiler is assumed, and a go.work above this tree is none of our business.
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .args(["build", "-mod=readonly", "-buildvcs=false", "-ldflags", &recipe.linker_flags()]);
    if let Some(jobs) = jobs {
        go.args(["-p", &jobs.to_string()]);
    }
    let status = go.arg("-o").arg(&partial).arg(recipe.package).status().context("cannot run go")?;
    ensure!(
        status.success(),
        "go build of {} in tests/rig/{} failed ({status})",
        recipe.package,
        recipe.module
    );
    fs::rename(&partial, path).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_is_read_from_releases_and_candidates() {
        assert_eq!(minor("1.26.8"), Some(26));
        assert_eq!(minor("1.27rc1"), Some(27));
        assert_eq!(minor("1.26-X:nodwarf5"), Some(26));
        assert_eq!(minor("devel"), None);
    }
}
