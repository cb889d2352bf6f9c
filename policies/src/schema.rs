//! The JSON schema of policy files: one schema, with the options of every rule in it.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, json_schema};

use crate::{
    documents::Document,
    mode::Mode,
    rule::{Fix, Rule},
    rules::RULES,
};

/// The schema of one document of a policy file.
#[must_use]
pub fn policy_file() -> serde_json::Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.root_schema_for::<Document>();
    schema.insert("title".to_owned(), "A document of a Hookward policy file".into());
    let rules = rules(&mut generator);
    let mut schema = schema.to_value();
    let definitions = generator.take_definitions(true);
    if let Some(own) = schema.get_mut("$defs").and_then(serde_json::Value::as_object_mut) {
        own.extend(definitions);
        if let Some(settings) = own.get_mut("Settings") {
            settings["properties"]["rules"] = rules;
        }
    }
    schema
}

/// The schema of the settings of all rules by id, in draft 7 and complete in itself, for the values of the chart.
#[must_use]
pub fn chart_rules() -> serde_json::Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    rules(&mut settings.into_generator())
}

/// Ids to settings: every rule with its own options, and nothing else.
fn rules(generator: &mut SchemaGenerator) -> serde_json::Value {
    let properties: serde_json::Map<_, _> = RULES
        .iter()
        .map(|rule| (rule.meta().id.to_owned(), settings_of(*rule, generator).to_value()))
        .collect();
    serde_json::json!({
        "description": "Settings of single rules, by id.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn settings_of(rule: &dyn Rule, generator: &mut SchemaGenerator) -> Schema {
    let meta = rule.meta();
    let mode = generator.subschema_for::<Mode>();
    let options = (meta.options.schema)(generator);
    let mut properties = serde_json::Map::new();
    properties.insert("mode".to_owned(), mode.to_value());
    if meta.fix != Fix::None {
        let description = "Whether the rule repairs what it finds.";
        let default = meta.fix == Fix::Default;
        properties.insert(
            "fix".to_owned(),
            serde_json::json!({"description": description, "type": "boolean", "default": default}),
        );
    }
    properties.insert("options".to_owned(), options.to_value());
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_in_the_schema_and_nothing_else_is_allowed() {
        let schema = policy_file();
        let rules = &schema["$defs"]["Settings"]["properties"]["rules"];
        assert_eq!(rules["properties"].as_object().unwrap().len(), RULES.len());
        assert_eq!(rules["additionalProperties"], false);
    }

    #[test]
    fn the_rules_of_the_chart_need_no_definitions_beside_them() {
        let rules = chart_rules();
        assert_eq!(rules["properties"].as_object().unwrap().len(), RULES.len());
        assert!(!rules.to_string().contains("$ref"));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let schema = policy_file();
        let text = schema.to_string();
        for reference in text.split("\"#/$defs/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(schema["$defs"].get(reference).is_some(), "{reference} is not defined");
        }
    }
}
