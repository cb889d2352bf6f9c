//! What must go on beside the server for as long as it serves: a replica without it would answer, and judge by what it once heard.

use std::time::Duration;

use anyhow::bail;
use tokio::{
    task::AbortHandle,
    time::{MissedTickBehavior, interval},
};
use webhook::{Drain, Stage};

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// Tasks that never end by themselves, each with what it does.
#[derive(Debug, Default)]
pub struct Tasks(Vec<(&'static str, AbortHandle)>);

impl Tasks {
    /// Begins one; must be called within a runtime.
    pub(super) fn spawn(&mut self, what: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.add(what, [tokio::spawn(task).abort_handle()]);
    }

    /// Adds some that run already.
    pub(super) fn add(&mut self, what: &'static str, tasks: impl IntoIterator<Item = AbortHandle>) {
        self.0.extend(tasks.into_iter().map(|task| (what, task)));
    }

    /// Serves, and leaves in order where one of the tasks has ended, so that whoever started the process starts it anew.
    ///
    /// # Errors
    /// When a task has ended while the server was not leaving: it met a bug.
    pub(super) async fn beside<T>(self, serve: impl Future<Output = T>, drain: &Drain) -> anyhow::Result<T> {
        tokio::pin!(serve);
        let what = tokio::select! {
            outcome = &mut serve => return Ok(outcome),
            what = self.broken(drain) => what,
        };
        tracing::error!(task = what, "a bug has ended a task that must go on: leaving, to be started anew");
        drain.raise(Stage::Leaving);
        serve.await;
        bail!("a bug has ended a task that must go on: {what}")
    }

    /// What the first task does that ends before the server begins to leave; afterwards they may.
    async fn broken(&self, drain: &Drain) -> &'static str {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let ended = self.0.iter().find(|(_, task)| task.is_finished());
            // In this order: what ends because the server leaves does so afterwards.
            match ended {
                Some((what, _)) if drain.stage() == Stage::Serving => return what,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panicked_left_a_replica_that_stayed_ready() {
        let (mut tasks, drain) = (Tasks::default(), Drain::default());
        tasks.spawn("rests", pending());
        tasks.spawn("watches", async { panic!("a bug") });
        let outcome = tasks.beside(drain.reached(Stage::Leaving), &drain).await;
        assert_eq!(outcome.unwrap_err().to_string(), "a bug has ended a task that must go on: watches");
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_because_the_server_leaves_is_no_bug() {
        let (mut tasks, drain) = (Tasks::default(), Drain::default());
        let leaving = drain.clone();
        tasks.spawn("leads", async move { leaving.reached(Stage::Leaving).await });
        let serve = async {
            drain.raise(Stage::Leaving);
            tokio::time::sleep(10 * INTERVAL).await;
            "served"
        };
        assert_eq!(tasks.beside(serve, &drain).await.unwrap(), "served");
    }
}
