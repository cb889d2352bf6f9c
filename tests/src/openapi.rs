//! The API's own schemas, minor version by minor version, from the Kubernetes modules; they say what a real API server would refuse.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The minor versions whose schemas are at hand, and the Go module below `tests/rig` that pins each.
pub const MINORS: [(&str, &str); 4] =
    [("1.33", "schemas/1.33"), ("1.34", "schemas/1.34"), ("1.35", "schemas/1.35"), ("1.36", "kubernetes")];

/// The schemas of one minor version.
#[derive(Debug)]
pub struct Schemas {
    folder: PathBuf,
}

impl Schemas {
    /// Fetches the Kubernetes module that `module` pins, which the Go client verifies and keeps.
    ///
    /// # Panics
    /// When there is no Go, or the module cannot be had.
    #[must_use]
    #[track_caller]
    pub fn of(module: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rig").join(module);
        let output = Command::new("go")
            .current_dir(&folder)
            .env("GOWORK", "off")
            .args(["mod", "download", "-json", "k8s.io/kubernetes"])
            .output()
            .unwrap_or_else(|error| panic!("cannot run go: {error}"));
        let text = String::from_utf8_lossy(&output.stdout);
        let module: Value = serde_json::from_str(&text).unwrap_or_default();
        let Some(found) = module["Dir"].as_str() else {
            panic!("no module of Kubernetes: {text}{}", String::from_utf8_lossy(&output.stderr))
        };
        Self { folder: Path::new(found).join("api/openapi-spec/v3") }
    }

    /// What the API of this version has against an object, one line each; `None` for groups that are not Kubernetes' own.
    ///
    /// # Panics
    /// When a schema cannot be read.
    #[must_use]
    #[track_caller]
    pub fn problems(&self, object: &Value) -> Option<Vec<String>> {
        let version = object["apiVersion"].as_str()?;
        let group = if version.contains('/') { "apis" } else { "api" };
        let path = self.folder.join(format!("{group}__{}_openapi.json", version.replace('/', "__")));
        let text = fs::read_to_string(path).ok()?;
        let document: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("a schema is no JSON: {error}"));
        let schemas = &document["components"]["schemas"];
        let kind = object["kind"].as_str()?;
        let is_it = |schema: &&Value| {
            let kinds = schema["x-kubernetes-group-version-kind"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|one| one["kind"] == kind))
        };
        let schema = schemas.as_object()?.values().find(is_it);
        let mut problems = Vec::new();
        match schema {
            Some(schema) => walk(object, schema, schemas, "", &mut problems),
            None => problems.push(format!("{version} has no {kind}")),
        }
        Some(problems)
    }
}

/// Compares a value with its schema: unknown fields, types, required fields, closed lists of words.
fn walk(value: &Value, schema: &Value, schemas: &Value, path: &str, problems: &mut Vec<String>) {
    let named = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    if let Some(name) = named.and_then(|reference| reference.rsplit('/').next()) {
        return walk(value, &schemas[name], schemas, path, problems);
    }
    if value.is_null() || schema["oneOf"].is_array() {
        return;
    }
    let words = schema["enum"].as_array();
    if words.is_some_and(|words| !words.contains(value)) {
        problems.push(format!("{path}: {value} is none of the words it may be"));
    }
    match (schema["type"].as_str(), value) {
        (Some("object"), Value::Object(members)) => {
            for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !members.contains_key(required) {
                    problems.push(format!("{path}/{required}: is required"));
                }
            }
            for (name, member) in members {
                let inner = [&schema["properties"][name], &schema["additionalProperties"]];
                match inner.into_iter().find(|inner| inner.is_object()) {
                    Some(inner) => walk(member, inner, schemas, &format!("{path}/{name}"), problems),
                    None if schema.get("properties").is_some() => {
                        problems.push(format!("{path}/{name}: there is no such field"));
                    }
                    None => {}
                }
            }
        }
        (Some("array"), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &schema["items"], schemas, &format!("{path}/{index}"), problems);
            }
        }
        (Some("string"), Value::String(_))
        | (Some("boolean"), Value::Bool(_))
        | (Some("integer" | "number"), Value::Number(_))
        | (None, _) => {}
        (Some(wanted), _) => problems.push(format!("{path}: must be of type {wanted}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(schema: &Value, value: &Value) -> Vec<String> {
        let schemas = json!({"T": schema});
        let mut found = Vec::new();
        walk(value, &json!({"allOf": [{"$ref": "#/components/schemas/T"}]}), &schemas, "", &mut found);
        found
    }

    #[test]
    fn what_an_api_server_would_refuse_is_named_with_its_place() {
        let schema = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "integer"}, "b": {"type": "array", "items": {"type": "string", "enum": ["x"]}},
        }});
        assert_eq!(problems(&schema, &json!({"a": 1, "b": ["x"]})), Vec::<String>::new());
        let bad = json!({"b": ["y", 1], "c": true});
        assert_eq!(problems(&schema, &bad).len(), 5, "{:?}", problems(&schema, &bad));
    }

    #[test]
    fn maps_and_unions_take_what_they_say() {
        let schema = json!({"type": "object", "additionalProperties": {"oneOf": [{"type": "string"}, {"type": "integer"}]}});
        assert_eq!(problems(&schema, &json!({"x": 1, "y": "80%"})), Vec::<String>::new());
    }
}
