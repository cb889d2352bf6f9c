//! Numbers as Go's YAML reader finds them in text, and as Go prints them.

use std::borrow::Cow;

use serde_json::Number;

/// What a plain scalar that looks like a number is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Numeric {
    /// A whole number that fits Go's `int`.
    Signed(i64),
    /// A whole number beyond that, within 64 bits.
    Unsigned(u64),
    /// Any other number; may be infinite or not a number.
    Float(f64),
}

/// Reads `text`, whose first byte is a digit, a sign or a point; `None` is text after all.
///
/// Source: `go.yaml.in/yaml/v2` 2.4.3 `resolve.go`, `resolve`.
pub(super) fn parse(text: &str) -> Option<Numeric> {
    match text {
        ".nan" | ".NaN" | ".NAN" => return Some(Numeric::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(Numeric::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Numeric::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    if text.starts_with('.') {
        return underscores_separate_digits(text).then(|| float(&without_underscores(text))).flatten();
    }
    let plain = without_underscores(text);
    whole(&plain).or_else(|| float(&plain)).or_else(|| signed_binary(&plain))
}

fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') { text.replace('_', "").into() } else { text.into() }
}

/// Where Go's `ParseFloat` puts up with underscores: between two digits.
fn underscores_separate_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    (0..bytes.len()).all(|at| bytes[at] != b'_' || digit(at.checked_sub(1)) && digit(Some(at + 1)))
}

/// Go's `ParseInt(text, 0, 64)`, then `ParseUint`: a leading zero means octal.
fn whole(text: &str) -> Option<Numeric> {
    let (negative, signed, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let size = u64::from_str_radix(digits, radix).ok()?;
    match (i64::try_from(size), negative) {
        (Ok(size), false) => Some(Numeric::Signed(size)),
        (_, true) => 0_i64.checked_sub_unsigned(size).map(Numeric::Signed),
        (Err(_), false) => (!signed).then_some(Numeric::Unsigned(size)),
    }
}

/// A decimal with an optional point and exponent. What does not fit 64 bits is text.
fn float(text: &str) -> Option<Numeric> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, rest) = leading_digits(unsigned);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => leading_digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let (digits, rest) = leading_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
        if digits.is_empty() || !rest.is_empty() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Numeric::Float)
}

fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// A leftover of the reader: after `0b` the digits may have a sign of their own.
fn signed_binary(text: &str) -> Option<Numeric> {
    let digits = text.strip_prefix("0b")?;
    i64::from_str_radix(digits, 2).ok().map(Numeric::Signed)
}

/// The number that a JSON reader finds where Go's `encoding/json` has printed `value`; `None` if JSON has no word for it.
pub(super) fn to_json(value: Numeric) -> Option<Number> {
    let value = match value {
        Numeric::Signed(value) => return Some(value.into()),
        Numeric::Unsigned(value) => return Some(value.into()),
        Numeric::Float(value) => value,
    };
    // Below 1e21 Go prints no exponent and no point, so a whole number reads back as one. Minus zero stays a float.
    if value.fract() == 0.0 && value.abs() < 1e21 && (value != 0.0 || value.is_sign_positive()) {
        let digits = value.to_string();
        if let Ok(whole) = digits.parse::<i64>() {
            return Some(whole.into());
        }
        if let Ok(whole) = digits.parse::<u64>() {
            return Some(whole.into());
        }
    }
    Number::from_f64(value)
}

/// The other way round; whether a whole number was written as a float is lost.
pub(super) fn from_json(number: &Number) -> Numeric {
    match (number.as_i64(), number.as_u64()) {
        (Some(value), _) => Numeric::Signed(value),
        (None, Some(value)) => Numeric::Unsigned(value),
        (None, None) => Numeric::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// The text that a float becomes as the name of a member: the shortest that a 32-bit float needs, `%g` in Go.
///
/// Source: `sigs.k8s.io/yaml` 1.6.0 `yaml.go`, `convertToJSONableObject`.
pub(super) fn float_name(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "Go loses the same digits")]
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, expected: Numeric) {
        assert_eq!(parse(text), Some(expected), "{text}");
    }

    #[test]
    fn a_leading_zero_is_octal_unless_a_digit_is_not() {
        reads("0400", Numeric::Signed(256));
        reads("-0400", Numeric::Signed(-256));
        reads("0", Numeric::Signed(0));
        reads("-0", Numeric::Signed(0));
        reads("08", Numeric::Float(8.0));
    }

    #[test]
    fn prefixes_and_underscores_are_read() {
        reads("0x1F", Numeric::Signed(31));
        reads("0o17", Numeric::Signed(15));
        reads("0B11", Numeric::Signed(3));
        reads("-0b11", Numeric::Signed(-3));
        reads("0b-11", Numeric::Signed(-3));
        reads("1_000_", Numeric::Signed(1000));
        reads(".5_0", Numeric::Float(0.5));
        assert_eq!(parse(".5_"), None);
        assert_eq!(parse("0x"), None);
        assert_eq!(parse("0x-1"), None);
    }

    #[test]
    fn big_numbers_are_unsigned_then_floats_then_text() {
        reads("9223372036854775807", Numeric::Signed(i64::MAX));
        reads("-9223372036854775808", Numeric::Signed(i64::MIN));
        reads("9223372036854775808", Numeric::Unsigned(1 << 63));
        reads("+9223372036854775808", Numeric::Float(9_223_372_036_854_775_808.0));
        reads("18446744073709551616", Numeric::Float(18_446_744_073_709_551_616.0));
        assert_eq!(parse("1e999"), None);
    }

    #[test]
    fn floats_have_a_point_or_an_exponent() {
        for (text, value) in
            [(".5", 0.5), ("1.", 1.0), ("12e03", 12000.0), ("-1.5E-3", -0.0015), ("+.5", 0.5)]
        {
            reads(text, Numeric::Float(value));
        }
        for text in [".", "-", "+", "1e", "1.2.3", "190:20:30", "1.e+", "..5", "-.", "0x1p4"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn whole_floats_print_as_whole_numbers() {
        let json = |text| to_json(parse(text).unwrap()).map(|number| number.to_string());
        assert_eq!(json("1.0").as_deref(), Some("1"));
        assert_eq!(json("1e3").as_deref(), Some("1000"));
        assert_eq!(json("1e19").as_deref(), Some("10000000000000000000"));
        assert_eq!(json("9007199254740993.0").as_deref(), Some("9007199254740992"));
        assert_eq!(json("-0.0").as_deref(), Some("-0.0"));
        assert_eq!(json(".inf"), None);
    }

    #[test]
    fn names_have_the_digits_of_a_short_float() {
        for (value, name) in [
            (1.5, "1.5"),
            (1000.0, "1000"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (123_456_789.0, "1.2345679e+08"),
            (0.000_01, "1e-05"),
            (0.1, "0.1"),
            (-0.0, "-0"),
            (f64::INFINITY, ".inf"),
            (f64::NEG_INFINITY, "-.inf"),
            (f64::NAN, ".nan"),
            (1e300, ".inf"),
        ] {
            assert_eq!(float_name(value), name);
        }
    }
}
