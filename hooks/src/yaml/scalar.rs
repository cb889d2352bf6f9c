//! What one scalar is: its tag first, then its notation, then its text.

use std::borrow::Cow;

use base64::{
    Engine as _,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    number::{self, Numeric},
    timestamp::is_timestamp,
};
use crate::node::Value;

/// Go's `base64.StdEncoding`: padding is required, stray bits before it are not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// A scalar as Go's YAML reader hands it on.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Resolved<'a> {
    Null,
    Bool(bool),
    Number(Numeric),
    Text(Cow<'a, str>),
}

/// Resolves `text`. `tag` is the part after `tag:yaml.org,2002:`, or a tag of another kind; `plain` is whether no quotes and no
/// block decide that this is text.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `resolve.go` and `decode.go`, `scalar`.
pub(super) fn resolve<'a>(
    text: Cow<'a, str>,
    tag: Option<&str>,
    plain: bool,
) -> Result<Resolved<'a>, &'static str> {
    match tag {
        None if !plain => Ok(Resolved::Text(text)),
        None => Ok(by_text(text)),
        Some("bool") => match by_text(text) {
            value @ Resolved::Bool(_) => Ok(value),
            _ => Err("what is tagged !!bool is no truth value"),
        },
        Some("null") => match by_text(text) {
            Resolved::Null => Ok(Resolved::Null),
            _ => Err("what is tagged !!null is not null"),
        },
        Some("int") => match by_text(text) {
            value @ Resolved::Number(Numeric::Signed(_) | Numeric::Unsigned(_)) => Ok(value),
            _ => Err("what is tagged !!int is no whole number"),
        },
        Some("float") => match by_text(text) {
            #[expect(clippy::cast_precision_loss, reason = "Go loses the same digits")]
            Resolved::Number(Numeric::Signed(value)) => Ok(Resolved::Number(Numeric::Float(value as f64))),
            value @ Resolved::Number(Numeric::Float(_)) => Ok(value),
            _ => Err("what is tagged !!float is no number that fits"),
        },
        Some("timestamp") if is_timestamp(&text) => Ok(Resolved::Text(text)),
        Some("timestamp") => Err("what is tagged !!timestamp is no point in time"),
        Some("binary") => binary(&text).map(Resolved::Text),
        Some(_) => Ok(Resolved::Text(text)),
    }
}

fn by_text(text: Cow<'_, str>) -> Resolved<'_> {
    match text.as_bytes().first() {
        None => Resolved::Null,
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => match number::parse(&text) {
            Some(number) => Resolved::Number(number),
            None => Resolved::Text(text),
        },
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => match &*text {
            "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
                Resolved::Bool(true)
            }
            "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
                Resolved::Bool(false)
            }
            "~" | "null" | "Null" | "NULL" => Resolved::Null,
            _ => Resolved::Text(text),
        },
        Some(_) => Resolved::Text(text),
    }
}

/// The text under `!!binary`, with a U+FFFD for every byte that is not UTF-8, as Go's JSON has it.
fn binary(text: &str) -> Result<Cow<'static, str>, &'static str> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let bytes = BASE64.decode(packed).map_err(|_| "what is tagged !!binary is not base64")?;
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Ok(decoded.into())
}

impl<'a> Resolved<'a> {
    /// The value; `None` is a number that JSON has no word for.
    pub(super) fn into_value(self) -> Option<Value<'a>> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(number) => Value::Number(number::to_json(number)?),
            Self::Text(text) => Value::String(text),
        })
    }

    /// Back from a value that an alias brought; `None` for lists and maps.
    pub(super) fn from_value(value: Value<'a>) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number::from_json(&number)),
            Value::String(text) => Self::Text(text),
            Value::List(_) | Value::Map(_) => return None,
        })
    }

    /// The name of a member that this scalar makes.
    pub(super) fn into_name(self) -> Result<Cow<'a, str>, &'static str> {
        match self {
            Self::Null => Err("a name cannot be null"),
            Self::Bool(true) => Ok("true".into()),
            Self::Bool(false) => Ok("false".into()),
            Self::Number(Numeric::Signed(value)) => Ok(value.to_string().into()),
            Self::Number(Numeric::Unsigned(_)) => Err("a name cannot be a number of more than 63 bits"),
            Self::Number(Numeric::Float(value)) => Ok(number::float_name(value).into()),
            Self::Text(text) => Ok(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(tag: &str, text: &'static str) -> Result<Resolved<'static>, &'static str> {
        resolve(text.into(), Some(tag), true)
    }

    #[test]
    fn a_tag_decides_before_the_text() {
        assert_eq!(tagged("str", "5"), Ok(Resolved::Text("5".into())));
        assert_eq!(tagged("str", ""), Ok(Resolved::Text("".into())));
        assert_eq!(tagged("int", "0x10"), Ok(Resolved::Number(Numeric::Signed(16))));
        assert_eq!(tagged("float", "5"), Ok(Resolved::Number(Numeric::Float(5.0))));
        assert_eq!(tagged("bool", "on"), Ok(Resolved::Bool(true)));
        assert_eq!(tagged("timestamp", "2026-11-20"), Ok(Resolved::Text("2026-11-20".into())));
        assert_eq!(tagged("shop/price", "5"), Ok(Resolved::Text("5".into())));
    }

    #[test]
    fn a_tag_that_the_text_does_not_fit_is_an_error() {
        for (tag, text) in [("int", "1.5"), ("bool", "5"), ("null", "x"), ("float", "x"), ("timestamp", "x")]
        {
            assert!(tagged(tag, text).is_err(), "!!{tag} {text}");
        }
    }

    #[test]
    fn binary_is_decoded_and_what_is_not_utf8_is_replaced() {
        assert_eq!(tagged("binary", "aGVs\nbG8="), Ok(Resolved::Text("hello".into())));
        assert_eq!(tagged("binary", "4oJB"), Ok(Resolved::Text("\u{fffd}\u{fffd}A".into())));
        assert!(tagged("binary", "aGVsbG8").is_err());
    }

    #[test]
    fn quotes_make_text() {
        assert_eq!(resolve("yes".into(), None, false), Ok(Resolved::Text("yes".into())));
        assert_eq!(resolve("".into(), None, false), Ok(Resolved::Text("".into())));
    }
}
