//! From the bytes of a Secret to a record, one buffer at a time.

use std::io::{self, BufReader, Read};

use base64::{
    alphabet::STANDARD,
    engine::{GeneralPurpose, GeneralPurposeConfig},
    read::DecoderReader,
};
use flate2::bufread::MultiGzDecoder;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{
    Error, Limits, Record,
    stored::Stored,
    stream::{Failure, Metered, Named, Unbroken},
};

/// Go's standard encoding, which does not mind stray bits after the last byte.
pub(super) const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// The bytes a gzip stream begins with.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// Bytes of JSON that are decompressed at once.
const CHUNK: usize = 64 << 10;

/// Reads base64 of base64 of a record.
pub(super) fn twice(text: &[u8], limits: &Limits) -> Result<Record, Error> {
    json_of_secret::<Stored>(text, limits)?.into_record()
}

/// Reads base64 of base64 of the JSON of a record.
pub(super) fn json_of_secret<T: DeserializeOwned>(text: &[u8], limits: &Limits) -> Result<T, Error> {
    let failure = Failure::default();
    unpack(unbase64(unbase64(text, &failure), &failure), limits, &failure)
}

/// Reads base64 of a record.
pub(super) fn once(text: &[u8], limits: &Limits) -> Result<Record, Error> {
    json_of_stored::<Stored>(text, limits)?.into_record()
}

/// Reads base64 of the JSON of a record.
pub(super) fn json_of_stored<T: DeserializeOwned>(text: &[u8], limits: &Limits) -> Result<T, Error> {
    let failure = Failure::default();
    unpack(unbase64(text, &failure), limits, &failure)
}

fn unbase64<'f>(text: impl Read + 'f, failure: &'f Failure) -> impl Read + 'f {
    Named { inner: DecoderReader::new(Unbroken(text), &BASE64), failure, meaning: |_| Error::NotBase64 }
}

/// Decompresses what is compressed.
fn unpack<T: DeserializeOwned>(
    mut packed: impl Read,
    limits: &Limits,
    failure: &Failure,
) -> Result<T, Error> {
    let mut head = Vec::with_capacity(MAGIC.len() + 1);
    let length = head.capacity() as u64;
    packed
        .by_ref()
        .take(length)
        .read_to_end(&mut head)
        .map_err(|_| failure.take().unwrap_or(Error::NotBase64))?;
    if head.is_empty() {
        return Err(Error::Empty);
    }
    let is_gzip = head.len() > MAGIC.len() && head.starts_with(&MAGIC);
    let packed = BufReader::with_capacity(CHUNK, head.as_slice().chain(packed));
    if is_gzip {
        let meaning = |error: &io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::Truncated,
            _ => Error::NotGzip,
        };
        parse(Named { inner: MultiGzDecoder::new(packed), failure, meaning }, limits, failure)
    } else {
        parse(packed, limits, failure)
    }
}

fn parse<T: DeserializeOwned>(json: impl Read, limits: &Limits, failure: &Failure) -> Result<T, Error> {
    let json = BufReader::with_capacity(CHUNK, Metered::new(json, *limits, failure));
    serde_json::from_reader(json).map_err(|error| failure.take().unwrap_or_else(|| describe(&error)))
}

/// The place of an error, never its text: that of a mismatch quotes the value.
fn describe(error: &serde_json::Error) -> Error {
    match error.classify() {
        Category::Data => Error::NoRelease,
        _ if error.to_string().starts_with("recursion limit exceeded") => Error::TooDeep,
        _ => Error::NotJson { line: error.line(), column: error.column() },
    }
}
