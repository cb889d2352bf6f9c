//! A rollout really played: real Helm on a real cluster, and what watches see of it.

use std::{
    fmt,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::Arc,
};

use futures::{FutureExt as _, Stream, StreamExt as _};

use crate::{
    Chart,
    answer::{ObjectId, Played},
    scenario::Step,
};

mod act;
mod cluster;
mod compare;
mod error;
mod folder;
mod helm;
mod journal;
mod logs;
mod mark;
mod outside;
mod place;
mod process;
mod sight;
mod steps;
mod watch;

pub use cluster::{Cluster, Target};
pub use compare::{Difference, differences};
pub use error::{Error, Refusal};
pub use folder::folder_of;
pub use helm::Helm;
pub use mark::Remains;
use place::Place;

/// What is played, and where.
#[derive(Debug)]
pub struct Order<'a> {
    /// The name of the release.
    pub release: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// What is done, with paths that hold from where the program runs.
    pub steps: &'a [Step],
    /// Every object that the charts may make.
    pub objects: &'a [ObjectId],
    /// Which Helm plays it.
    pub helm: &'a Helm,
    /// Whether all is left as it is at the end.
    pub keep: bool,
    /// Whether the namespace may be somebody's.
    pub into_existing: bool,
}

/// One step as it really went.
#[derive(Debug)]
pub struct Real {
    /// What happened.
    pub played: Played,
    /// Those of its leftovers that are on their way out.
    pub going: Vec<ObjectId>,
    /// What the pods of hooks that failed have said last, masked.
    pub logs: Vec<String>,
    /// The pods whose logs `--logs` printed; `None` when nobody asked for them, or nobody can say.
    pub printed: Option<Vec<String>>,
}

/// What became of the object of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// Helm sent it.
    Sent,
    /// Its pods have ended well.
    Done,
    /// Its pods have failed.
    Failed,
    /// Somebody asked for its deletion.
    Goes,
    /// It is gone.
    Gone,
}

impl fmt::Display for Became {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sent => "sent",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Goes => "goes",
            Self::Gone => "gone",
        })
    }
}

/// What is told while a rollout is played.
#[derive(Debug, Clone)]
pub enum Told {
    /// A step begins.
    Begins(usize),
    /// Something became of an object.
    Saw(String, Became),
    /// The step has ended, with this exit code.
    Ends(usize, i32),
    /// What was made is taken away.
    Cleans,
}

/// Who is told.
pub type Tell = Arc<dyn Fn(Told) + Send + Sync>;

/// Every object that a chart may make.
#[must_use]
pub fn objects(chart: &Chart) -> Vec<ObjectId> {
    let hooks = chart.hooks.iter().flat_map(|hook| &hook.objects);
    let mut ids: Vec<ObjectId> = Vec::new();
    for object in chart.crds.iter().chain(hooks).chain(&chart.resources) {
        if !ids.contains(&object.id) {
            ids.push(object.id.clone());
        }
    }
    ids
}

/// A rollout that was played to its end.
#[derive(Debug)]
pub struct Run {
    /// Its steps.
    pub reals: Vec<Real>,
    /// What stays on the cluster as Helm leaves it, each in words.
    pub stays: Vec<String>,
}

/// Plays a rollout to its end, or until the first of `stops`; either way what was made for it goes again, unless it is to be kept. Another
/// stop while it goes means that nobody waits for that any more.
///
/// # Errors
/// When the cluster or Helm cannot be used, when it was interrupted, or when something could not be taken away.
pub async fn play(
    cluster: &Cluster,
    order: &Order<'_>,
    tell: Tell,
    mut stops: impl Stream<Item = ()> + Unpin,
) -> Result<Run, Error> {
    // Not given up in between: nobody would know of a namespace that was just made.
    let mut place = Place::make(cluster, order, Arc::clone(&tell)).await?;
    let ended = tokio::select! {
        ended = AssertUnwindSafe(place.all(order)).catch_unwind() => Some(ended),
        _ = stops.next() => None,
    };
    place.end_helm().await;
    // The first one asks for the end, which is under way; the second one does not wait for it.
    let more = if ended.is_none() { 1 } else { 2 };
    let cleaned = if order.keep {
        Ok(Vec::new())
    } else {
        tell(Told::Cleans);
        let cleaned = tokio::select! {
            cleaned = place.clean(order) => Some(cleaned),
            () = stops.by_ref().take(more).for_each(|()| std::future::ready(())) => None,
        };
        match cleaned {
            Some(cleaned) => cleaned,
            None => Err(place.give_up(order).await),
        }
    };
    match ended {
        Some(Err(panic)) => resume_unwind(panic),
        Some(Ok(Ok(reals))) => Ok(Run { reals, stays: cleaned? }),
        Some(Ok(Err(error))) => Err(match cleaned {
            Err(Error::LeftBehind(what)) => Error::LeftAfter { what, source: Box::new(error) },
            Ok(_) | Err(_) => error,
        }),
        None => Err(Error::Interrupted(match cleaned {
            Ok(_) if order.keep => "all is left as it is".to_owned(),
            Ok(stays) if stays.is_empty() => "what it made is gone".to_owned(),
            Ok(stays) => format!("what it made is gone; {}", stays.join("; ")),
            Err(error) => error.to_string(),
        })),
    }
}
