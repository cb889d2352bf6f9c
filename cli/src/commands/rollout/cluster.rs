//! Scenarios played with real Helm on a real cluster, and put beside the simulation.

use std::{
    fs,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
};

use anyhow::Context as _;
use cluster::client;
use futures::StreamExt as _;
use lifecycle::{
    Answer, Chart, Simulation,
    answer::{Action, ObjectId},
    run::{self, Cluster, Error, Helm, Order, Real, Run, Target, Told, differences, folder_of},
    scenario::{Expectation, Field, Step, Value},
};
use tokio::sync::mpsc;

use super::{Args as Rollout, files::Written, notes, simulated::Charts};
use crate::{
    Io, inputs,
    output::text::{Label, labelled},
    rehearsal::{Asked, Rehearsal, Rehearsed, play::Stage},
    report::Problem,
    streams::unless_left,
};

mod live;
mod stops;

use live::Live;
use stops::Stops;

/// Whether a cluster plays, and which.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Cluster")]
pub struct Args {
    /// Play with real Helm on the cluster of the kubeconfig, and compare with the simulation.
    #[arg(long)]
    pub cluster: bool,
    /// The kubeconfig [default: as kubectl has it].
    #[arg(long, value_name = "FILE", requires = "cluster")]
    pub kubeconfig: Option<PathBuf>,
    /// The context in it [default: the current one].
    #[arg(long, value_name = "NAME", requires = "cluster")]
    pub context: Option<String>,
    /// Leave the namespace and what is in it for you to look at.
    #[arg(long, requires = "cluster")]
    pub keep: bool,
    /// Play also in a namespace that is there already; what is played is taken out of it at the end.
    #[arg(long, requires = "cluster")]
    pub into_existing_namespace: bool,
}

/// Plays all scenarios, one after the other.
///
/// # Errors
/// When there is nothing to play on, or nobody to tell.
pub(super) fn play(
    args: &Rollout,
    written: &[Written],
    rehearsal: &mut Rehearsal,
    io: &mut Io<'_>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Some(first) = written.first() else { return Ok(()) };
    runtime.context("cannot start the runtime")?.block_on(async {
        let of_cluster = &args.cluster;
        let target =
            Target { kubeconfig: of_cluster.kubeconfig.clone(), context: of_cluster.context.clone() };
        let context = client::context_of(of_cluster.kubeconfig.as_deref(), of_cluster.context.as_deref());
        let context = context.map(|name| format!(" (context {name})")).unwrap_or_default();
        let place = format!("on the cluster{context}");
        let mut stops = Stops::listen();
        let connected = tokio::select! {
            connected = connect(target) => connected,
            _ = stops.next() => Err(interrupted().sentence()),
        };
        let cluster = match connected {
            Ok(cluster) => cluster,
            Err(message) => {
                rehearsal.problems.push(Problem::new(&first.file, message));
                return Ok(());
            }
        };
        let mut stage = At { cluster, place, stops };
        tell_remains(&stage.cluster, io).await?;
        for written in written {
            match one(args, &mut stage, written, io).await {
                Ok((rehearsed, notes)) => {
                    rehearsal.scenarios.push(rehearsed);
                    rehearsal.notes.extend(notes);
                }
                Err(Stop::Here(problems)) => rehearsal.problems.extend(problems),
                Err(Stop::All(problem)) => {
                    rehearsal.problems.push(problem);
                    break;
                }
            }
        }
        Ok(())
    })
}

/// Goes to the cluster, or says in one sentence why not.
async fn connect(target: Target) -> Result<Cluster, String> {
    let way = client::way_to(target.kubeconfig.as_deref(), target.context.as_deref()).await;
    let way = way.map_err(|error| {
        let hint =
            if matches!(error, client::Error::Nowhere(_)) { "; name one with --kubeconfig FILE" } else { "" };
        format!("{:#}{hint}", anyhow::Error::new(error))
    })?;
    Cluster::connect(way, target).await.map_err(|error| error.sentence())
}

/// Where all is played, and who may end it.
struct At {
    cluster: Cluster,
    /// The cluster, for people.
    place: String,
    stops: Stops,
}

fn interrupted() -> Error {
    Error::Interrupted("nothing was made".to_owned())
}

/// Says at once which namespaces earlier rollouts left behind, since nobody else does.
async fn tell_remains(cluster: &Cluster, io: &mut Io<'_>) -> anyhow::Result<()> {
    for remains in cluster.remains().await {
        let (silent, outside) = (remains.silent(), &remains.outside);
        let outside = if outside.is_empty() {
            String::new()
        } else {
            format!("; outside of it there may be {outside}")
        };
        let words = format!(
            "namespace {:?} is left of a rollout that ended without cleaning up, of which nothing was heard for {silent}{outside}; remove \
             it: {}",
            remains.namespace,
            cluster.removal(&remains)
        );
        unless_left(writeln!(io.stderr, "{}", labelled(Label::Note, &words, false, io.stderr_is_terminal)))?;
    }
    Ok(())
}

/// Why a scenario was not played to its end.
enum Stop {
    /// The others may be.
    Here(Vec<Problem>),
    /// Nor will the others.
    All(Problem),
}

impl From<Vec<Problem>> for Stop {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Here(problems)
    }
}

async fn one(
    args: &Rollout,
    at: &mut At,
    written: &Written,
    io: &mut Io<'_>,
) -> Result<(Rehearsed, Vec<String>), Stop> {
    let refuse = |message: String| Stop::Here(vec![Problem::new(&written.file, message)]);
    let stop = |error: &Error| Stop::All(Problem::new(&written.file, error.sentence()));
    let (cluster, scenario) = (&at.cluster, &written.scenario);
    if !matches!(scenario.helm.as_str(), "3" | "4") {
        return Err(refuse(format!("{} cannot be played on a cluster, only Helm 3 and 4", scenario.helm)));
    }
    let programs =
        if args.helm_bin.is_empty() { vec![inputs::PROGRAM.into()] } else { args.helm_bin.clone() };
    let helm = Helm::find(&programs, &scenario.helm).await.map_err(|error| refuse(error.sentence()))?;
    let (written, _folders) = installable(args, written)?;
    let mut args = args.clone();
    args.helm_bin = vec![helm.program().to_owned()];
    cluster.version().trim_start_matches('v').clone_into(&mut args.target.kube_version);
    let simulated = simulate(&args, cluster, &written).await;
    // Rendering and looking hear of no signal.
    if at.stops.came() {
        return Err(stop(&interrupted()));
    }
    let simulated = simulated?;
    let order = Order {
        release: &scenario.release,
        namespace: &scenario.namespace,
        steps: &written.scenario.steps,
        objects: &simulated.objects,
        helm: &helm,
        keep: args.cluster.keep,
        into_existing: args.cluster.into_existing_namespace,
    };
    let run = watched(cluster, &order, Live::new(scenario, io.stderr_is_terminal), &mut at.stops, io).await;
    let run = run.map_err(|error| match error {
        Error::Interrupted(_) => stop(&error),
        error => refuse(error.sentence()),
    })?;
    let stays = run.stays.into_iter().map(|stays| format!("{}: {stays}", scenario.name));
    let (rehearsed, mut notes) = compared(&written, simulated, run.reals, helm.version, at.place.clone());
    notes.extend(notes::idle(&args, &written, &rehearsed));
    notes.extend(stays);
    Ok((rehearsed, notes))
}

/// Plays it, and tells how far it is.
async fn watched(
    cluster: &Cluster,
    order: &Order<'_>,
    mut live: Live,
    stops: &mut Stops,
    io: &mut Io<'_>,
) -> Result<Run, Error> {
    let (sender, mut told) = mpsc::unbounded_channel();
    let tell = Arc::new(move |word: Told| _ = sender.send(word));
    let run = {
        let mut playing = pin!(run::play(cluster, order, tell, stops));
        loop {
            tokio::select! {
                biased;
                Some(word) = told.recv() => live.tell(&word, io.stderr),
                run = &mut playing => break run,
            }
        }
    };
    while let Ok(word) = told.try_recv() {
        live.tell(&word, io.stderr);
    }
    live.end();
    run
}

/// What really happened, beside what was expected and what was simulated.
fn compared(
    written: &Written,
    simulated: Simulated,
    reals: Vec<Real>,
    helm: String,
    place: String,
) -> (Rehearsed, Vec<String>) {
    let scenario = &written.scenario;
    let (mut expectations, mut actions, mut notes) = (Vec::new(), Vec::new(), simulated.notes);
    for (index, (step, real)) in scenario.steps.iter().zip(reals).enumerate() {
        expectations.extend(step.judge(index, &real.played));
        let found = differences(&simulated.answer.actions[index], &real);
        expectations.extend(found.into_iter().map(|found| Expectation {
            step: index,
            field: Field::Simulation,
            expected: Value::Text(found.simulated),
            actual: Value::Text(found.real),
            ok: false,
        }));
        let of_step = |log: String| format!("{}, step {}: {log}", scenario.name, index + 1);
        notes.extend(real.logs.into_iter().map(of_step));
        actions.push(real.played);
    }
    let rehearsed = Rehearsed {
        name: scenario.name.clone(),
        file: written.file.clone(),
        profile: scenario.profile(),
        player: format!("Helm {helm}"),
        place,
        answer: Answer { helm, actions, ..simulated.answer },
        asked: simulated.asked,
        passed: expectations.iter().all(|expectation| expectation.ok),
        expectations,
        marks: Vec::new(),
    };
    (rehearsed, notes)
}

/// The same scenario with charts that Helm can install, where the scenario has manifests; they go with the second value.
fn installable(args: &Rollout, written: &Written) -> Result<(Written, Vec<tempfile::TempDir>), Vec<Problem>> {
    let (mut written, mut folders) = (written.clone(), Vec::new());
    let charts = Charts::new(args, &written);
    let paths = written.scenario.steps.iter().filter_map(|step| step.chart.as_ref());
    let mut made: Vec<_> = paths.map(|source| (source.chart.clone(), charts.path(&source.chart))).collect();
    made.sort();
    made.dedup();
    for (_, path) in &mut made {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.join("Chart.yaml").is_file() || is_archive(path) {
            if let Ok(absolute) = std::path::absolute(&*path) {
                *path = absolute;
            }
            continue;
        }
        let refuse = |message: String| vec![Problem::new(path.display().to_string(), message)];
        if path.is_dir() {
            return Err(refuse("Helm installs charts only: this folder has no Chart.yaml".to_owned()));
        }
        let text = fs::read_to_string(&*path).map_err(|error| refuse(error.to_string()))?;
        let folder = folder_of(&text, &name).map_err(|error| refuse(error.to_string()))?;
        folder.path().clone_into(path);
        folders.push(folder);
    }
    let absolute: Vec<_> = written
        .scenario
        .steps
        .iter()
        .map(|step| {
            step.chart.as_ref().map(|source| {
                let mut source = source.clone();
                if let Some((_, path)) = made.iter().find(|(old, _)| *old == source.chart) {
                    source.chart.clone_from(path);
                }
                for file in &mut source.values {
                    let path = charts.path(file);
                    *file = std::path::absolute(&path).unwrap_or(path);
                }
                source
            })
        })
        .collect();
    for (step, source) in written.scenario.steps.iter_mut().zip(absolute) {
        step.chart = source;
    }
    Ok((written, folders))
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tgz" || extension == "gz")
}

/// The simulation of a scenario on a cluster like the real one.
struct Simulated {
    answer: Answer,
    asked: Vec<Asked>,
    objects: Vec<ObjectId>,
    notes: Vec<String>,
}

async fn simulate(args: &Rollout, cluster: &Cluster, written: &Written) -> Result<Simulated, Vec<Problem>> {
    let scenario = &written.scenario;
    let mut charts = Charts::new(args, written);
    for step in &scenario.steps {
        if let Some(source) = &step.chart {
            let is_upgrade = step.action == Action::Upgrade && !step.flags.install;
            let _ = charts.render(source, is_upgrade)?;
        }
    }
    let all: Vec<Arc<Chart>> = charts.all().collect();
    let refuse = |error: Error| vec![Problem::new(&written.file, error.sentence())];
    let world = cluster.world(&all).await.map_err(refuse)?;
    let simulation = Simulation::on(world, scenario.profile(), &scenario.release, &scenario.namespace);
    let mut stage = Stage::on(simulation);
    for step in &scenario.steps {
        stage.rest(step.after);
        let is_upgrade = step.action == Action::Upgrade && !(step.flags.install && stage.is_empty());
        let chart = match &step.chart {
            Some(source) => Some(charts.render(source, is_upgrade)?),
            None => None,
        };
        let _ = stage.play(&step.command(chart));
    }
    charts.check_outcomes()?;
    let (answer, asked) = stage.finish(0);
    let problems: Vec<_> = scenario
        .steps
        .iter()
        .zip(&asked)
        .filter_map(|(step, asked)| unheard(step, asked.chart.as_deref()?))
        .map(|(step, message)| Problem::new(&written.file, message).at(step.place.0, step.place.1))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut objects: Vec<ObjectId> = Vec::new();
    for id in charts.all().flat_map(|chart| run::objects(&chart)) {
        if !objects.contains(&id) {
            objects.push(id);
        }
    }
    Ok(Simulated { answer, asked, objects, notes: charts.notes() })
}

/// An outcome that only the simulation would hear of.
fn unheard<'s>(step: &'s Step, chart: &Chart) -> Option<(&'s Step, String)> {
    let hooks = chart.hooks.iter().flat_map(|hook| &hook.objects).chain(&chart.resources);
    hooks.into_iter().find_map(|object| {
        let said = lifecycle::outcome::of(&step.outcomes, &object.id)?;
        let really = object.run.as_ref()?.outcome.unwrap_or_default();
        (said != really).then(|| {
            let message = format!(
                "the outcome of {} is {said} here and {really} in the chart: on a cluster only the annotation {} of its pods can act",
                object.id,
                lifecycle::outcome::ANNOTATION
            );
            (step, message)
        })
    })
}
