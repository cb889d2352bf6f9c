//! Reads files again when one of them changes; what was good stays in force.

use std::{fs, path::PathBuf, time::Duration};

/// How often the files are looked at. A mounted ConfigMap changes by a renamed link, which watches of files miss.
const INTERVAL: Duration = Duration::from_secs(2);

/// What one look at the files led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    Unchanged,
    Exchanged,
    Kept(String),
}

/// Files, as they were seen last, and what puts them in force.
pub(super) struct Watch {
    paths: Vec<PathBuf>,
    seen: Vec<Option<Vec<u8>>>,
    exchange: Box<dyn FnMut() -> anyhow::Result<()> + Send>,
}

impl Watch {
    /// `seen` is what each file held before it was read the first time: what changes after that look differs from it, and is found by
    /// the next one.
    pub(super) fn new(
        paths: Vec<PathBuf>,
        seen: Vec<Option<Vec<u8>>>,
        exchange: impl FnMut() -> anyhow::Result<()> + Send + 'static,
    ) -> Self {
        Self { paths, seen, exchange: Box::new(exchange) }
    }

    /// Looks at the files until the runtime ends.
    pub(super) async fn run(mut self) {
        let file = self.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        loop {
            tokio::time::sleep(INTERVAL).await;
            let looked = tokio::task::spawn_blocking(move || {
                let look = self.look();
                (self, look)
            });
            let Ok((back, look)) = looked.await else { return };
            self = back;
            match look {
                Look::Unchanged => {}
                Look::Exchanged => tracing::info!(file, "the file has changed"),
                Look::Kept(problem) => {
                    tracing::warn!(file, problem, "what the file said before stays in force");
                }
            }
        }
    }

    /// Looks once; what is of no use is said once.
    pub(super) fn look(&mut self) -> Look {
        let found: Vec<_> = self.paths.iter().map(|path| fs::read(path).ok()).collect();
        if found == self.seen {
            return Look::Unchanged;
        }
        self.seen = found;
        match (self.exchange)() {
            Ok(()) => Look::Exchanged,
            Err(problem) => Look::Kept(format!("{problem:#}")),
        }
    }
}
