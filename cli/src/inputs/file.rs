//! Files and streams as text, within a limit, or a sentence why not.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::report::Problem;

/// Reads a file. One that is too large is refused before it is read.
pub(super) fn read(path: &Path, shown: &str, limit: u64) -> Result<String, Problem> {
    let file = File::open(path).map_err(|error| refused(shown, &error))?;
    let metadata = file.metadata().map_err(|error| refused(shown, &error))?;
    if metadata.len() > limit {
        return Err(too_large(shown, Some(metadata.len()), limit));
    }
    // One byte more, so that the end is seen without a larger buffer.
    let expected = usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1);
    read_to_end(file, Vec::with_capacity(expected), shown, limit)
}

/// Reads a stream to its end.
pub(super) fn read_stream(stream: impl Read, shown: &str, limit: u64) -> Result<String, Problem> {
    read_to_end(stream, Vec::new(), shown, limit)
}

fn read_to_end(stream: impl Read, mut bytes: Vec<u8>, shown: &str, limit: u64) -> Result<String, Problem> {
    let read = stream.take(limit + 1).read_to_end(&mut bytes).map_err(|error| refused(shown, &error))?;
    if u64::try_from(read).is_ok_and(|read| read > limit) {
        return Err(too_large(shown, None, limit));
    }
    text(bytes, shown)
}

/// Text is UTF-8 without NUL; with one it is binary, else text in another encoding, and the line where that shows is named.
pub(super) fn text(bytes: Vec<u8>, shown: &str) -> Result<String, Problem> {
    // Whether there is one is asked faster than where.
    let nul = bytes.contains(&0).then(|| bytes.iter().position(|byte| *byte == 0)).flatten();
    let (at, bytes) = match (nul, String::from_utf8(bytes)) {
        (None, Ok(text)) => return Ok(text),
        (Some(at), Ok(text)) => (at, text.into_bytes()),
        (nul, Err(error)) => {
            let at = error.utf8_error().valid_up_to();
            (nul.map_or(at, |nul| nul.min(at)), error.into_bytes())
        }
    };
    let line = bytes[..at].split(|byte| *byte == b'\n').count();
    let binary = |hint: &str| format!("this is a binary file, not text (byte {}); {hint}", at + 1);
    let message = match bytes.get(..2) {
        Some([0xff, 0xfe] | [0xfe, 0xff]) => binary("save it as UTF-8"),
        Some([0x1f, 0x8b]) => {
            binary("it is compressed: a chart's archive is named .tgz, anything else must be unpacked first")
        }
        _ if nul.is_some() => binary("give YAML or JSON in UTF-8"),
        _ => format!("this is not UTF-8 (byte {}); save it as UTF-8", at + 1),
    };
    Err(Problem { file: shown.to_owned(), line: Some(line), column: None, message })
}

fn too_large(shown: &str, size: Option<u64>, limit: u64) -> Problem {
    let mib = limit >> 20;
    let size =
        size.map_or_else(|| format!("more than {mib} MiB"), |size| format!("{} MiB", size.div_ceil(1 << 20)));
    Problem::new(
        shown,
        format!("too large: {size}, and the limit is {mib} MiB; split it, or raise --max-file-size"),
    )
}

/// What the system said, in words.
pub(crate) fn refused(shown: &str, error: &io::Error) -> Problem {
    let message = match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied; make it readable".to_owned(),
        _ => format!("cannot be read: {}", error.to_string().to_lowercase()),
    };
    Problem::new(shown, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8]) -> String {
        text(bytes.to_vec(), "f").unwrap_err().to_string()
    }

    #[test]
    fn binary_files_are_named_with_their_line() {
        assert!(message(b"a\nb\0").starts_with("f:2: this is a binary file"));
        assert!(message(b"\xff\xfea\0").contains("save it as UTF-8"));
        assert!(message(b"\x1f\x8b\x08\0").contains("compressed"));
    }

    #[test]
    fn text_in_another_encoding_was_called_a_binary_file() {
        assert_eq!(message(b"a\n\nn\xe4me"), "f:3: this is not UTF-8 (byte 5); save it as UTF-8");
        assert!(message(b"\xe4\0").contains("binary file"));
    }

    #[test]
    fn a_stream_beyond_the_limit_is_left_alone() {
        let problem = read_stream(io::repeat(b'a'), "-", 1 << 20).unwrap_err();
        assert!(problem.message.contains("more than 1 MiB") && problem.message.contains("--max-file-size"));
    }
}
