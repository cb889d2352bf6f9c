//! A rollout really played: real Helm on a real cluster, and what watches see of it.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    path::PathBuf,
    sync::Arc,
};

use futures::FutureExt as _;

use crate::{
    Chart,
    answer::{ObjectId, Played},
    scenario::Step,
};

mod act;
mod cluster;
mod compare;
mod folder;
mod helm;
mod journal;
mod logs;
mod place;
mod sight;
mod steps;
mod watch;

pub use cluster::{Cluster, Target};
pub use compare::{Difference, differences};
pub use folder::folder_of;
pub use helm::Helm;
use place::Place;

/// Why a rollout cannot be played on a cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kubeconfig cannot be used.
    #[error("cannot use the kubeconfig")]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),
    /// The cluster refuses, or does not answer.
    #[error("cannot {what}")]
    Cluster {
        /// What was asked of it.
        what: String,
        /// What it said.
        #[source]
        source: Box<kube::Error>,
    },
    /// There is a namespace of this name, and it is not ours.
    #[error(
        "namespace {0:?} is there already, and what this rollout leaves in it could not be told from what is somebody's; give the \
         scenario another namespace, or say --into-existing-namespace"
    )]
    Occupied(String),
    /// There is such a release.
    #[error("there is a release {release:?} in namespace {namespace:?} already")]
    Taken {
        /// Its name.
        release: String,
        /// Its namespace.
        namespace: String,
    },
    /// Helm cannot be started.
    #[error("cannot start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// No Helm of the version that is asked for.
    #[error("the scenario wants Helm {wanted}, and {}", none(found))]
    Version {
        /// `3` or `4`.
        wanted: String,
        /// Each program, and what it is.
        found: Vec<String>,
    },
    /// A file could not be written.
    #[error("cannot write a file for Helm")]
    Write(#[source] std::io::Error),
    /// It was interrupted.
    #[error("interrupted; {0}")]
    Interrupted(String),
    /// It did not become as it was before.
    #[error("cannot clean up: {0}")]
    LeftBehind(String),
}

fn none(found: &[String]) -> String {
    if found.is_empty() { "there is none; name it with --helm-bin".to_owned() } else { found.join(", ") }
}

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
}

/// What is told while a rollout is played.
#[derive(Debug, Clone)]
pub enum Told {
    /// A step begins.
    Begins(usize),
    /// Something became of an object.
    Saw(String, &'static str),
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

/// Plays a rollout to its end, or until `stop` comes; either way what was made for it goes again, unless it is to be kept.
///
/// # Errors
/// When the cluster or Helm cannot be used, when it was interrupted, or when something could not be taken away.
pub async fn play(
    cluster: &Cluster,
    order: &Order<'_>,
    tell: Tell,
    stop: impl Future<Output = ()>,
) -> Result<Vec<Real>, Error> {
    // Not given up in between: nobody would know of a namespace that was just made.
    let mut place = Place::make(cluster, order, Arc::clone(&tell)).await?;
    let ended = tokio::select! {
        ended = AssertUnwindSafe(place.all(order)).catch_unwind() => Some(ended),
        () = stop => None,
    };
    let cleaned = if order.keep {
        Ok(())
    } else {
        tell(Told::Cleans);
        place.clean(order).await
    };
    match ended {
        Some(Err(panic)) => resume_unwind(panic),
        Some(Ok(reals)) => {
            let reals = reals?;
            cleaned?;
            Ok(reals)
        }
        None => Err(Error::Interrupted(match cleaned {
            Ok(()) if order.keep => "all is left as it is".to_owned(),
            Ok(()) => "what it made is gone".to_owned(),
            Err(error) => error.to_string(),
        })),
    }
}
