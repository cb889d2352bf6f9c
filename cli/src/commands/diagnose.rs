//! `hookward diagnose`: why a hook of a release failed, in one page.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::ArgMatches;
use cluster::{
    client,
    diagnose::{Diagnosis, Hook, Question, TIMEOUT, diagnose},
};
use policies::{Namespace, PolicySet, Settings, policy_set::Named, settings::Engine};
use tokio::runtime::Builder;

use crate::{
    Io,
    args::Global,
    exit, inputs,
    judge::Judge,
    output::{
        self, Format,
        diagnose::{Prevention, json_v1, text},
    },
    policy_file,
};

const NEEDS: &str = "\
Nothing in the cluster is changed. It takes the right to read Secrets, where releases are stored;
what else may not be read is noted, and the rest is judged.

Exit codes: 0 the release is well, 1 it or a hook of it is not, 2 its record could not be read.";

const EXAMPLES: &str = "\
Examples:
  hookward diagnose shop -n shop                 why the last change of release shop failed
  hookward diagnose shop -n shop --revision 7    the same of an earlier revision
  hookward diagnose shop --context prod          in the namespace of another context
  hookward diagnose shop --format json           for programs
";

/// Which release to look at, and where it is.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(after_help = NEEDS, after_long_help = format!("{EXAMPLES}\n{NEEDS}"))]
pub struct Args {
    /// The name of the release, as helm list shows it.
    #[arg(value_name = "RELEASE", value_parser = inputs::names::release)]
    pub release: String,
    /// The namespace of the release [default: that of the context].
    #[arg(short, long, value_name = "NAME", env = "HELM_NAMESPACE", value_parser = inputs::names::namespace)]
    pub namespace: Option<String>,
    /// The revision to look at [default: the last one, or the one before if that was rolled back].
    #[arg(long, value_name = "NUMBER", value_parser = revision)]
    pub revision: Option<i64>,
    /// How many lines of each log to show, at most 1000.
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = log_lines)]
    pub log_lines: u16,
    /// The kubeconfig [default: the variable KUBECONFIG, or ~/.kube/config].
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub kubeconfig: Option<PathBuf>,
    /// Its context [default: the current one].
    #[arg(long, value_name = "NAME", env = "HELM_KUBECONTEXT", help_heading = "Cluster")]
    pub context: Option<String>,
    /// What the rules may do.
    #[command(flatten)]
    pub policy: policy_file::Args,
    /// Where results go.
    #[command(flatten)]
    pub output: output::Args,
}

impl Args {
    /// Looks, prints.
    ///
    /// # Errors
    /// When nothing could be printed; why a release could not be looked at is in the results.
    pub fn run(&self, global: &Global, matches: &ArgMatches, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let targets = self.output.targets(matches)?;
        let looked = self.look();
        match &looked {
            Ok((diagnosis, _)) => {
                for note in &diagnosis.notes {
                    io.note(note, global)?;
                }
            }
            Err(problem) => io.error(problem, global)?,
        }
        output::write(&targets, global, io, |format, colors, out| match (&looked, format) {
            (Ok((diagnosis, prevent)), Format::Text) => text::write(diagnosis, prevent, colors, out),
            (Ok((diagnosis, prevent)), Format::Json) => json_v1::write(diagnosis, prevent, out),
            (Err(_), Format::Text) => Ok(()),
            (Err(problem), Format::Json) => json_v1::refuse(problem, out),
        })?;
        Ok(match looked {
            Err(_) => exit::FAILED,
            Ok((diagnosis, _)) if diagnosis.is_healthy() => exit::CLEAN,
            Ok(_) => exit::FINDINGS,
        })
    }

    /// What there is to say, or one sentence on why nothing can be said.
    fn look(&self) -> Result<(Diagnosis, Vec<Prevention>), String> {
        let (policies, notes) = self.policy.load(0).map_err(|problem| problem.to_string())?;
        let asked = self.ask().map_err(|error| {
            let nowhere = matches!(error.downcast_ref(), Some(client::Error::Nowhere(_)));
            let hint = if nowhere { "; name one with --kubeconfig FILE" } else { "" };
            format!("{error:#}{hint}")
        });
        let mut diagnosis = asked?;
        diagnosis.notes.extend(notes);
        let prevent = prevention(&diagnosis, &policies);
        Ok((diagnosis, prevent))
    }

    fn ask(&self) -> anyhow::Result<Diagnosis> {
        let runtime =
            Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
        runtime.block_on(async {
            let client = client::connect_to(self.kubeconfig.as_deref(), self.context.as_deref()).await?;
            let namespace = self.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
            let question = Question {
                release: &self.release,
                namespace: &namespace,
                revision: self.revision,
                log_lines: usize::from(self.log_lines),
                now: policy_file::now(),
            };
            Ok(Box::pin(diagnose(&client, &question)).await?)
        })
    }
}

fn revision(text: &str) -> Result<i64, String> {
    let read = text.parse().ok().filter(|revision| *revision > 0);
    read.ok_or_else(|| "write the number of a revision, as helm history shows it".to_owned())
}

fn log_lines(text: &str) -> Result<u16, String> {
    let read = text.parse().ok().filter(|lines| *lines <= 1000);
    read.ok_or_else(|| "write a whole number from 0 to 1000".to_owned())
}

/// The policies with the timeout that Helm had, where it is seen: what they say of one is a guess.
fn as_seen(hook: &Hook, diagnosis: &Diagnosis, policies: &PolicySet) -> Option<PolicySet> {
    let is_timeout = hook.causes.iter().any(|cause| cause.id == TIMEOUT);
    let (began, ended) = hook.began.zip(hook.ended).filter(|_| is_timeout)?;
    let namespace = Namespace { name: &diagnosis.namespace, labels: None };
    let engine =
        Engine { timeout_seconds: (ended - began).max(1), ..policies.policy(Some(namespace)).engine.clone() };
    let seen = Named {
        name: "as-seen".to_owned(),
        settings: Settings { engine: Some(engine), priority: i32::MAX, ..Settings::default() },
        is_base: false,
    };
    let all = policies.policies().iter().cloned().chain([seen]).collect();
    PolicySet::new(all, policies.exceptions().to_vec(), policies.profile(), 0).ok()
}

/// What the rules that know of such causes have to say about this very hook.
fn prevention(diagnosis: &Diagnosis, policies: &PolicySet) -> Vec<Prevention> {
    let Some(hook) = &diagnosis.hook else { return Vec::new() };
    let known: Vec<&str> = hook.causes.iter().flat_map(|cause| cause.rules.iter().copied()).collect();
    if known.is_empty() {
        return Vec::new();
    }
    let as_seen = as_seen(hook, diagnosis, policies);
    let judge = Judge {
        policies: as_seen.as_ref().unwrap_or(policies),
        namespace: Some(&diagnosis.namespace),
        release: Some(&diagnosis.release),
        now: policy_file::now(),
    };
    let mut report = judge.record(&diagnosis.release, &diagnosis.record);
    report.sort();
    let is_about = |entry: &&crate::report::Entry| {
        let of_hook = entry.object.as_ref().is_none_or(|object| {
            object.kind == hook.kind && object.name.as_deref() == Some(hook.name.as_str())
        });
        known.contains(&entry.rule.id) && of_hook
    };
    let mut found: Vec<Prevention> = Vec::new();
    for entry in report.findings.iter().filter(is_about) {
        if !found.iter().any(|one| one.rule == entry.rule.id) {
            found.push(Prevention { rule: entry.rule.id, mode: entry.mode, message: entry.message.clone() });
        }
    }
    found
}
