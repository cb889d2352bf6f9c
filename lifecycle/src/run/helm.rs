//! The real Helm: which one, its arguments, and a limit for whatever it does.

use std::{
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use hooks::mask::without_objects;
use tempfile::TempDir;

use super::{
    Error, Target,
    process::{KEPT, Process},
};
use crate::{
    answer::Action,
    command::{Flags, Wait},
    scenario::Step,
};

/// How Helm begins the last thing it says.
const ERROR: &str = "Error: ";

/// How long a program has to say its version.
const VERSION: Duration = Duration::from_secs(20);

/// A Helm that was found.
#[derive(Debug, Clone)]
pub struct Helm {
    program: PathBuf,
    /// As in `4.2.4`.
    pub version: String,
}

/// What a program says of itself when it is asked for its version.
enum Answer {
    /// A version, as in `4.2.4`.
    Helm(String),
    /// Nothing that Helm says.
    Other,
    /// Nothing in time.
    Silence,
}

/// A command of Helm's that runs.
#[derive(Debug)]
pub(super) struct Running {
    program: PathBuf,
    process: Process,
    began: Instant,
    /// What Helm remembers of the kinds that were served is not the cluster's.
    _cache: TempDir,
}

/// How a command of Helm's ended.
#[derive(Debug)]
pub(super) struct Ran {
    /// 137 when it was ended since it took too long.
    pub(super) exit: i32,
    pub(super) stderr: String,
    /// The pods whose logs it printed for `--logs`; what they said is not kept. `None` when it said more than is read.
    pub(super) printed: Option<Vec<String>>,
    pub(super) began: Instant,
    pub(super) ended: Instant,
}

impl Helm {
    /// The first of `programs` that is a Helm of the major version `wanted`.
    ///
    /// # Errors
    /// When none is, with what each of them is.
    pub async fn find(programs: &[PathBuf], wanted: &str) -> Result<Self, Error> {
        let mut found = Vec::new();
        for program in programs {
            match asked(program).await? {
                Answer::Helm(version) if version.split('.').next() == Some(wanted) => {
                    return Ok(Self { program: program.clone(), version });
                }
                answer => found.push(format!("{} {answer}", program.display())),
            }
        }
        Err(Error::Version { wanted: wanted.to_owned(), found })
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The arguments of one step.
    pub(super) fn args(&self, step: &Step, release: &str) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec![step.action.name().into(), release.into()];
        if let Some(source) = &step.chart {
            args.push(source.chart.clone().into());
            for file in &source.values {
                args.extend(["--values".into(), file.clone().into()]);
            }
            let texts = source.set.iter().map(|value| ("--set", value));
            for (flag, value) in texts.chain(source.set_string.iter().map(|value| ("--set-string", value))) {
                args.extend([flag.into(), value.into()]);
            }
        }
        args.extend(self.flags(&step.flags, step.action).into_iter().map(OsString::from));
        args
    }

    fn flags(&self, flags: &Flags, action: Action) -> Vec<String> {
        let is_three = self.version.starts_with("3.");
        let mut args = Vec::new();
        args.extend(flags.to.filter(|_| action == Action::Rollback).map(|to| to.to_string()));
        let undo = if is_three { "--atomic" } else { "--rollback-on-failure" };
        let given = [
            (flags.no_hooks, "--no-hooks"),
            (flags.wait == Wait::Watcher, "--wait"),
            (flags.wait == Wait::Legacy, if is_three { "--wait" } else { "--wait=legacy" }),
            (flags.wait_for_jobs, "--wait-for-jobs"),
            (flags.rollback_on_failure, undo),
            (flags.keep_history, "--keep-history"),
            (flags.cleanup_on_fail, "--cleanup-on-fail"),
            (flags.install, "--install"),
            (flags.logs, "--logs"),
            (flags.server_side == Some(false) && !is_three, "--server-side=false"),
            (flags.server_side == Some(true) && !is_three, "--server-side=true"),
        ];
        args.extend(given.iter().filter(|(given, _)| *given).map(|(_, flag)| (*flag).to_owned()));
        for filter in &flags.filters {
            args.extend(["--filter".to_owned(), filter.clone()]);
        }
        args.push(format!("--timeout={}ms", flags.timeout.as_millis()));
        args
    }

    /// Starts it.
    pub(super) fn start(
        &self,
        args: Vec<OsString>,
        target: &Target,
        namespace: &str,
    ) -> Result<Running, Error> {
        let cache = tempfile::tempdir().map_err(Error::Write)?;
        let mut command = Command::new(&self.program);
        command.args(args).args(["--namespace", namespace]);
        if let Some(kubeconfig) = &target.kubeconfig {
            command.arg("--kubeconfig").arg(kubeconfig);
        }
        if let Some(context) = &target.context {
            command.args(["--kube-context", context]);
        }
        command
            .env("HELM_DRIVER", "secret")
            .env_remove("HELM_NAMESPACE")
            .env("KUBECACHEDIR", cache.path())
            .stderr(Stdio::piped());
        let (began, program) = (Instant::now(), self.program.clone());
        match Process::start(command) {
            Ok(process) => Ok(Running { program, process, began, _cache: cache }),
            Err(source) => Err(Error::Start { program, source }),
        }
    }
}

impl Running {
    /// Waits for its end, for `limit` at most.
    pub(super) async fn ran(&mut self, limit: Duration) -> Result<Ran, Error> {
        let (exit, stderr, printed) = match self.process.said(limit).await {
            Some(Ok(said)) => (said.status.code().unwrap_or(137), said.stderr, printed(&said.stdout)),
            Some(Err(source)) => return Err(Error::Start { program: self.program.clone(), source }),
            None => {
                let seconds = limit.as_secs();
                let late = format!("Error: ended after {seconds}s, in which Helm did not end by itself");
                (137, late, printed(""))
            }
        };
        Ok(Ran { exit, stderr, printed, began: self.began, ended: Instant::now() })
    }

    /// Ends it.
    pub(super) async fn end(mut self) {
        self.process.end().await;
    }
}

/// Asks a program which Helm it is.
async fn asked(program: &Path) -> Result<Answer, Error> {
    let mut command = Command::new(program);
    command.args(["version", "--template", "{{.Version}}"]).stderr(Stdio::null());
    let start = |source: io::Error| {
        let is_name = program.components().count() == 1;
        let program = program.to_owned();
        let is_absent = source.kind() == io::ErrorKind::NotFound && is_name;
        if is_absent { Error::NoHelm(program) } else { Error::Start { program, source } }
    };
    let mut process = Process::start(command).map_err(start)?;
    let Some(said) = process.said(VERSION).await else { return Ok(Answer::Silence) };
    let Some(said) = said.ok().filter(|said| said.status.success()) else { return Ok(Answer::Other) };
    let said = said.stdout.trim().trim_start_matches('v');
    let version = said.split(['+', '-']).next().unwrap_or_default();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = version.split('.').count() == 3 && version.split('.').all(is_number);
    Ok(if is_version { Answer::Helm(version.to_owned()) } else { Answer::Other })
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Helm(version) => write!(formatter, "is Helm {version}"),
            Self::Other => formatter.write_str("is no Helm"),
            Self::Silence => {
                write!(formatter, "did not say within {} s what it is", VERSION.as_secs())
            }
        }
    }
}

/// Helm 4 names the container behind the pod, once for each.
///
/// Source: Helm 3.21.4 and 4.2.4 `pkg/action/release_testing.go`, `GetPodLogs`.
fn printed(stdout: &str) -> Option<Vec<String>> {
    let names = stdout.lines().filter_map(|line| line.strip_prefix("POD LOGS: ")?.split(' ').next());
    let names = names.map(str::to_owned);
    u64::try_from(stdout.len()).is_ok_and(|length| length < KEPT).then(|| names.collect())
}

impl Ran {
    /// All that Helm prints after `Error: `, without the pod templates that an API server quotes in it.
    pub(super) fn said(&self) -> Option<String> {
        if self.exit == 0 {
            return None;
        }
        let starts = |(at, _): &(usize, &str)| *at == 0 || self.stderr[..*at].ends_with('\n');
        let error = self
            .stderr
            .match_indices(ERROR)
            .find(starts)
            .map(|(at, _)| self.stderr[at + ERROR.len()..].trim_end());
        Some(without_objects(error.unwrap_or("Helm said nothing")))
    }

    /// The first line of it.
    pub(super) fn error(&self) -> Option<String> {
        self.said().map(|said| said.lines().next().unwrap_or_default().to_owned())
    }
}

/// So long a step may take at the most: each wait takes the timeout, and Helm needs a moment for itself.
pub(super) fn limit(flags: &Flags, hooks: usize) -> Duration {
    let waits = u32::try_from(2 * hooks + 2).unwrap_or(u32::MAX);
    let waits = if flags.rollback_on_failure { waits.saturating_mul(2) } else { waits };
    let each = flags.timeout.max(Duration::from_secs(30));
    each.checked_mul(waits).unwrap_or(Duration::MAX).saturating_add(Duration::from_secs(60)).min(LONGEST)
}

/// Nobody waits longer for one command.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn helm(version: &str) -> Helm {
        Helm { program: "helm".into(), version: version.to_owned() }
    }

    #[test]
    fn undoing_has_another_name_in_each_helm() {
        let flags = Flags { rollback_on_failure: true, ..Flags::default() };
        let has =
            |version, flag: &str| helm(version).flags(&flags, Action::Upgrade).contains(&flag.to_owned());
        assert!(has("3.21.4", "--atomic") && has("4.2.4", "--rollback-on-failure"));
    }

    #[test]
    fn only_a_rollback_is_told_a_revision() {
        let flags = Flags { to: Some(3), ..Flags::default() };
        assert_eq!(helm("4.2.4").flags(&flags, Action::Rollback)[0], "3");
        assert_ne!(helm("4.2.4").flags(&flags, Action::Uninstall)[0], "3");
    }

    #[test]
    fn no_line_of_an_error_is_lost_and_the_first_one_is_told() {
        let ran = |stderr: &str| Ran {
            exit: 1,
            stderr: stderr.to_owned(),
            printed: None,
            began: Instant::now(),
            ended: Instant::now(),
        };
        let late = ran(
            "level=WARN msg=\"Error: x\"\nError: INSTALLATION FAILED: Job in progress\ncontext deadline exceeded\n",
        );
        assert_eq!(late.said().unwrap(), "INSTALLATION FAILED: Job in progress\ncontext deadline exceeded");
        assert_eq!(late.error().unwrap(), "INSTALLATION FAILED: Job in progress");
        assert_eq!(ran("").said().unwrap(), "Helm said nothing");
    }

    #[tokio::test]
    async fn a_program_of_another_version_is_refused_and_named() {
        let error = Helm::find(&["true".into()], "4").await.unwrap_err();
        assert_eq!(error.to_string(), "the scenario wants Helm 4, and true is no Helm");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let said = async |program: &str| Helm::find(&[program.into()], "4").await.unwrap_err().sentence();
        let absent = "there is no \"no-helm\" on the PATH; install Helm, or name it with --helm-bin";
        assert_eq!(said("no-helm").await, absent);
        assert_eq!(said("./no-helm").await, "cannot start ./no-helm: No such file or directory");
    }

    #[tokio::test]
    async fn what_a_program_says_of_itself_is_a_version_or_it_is_no_helm() {
        let folder = tempfile::tempdir().unwrap();
        for (says, expected) in [
            ("echo v4.2.4+g1", "4.2.4"),
            ("echo v4.2.4; exit 3", "the scenario wants Helm 4, and PROGRAM is no Helm"),
            (r"printf '4.\033[31m.x\nmore'", "the scenario wants Helm 4, and PROGRAM is no Helm"),
            ("echo v3.21.4", "the scenario wants Helm 4, and PROGRAM is Helm 3.21.4"),
        ] {
            let program = script(folder.path(), says);
            let found = Helm::find(std::slice::from_ref(&program), "4").await;
            let said = found.map_or_else(|error| error.to_string(), |helm| helm.version);
            assert_eq!(said.replace(&program.display().to_string(), "PROGRAM"), expected, "{says}");
        }
    }

    /// A program of a shell's.
    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("helm");
        // A program that this process has open itself cannot be started.
        let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#;
        let written = Command::new("sh").args(["-c", write, "write"]).arg(&path).arg(text).status();
        assert!(written.unwrap().success());
        path
    }

    #[test]
    fn of_logs_only_the_names_of_pods_are_kept() {
        let stdout =
            "NAME: shop\nPhase: Succeeded\nPOD LOGS: check\na POD LOGS: b\n\nPOD LOGS: other (main)\n\n";
        assert_eq!(printed(stdout).unwrap(), ["check", "other"]);
    }

    #[tokio::test]
    async fn a_helm_that_does_not_end_is_ended_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let script = script(folder.path(), "sleep 1000 & echo $! > \"$(dirname \"$0\")/id\"\nwait");
        let helm = Helm { program: script, version: "4.2.4".to_owned() };
        let target = Target { kubeconfig: None, context: None };
        let mut running = helm.start(Vec::new(), &target, "demo").unwrap();
        let ran = running.ran(Duration::from_millis(500)).await.unwrap();
        assert_eq!(ran.exit, 137);
        let id = std::fs::read_to_string(folder.path().join("id")).unwrap();
        let state = || {
            let ps = Command::new("ps").args(["-o", "stat=", "-p", id.trim()]).output().unwrap();
            String::from_utf8(ps.stdout).unwrap()
        };
        // What has been killed takes a moment to end, and is a zombie until somebody asks about it.
        let has_ended = |state: &str| state.trim().is_empty() || state.starts_with('Z');
        let ended = (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            has_ended(&state())
        });
        assert!(ended, "{}", state());
    }
}
