//! One step: Helm runs, everything is heard of, and it is put together.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{
    Error, Order, Real,
    error::asked,
    helm::limit,
    place::Place,
    sight::{Change, Seen, Stored, What},
    steps::{Trace, is_item},
};
use crate::{
    answer::{Action, ObjectId, Played, Revision, Step as Happened, StepResult, Verb},
    scenario::Step,
};

/// What goes by itself within a moment is gone when anybody looks.
const MOMENT: Duration = Duration::from_millis(300);
/// How long what is on its way out is waited for, and watches that lag behind.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
/// Lines of a log that stand with the hook.
const SHOWN: usize = 3;
/// Characters of each of them.
const WIDTH: usize = 200;

impl Place {
    /// Plays one step.
    pub(super) async fn step(&mut self, order: &Order<'_>, step: &Step) -> Result<Real, Error> {
        self.watch_kinds(order, Change::Found).await?;
        let from = self.journal.read().last().map_or(0, |last| last.version);
        let args = order.helm.args(step, order.release);
        let limit = limit(&step.flags, order.objects.len());
        let ran = self.run(order, args, limit).await?;
        tokio::time::sleep(MOMENT).await;
        self.watch_kinds(order, Change::Added).await?;
        self.caught_up().await;
        let (leftovers, going) = self.left(order.namespace).await?;
        let history = self.history().await?;
        self.caught_up().await;
        let seen = self.journal.read();
        let is_helm_3 = order.helm.version.starts_with("3.");
        let trace = Trace::new(&seen, from, step, &ran, order.namespace, !is_helm_3, &self.cluster_scoped);
        let mut steps = trace.steps();
        let made = seen.iter().filter(|seen| seen.version > from).find_map(|seen| match &seen.what {
            What::Revision(stored) if stored.is_new => Some(stored.revision),
            _ => None,
        });
        let revision = made.or_else(|| newest_before(&seen, from).filter(|_| !makes(step.action)));
        self.explain(&mut steps).await;
        let logs = self.logs_of(&mut steps).await;
        let (exit, error, said) = (ran.exit, ran.error(), ran.said());
        let played = Played { action: step.action, revision, exit, error, said, steps, history, leftovers };
        let printed = ran.printed.filter(|_| step.flags.logs);
        Ok(Real { played, going, logs, printed })
    }

    /// The objects of hooks that are there, and those of them that are on their way out.
    async fn left(&self, namespace: &str) -> Result<(Vec<ObjectId>, Vec<ObjectId>), Error> {
        let start = Instant::now();
        loop {
            let (mut left, mut going) = (Vec::new(), Vec::new());
            let seen = self.journal.read();
            let (ours, is_item) = (meant(&seen), is_item(&seen, namespace, &self.cluster_scoped));
            for watch in &self.watches.objects {
                let now = match watch.now().await {
                    Ok(now) => now,
                    // Its definition may be gone.
                    Err(kube::Error::Api(status)) if status.is_not_found() => continue,
                    Err(error) => return Err(asked(format!("list {}s", watch.kind()), &error)),
                };
                let sights = now.iter().map(|object| watch.sight(object));
                for sight in sights.filter(|sight| {
                    (sight.is_hook || is_item(&sight.id)) && ours.contains(&sight.uid.as_str())
                }) {
                    if sight.is_going {
                        going.push(sight.id.clone());
                    }
                    left.push(sight.id);
                }
            }
            if going.is_empty() || start.elapsed() > PATIENCE {
                left.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
                return Ok((left, going));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn history(&self) -> Result<Vec<Revision>, Error> {
        let Some(records) = &self.watches.records else { return Ok(Vec::new()) };
        let now = records.now().await.map_err(|error| asked("list the stored revisions", &error))?;
        let stored = now.iter().filter_map(|secret| Stored::of(secret, Change::Found));
        let mut history: Vec<_> = stored
            .map(|stored| Revision { revision: stored.revision, status: stored.status.name().to_owned() })
            .collect();
        history.sort_by_key(|revision| revision.revision);
        Ok(history)
    }

    /// Waits until every watch has seen all that is there now, and nothing else.
    async fn caught_up(&self) {
        let start = Instant::now();
        let mut changes = self.journal.subscribe();
        for watch in self.watches.all() {
            let Ok(now) = watch.now().await else { continue };
            let version = |text: Option<&String>| text.and_then(|text| text.parse().ok()).unwrap_or(0_u64);
            loop {
                let alive = watch.known();
                let is_known = now.iter().all(|object| {
                    let uid = object.metadata.uid.as_deref().unwrap_or_default();
                    let known = alive.get(uid);
                    known.is_some_and(|known| *known >= version(object.metadata.resource_version.as_ref()))
                });
                let is_there =
                    |uid: &String| now.iter().any(|object| object.metadata.uid.as_ref() == Some(uid));
                if is_known && alive.keys().all(is_there) || start.elapsed() > PATIENCE {
                    break;
                }
                let _ = tokio::time::timeout(PAUSE, changes.changed()).await;
            }
        }
    }

    /// Says of hooks that failed what Kubernetes warned of.
    async fn explain(&self, steps: &mut [Happened]) {
        let Some(logs) = &self.logs else { return };
        for step in steps.iter_mut().filter(|step| is_bad(step)) {
            let Some(id) = &step.object else { continue };
            if let Some(warning) = logs.warning(id).await {
                // Of a Job that has failed both say the reason.
                let known = step.message.take().filter(|known| !warning.starts_with(known.as_str()));
                let known = known.map(|known| format!("{known}; "));
                step.message = Some(format!("{}{warning}", known.unwrap_or_default()));
            }
        }
    }

    /// What the pods of hooks that failed have said; the end of it is told with the hook, too.
    async fn logs_of(&self, steps: &mut [Happened]) -> Vec<String> {
        let Some(logs) = &self.logs else { return Vec::new() };
        let mut told = Vec::new();
        for step in steps.iter_mut().filter(|step| is_bad(step)) {
            let Some(id) = &step.object else { continue };
            let lines = logs.of(id).await;
            if !lines.is_empty() {
                let end = lines[lines.len().saturating_sub(SHOWN)..].iter().map(|line| start_of(line));
                let end = end.collect::<Vec<_>>().join(" | ");
                let known = step.message.take().map(|known| format!("{known}; "));
                step.message = Some(format!("{}it said last: {end}", known.unwrap_or_default()));
                told.push(format!("{id} said last:\n  {}", lines.join("\n  ")));
            }
        }
        told
    }
}

/// The uids of all objects of the charts that were ever seen.
fn meant(seen: &[Seen]) -> Vec<&str> {
    let objects = seen.iter().filter_map(|seen| match &seen.what {
        What::Object(sight) => Some(sight.uid.as_str()),
        What::Revision(_) => None,
    });
    objects.collect()
}

/// As much of a line as is read where other things stand, too.
fn start_of(line: &str) -> String {
    let mut letters = line.chars();
    let start: String = letters.by_ref().take(WIDTH).collect();
    if letters.next().is_some() { start + "…" } else { start }
}

/// Whether a hook ran and did not end well.
fn is_bad(step: &Happened) -> bool {
    step.verb == Verb::Wait && matches!(step.result, StepResult::Failed | StepResult::Timeout)
}

fn makes(action: Action) -> bool {
    !matches!(action, Action::Uninstall | Action::Test)
}

fn newest_before(seen: &[Seen], from: u64) -> Option<u32> {
    let mut stored = BTreeSet::new();
    for seen in seen.iter().filter(|seen| seen.version <= from) {
        match &seen.what {
            What::Revision(gone) if gone.is_gone => _ = stored.remove(&gone.revision),
            What::Revision(new) => _ = stored.insert(new.revision),
            What::Object(_) => {}
        }
    }
    stored.last().copied()
}
