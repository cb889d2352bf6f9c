//! Load: several senders for a fixed time, each with one request in flight, and what the server needed meanwhile.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use tokio::{task::JoinSet, time::sleep_until};

use super::{
    bodies::UID,
    client::{Connection, Protocol, Trust},
    process,
};

/// How long a load runs before it counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// One kind of request, sent again and again.
#[derive(Debug, Clone)]
pub(super) struct Load {
    /// How it travels.
    pub(super) protocol: Protocol,
    /// Requests in flight.
    pub(super) senders: usize,
    /// Requests per second, all senders together; `None` is as fast as they are answered.
    pub(super) rate: Option<f64>,
    /// The path.
    pub(super) path: String,
    /// The review.
    pub(super) body: Bytes,
    /// The HTTP status of every answer.
    pub(super) status: u16,
    /// What the answer has to contain, besides the uid; empty for anything.
    pub(super) expect: &'static str,
}

/// What was measured of one load, times in milliseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Times(Vec<f64>);

impl Times {
    fn new(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    /// The time that this share of the requests stayed below, in milliseconds.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let index = (self.0.len() as f64 * share) as usize;
        self.0.get(index.min(self.0.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }

    /// Requests.
    pub(super) const fn count(&self) -> usize {
        self.0.len()
    }
}

/// What was measured of a server under one or more loads at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured {
    /// Of each load, in their order.
    pub(super) times: Vec<Times>,
    /// How long it was measured.
    pub(super) seconds: f64,
    /// Processor time of the server.
    pub(super) processor: Duration,
    /// Its memory at the end.
    pub(super) memory: process::Memory,
    /// Which part of a core was used by neither the server nor this client.
    pub(super) others: f64,
}

impl Measured {
    /// Answers per second, of all loads.
    pub(super) fn rate(&self) -> f64 {
        self.requests() / self.seconds
    }

    /// Processor time of the server per answer, in microseconds.
    pub(super) fn processor_per_request(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.requests()
    }

    /// Which part of its core the server used; near 1 it could not have done more.
    pub(super) fn busy(&self) -> f64 {
        self.processor.as_secs_f64() / self.seconds
    }

    fn requests(&self) -> f64 {
        self.times.iter().map(Times::count).sum::<usize>() as f64
    }
}

/// Which server is put under load.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// Whom to trust.
    pub(super) trust: Trust,
    /// Its process.
    pub(super) pid: u32,
}

/// Runs these loads side by side for `seconds`, after a warm-up that is not counted.
///
/// # Errors
/// When any answer is not the expected one.
pub(super) async fn run(target: &Target, loads: &[Load], seconds: f64) -> Result<Measured> {
    let mut senders = Vec::new();
    for (index, load) in loads.iter().enumerate() {
        let mut first = Connection::open(target.address, load.protocol, &target.trust).await?;
        let answer = checked(&mut first, target.address, load).await?;
        let mut spare = Some(first);
        for sender in 0..load.senders {
            let connection = match spare.as_ref().and_then(Connection::share).or_else(|| spare.take()) {
                Some(connection) => connection,
                None => Connection::open(target.address, load.protocol, &target.trust).await?,
            };
            senders.push((index, sender, connection, answer.clone()));
        }
    }
    let start = Instant::now();
    let window = (start + WARM_UP, start + WARM_UP + Duration::from_secs_f64(seconds));
    let mut tasks = JoinSet::new();
    for (index, sender, connection, answer) in senders {
        let sender =
            Sender { index: sender, connection, answer, load: loads[index].clone(), address: target.address };
        tasks.spawn(async move { (index, sender.run(window).await) });
    }
    sleep_until(window.0.into()).await;
    let before = Used::now(target.pid)?;
    sleep_until(window.1.into()).await;
    let used = Used::now(target.pid)?.since(before);
    let memory = process::memory(target.pid).context("the server has ended")?;
    let mut times = vec![Vec::new(); loads.len()];
    while let Some(task) = tasks.join_next().await {
        let (index, found) = task?;
        times[index].extend(found?);
    }
    Ok(Measured {
        times: times.into_iter().map(Times::new).collect(),
        seconds,
        processor: used.server,
        memory,
        others: used.machine.saturating_sub(used.server + used.client).as_secs_f64() / seconds,
    })
}

/// Processor time used so far.
#[derive(Debug, Clone, Copy)]
struct Used {
    server: Duration,
    client: Duration,
    machine: Duration,
}

impl Used {
    fn now(server: u32) -> Result<Self> {
        let client = process::processor_time(std::process::id())?;
        Ok(Self { server: process::processor_time(server)?, client, machine: process::machine_time()? })
    }

    fn since(self, earlier: Self) -> Self {
        Self {
            server: self.server.saturating_sub(earlier.server),
            client: self.client.saturating_sub(earlier.client),
            machine: self.machine.saturating_sub(earlier.machine),
        }
    }
}

/// The first answer; every later one has to be the same.
async fn checked(connection: &mut Connection, address: SocketAddr, load: &Load) -> Result<Bytes> {
    let (status, answer) = connection.post(address, &load.path, load.body.clone()).await?;
    let text = String::from_utf8_lossy(&answer);
    ensure!(status == load.status, "{} answered with HTTP {status}: {text}", load.path);
    ensure!(load.expect.is_empty() || text.contains(UID), "{} answered another request", load.path);
    ensure!(text.contains(load.expect), "{} answered without {}: {text}", load.path, load.expect);
    Ok(answer)
}

/// One request in flight.
struct Sender {
    index: usize,
    connection: Connection,
    answer: Bytes,
    load: Load,
    address: SocketAddr,
}

impl Sender {
    /// Sends until the window ends; gives the times of what began and ended in it.
    async fn run(mut self, (start, end): (Instant, Instant)) -> Result<Vec<f64>> {
        let began = Instant::now();
        let mut times = Vec::new();
        for turn in 0_u64.. {
            if let Some(rate) = self.load.rate {
                let place = turn as f64 * self.load.senders as f64 + self.index as f64;
                sleep_until((began + Duration::from_secs_f64(place / rate)).into()).await;
            }
            let sent = Instant::now();
            if sent >= end {
                break;
            }
            let (status, answer) =
                self.connection.post(self.address, &self.load.path, self.load.body.clone()).await?;
            let took = sent.elapsed();
            let is_expected =
                status == self.load.status && (self.load.expect.is_empty() || answer == self.answer);
            ensure!(is_expected, "{} answered with HTTP {status}, and not as the first time", self.load.path);
            if sent >= start && sent + took <= end {
                times.push(took.as_secs_f64() * 1e3);
            }
        }
        Ok(times)
    }
}
