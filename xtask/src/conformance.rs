//! `cargo xtask conformance`: random scenarios with real Helm, beside what the simulation says of them.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use anyhow::{Context as _, bail};
use tests::{
    conformance::{self, TRIES, Verdict},
    rig::{Helm, Programs, Rig},
};

use crate::rig::{self, RigArgs};

/// Which scenarios, with which Helm.
#[derive(clap::Args)]
pub(crate) struct ConformanceArgs {
    /// The seeds, the last one excluded: `1000..1100`.
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Range<u64>,
    /// Only this Helm: 3 or 4.
    #[arg(long, value_parser = helm)]
    helm: Option<Helm>,
    /// Scenarios at the same time.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Say what the simulation does, and play nothing.
    #[arg(long)]
    dry_run: bool,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is no number"));
    let (first, end) = text.split_once("..").ok_or("say from where to where, as in 1000..1100")?;
    Ok(number(first)?..number(end)?)
}

fn helm(text: &str) -> Result<Helm, String> {
    match text {
        "3" => Ok(Helm::V3),
        "4" => Ok(Helm::V4),
        _ => Err("there are 3 and 4".to_owned()),
    }
}

/// Plays them all.
pub(crate) fn conformance(args: &ConformanceArgs) -> anyhow::Result<()> {
    let helms = args.helm.map_or(Helm::ALL.to_vec(), |helm| vec![helm]);
    let all: Vec<_> =
        args.seeds.clone().flat_map(|seed| helms.iter().map(move |helm| (*helm, seed))).collect();
    if args.dry_run {
        for (helm, seed) in all {
            println!("seed {seed}, {helm:?}\n{}", conformance::simulate(helm, seed));
        }
        return Ok(());
    }
    let programs = rig::programs(&RigArgs::default())?;
    let programs = Programs::in_folder(&programs.bin).context("a program of the test cluster is missing")?;
    let rig = Rig::start(&programs)?;
    let start = Instant::now();
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..args.jobs.max(1) {
            scope.spawn(|| {
                while let Some((helm, seed)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = conformance::conform(&rig, *helm, *seed);
                    let mut verdicts = verdicts.lock().unwrap_or_else(PoisonError::into_inner);
                    verdicts.push(verdict);
                    let minutes = start.elapsed().as_secs_f64() / 60.0;
                    tell(&verdicts, all.len(), minutes);
                }
            });
        }
    });
    let verdicts = verdicts.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum_up(&verdicts, &helms)
}

/// The newest verdict, and how far we are.
fn tell(verdicts: &[Verdict], all: usize, minutes: f64) {
    let Some(verdict) = verdicts.last() else { return };
    let (seed, helm, seconds) = (verdict.seed, verdict.helm, verdict.seconds);
    #[expect(clippy::cast_precision_loss, reason = "a number of seeds fits")]
    let pace = verdicts.len() as f64 / minutes;
    let word = match (verdict.agrees, verdict.disagreements.len()) {
        (true, 0) => "agrees",
        (true, _) => "agrees, but not at once",
        (false, _) => "DISAGREES",
    };
    println!(
        "[{}/{all}, {pace:.0}/min] seed {seed} {helm:?}: {word} ({} commands, {seconds:.0} s)",
        verdicts.len(),
        verdict.commands
    );
    for disagreement in &verdict.disagreements {
        println!("{disagreement}");
    }
}

fn sum_up(verdicts: &[Verdict], helms: &[Helm]) -> anyhow::Result<()> {
    println!();
    for helm in helms {
        let of: Vec<_> = verdicts.iter().filter(|verdict| verdict.helm == *helm).collect();
        let count = |is_meant: fn(&Verdict) -> bool| of.iter().filter(|verdict| is_meant(verdict)).count();
        let commands: usize = of.iter().map(|verdict| verdict.commands).sum();
        let requests: usize = of.iter().map(|verdict| verdict.requests).sum();
        println!(
            "{helm:?}: {} scenarios, {commands} commands, {requests} requests: {} agree at once, {} within {TRIES} tries, {} disagree",
            of.len(),
            count(|verdict| verdict.agrees && verdict.disagreements.is_empty()),
            count(|verdict| verdict.agrees && !verdict.disagreements.is_empty()),
            count(|verdict| !verdict.agrees),
        );
    }
    let mut wrong: Vec<_> = verdicts
        .iter()
        .filter(|verdict| !verdict.agrees)
        .map(|verdict| (verdict.seed, verdict.helm))
        .collect();
    wrong.sort_by_key(|(seed, _)| *seed);
    if !wrong.is_empty() {
        bail!("the simulation disagrees with Helm: {wrong:?}");
    }
    Ok(())
}
