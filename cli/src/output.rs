//! Where results go: which format to which file, several at once.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::{ArgMatches, CommandFactory as _, ValueEnum};
use time::OffsetDateTime;

use crate::{
    Io,
    args::Global,
    rehearsal::Rehearsal,
    report::{Problem, Report},
    streams::unless_left,
    trial::Trial,
};

pub mod certs;
pub mod diagnose;
pub mod json_v1;
pub mod lifecycle;
pub mod plan_v1;
pub mod rollout_v1;
pub mod rules;
pub mod text;
pub mod try_text;
pub mod try_v1;

/// The flags that say where results go; `F` is how they can be written.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Output")]
pub struct Args<F: ValueEnum + Clone + Send + Sync + 'static = Format> {
    /// How to write results; repeatable, each to the `-o` that follows it, else to the standard output.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Vec<F>,
    /// Write results to a file; the one before it, or else after it, is its format.
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines; version 1.
    Json,
}

/// How rollouts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RolloutFormat {
    /// For people.
    #[default]
    Text,
    /// For machines; version 1.
    Json,
    /// For CI servers.
    Junit,
    /// For pull requests.
    Markdown,
    /// A page of its own, with a drawing.
    Html,
}

/// What stands for a file where the command line is what is wrong.
pub const COMMAND_LINE: &str = "(command line)";

/// One result to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<F = Format> {
    /// How.
    pub format: F,
    /// Where; `None` is the standard output.
    pub file: Option<PathBuf>,
}

/// Keeps the promise of `--format json` where even the command line cannot be read: one document, with the reason in `errors`.
pub fn refuse(arguments: &[OsString], refused: &clap::Error, io: &mut Io<'_>) {
    let words: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let wants_json = words.iter().any(|word| word == "--format=json")
        || words.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
    if !refused.use_stderr() || !wants_json {
        return;
    }
    let text = refused.render().to_string();
    let reason: Vec<_> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let problem = Problem::new(COMMAND_LINE, reason.join(" ").trim_start_matches("error: "));
    let known = crate::args::Args::command();
    let command = words.iter().skip(1).find(|word| known.find_subcommand(&***word).is_some());
    let out = &mut *io.stdout;
    // There is nobody left to tell when this fails.
    let _ = match command.map(AsRef::as_ref) {
        Some("check") => json_v1::write(&Report { problems: vec![problem], ..Report::default() }, out),
        Some("try") => try_v1::write(&Trial { problems: vec![problem], ..Trial::default() }, out),
        Some("plan") => plan_v1::write(&Rehearsal::refused(problem), out),
        Some("rollout") => rollout_v1::write(&Rehearsal::refused(problem), out),
        Some("diagnose") => diagnose::json_v1::refuse(&problem.message, out),
        Some("rules") => out.write_all(rules::json(&[], &[problem]).as_bytes()),
        Some("certs") => out.write_all(certs::json(&[], &[problem], OffsetDateTime::UNIX_EPOCH).as_bytes()),
        _ => Ok(()),
    };
}

impl<F: ValueEnum + Copy + Default + Send + Sync + 'static> Args<F> {
    /// Pairs formats and files in the order in which they were written.
    ///
    /// # Errors
    /// When two results would go to the standard output or into one file, or a file has no format.
    pub fn targets(&self, matches: &ArgMatches) -> anyhow::Result<Vec<Target<F>>> {
        enum Word<'a, F> {
            Format(F),
            File(&'a PathBuf),
        }
        let indices = |id: &str| matches.indices_of(id).into_iter().flatten();
        let mut words: Vec<_> =
            indices("format").zip(self.format.iter().map(|format| Word::Format(*format))).collect();
        words.extend(indices("output").zip(self.output.iter().map(Word::File)));
        words.sort_by_key(|(index, _)| *index);

        let (mut targets, mut waiting) = (Vec::<Target<F>>::new(), None);
        for (_, word) in words {
            match word {
                Word::Format(format) => targets.push(Target { format, file: waiting.take() }),
                Word::File(file) => match targets.last_mut().filter(|target| target.file.is_none()) {
                    Some(target) => target.file = Some(file.clone()),
                    None if waiting.is_none() => waiting = Some(file.clone()),
                    None => bail!("-o {} has no --format; give one for each file", file.display()),
                },
            }
        }
        match waiting {
            Some(file) if targets.is_empty() => {
                targets.push(Target { format: F::default(), file: Some(file) });
            }
            Some(file) => bail!("-o {} has no --format; give one for each file", file.display()),
            None if targets.is_empty() => targets.push(Target { format: F::default(), file: None }),
            None => {}
        }
        for target in &mut targets {
            target.file =
                target.file.take().filter(|file| !["-", "/dev/stdout"].contains(&&*file.to_string_lossy()));
        }
        if targets.iter().filter(|target| target.file.is_none()).count() > 1 {
            bail!("two formats would go to the standard output; name a file for one of them with -o FILE");
        }
        let mut places = HashSet::new();
        let files = targets.iter().filter_map(|target| target.file.as_deref());
        let mut replaced = files.filter(|file| !is_written_to(file));
        if let Some(file) = replaced.find(|file| !places.insert(place(file))) {
            bail!("two results would go to {}; name another file for one of them", file.display());
        }
        Ok(targets)
    }
}

/// Writes each result to its place; `print` is told how, and whether with colour.
///
/// # Errors
/// When one cannot be written; the others are. Of several that cannot, all but the last are told here.
pub fn write<F: Copy>(
    targets: &[Target<F>],
    global: &Global,
    io: &mut Io<'_>,
    print: impl Fn(F, bool, &mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let mut failed = Ok(());
    for target in targets {
        let colors = global.colors(io.stdout_is_terminal && target.file.is_none(), io.no_color);
        let written = target.write(io, |out| print(target.format, colors, out));
        if written.is_err()
            && let Err(earlier) = std::mem::replace(&mut failed, written)
        {
            io.error(&format!("{earlier:#}"), global)?;
        }
    }
    failed
}

impl<F> Target<F> {
    /// Writes one result. A file is replaced only when all of it is there.
    fn write(
        &self,
        io: &mut Io<'_>,
        print: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return io.print(print) };
        let mut bytes = Vec::new();
        let written = print(&mut bytes).and_then(|()| replace(file, &bytes));
        unless_left(written).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// Devices, pipes and what a link to nothing names are written to; a file is written beside its place and then put there, and who may
/// read it stays as it was.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_written_to(file) {
        // Behind /dev/stderr may be a file with something in it.
        return OpenOptions::new().append(true).create(true).open(file)?.write_all(bytes);
    }
    let place = place(file);
    let mut beside = place.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let write = || {
        let mut out = File::create(&beside)?;
        if let Ok(before) = fs::metadata(&place) {
            out.set_permissions(before.permissions())?;
        }
        out.write_all(bytes)?;
        fs::rename(&beside, &place)
    };
    write().inspect_err(|_| {
        // The first failure is the one to tell.
        let _ = fs::remove_file(&beside);
    })
}

fn is_written_to(file: &Path) -> bool {
    let is_link = || fs::symlink_metadata(file).is_ok();
    file.starts_with("/dev") || fs::metadata(file).map_or_else(|_| is_link(), |metadata| !metadata.is_file())
}

/// Where a file is, or will be, when all links are followed.
fn place(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let there = || Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(file.file_name()?));
    file.canonicalize().ok().or_else(there).unwrap_or_else(|| file.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    fn targets(line: &str) -> Result<Vec<(Format, Option<String>)>, String> {
        let command = Args::<Format>::augment_args(clap::Command::new("x"));
        let matches = command.try_get_matches_from(["x"].into_iter().chain(line.split_whitespace())).unwrap();
        let args = Args::<Format>::from_arg_matches(&matches).unwrap();
        let targets = args.targets(&matches).map_err(|error| error.to_string())?;
        Ok(targets
            .into_iter()
            .map(|target| (target.format, target.file.map(|file| file.display().to_string())))
            .collect())
    }

    #[test]
    fn text_on_the_standard_output_is_the_default() {
        assert_eq!(targets("").unwrap(), [(Format::Text, None)]);
        assert_eq!(targets("-o a.txt").unwrap(), [(Format::Text, Some("a.txt".into()))]);
        assert_eq!(targets("--format json").unwrap(), [(Format::Json, None)]);
    }

    #[test]
    fn each_file_takes_the_format_beside_it() {
        let both = [(Format::Text, None), (Format::Json, Some("a.json".to_owned()))];
        assert_eq!(targets("--format text --format json -o a.json").unwrap(), both);
        assert_eq!(targets("-o a.json --format json").unwrap(), both[1..]);
        assert_eq!(targets("--format json -o a.json --format text -o -").unwrap().len(), 2);
    }

    #[test]
    fn ambiguities_are_refused() {
        assert!(targets("--format json --format text").unwrap_err().contains("two formats"));
        assert!(targets("--format json -o a -o b").unwrap_err().contains("has no --format"));
    }

    #[test]
    fn the_first_of_two_results_for_one_file_was_lost() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a").display().to_string();
        let both = |other: &str| targets(&format!("--format json -o {file} --format text -o {other}"));
        let said = format!("two results would go to {file}; name another file for one of them");
        assert_eq!(both(&file).unwrap_err(), said);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(".", &link).unwrap();
        assert!(both(&link.join("a").display().to_string()).unwrap_err().contains("two results"));
        let twice = targets("--format json -o /dev/stdout --format text -o -").unwrap_err();
        assert!(twice.contains("two formats would go to the standard output"), "{twice}");
        assert!(targets("--format json -o /dev/null --format text -o /dev/null").is_ok());
    }

    #[test]
    fn a_link_became_a_file_and_a_private_file_everybodys() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let [file, link, dangling] = ["file", "link", "dangling"].map(|name| folder.path().join(name));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        symlink("file", &link).unwrap();
        symlink("new", &dangling).unwrap();
        for (written, held) in [(&link, &file), (&dangling, &folder.path().join("new"))] {
            replace(written, b"new").unwrap();
            assert!(fs::symlink_metadata(written).unwrap().is_symlink());
            assert_eq!(fs::read(held).unwrap(), b"new");
        }
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "nothing else stays");
    }

    #[test]
    fn the_second_of_two_results_that_could_not_be_written_was_no_error_of_its_own() {
        let (mut stdin, mut stdout, mut stderr) = (io::empty(), Vec::new(), Vec::new());
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join("missing").join(name).display().to_string();
        let line = format!("hookward rules --format text -o {} --format json -o {}", file("a"), file("b"));
        let line = line.split(' ').map(OsString::from);
        assert_eq!(crate::run(line, &mut Io::of_memory(&mut stdin, &mut stdout, &mut stderr)), 2);
        let said = String::from_utf8(stderr).unwrap();
        let begins = said
            .lines()
            .zip(["a", "b"])
            .all(|(line, name)| line.starts_with(&format!("error: cannot write {}: ", file(name))));
        assert!(begins && said.lines().count() == 2, "{said}");
    }
}
