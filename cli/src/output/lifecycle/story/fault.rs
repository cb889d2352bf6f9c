//! What went wrong, in the words of whoever played it.

use super::{Story, words::one_line};

impl Story<'_> {
    /// All that Helm says of it: Helm 3 puts the cause below its first line, Helm 4 that it took too long.
    pub(in crate::output::lifecycle) fn error(&self) -> Option<String> {
        self.played.said.as_deref().map(one_line)
    }

    /// `Job/migrate: failed after 33s: BackoffLimitExceeded after 3 failed pods`.
    pub(in crate::output::lifecycle) fn cause(&self) -> Option<String> {
        let row = self.rows.get(self.failed?)?;
        let whose = self.row_name(row);
        Some(format!("{whose}: {}", row.outcome.as_ref()?.words))
    }
}
