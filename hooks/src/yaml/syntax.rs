//! What the parser refuses, as a fault of ours.

use granit_parser::{ErrorKind, ScanError};

use super::{Fault, leniency::Leniency};

/// What is wrong with `text`, and how Go reads on.
pub(super) fn syntax(error: &ScanError, text: &str, in_brackets: bool) -> Fault {
    let at = error.marker().byte_offset().unwrap_or_default().min(text.len());
    let leniency = match error.kind() {
        ErrorKind::InvalidQuotedScalarIndent | ErrorKind::TabInIndentation => Leniency::Line,
        ErrorKind::TabInBlockIndentation if in_brackets => Leniency::Line,
        ErrorKind::CommentNotSeparated if text[..at].ends_with(['"', '\'', ']', '}', '|', '>']) => {
            Leniency::Comment
        }
        ErrorKind::PlainScalarStartsWithDashFlowIndicator => Leniency::Dash,
        ErrorKind::InvalidDocumentEnd => Leniency::End,
        ErrorKind::RecursionLimitExceeded => return Fault::new(at, "nested too deeply"),
        _ => Leniency::None,
    };
    Fault { leniency, ..Fault::new(at, error.kind().to_string()) }
}
