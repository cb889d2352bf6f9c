//! The standard input as a file of values: Helm reads it at `--values -`, and each helm that is run gets the same.

use std::{
    io::Read,
    sync::{Arc, OnceLock},
};

use super::{Rendering, file};
use crate::report::Problem;

/// What was read, once for all copies of this.
#[derive(Debug, Clone, Default)]
pub struct PassedOn(Arc<OnceLock<Result<String, Problem>>>);

impl PassedOn {
    /// Reads the standard input, unless that was done before.
    pub(super) fn read(&self, stdin: impl Read, limit: u64) {
        self.0.get_or_init(|| file::read_stream(stdin, "-", limit));
    }

    /// What a helm gets; `None` if nothing was meant for it.
    pub(super) fn get(&self) -> Option<Result<&str, &Problem>> {
        self.0.get().map(|read| read.as_deref())
    }
}

impl Rendering {
    /// Whether some values stand on the standard input.
    ///
    /// Source: Helm 4.2.4 `pkg/cli/values/options.go`, `readFile`.
    pub(super) fn is_on_stdin(&self) -> bool {
        let is_stdin = |name: &str| name.trim() == "-";
        let mut files = self.values.iter().map(|files| files.to_string_lossy());
        let mut pairs = self.set_file.iter().flat_map(|pairs| pairs.split(','));
        files.any(|files| files.split(',').any(is_stdin))
            || pairs.any(|pair| pair.split_once('=').is_some_and(|(_, file)| is_stdin(file)))
    }
}
