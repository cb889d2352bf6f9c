//! One run: every series in turn, ours next to the floor so that both see the same machine.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use clap::ValueEnum as _;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{
    BenchArgs, bodies, check,
    client::{Protocol, Trust},
    cluster,
    histogram::Histogram,
    load::{self, Load, Measured, Target},
    manifests, plan, process, record,
    results::{Beside, Results, Series, Whose},
    server::Server,
};

/// The core of the server; clients have the other one, where there is one.
const CORE: &str = "0";
/// How often a series is measured at most, for want of a quiet moment.
const TRIES: usize = 3;
/// How long a series waits for others to be done.
const PATIENCE: Duration = Duration::from_secs(10);
/// Which share of a core others may use in a quiet moment.
const QUIET: f64 = 0.04;
/// Starts of the server.
const STARTS: usize = 21;
/// Bytes of YAML that are checked.
const YAML: usize = 8_000_000;

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Start to ready, and memory then.
    Start,
    /// The 3 KB hook.
    Small,
    /// Objects of 100 KB and 1 MB.
    Large,
    /// The release gate.
    Release,
    /// Memory after mixed load.
    Soak,
    /// `hookward check`.
    Check,
    /// `hookward plan`.
    Plan,
    /// Random scenarios, simulated.
    Simulate,
}

/// Where everything is that a run needs.
struct Bench<'a> {
    args: &'a BenchArgs,
    runtime: Runtime,
    certificates: TempDir,
    trust: Trust,
    program: PathBuf,
    results: Results,
}

/// Measures everything that was asked for.
pub(super) fn measure(args: &BenchArgs) -> Result<Results> {
    let certificates = tempfile::tempdir()?;
    let authority = certs::Authority::new("bench", certs::authority::DAY)?;
    let leaf = authority.issue(&["127.0.0.1".parse()?], certs::authority::DAY)?;
    certs::folder::write(certificates.path(), &authority, &leaf, false)?;
    let mut bench = Bench {
        args,
        runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        trust: Trust::new(authority.certificate_pem().as_bytes())?,
        certificates,
        program: std::env::current_exe()?.with_file_name("hookward"),
        results: Results::default(),
    };
    for part in Part::value_variants() {
        if args.only.is_empty() || args.only.contains(part) {
            bench.part(*part)?;
        }
    }
    if args.rig {
        bench.results.cluster =
            Some(cluster::measure(&bench.runtime, &bench.program, bench.certificates.path(), args.seconds)?);
    }
    Ok(bench.results)
}

impl Bench<'_> {
    fn part(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Start => self.starts(),
            Part::Small => self.small(),
            Part::Large => self.large(),
            Part::Release => self.release(),
            Part::Soak => self.soak(),
            Part::Check => self.checks(),
            Part::Plan => self.plan(),
            Part::Simulate => self.scenarios(),
        }
    }

    fn hookward(&self) -> Result<Server> {
        Server::hookward(&self.program, self.certificates.path(), CORE)
    }

    fn floor(&self) -> Result<Server> {
        Server::floor(self.certificates.path(), CORE)
    }

    fn target(&self, server: &Server) -> Target {
        Target { address: server.address, trust: self.trust.clone(), pid: server.pid() }
    }

    fn starts(&mut self) -> Result<()> {
        say("start to ready");
        let mut starts = Vec::with_capacity(STARTS);
        for _ in 0..STARTS {
            let server = self.hookward()?;
            starts.push(server.ready_after.as_secs_f64() * 1e3);
            self.results.memory.0 = process::memory(server.pid()).context("the server has ended")?.resident;
        }
        starts.sort_by(f64::total_cmp);
        self.results.starts = starts;
        Ok(())
    }

    /// The 3 KB hook, the main road.
    fn small(&mut self) -> Result<()> {
        let (unrepaired, repaired) =
            (Bytes::from(bodies::small_unrepaired()), Bytes::from(bodies::small_repaired()));
        let (ours, floor) = (self.hookward()?, self.floor()?);
        for protocol in Protocol::ALL {
            for senders in [1, 16] {
                for (whose, body, expect) in [
                    (Whose::Floor, &unrepaired, ALLOWED),
                    (Whose::Mutate, &unrepaired, "\"patchType\":\"JSONPatch\""),
                    (Whose::Validate, &repaired, ALLOWED),
                ] {
                    let server = if whose == Whose::Floor { &floor } else { &ours };
                    self.series("3 KB", whose, server, &load_of(protocol, senders, whose, body, expect))?;
                }
            }
        }
        Ok(())
    }

    /// Larger objects alone, and small ones beside the largest.
    fn large(&mut self) -> Result<()> {
        let (ours, floor) = (self.hookward()?, self.floor()?);
        let dense = Bytes::from(bodies::dense_job());
        let sizes = [
            ("100 KB update", Bytes::from(bodies::update_100_kb())),
            ("1 MB dense Job", dense.clone()),
            ("1 MB dense CRD", Bytes::from(bodies::dense_crd())),
            ("1 MB long texts", Bytes::from(bodies::long_texts())),
        ];
        for (name, body) in sizes {
            for protocol in Protocol::ALL {
                for (whose, server) in [(Whose::Floor, &floor), (Whose::Validate, &ours)] {
                    let expect = if whose == Whose::Floor { ALLOWED } else { "\"allowed\":" };
                    self.series(name, whose, server, &load_of(protocol, 1, whose, &body, expect))?;
                }
            }
        }
        let load =
            Load { rate: Some(5.0), ..load_of(Protocol::Http1, 2, Whose::Validate, &dense, "\"allowed\":") };
        self.beside(&ours, "5/s of the 1 MB dense Job", &load)
    }

    fn release(&mut self) -> Result<()> {
        let record = record::largest();
        self.results.record = format!(
            "{:.2} MB in the Secret, {:.1} MB of JSON once decompressed, {:.1} MB of YAML in that",
            megabytes(record.stored),
            megabytes(record.json),
            megabytes(record.yaml)
        );
        let ours = self.hookward()?;
        let body = Bytes::from(record.review);
        for protocol in Protocol::ALL {
            self.series(
                "1 MB release",
                Whose::Release,
                &ours,
                &load_of(protocol, 1, Whose::Release, &body, ALLOWED),
            )?;
        }
        let load = Load { rate: Some(2.0), ..load_of(Protocol::Http1, 2, Whose::Release, &body, ALLOWED) };
        self.beside(&ours, "2/s of the 1 MB release at the gate", &load)
    }

    /// All kinds of requests for some minutes, and what is left in memory.
    fn soak(&mut self) -> Result<()> {
        say(&format!("{} min of mixed load", self.args.soak));
        let ours = self.hookward()?;
        let mut loads = Vec::new();
        for protocol in Protocol::ALL {
            let of = |senders, rate, whose, body: Vec<u8>| Load {
                rate: Some(rate),
                ..load_of(protocol, senders, whose, &Bytes::from(body), "\"allowed\":")
            };
            loads.extend([
                of(4, 250.0, Whose::Mutate, bodies::small_unrepaired()),
                of(4, 250.0, Whose::Validate, bodies::small_repaired()),
                of(2, 10.0, Whose::Validate, bodies::update_100_kb()),
                of(1, 1.0, Whose::Validate, bodies::dense_job()),
                of(1, 1.0, Whose::Validate, bodies::long_texts()),
                of(1, 0.1, Whose::Release, record::largest().review),
            ]);
        }
        let measured =
            self.runtime.block_on(load::run(&self.target(&ours), &loads, self.args.soak * 60.0))?;
        self.results.memory.1 = measured.memory.resident;
        self.results.memory.2 = measured.memory.peak;
        self.results.soak = (self.args.soak, measured.rate());
        Ok(())
    }

    fn checks(&mut self) -> Result<()> {
        let cores = if process::processor().1 > 1 { "0,1" } else { CORE };
        let folder = tempfile::tempdir()?;
        say("check of generated manifests");
        let (files, bytes) = manifests::write(folder.path(), YAML)?;
        let found = check::check(&self.program, folder.path(), cores)?;
        self.results.checks.push((format!("{:.1} MB of YAML, {files} files", megabytes(bytes)), found));
        let one = joined(folder.path())?;
        let found = check::check(&self.program, &one, cores)?;
        self.results.checks.push((format!("{:.1} MB of YAML, one file", megabytes(bytes)), found));
        if let Some(corpus) = &self.args.corpus {
            say("check of the corpus");
            let found = check::check(&self.program, corpus, cores)?;
            self.results.checks.push(("the corpus".to_owned(), found));
        }
        Ok(())
    }

    fn plan(&mut self) -> Result<()> {
        say(&format!("a plan of {} hooks", plan::HOOKS));
        self.results.plan = Some(plan::plan(&self.program)?);
        Ok(())
    }

    fn scenarios(&mut self) -> Result<()> {
        say(&format!("{} random scenarios", plan::SCENARIOS));
        self.results.scenarios = Some(plan::scenarios()?);
        Ok(())
    }

    /// Measures one series, again if others were busy meanwhile, and keeps the quietest.
    fn series(&mut self, body: &'static str, whose: Whose, server: &Server, load: &Load) -> Result<()> {
        say(&format!("{body}, {}, {}, {} in flight", whose.name(), load.protocol.name(), load.senders));
        let (protocol, senders) = (load.protocol, load.senders);
        let path = whose.path().trim_start_matches('/');
        let read = || {
            (!matches!(whose, Whose::Floor | Whose::Release))
                .then(|| Histogram::read(&server.admin("/metrics")?, path))
                .transpose()
        };
        let target = self.target(server);
        let mut best: Option<(Measured, Option<Histogram>)> = None;
        for _ in 0..TRIES {
            process::wait_for_quiet(PATIENCE)?;
            let before = read()?;
            let measured =
                self.runtime.block_on(load::run(&target, std::slice::from_ref(load), self.args.seconds))?;
            let handler = read()?.zip(before).map(|(after, before)| after.since(&before));
            if best.as_ref().is_none_or(|(best, _)| measured.others < best.others) {
                best = Some((measured, handler));
            }
            if best.as_ref().is_some_and(|(best, _)| best.others <= QUIET) {
                break;
            }
        }
        let (measured, handler) = best.context("nothing was measured")?;
        self.results.series.push(Series { body, whose, protocol, senders, measured, handler });
        Ok(())
    }

    /// 500 small requests a second, and `load` beside them.
    fn beside(&mut self, server: &Server, large: &str, load: &Load) -> Result<()> {
        say(&format!("3 KB beside {large}"));
        let body = Bytes::from(bodies::small_repaired());
        let small =
            Load { rate: Some(500.0), ..load_of(Protocol::Http1, 16, Whose::Validate, &body, ALLOWED) };
        let target = self.target(server);
        let mut best: Option<Measured> = None;
        for _ in 0..TRIES {
            process::wait_for_quiet(PATIENCE)?;
            let loads = [small.clone(), load.clone()];
            let measured = self.runtime.block_on(load::run(&target, &loads, self.args.seconds * 2.0))?;
            let is_quiet = measured.others <= QUIET;
            if best.as_ref().is_none_or(|best| measured.others < best.others) {
                best = Some(measured);
            }
            if is_quiet {
                break;
            }
        }
        let measured = best.context("nothing was measured")?;
        self.results.beside.push(Beside { large: large.to_owned(), measured });
        Ok(())
    }
}

const ALLOWED: &str = "\"allowed\":true";

fn load_of(protocol: Protocol, senders: usize, whose: Whose, body: &Bytes, expect: &'static str) -> Load {
    Load {
        protocol,
        senders,
        rate: None,
        path: format!("{}?timeout=10s", whose.path()),
        body: body.clone(),
        status: 200,
        expect,
    }
}

/// All files of a folder in one.
fn joined(folder: &Path) -> Result<PathBuf> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    let texts = paths.iter().map(fs::read_to_string).collect::<std::io::Result<Vec<_>>>()?;
    let one = folder.join("all.yaml");
    fs::write(&one, texts.concat())?;
    Ok(one)
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

fn say(what: &str) {
    println!("measuring {what}");
}
