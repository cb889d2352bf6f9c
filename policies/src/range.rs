//! Numbers in options that are out of range: what the schema says is what is enforced.

use schemars::Schema;
use serde_json::Value;

/// Checks the numbers of `written` against the ranges in `schema`, both of one rule's options. The error is a sentence.
pub(crate) fn verify(schema: &Schema, written: &Value) -> Result<(), String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let Some(number) = written.get(name).and_then(Value::as_f64) else { continue };
        let bound = |name| property.get(name).and_then(Value::as_f64);
        if let Some(least) = bound("minimum").filter(|least| number < *least) {
            return Err(format!("{name} is {}; it must be at least {least}", written[name]));
        }
        if let Some(most) = bound("maximum").filter(|most| number > *most) {
            return Err(format!("{name} is {}; it must be at most {most}", written[name]));
        }
    }
    Ok(())
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
    fn what_is_no_number_is_left_to_the_reader() {
        assert!(problem("job-ttl-too-low", &json!({"min": "60"})).unwrap().contains("invalid type"));
        assert_eq!(problem("job-ttl-missing", &json!({"default": null})), None);
    }
}
