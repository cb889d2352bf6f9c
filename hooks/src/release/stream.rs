//! Readers that a record runs through on its way from base64 to JSON; the first one that fails says why.

use std::{
    cell::Cell,
    io::{self, Read},
};

use super::{Error, Limits};

/// Why the stream broke, where an `io::Error` could not say.
pub(super) type Failure = Cell<Option<Error>>;

/// Notes the first failure and breaks the stream.
fn fail(failure: &Failure, error: Error) -> io::Error {
    failure.set(Some(failure.take().unwrap_or(error)));
    io::Error::other("the record cannot be read")
}

/// Drops line breaks, as Go's base64 reader does.
pub(super) struct Unbroken<R>(pub(super) R);

impl<R: Read> Read for Unbroken<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.read(buffer)?;
            if read == 0 || !buffer[..read].iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
                return Ok(read);
            }
            let mut kept = 0;
            for index in 0..read {
                if !matches!(buffer[index], b'\r' | b'\n') {
                    buffer[kept] = buffer[index];
                    kept += 1;
                }
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

/// Says what it means when the reader inside fails.
pub(super) struct Named<'f, R> {
    /// The reader inside.
    pub(super) inner: R,
    /// Where failures are noted.
    pub(super) failure: &'f Failure,
    /// What a failure means.
    pub(super) meaning: fn(&io::Error) -> Error,
}

impl<R: Read> Read for Named<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| fail(self.failure, (self.meaning)(&error)))
    }
}

/// Counts bytes and nesting, and stops before a limit is exceeded.
pub(super) struct Metered<'f, R> {
    inner: R,
    failure: &'f Failure,
    limits: Limits,
    read: u64,
    depth: usize,
    /// How long the text is that the last byte was in.
    length: usize,
    place: Place,
}

/// Where in the JSON the last byte was.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Outside,
    Text,
    Escape,
}

impl<'f, R: Read> Metered<'f, R> {
    /// Meters `inner`.
    pub(super) const fn new(inner: R, limits: Limits, failure: &'f Failure) -> Self {
        Self { inner, failure, limits, read: 0, depth: 0, length: 0, place: Place::Outside }
    }

    /// Follows brackets outside of texts, and texts: the limit that is exceeded, if there is one.
    fn follow(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = rest;
            match (self.place, byte) {
                (Place::Outside, b'"') => (self.place, self.length) = (Place::Text, 0),
                (Place::Escape, _) => (self.place, self.length) = (Place::Text, self.length + 1),
                (Place::Text, b'"') => self.place = Place::Outside,
                (Place::Text, b'\\') => self.place = Place::Escape,
                (Place::Text, _) => {
                    let end =
                        bytes.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(bytes.len());
                    bytes = &bytes[end..];
                    self.length += 1 + end;
                }
                (Place::Outside, b'[' | b'{') => self.depth += 1,
                (Place::Outside, b']' | b'}') => self.depth = self.depth.saturating_sub(1),
                (Place::Outside, _) => {}
            }
            if self.depth > self.limits.nesting {
                return Err(Error::TooDeep);
            }
            if self.length > self.limits.text {
                return Err(Error::TextTooLarge { limit: self.limits.text });
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read += read as u64;
        if self.read > self.limits.decompressed {
            return Err(fail(self.failure, Error::TooLarge { limit: self.limits.decompressed }));
        }
        self.follow(&buffer[..read]).map_err(|error| fail(self.failure, error))?;
        Ok(read)
    }
}
