//! What a folder holds: manifests and charts, sorted, hidden names left out, every folder once.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{Found, Source, chart, file};
use crate::report::Problem;

/// Names of manifests end like this.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// No release has more files and folders than this, and whoever names more names a disk.
const RELEASE: usize = 10_000;

/// How much is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breadth {
    /// All there is.
    Any,
    /// As much as one release may have.
    Release,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) sources: Vec<Source>,
    pub(super) problems: Vec<Problem>,
    /// How many more files and folders are looked at.
    left: usize,
}

/// Walks a folder. A chart in it is one source, and its files are not looked at.
pub(super) fn folder(found: &Found, breadth: Breadth) -> Walked {
    let most = if breadth == Breadth::Any { usize::MAX } else { RELEASE };
    within(found, most)
}

fn within(found: &Found, most: usize) -> Walked {
    let mut walked = Walked { left: most, ..Walked::default() };
    let mut seen = HashSet::new();
    enter(&found.path, &mut seen, &mut walked);
    if walked.left == 0 {
        let message = format!(
            "this folder has no Chart.yaml, and too much for one release: more than {most} files and folders; \
             name the folder of the chart, or of its manifests"
        );
        let problems = vec![Problem::new(found.shown.clone(), message)];
        return Walked { problems, ..Walked::default() };
    }
    if walked.sources.is_empty() && walked.problems.is_empty() {
        let message = "no .yaml, .yml or .json file and no chart in this folder";
        walked.problems.push(Problem::new(found.shown.clone(), message));
    }
    walked
}

/// Folders that links lead to a second time are left out, so that a loop ends.
fn enter(folder: &Path, seen: &mut HashSet<PathBuf>, walked: &mut Walked) {
    let shown = folder.display().to_string();
    let entries = fs::canonicalize(folder)
        .and_then(|real| if seen.insert(real) { list(folder) } else { Ok(Vec::new()) });
    match entries {
        Ok(entries) => entries.iter().for_each(|path| take(path, seen, walked)),
        Err(error) => walked.problems.push(file::refused(&shown, &error)),
    }
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    paths.sort_unstable();
    Ok(paths)
}

fn take(path: &Path, seen: &mut HashSet<PathBuf>, walked: &mut Walked) {
    walked.left = walked.left.saturating_sub(1);
    if walked.left == 0 {
        return;
    }
    let found = || Found { shown: path.display().to_string(), path: path.to_owned(), is_walked: true };
    let is_manifest =
        path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end.eq_ignore_ascii_case(known)));
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() && chart::is_chart(path) => {
            walked.sources.push(Source::Chart(found()));
        }
        Ok(metadata) if metadata.is_dir() => enter(path, seen, walked),
        // Not a pipe or a socket: whoever waits for those may wait for ever.
        Ok(metadata) if is_manifest && metadata.is_file() => walked.sources.push(Source::File(found())),
        Err(error) if is_manifest => walked.problems.push(dangling(&found().shown, &error)),
        _ => {}
    }
}

/// A name in a folder, and no file behind it.
fn dangling(shown: &str, error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Problem::new(shown, "this link leads to no file; mend it, or take it out of the folder")
        }
        _ => file::refused(shown, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_walked_sorted_and_charts_are_not_entered() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        for name in [
            "b.yaml",
            "a/z.yml",
            "c/Chart.yaml",
            "c/templates/x.yaml",
            "d.JSON",
            "e.txt",
            ".git/x.yaml",
            "..data/y.yaml",
        ] {
            write(name);
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        let found = Found { shown: "r".into(), path: root.path().into(), is_walked: false };
        let walked = folder(&found, Breadth::Any);
        let names = walked.sources.iter().map(|source| match source {
            Source::File(found) => found.path.strip_prefix(root.path()).unwrap().display().to_string(),
            Source::Chart(found) => {
                format!("chart {}", found.path.strip_prefix(root.path()).unwrap().display())
            }
            Source::Stdin(_) => String::new(),
        });
        assert_eq!(names.collect::<Vec<_>>(), ["a/z.yml", "b.yaml", "chart c", "d.JSON"]);
    }

    #[test]
    fn a_folder_without_manifests_is_a_problem() {
        let root = tempfile::tempdir().unwrap();
        let found = Found { shown: "empty".into(), path: root.path().into(), is_walked: false };
        assert_eq!(folder(&found, Breadth::Release).problems.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_no_file_was_passed_over_in_silence() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.yaml"), "").unwrap();
        for name in ["b.yaml", "notes.txt", ".hidden.yaml"] {
            std::os::unix::fs::symlink("gone", root.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink("c.yaml", root.path().join("c.yaml")).unwrap();
        let found = Found { shown: "r".into(), path: root.path().into(), is_walked: false };
        let walked = folder(&found, Breadth::Any);
        let said: Vec<_> = walked.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(walked.sources.len(), 1);
        assert_eq!(said[0], "this link leads to no file; mend it, or take it out of the folder");
        assert!(said.len() == 2 && said[1].starts_with("cannot be read: "), "{said:?}");
    }

    #[test]
    fn a_chart_that_is_the_root_of_a_disk_was_walked_to_the_end() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a/b/c.yaml", "d.yaml", "e.yaml"] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = Found { shown: "/".into(), path: root.path().into(), is_walked: false };
        assert_eq!(within(&found, 6).sources.len(), 3);
        let walked = within(&found, 4);
        let said = walked.problems.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(walked.sources.is_empty() && said.len() == 1, "{said:?}");
        assert!(said[0].starts_with("/: this folder has no Chart.yaml, and too much"), "{said:?}");
    }
}
