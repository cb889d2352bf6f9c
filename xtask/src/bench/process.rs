//! What the system knows about processes and about the machine, read from `/proc`.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

/// What one clock tick of `/proc` lasts; Linux shows 100 of them a second to every program.
const TICK: Duration = Duration::from_millis(10);

/// The memory of a process, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Memory {
    /// What is resident now.
    pub(super) resident: u64,
    /// The most that ever was.
    pub(super) peak: u64,
}

/// User and system time that a process has used, all threads together.
pub(super) fn processor_time(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    ticks_of_process(&text).map(ticks).with_context(|| format!("{path} has another form than expected"))
}

/// Processor time that the whole machine has used, all cores together.
pub(super) fn machine_time() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
    busy_ticks(&text).map(ticks).context("/proc/stat has another form than expected")
}

/// Waits until nobody has used the machine for half a second, this process and its children included; at most for `limit`.
pub(super) fn wait_for_quiet(limit: Duration) -> Result<()> {
    let (start, step) = (Instant::now(), Duration::from_millis(500));
    while start.elapsed() < limit {
        let before = machine_time()?;
        thread::sleep(step);
        if machine_time()?.saturating_sub(before) <= step / 12 {
            break;
        }
    }
    Ok(())
}

/// The memory of a process; `None` once it has ended.
pub(super) fn memory(pid: u32) -> Option<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| -> Option<u64> {
        text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    };
    Some(Memory { resident: field("VmRSS:")?, peak: field("VmHWM:")? })
}

/// The name of the processor and the number of cores that this machine has.
pub(super) fn processor() -> (String, usize) {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models = text.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = text.lines().filter(|line| line.starts_with("processor")).count();
    let model = models.map(|(_, model)| model.trim().to_owned()).next();
    (model.unwrap_or_else(|| std::env::consts::ARCH.to_owned()), cores.max(1))
}

/// The version of the kernel.
pub(super) fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // What follows is who built it.
    release.trim().split('-').next().unwrap_or("").to_owned()
}

fn ticks(count: u64) -> Duration {
    TICK * u32::try_from(count).unwrap_or(u32::MAX)
}

/// The 14th and 15th field; the second one is a name in brackets that may hold anything.
fn ticks_of_process(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Everything but the idle and the waiting time of the first line.
fn busy_ticks(stat: &str) -> Option<u64> {
    let fields = stat.lines().next()?.split_whitespace().skip(1).take(8);
    let fields: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
    let idle = fields.get(3)? + fields.get(4)?;
    fields.iter().sum::<u64>().checked_sub(idle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_is_read_after_its_name() {
        let stat = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 70 30 0 0";
        assert_eq!(ticks_of_process(stat), Some(100));
        assert_eq!(ticks(100), Duration::from_secs(1));
    }

    #[test]
    fn waiting_is_not_work() {
        assert_eq!(busy_ticks("cpu  10 1 20 1000 500 2 3 4 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"), Some(40));
    }

    #[test]
    fn this_process_has_memory() {
        let memory = memory(std::process::id()).unwrap();
        assert!(0 < memory.resident && memory.resident <= memory.peak);
    }
}
