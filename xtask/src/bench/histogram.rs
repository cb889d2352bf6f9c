//! The server's own histogram of the time it works on a request, read before and after.

use anyhow::{Context as _, Result};

/// Requests answered within each bound, in seconds; the last bound is infinite.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram(Vec<(f64, f64)>);

impl Histogram {
    /// What the text of `/metrics` says about one path.
    pub(super) fn read(metrics: &str, path: &str) -> Result<Self> {
        let start = "hookward_admission_duration_seconds_bucket{";
        let label = format!("path=\"{path}\"");
        let lines = metrics.lines().filter(|line| line.starts_with(start) && line.contains(&label));
        let bucket = |line: &str| {
            let (labels, count) = line.rsplit_once(' ')?;
            let bound = labels.split_once("le=\"")?.1.split('"').next()?;
            Some((bound.replace("+Inf", "inf").parse().ok()?, count.parse().ok()?))
        };
        lines
            .map(bucket)
            .collect::<Option<Vec<_>>>()
            .filter(|buckets| !buckets.is_empty())
            .map(Self)
            .with_context(|| format!("the server does not count how long {path} takes"))
    }

    /// What was added since `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self(self.0.iter().zip(&earlier.0).map(|((bound, now), (_, then))| (*bound, now - then)).collect())
    }

    /// The bound, in microseconds, that this share of the requests stayed within; the truth may be anywhere down to the next bound.
    pub(super) fn within(&self, share: f64) -> f64 {
        let wanted = self.0.last().map_or(f64::NAN, |(_, all)| all * share);
        let bucket = self.0.iter().find(|(_, count)| *count >= wanted && *count > 0.0);
        bucket.map_or(f64::NAN, |(bound, _)| bound * 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(counts: [u32; 3]) -> String {
        let line = |bound: &str, count: u32| {
            format!("hookward_admission_duration_seconds_bucket{{path=\"mutate\",le=\"{bound}\"}} {count}\n")
        };
        [line("0.00001", counts[0]), line("0.00005", counts[1]), line("+Inf", counts[2])].concat()
    }

    #[test]
    fn only_what_was_added_counts() {
        let read = |counts| Histogram::read(&metrics(counts), "mutate").unwrap();
        let added = read([100, 150, 150]).since(&read([100, 100, 100]));
        assert!((added.within(0.5) - 50.0).abs() < 1e-6);
    }

    #[test]
    fn a_path_that_is_not_counted_is_an_error() {
        assert!(Histogram::read(&metrics([1, 1, 1]), "validate").is_err());
    }
}
