//! What the API server would refuse in a definition, found without one.

use policies::RULES;

use super::*;

/// Calls `look` for every schema in a schema, with where it is.
fn every(path: &str, schema: &Value, look: &mut impl FnMut(&str, &Value)) {
    look(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        every(&format!("{path}.{name}"), property, look);
    }
    for part in ["items", "additionalProperties"] {
        if let Some(part) = schema.get(part) {
            every(&format!("{path}[]"), part, look);
        }
    }
}

fn schemas() -> [Value; 2] {
    definitions().map(|it| it["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone())
}

#[test]
fn every_node_is_structural() {
    const BANNED: [&str; 10] =
        ["$ref", "$defs", "$schema", "oneOf", "anyOf", "allOf", "not", "const", "default", "nullable"];
    for schema in schemas() {
        every("", &schema, &mut |path, node| {
            assert!(node["type"].is_string(), "{path} has no type: {node}");
            let found = BANNED.iter().find(|word| node.get(**word).is_some());
            assert!(found.is_none(), "{path} has {}", found.unwrap());
            let both = node.get("properties").is_some() && node.get("additionalProperties").is_some();
            assert!(!both, "{path} is a map and has fields");
        });
    }
}

#[test]
fn every_field_of_a_spec_is_explained() {
    for schema in schemas() {
        every("spec", &schema["properties"]["spec"], &mut |path, node| {
            let is_named = !path.ends_with(']') && !path.starts_with("spec.rules.");
            assert!(!is_named || node["description"].is_string(), "{path} is not explained");
        });
    }
}

#[test]
fn each_rule_has_its_own_options() {
    let [policy, _] = schemas();
    let rules = &policy["properties"]["spec"]["properties"]["rules"]["properties"];
    assert_eq!(rules.as_object().unwrap().len(), RULES.len());
    for rule in RULES {
        assert_eq!(rules[rule.meta().id]["properties"]["options"]["type"], "object", "{}", rule.meta().id);
    }
    let option = &rules["job-ttl-too-low"]["properties"]["options"]["properties"]["min"];
    assert_eq!(option["type"], "integer");
}

#[test]
fn what_is_misspelt_is_kept_for_somebody_who_refuses_it() {
    for schema in schemas() {
        every("", &schema["properties"]["spec"], &mut |path, node| {
            let is_open = node.get("additionalProperties").is_some() || node["type"] != "object";
            assert!(is_open || node["x-kubernetes-preserve-unknown-fields"] == true, "{path} drops fields");
        });
    }
}

#[test]
fn the_definitions_fit_into_an_annotation_of_kubectl() {
    for definition in definitions() {
        let bytes = definition.to_string().len();
        assert!(bytes < 256 << 10, "{} has {bytes} bytes", definition["metadata"]["name"]);
    }
}

#[test]
fn lists_that_several_write_merge_by_their_keys() {
    let [policy, exception] = schemas();
    let status = |schema: &Value| schema["properties"]["status"]["properties"].clone();
    assert_eq!(status(&policy)["replicas"]["x-kubernetes-list-map-keys"], json!(["pod"]));
    assert_eq!(status(&exception)["conditions"]["x-kubernetes-list-map-keys"], json!(["type"]));
    assert_eq!(status(&exception)["approvedGeneration"]["type"], "integer");
}
