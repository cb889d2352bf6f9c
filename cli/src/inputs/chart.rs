//! Charts rendered by `helm template`, within a time and a size, and the way back from what it printed to the templates.

use std::{
    fs,
    io::{self, Read, Write as _},
    path::{Component, Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use hooks::{Interest, yaml::Limits};

use super::{Args, Found, Loaded, PROGRAM, Text, archive, dropped, file, names, unknown};
use crate::report::Problem;

/// The file that makes a folder a chart.
const CHART_FILE: &str = "Chart.yaml";
/// The folder of a chart's templates.
const TEMPLATES: &str = "templates";
/// The folder of the charts in a chart.
const SUBCHARTS: &str = "charts";
/// How deep charts in charts are looked for, in folders: two for each chart.
const DEEPEST: usize = 12;
/// What Helm calls a release that has no name.
const RELEASE: &str = "release-name";
/// How much of what helm says on stderr is kept, in bytes.
const STDERR_LIMIT: u64 = 1 << 20;
/// How much of a template is read to find a line in it, in bytes.
const TEMPLATE_LIMIT: u64 = 4 << 20;

/// A chart that was rendered, as the place that its manifests came from.
#[derive(Debug, Clone)]
pub struct ChartSource {
    shown: String,
    /// `None` for an archive.
    folder: Option<PathBuf>,
}

impl ChartSource {
    /// The path of a template for people: Helm's name for it, with the chart as it was given in front.
    #[must_use]
    pub fn shown(&self, source: &str) -> String {
        let within = source.split_once('/').map_or(source, |(_, within)| within);
        format!("{}/{within}", self.shown.trim_end_matches('/'))
    }

    /// The text of a template, if it is a file of the chart's folder.
    #[must_use]
    pub fn template(&self, source: &str) -> Option<String> {
        let (_, within) = source.split_once('/')?;
        let is_inside = Path::new(within).components().all(|part| matches!(part, Component::Normal(_)));
        let path = self.folder.as_ref().filter(|_| is_inside)?.join(within);
        file::read(&path, within, TEMPLATE_LIMIT).ok()
    }

    /// The name of the chart, if it is a folder that says so.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        word(&in_folder(self.folder.as_ref()?)?, "name")
    }

    /// The chart's own templates: Helm's name for each, and its text.
    #[must_use]
    pub fn templates(&self) -> Vec<(String, String)> {
        self.templates_below(vec![PathBuf::from(TEMPLATES)])
    }

    /// The templates of the chart and of the charts unpacked in it, named as those of the chart are.
    #[must_use]
    pub fn all_templates(&self) -> Vec<(String, String)> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let (mut found, mut charts) = (Vec::new(), vec![PathBuf::new()]);
        while let Some(chart) = charts.pop() {
            found.push(chart.join(TEMPLATES));
            let parts = chart.join(SUBCHARTS);
            // A chart in a chart, and so on: no deeper than any real one, since a link may lead back.
            if chart.components().count() < DEEPEST {
                let entries = fs::read_dir(folder.join(&parts)).into_iter().flatten().flatten();
                charts.extend(
                    entries
                        .map(|entry| parts.join(entry.file_name()))
                        .filter(|part| is_chart(&folder.join(part))),
                );
            }
        }
        self.templates_below(found)
    }

    /// Notes on what its templates ask, and nobody can tell who renders without a cluster; packed charts in it are not looked into.
    #[must_use]
    pub fn unknowns(&self, is_upgrade: bool) -> Vec<String> {
        unknown::notes(self, is_upgrade)
    }

    fn templates_below(&self, mut folders: Vec<PathBuf>) -> Vec<(String, String)> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let name = self.name().unwrap_or_else(|| "chart".to_owned());
        let mut found = Vec::new();
        while let Some(within) = folders.pop() {
            for entry in fs::read_dir(folder.join(&within)).into_iter().flatten().flatten() {
                let path = within.join(entry.file_name());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                } else {
                    let path = format!("{name}/{}", path.display());
                    found.extend(self.template(&path).map(|text| (path, text)));
                }
            }
        }
        found.sort_unstable();
        found
    }
}

/// Whether a folder is a chart.
pub(super) fn is_chart(folder: &Path) -> bool {
    folder.join(CHART_FILE).is_file()
}

/// Renders a chart.
pub(super) fn render(found: &Found, args: &Args) -> Loaded {
    let own = chart_file(&found.path, args);
    let own = |field| own.as_deref().and_then(|own| word(own, field));
    if own("type").as_deref() == Some("library") {
        return Loaded::Skipped(format!("{}: skipped: a library chart renders nothing", found.shown));
    }
    let stdin = match args.helm.rendering.passed_on.get().transpose() {
        Ok(stdin) => stdin,
        Err(problem) => return Loaded::Problem(problem.clone()),
    };
    // As given, else the chart's own name, as people mostly do it.
    let own_name = || own("name").filter(|name| names::release(name).is_ok());
    let release = args.release.clone().or_else(own_name).unwrap_or_else(|| RELEASE.to_owned());
    let output = match run(&mut command(found, &release, args), stdin, args) {
        Ok(output) => output,
        Err(Failure::NoHelm) if found.is_walked && args.helm.helm.as_os_str() == PROGRAM => {
            let note = format!("{}: skipped: needs helm on PATH, or {} FILE", found.shown, args.helm.flag);
            return Loaded::NeedsHelm(note);
        }
        Err(Failure::NoHelm) if args.helm.helm.as_os_str() != PROGRAM => {
            return Loaded::Problem(no_such_program(args));
        }
        Err(failure) => return Loaded::Problem(Problem::new(found.shown.clone(), failure.sentence(args))),
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let message = format!("helm template failed: {}", dropped::first_lines(&stderr));
        return Loaded::Problem(Problem::new(found.shown.clone(), message));
    }
    match file::text(output.stdout, &found.shown) {
        Ok(text) => {
            let folder = found.path.is_dir().then(|| found.path.clone());
            let chart = ChartSource { shown: found.shown.clone(), folder };
            let dropped = dropped::hooks(&stderr, &chart);
            // A chart may render nothing.
            Loaded::Text(Box::new(Text {
                shown: found.shown.clone(),
                text,
                is_walked: true,
                release,
                chart: Some(chart),
                dropped,
            }))
        }
        Err(problem) => Loaded::Problem(problem),
    }
}

/// That the helm which was asked for is not there; who gives a version means another setting.
fn no_such_program(args: &Args) -> Problem {
    let (helm, flag) = (args.helm.helm.display().to_string(), args.helm.flag);
    let is_version = helm.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit());
    let hint = match flag {
        _ if !is_version => String::new(),
        "--helm" => format!(
            "; {flag} names a program, and engine.helmVersion in a file for --policy says for which Helm is judged"
        ),
        _ => format!("; {flag} names a program"),
    };
    Problem::new(helm, format!("no such program{hint}"))
}

/// What the chart says of itself.
fn chart_file(chart: &Path, args: &Args) -> Option<String> {
    in_folder(chart).or_else(|| archive::read(chart, CHART_FILE, TEMPLATE_LIMIT, args.limit()))
}

fn in_folder(chart: &Path) -> Option<String> {
    file::read(&chart.join(CHART_FILE), CHART_FILE, TEMPLATE_LIMIT).ok()
}

/// `name` or `type`, as `Chart.yaml` has it.
fn word(chart_file: &str, field: &str) -> Option<String> {
    let root = hooks::yaml::document(chart_file, 0, Interest::Everything, &Limits::default()).ok()?;
    root.str_at(field).map(str::to_owned)
}

fn command(found: &Found, release: &str, args: &Args) -> Command {
    let (helm, with) = (&args.helm, &args.helm.rendering);
    let mut command = Command::new(&helm.helm);
    command.arg("template").args(["--kube-version", &with.target.kube_version]);
    if let Some(namespace) = &args.namespace {
        command.args(["--namespace", namespace]);
    }
    for file in &with.values {
        command.arg("--values").arg(file);
    }
    for (flag, values) in with.values_by_flag() {
        for value in values {
            command.args([flag, value]);
        }
    }
    if helm.is_upgrade {
        command.arg("--is-upgrade");
    }
    if helm.include_crds {
        command.arg("--include-crds");
    }
    // Helm takes a name that is no path for one of a repository.
    let chart = if found.path.is_absolute() { found.path.clone() } else { Path::new(".").join(&found.path) };
    command.arg("--").arg(release).arg(chart);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Why nothing was rendered.
#[derive(Debug)]
enum Failure {
    NoHelm,
    Start(io::Error),
    TooLate,
    TooMuch,
}

impl Failure {
    fn sentence(&self, args: &Args) -> String {
        let helm = args.helm.helm.display();
        match self {
            Self::NoHelm => {
                let flag = args.helm.flag;
                format!(
                    "this is a chart, and there is no helm to render it; install helm, or name it with {flag} FILE"
                )
            }
            Self::Start(error) => {
                format!("cannot start {helm} to render this chart: {}", error.to_string().to_lowercase())
            }
            Self::TooLate => format!(
                "helm template did not finish within {} s; raise --helm-timeout",
                args.helm.rendering.target.helm_timeout
            ),
            Self::TooMuch => {
                format!("helm template prints more than {} MiB; raise --max-file-size", args.max_file_size)
            }
        }
    }
}

struct Output {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

fn run(command: &mut Command, stdin: Option<&str>, args: &Args) -> Result<Output, Failure> {
    let deadline = Instant::now() + args.helm.timeout();
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::NoHelm,
        _ => Failure::Start(error),
    })?;
    if let Some((mut pipe, text)) = child.stdin.take().zip(stdin.map(str::to_owned)) {
        // A helm that fails before it reads says why by itself.
        thread::spawn(move || pipe.write_all(text.as_bytes()));
    }
    let limit = args.limit();
    let (stdout, stderr) = (drain(child.stdout.take(), limit + 1), drain(child.stderr.take(), STDERR_LIMIT));
    let result = wait(&mut child, &stdout, limit, deadline);
    if result.is_err() {
        // It has ended by itself, or it is ended now; either way there is nothing left behind.
        let _ = child.kill();
        let _ = child.wait();
    }
    let (status, stdout) = result?;
    let stderr = stderr.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
    Ok(Output { status, stdout, stderr })
}

/// Reads a pipe on a thread of its own, so that helm never waits for us.
fn drain(pipe: Option<impl Read + Send + 'static>, limit: u64) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before a failure still counts; helm's own exit code tells the rest.
            let _ = pipe.take(limit).read_to_end(&mut bytes);
        }
        // Nobody listens any more when helm was too late.
        let _ = sender.send(bytes);
    });
    receiver
}

fn wait(
    child: &mut Child,
    stdout: &mpsc::Receiver<Vec<u8>>,
    limit: u64,
    deadline: Instant,
) -> Result<(ExitStatus, Vec<u8>), Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    let bytes = stdout.recv_timeout(left).map_err(|_| Failure::TooLate)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(Failure::TooMuch);
    }
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok((status, bytes)),
            Ok(None) if Instant::now() >= deadline => return Err(Failure::TooLate),
            Ok(None) => thread::sleep(Duration::from_millis(2)),
            Err(error) => return Err(Failure::Start(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_shown_with_the_chart_as_given() {
        let chart = ChartSource { shown: "charts/shop/".into(), folder: None };
        assert_eq!(chart.shown("shop/templates/pvc.yaml"), "charts/shop/templates/pvc.yaml");
        assert_eq!(chart.shown("shop/charts/db/templates/a.yaml"), "charts/shop/charts/db/templates/a.yaml");
    }

    #[test]
    fn nothing_outside_of_the_chart_is_read() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("shop/templates")).unwrap();
        fs::write(root.path().join("outside.yaml"), "x").unwrap();
        fs::write(root.path().join("shop/templates/a.yaml"), "y").unwrap();
        let chart = ChartSource { shown: "shop".into(), folder: Some(root.path().join("shop")) };
        assert_eq!(chart.template("shop/../outside.yaml"), None);
        assert_eq!(chart.template("shop/templates/a.yaml").as_deref(), Some("y"));
        assert_eq!(chart.templates(), [("chart/templates/a.yaml".to_owned(), "y".to_owned())]);
    }
}
