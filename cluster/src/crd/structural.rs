//! JSON schema made structural, as definitions of kinds must have it; Kubernetes `apiextensions-apiserver/pkg/apiserver/schema`.

use serde_json::{Map, Value, json};

/// Keywords that mean the same there. Defaults are no part of it: the API server would write them into the object, and a rule that is
/// merely mentioned would be told things that nobody said.
const KEPT: [&str; 9] = [
    "description",
    "enum",
    "maximum",
    "minimum",
    "maxLength",
    "minLength",
    "maxItems",
    "minItems",
    "required",
];

/// The schema without references, alternatives and types that may be null. `root` holds the definitions.
pub(super) fn of(schema: &Value, root: &Value) -> Value {
    let referred = referred(schema, root);
    let mut made = Map::new();
    for keyword in KEPT {
        // What is said where a definition is used says more than the definition.
        if let Some(value) = schema.get(keyword).or_else(|| referred.get(keyword)) {
            made.insert(keyword.to_owned(), value.clone());
        }
    }
    if let Some(default) = schema.get("default").filter(|default| is_worth_telling(default)) {
        let text = made.get("description").and_then(Value::as_str).unwrap_or_default();
        made.insert("description".to_owned(), json!(format!("{text} Default: {default}.").trim_start()));
    }
    if let Some(words) = words(referred) {
        made.insert("enum".to_owned(), words);
    }
    let kind = kind(referred);
    made.insert("type".to_owned(), json!(kind));
    match kind {
        "object" => object(referred, root, &mut made),
        "array" => {
            made.insert("items".to_owned(), of(&referred["items"], root));
        }
        "integer" => {
            made.insert("format".to_owned(), json!("int64"));
        }
        _ => {}
    }
    Value::Object(made)
}

/// Fields that are known are typed; those that are not are kept, to be refused by somebody who can say why.
fn object(schema: &Value, root: &Value, made: &mut Map<String, Value>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        made.insert("additionalProperties".to_owned(), of(values, root));
        return;
    }
    let of = |(name, schema): (&String, &Value)| (name.clone(), of(schema, root));
    let properties: Map<_, _> = properties.into_iter().flatten().map(of).collect();
    if !properties.is_empty() {
        made.insert("properties".to_owned(), properties.into());
    }
    if schema.get("additionalProperties") == Some(&json!(false)) {
        made.insert("x-kubernetes-preserve-unknown-fields".to_owned(), json!(true));
    }
}

/// What a reference leads to, or the one alternative that is not null.
fn referred<'s>(schema: &'s Value, root: &'s Value) -> &'s Value {
    let target =
        schema.get("$ref").and_then(Value::as_str).and_then(|path| root.pointer(path.strip_prefix('#')?));
    if let Some(target) = target {
        return referred(target, root);
    }
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    let other = alternatives.and_then(|all| all.iter().find(|one| one.get("type") != Some(&json!("null"))));
    other.map_or(schema, |other| referred(other, root))
}

/// The words of an enumeration whose words are documented one by one.
fn words(schema: &Value) -> Option<Value> {
    let alternatives = schema.get("oneOf")?.as_array()?;
    alternatives.iter().map(|one| one.get("const").or_else(|| one.get("enum")?.get(0)).cloned()).collect()
}

fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("object")
        }
        // Only enumerations of words come without a type.
        _ if schema.get("oneOf").is_some() => "string",
        _ => "object",
    }
}

fn is_worth_telling(default: &Value) -> bool {
    !default.is_null() && default != &json!([]) && default != &json!({})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(schema: &Value, expected: &Value) {
        let root = json!({"$defs": {
            "Word": {"description": "A word.", "oneOf": [{"const": "off"}, {"const": "on"}]},
            "Part": {"type": "object", "additionalProperties": false, "properties": {"word": {"$ref": "#/$defs/Word"}}},
        }});
        assert_eq!(&of(schema, &root), expected);
    }

    #[test]
    fn references_are_replaced_by_what_they_lead_to() {
        becomes(
            &json!({"$ref": "#/$defs/Word", "description": "Which."}),
            &json!({"description": "Which.", "enum": ["off", "on"], "type": "string"}),
        );
        becomes(
            &json!({"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]}),
            &json!({
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                "properties": {"word": {"description": "A word.", "enum": ["off", "on"], "type": "string"}},
            }),
        );
    }

    #[test]
    fn a_default_is_told_and_not_set() {
        becomes(
            &json!({"type": ["integer", "null"], "format": "uint8", "default": 3, "description": "How many."}),
            &json!({"type": "integer", "format": "int64", "description": "How many. Default: 3."}),
        );
        becomes(
            &json!({"type": "array", "items": {"type": "string"}, "default": []}),
            &json!({"type": "array", "items": {"type": "string"}}),
        );
    }

    #[test]
    fn maps_keep_the_type_of_their_values() {
        let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
        becomes(&map, &map);
    }
}
