//! `hookward certs`: makes and inspects the certificates that the server needs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use certs::{Authority, Name, Summary, authority::DAY, folder};
use clap::{ArgMatches, Subcommand};
use time::OffsetDateTime;

use crate::{
    Io,
    args::Global,
    exit, inputs,
    output::{
        self, Format,
        certs::{Entry, json, text},
    },
    report::Problem,
};

/// Files that `inspect` looks for in a folder.
const CERTIFICATES: [&str; 2] = ["ca.crt", "tls.crt"];
/// No certificate is larger, in bytes.
const LIMIT: u64 = 1 << 20;

/// What to do with certificates.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with certificates.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Make an authority of our own and a certificate for a server.
    Make(Make),
    /// Say what certificates hold, and for how long.
    Inspect(Inspect),
}

/// What to make.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Make {
    /// The folder for ca.crt, ca.key, tls.crt and tls.key.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// A DNS name or IP address of the server (repeatable).
    #[arg(long = "name", value_name = "NAME", required = true, num_args = 1..)]
    pub names: Vec<Name>,
    /// How long the certificate is valid.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: u32,
    /// How long the authority is valid.
    #[arg(long, default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub ca_days: u32,
    /// Replace files that are there already; an authority among them signs the new certificate, unless there is --new-ca too.
    #[arg(long)]
    pub force: bool,
    /// With --force: replace the authority too. Then every registered caBundle must be applied again.
    #[arg(long, requires = "force")]
    pub new_ca: bool,
}

/// What to inspect.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Inspect {
    /// Folders with ca.crt and tls.crt, or PEM files.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Where results go.
    #[command(flatten)]
    pub output: output::Args,
}

impl Args {
    /// Makes or inspects.
    ///
    /// # Errors
    /// When something cannot be made or written.
    pub fn run(&self, global: &Global, matches: &ArgMatches, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let of_command = matches.subcommand().map_or(matches, |(_, of_command)| of_command);
        match &self.command {
            Command::Make(make) => make.run(global, io),
            Command::Inspect(inspect) => inspect.run(global, of_command, io),
        }
    }
}

impl Make {
    fn run(&self, global: &Global, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let (authority, is_kept) = self.authority(|note| io.note(note, global))?;
        let leaf = authority.issue(&self.names, DAY * self.days).context("cannot make the certificate")?;
        let paths = if is_kept {
            folder::renew(&self.dir, &leaf)?
        } else {
            folder::write(&self.dir, &authority, &leaf, self.force)?
        };
        io.print(|out| paths.iter().try_for_each(|path| writeln!(out, "{}", path.display())))?;
        Ok(exit::CLEAN)
    }

    /// The authority that signs, and whether it was there: the one in the folder when its files are replaced, so that those who trust
    /// it go on doing so.
    fn authority(&self, mut note: impl FnMut(&str) -> io::Result<()>) -> anyhow::Result<(Authority, bool)> {
        let found = if self.force && !self.new_ca { folder::authority(&self.dir)? } else { None };
        if let Some(authority) = found {
            let end = authority.summary().not_after;
            if end <= OffsetDateTime::now_utc() {
                bail!(
                    "the authority in {} ended on {}; use --force --new-ca to replace it",
                    self.dir.display(),
                    end.date()
                );
            }
            note(&format!(
                "signed by the authority that was there, which is valid until {}; --force --new-ca replaces it",
                end.date()
            ))?;
            return Ok((authority, true));
        }
        if self.days > self.ca_days {
            bail!(
                "a certificate for {} days would outlive its authority, which has {}; raise --ca-days",
                self.days,
                self.ca_days
            );
        }
        if self.force && self.dir.join(folder::AUTHORITY_CERTIFICATE).exists() {
            note(
                "the authority is a new one: apply every registered caBundle again (hookward serve --print-webhooks)",
            )?;
        }
        let authority =
            Authority::new("Hookward", DAY * self.ca_days).context("cannot make the authority")?;
        Ok((authority, false))
    }
}

impl Inspect {
    fn run(&self, global: &Global, matches: &ArgMatches, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let targets = self.output.targets(matches)?;
        let (mut entries, mut problems) = (Vec::new(), Vec::new());
        for path in &self.paths {
            entries.extend(inspect(path, &mut problems));
        }
        for problem in &problems {
            io.error(&problem.to_string(), global)?;
        }
        let now = OffsetDateTime::now_utc();
        output::write(&targets, global, io, |format, _, out| {
            let printed = match format {
                Format::Text => text(&entries, now),
                Format::Json => json(&entries, &problems, now),
            };
            out.write_all(printed.as_bytes())
        })?;
        Ok(if problems.is_empty() { exit::CLEAN } else { exit::FAILED })
    }
}

/// The certificates of a file, or of the known files of a folder, the authority first; what cannot be read goes to `problems`.
fn inspect(path: &Path, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let is_folder = path.is_dir();
    let known = || CERTIFICATES.iter().map(|name| path.join(name)).filter(|file| file.exists()).collect();
    let files: Vec<PathBuf> = if is_folder { known() } else { vec![path.to_owned()] };
    if files.is_empty() {
        let message = "neither ca.crt nor tls.crt in this folder; make them with hookward certs make";
        problems.push(Problem::new(path.display().to_string(), message));
    }
    let mut entries = Vec::new();
    for file in files {
        match read(&file) {
            Ok(found) => entries.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    if !is_folder {
        return entries;
    }
    let authorities: Vec<Summary> =
        entries.iter().map(|entry| &entry.summary).filter(|summary| summary.is_authority).cloned().collect();
    for entry in entries.iter_mut().filter(|entry| !entry.summary.is_authority && !authorities.is_empty()) {
        entry.is_trusted = Some(authorities.iter().any(|authority| entry.summary.issued_by(authority)));
    }
    entries
}

fn read(path: &Path) -> Result<Vec<Entry>, Problem> {
    let shown = path.display().to_string();
    let metadata = fs::metadata(path).map_err(|error| inputs::refused(&shown, &error))?;
    if metadata.len() > LIMIT {
        return Err(Problem::new(shown, "too large for a certificate"));
    }
    let pem = fs::read(path).map_err(|error| inputs::refused(&shown, &error))?;
    let summaries = Summary::from_pem(&pem)
        .map_err(|error| Problem::new(&shown, format!("{:#}", anyhow::Error::new(error))))?;
    Ok(summaries
        .into_iter()
        .map(|summary| Entry { file: shown.clone(), summary, is_trusted: None })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_folder_that_cannot_be_read_hid_the_other() {
        for (broken, good) in [("ca.crt", "tls.crt"), ("tls.crt", "ca.crt")] {
            let folder = tempfile::tempdir().unwrap();
            let authority = Authority::new("a", DAY).unwrap();
            let leaf = authority.issue(&["localhost".parse().unwrap()], DAY).unwrap();
            folder::write(folder.path(), &authority, &leaf, false).unwrap();
            fs::write(folder.path().join(broken), "x").unwrap();
            let mut problems = Vec::new();
            let entries = inspect(folder.path(), &mut problems);
            let files: Vec<_> = entries.iter().map(|entry| Path::new(&entry.file)).collect();
            assert_eq!(files, [folder.path().join(good)]);
            assert!(problems.len() == 1 && problems[0].to_string().contains(broken), "{problems:?}");
            assert_eq!(entries[0].is_trusted, None, "there is no other to be signed by");
        }
    }
}
