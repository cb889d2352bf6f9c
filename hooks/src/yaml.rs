//! YAML with the meaning that Helm's reader gives it, into a [`Node`] that remembers where everything was written.

use std::fmt;

use self::leniency::Leniency;
use crate::{interest::Interest, manifest::line_column, node::Node};

mod characters;
mod compose;
mod leniency;
mod measure;
mod members;
mod number;
mod original;
mod quoted;
mod scalar;
mod syntax;
mod tabs;
mod timestamp;

pub(crate) use characters::{BREAKS, is_blank};
pub(crate) use measure::measure;
pub(crate) use members::Members;

/// How much a document may ask for. All of it is charged before anything is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Values and names, aliases counted as what they stand for.
    pub nodes: usize,
    /// Lists and maps within each other, aliases counted as what they stand for.
    pub nesting: usize,
    /// Bytes of memory for what is kept, and for the text when it has to be read in another form; see [`KEPT`].
    pub memory: usize,
}

/// What a value or a name that is kept counts for in [`Limits::memory`], in bytes: what it takes at most, when it stands alone in its
/// list. A text with escapes takes its length besides.
pub const KEPT: usize = 160;

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 << 20, nodes: 500_000, nesting: 128, memory: usize::MAX }
    }
}

/// Why a document cannot be read, and where. Says nothing of the values in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Lower case, no full stop, nothing quoted from a value.
    pub message: String,
    /// From 1; counted in the text that was given to the function that failed.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Bytes from the beginning of the file.
    pub offset: usize,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Error {}

/// What is wrong, and at which byte of the text: what the parts of this module hand to each other.
#[derive(Debug)]
struct Fault {
    at: usize,
    message: String,
    /// How Go reads on.
    leniency: Leniency,
    /// Where the last token ended before the parser gave up; 0 if something else gave up.
    after: usize,
}

impl Fault {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), leniency: Leniency::None, after: 0 }
    }
}

/// Reads the first document of `text`, which begins at byte `offset` of its file; a text without one is null.
///
/// # Guarantees
/// The value is what `YAMLToJSON` of Go's `sigs.k8s.io/yaml` 1.6.0 makes of the same text, which is how Helm reads manifests:
/// - `y`, `n`, `on`, `off`, `yes`, `no` are booleans, also as names; `0400` is octal; timestamps are text; `1.0` is 1.
/// - Names become text as Go prints them; the last of several members with the same name wins, in the place of the first.
/// - `<<` sets its members where it stands: it replaces those written before it and is replaced by those after.
/// - Only the first document counts; what follows it is not even looked at.
///
/// Spans are bytes of the file. What an alias or `<<` brings in keeps the place where it was first written. Members that
/// `interest` does not keep are checked like the others and then left out, also in the items of a list.
///
/// # Caveats
/// Where the two differ, all of it rare:
/// - A value that JSON has no word for (`.inf`, a null name) is an error even if a later member would replace it.
/// - A name written both as text and as a number is one member here; Go picks either by chance.
/// - Refused here, read by Go: a block scalar that begins with blanks deeper than the line that ends it, and more
///   than about a hundred quoted texts in one document that go on at the margin.
/// - Read here, refused by Go: unknown `%` directives, `...` before the first document.
/// - `?` that touches what follows it in brackets is text here. U+2028 and U+2029 are a blank in a text that goes on behind them.
///
/// # Errors
/// Whatever Go refuses, and whatever is beyond `limits`. [`Error::line`] and [`Error::column`] are counted in `text`.
pub fn document<'a>(
    text: &'a str,
    offset: usize,
    interest: Interest,
    limits: &Limits,
) -> Result<Node<'a>, Error> {
    leniency::compose(text, offset, interest, limits).map_err(|Fault { at, message, .. }| {
        let (line, column) = line_column(text, at);
        Error { message, line, column, offset: offset + at }
    })
}

#[cfg(test)]
mod tests;
