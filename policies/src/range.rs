//! Options that are of another kind than the schema says, or numbers out of their range: what the schema says is what is enforced.

use schemars::Schema;
use serde_json::{Map, Value};

/// Checks what is `written` against the types and ranges in `schema`, both of one rule's options. The error is a sentence.
pub(crate) fn verify(schema: &Schema, written: &Value) -> Result<(), String> {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let Some(options) = written.as_object().filter(|options| options.is_empty() || !properties.is_empty())
    else {
        return Err(match properties.iter().next() {
            None => "it has none; remove them".to_owned(),
            Some((name, property)) => {
                format!("a map is wanted, such as options: {{{name}: {}}}", example(property))
            }
        });
    };
    for (name, property) in properties {
        let Some(value) = options.get(name) else { continue };
        if let Some(kind) = other_kind(property, value) {
            return Err(format!(
                "{name} is {value}; it must be {kind}, such as {name}: {}",
                example(property)
            ));
        }
        let Some(number) = value.as_f64() else { continue };
        let bound = |name| property.get(name).and_then(Value::as_f64);
        if let Some(least) = bound("minimum").filter(|least| number < *least) {
            return Err(format!("{name} is {value}; it must be at least {least}"));
        }
        if let Some(most) = bound("maximum").filter(|most| number > *most) {
            return Err(format!("{name} is {value}; it must be at most {most}"));
        }
    }
    Ok(())
}

/// What a value must be and is not; `None` too where the schema names no simple type.
fn other_kind(property: &Value, value: &Value) -> Option<&'static str> {
    let is_of = |kind: &str| match &property["type"] {
        Value::String(only) => only == kind,
        several => several.as_array().is_some_and(|several| several.iter().any(|one| one == kind)),
    };
    if value.is_null() && is_of("null") {
        return None;
    }
    let kinds = [
        ("integer", "a whole number", value.is_i64() || value.is_u64()),
        ("boolean", "true or false", value.is_boolean()),
        ("array", "a list", value.is_array()),
    ];
    kinds.into_iter().find(|(kind, _, is_it)| is_of(kind) && !is_it).map(|(_, words, _)| words)
}

/// A value that would do: the default, where it is one.
fn example(property: &Value) -> Value {
    let known = [&property["default"], &property["minimum"]];
    known.into_iter().find(|value| !value.is_null()).cloned().unwrap_or_else(|| 1.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::find;

    fn problem(rule: &str, options: &Value) -> Option<String> {
        (find(rule).unwrap().meta().options.parse)(Some(options)).err()
    }

    #[test]
    fn a_number_below_its_range_was_taken_without_a_word() {
        for (rule, option, least) in [
            ("job-ttl-missing", "default", 60),
            ("job-ttl-too-low", "min", 1),
            ("job-deadline-missing", "default", 1),
            ("job-backoff-limit-unset", "default", 0),
            ("job-backoff-limit-high", "max", 0),
        ] {
            let too_low = problem(rule, &json!({option: least - 1}));
            let sentence = format!("{option} is {}; it must be at least {least}", least - 1);
            assert_eq!(too_low, Some(sentence), "{rule}");
            assert_eq!(problem(rule, &json!({option: least})), None, "{rule}");
        }
    }

    #[test]
    fn what_the_api_server_would_refuse_is_refused_here() {
        let huge = json!({"default": 4_000_000_000_u32});
        for rule in ["job-ttl-missing", "job-backoff-limit-unset"] {
            let sentence = "default is 4000000000; it must be at most 2147483647";
            assert_eq!(problem(rule, &huge).as_deref(), Some(sentence), "{rule}");
        }
    }

    #[test]
    fn what_is_no_number_was_told_in_words_of_rust() {
        let sentence = "max is \"eight\"; it must be a whole number, such as max: 4";
        assert_eq!(problem("job-backoff-limit-high", &json!({"max": "eight"})).as_deref(), Some(sentence));
        assert!(problem("job-ttl-too-low", &json!({"min": 1.5})).unwrap().contains("a whole number"));
        assert_eq!(problem("job-ttl-missing", &json!({"default": null})), None);
    }
    #[test]
    fn options_that_are_no_map_or_that_a_rule_does_not_have_were_told_in_words_of_rust() {
        for options in [json!(1), json!({"a": 1})] {
            assert_eq!(problem("job-suspended", &options).as_deref(), Some("it has none; remove them"));
        }
        assert_eq!(problem("job-suspended", &json!({})), None);
        let sentence = "a map is wanted, such as options: {max: 4}";
        assert_eq!(problem("job-backoff-limit-high", &json!(8)).as_deref(), Some(sentence));
    }
}
