//! The documents of a file of manifests, cut and read as Helm does it.

use crate::{
    interest::Interest,
    node::{Node, Value},
    yaml::{Error, Limits},
};

mod brackets;
mod folded;
mod head;
mod identity;
mod list;
mod stream;
mod unread;

pub use identity::identity;
pub use list::objects;

/// One document of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document<'a> {
    /// Its text, without the separator and the blanks before it; what follows its last line is still there.
    pub text: &'a str,
    /// Where the text begins in the file, in bytes.
    pub offset: usize,
    /// How many documents that are not blank come before it.
    pub index: usize,
    /// The template it was rendered from: `helm template` and `helm get` write it as a comment, `# Source: PATH`, above everything else.
    pub source: Option<&'a str>,
}

/// Whether what was rendered from this path stands in the `crds/` folder of its chart or of a subchart, where nothing is a template
/// and annotations make no hook. A folder below `templates/`, and a chart, may be called so too.
///
/// Source: Helm 4.2.4 `pkg/chart/v2/chart.go`, `CRDObjects` and `ChartFullPath`.
#[must_use]
pub fn is_of_crds(path: &str) -> bool {
    let mut folders = path.split('/').skip(1);
    loop {
        match folders.next() {
            Some("crds") => return true,
            Some("charts") => _ = folders.next(),
            _ => return false,
        }
    }
}

/// A document that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest<'a> {
    /// Where it came from.
    pub document: Document<'a>,
    /// What it says; its spans are bytes of the file. A stream is a `List` with the metadata of its first object.
    pub root: Node<'a>,
    /// Whether the text is a stream of several objects.
    pub is_stream: bool,
    /// Why Helm cannot build what the text says, after the objects that are in `root`.
    pub fault: Option<Error>,
    /// Where text begins that Helm never looks at, in bytes of the file.
    pub unread: Option<usize>,
}

impl<'a> Document<'a> {
    /// The whole text of a hook, as a record of a release holds it.
    #[must_use]
    pub const fn of_hook(text: &'a str) -> Self {
        Self { text, offset: 0, index: 0, source: None }
    }

    /// Reads it with the meaning that Helm gives it: what [`crate::yaml::document`] gives, with
    /// - all objects, where the text is a stream of JSON objects, and Helm reads it by itself: that of a hook, and a file that has no
    ///   `# Source:` lines. Ordinary resources are joined to one text, of which Helm reads the first YAML document between separators;
    /// - annotations also from `Metadata` and `Annotations`, which nobody but Helm understands;
    /// - kind and version in items that have none.
    ///
    /// # Errors
    /// Those of [`crate::yaml::document`], with the line and the column counted in the text; and a list or a map where Helm's sorter wants text
    /// (name, annotations), which ends the whole command there.
    pub fn read(self, interest: Interest, limits: &Limits) -> Result<Manifest<'a>, Error> {
        stream::read(self, interest, limits)
    }

    /// The text without the line `# Source: PATH` that Helm has put above it.
    #[must_use]
    pub fn own_text(&self) -> &'a str {
        let line =
            self.source.and(self.text.strip_prefix("# Source: ")).and_then(|line| line.split_once('\n'));
        line.map_or(self.text, |(_, own)| own.trim_start())
    }

    /// Whether Helm joins it to others if it is no hook.
    fn is_joined(&self) -> bool {
        self.source.is_some_and(|path| !is_of_crds(path))
    }
}

impl Manifest<'_> {
    /// The kind that Helm sorts by, `""` when absent: of a stream that of its first object.
    #[must_use]
    pub fn kind(&self) -> &str {
        let first = self.root.get("items").and_then(|items| items.items().first()).filter(|_| self.is_stream);
        first.unwrap_or(&self.root).str_at("kind").unwrap_or("")
    }
}

/// Cuts a file into documents at every line that begins with `---`; what follows on such a line belongs to the next document, so
/// `---apiVersion: v1` is a separator and a first line. Blank documents are left out.
///
/// Like Helm, this does not know YAML: a line of a block scalar that begins with `---` in the first column is a separator too.
///
/// Source: Helm 4.2.4 `pkg/release/v1/util/manifest.go`, `SplitManifests`. Helm 3.21.4 also takes away the blanks at the end of each
/// document (so that a `|` block there loses its last line break) and blank lines after a separator, nothing else.
pub fn split(file: &str) -> impl Iterator<Item = Document<'_>> {
    let begin = file.len() - file.trim_start().len();
    let mut next = Some(begin);
    let pieces = std::iter::from_fn(move || {
        let start = next?;
        // A line that begins with the separator gives its first three bytes and the blanks after them to the separator.
        let at_separator =
            (start == begin || file[..start].ends_with('\n')) && file[start..].starts_with("---");
        let first = if at_separator { start + 3 } else { start };
        let end = file[first..].find("\n---").map(|at| first + at + 1);
        next = end;
        Some((first, end.unwrap_or(file.len())))
    });
    let documents = pieces.filter_map(|(start, end)| {
        let text = file[start..end].trim_start();
        (!text.is_empty()).then(|| (text, end - text.len()))
    });
    documents.enumerate().map(|(index, (text, offset))| Document {
        text,
        offset,
        index,
        source: source(text),
    })
}

/// The path in a `# Source:` comment above everything else.
fn source(text: &str) -> Option<&str> {
    text.lines()
        .map_while(|line| line.strip_prefix('#'))
        .find_map(|comment| comment.strip_prefix(" Source: "))
        .map(str::trim_end)
}

/// Reads every document of a file as [`Document::read`] does. One that cannot be read gives an error, and the others are still read;
/// one that holds nothing but comments, or null, is left out, as Helm does. [`Limits`] are for each document.
///
/// The line and the column of errors are counted in the whole file.
#[must_use]
pub fn read<'a>(file: &'a str, interest: Interest, limits: &Limits) -> Vec<Result<Manifest<'a>, Error>> {
    // Places are counted onwards from the last error, so that many errors do not cost more than one reading of the file.
    let (mut line, mut counted) = (1, 0);
    let mut placed = |error: Error| {
        line += line_breaks(&file[counted..error.offset]);
        counted = error.offset;
        let column = if error.line > 1 { error.column } else { column(file, error.offset) };
        Error { line, column, ..error }
    };
    let mut manifests = Vec::new();
    for document in split(file) {
        match document.read(interest, limits) {
            Ok(Manifest { root: Node { value: Value::Null, .. }, fault: None, unread: None, .. }) => {}
            Ok(manifest) => {
                let fault = manifest.fault.map(&mut placed);
                manifests.push(Ok(Manifest { fault, ..manifest }));
            }
            Err(error) => manifests.push(Err(placed(error))),
        }
    }
    manifests
}

/// The line and the column, in characters, both from 1, of the byte `offset` of `text`. Lines end in `\n`; an offset beyond the
/// text is its end, one inside of a character is that character.
#[must_use]
pub fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let offset = floor(text, offset);
    (1 + line_breaks(&text[..offset]), column(text, offset))
}

/// Where the character begins that `offset` is inside of; the end of the text for what is beyond it.
pub(crate) fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

fn line_breaks(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// The column of a byte that begins a character.
fn column(text: &str, offset: usize) -> usize {
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    1 + text[start..offset].chars().count()
}

#[cfg(test)]
mod tests;
