//! The release Secret of a large chart, as Helm is about to store it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hooks::{annotations::PREFIX, release};
use serde_json::{Value, json};

use super::{bodies, manifests, noise::Noise};

/// What etcd and the API server let a Secret hold.
const STORED: usize = 1_000_000;

/// The review of a release Secret, and how large its parts are.
#[derive(Debug)]
pub(super) struct Record {
    /// The review that asks for its CREATE.
    pub(super) review: Vec<u8>,
    /// Bytes in the data of the Secret.
    pub(super) stored: usize,
    /// Bytes of the record's JSON, once decompressed.
    pub(super) json: usize,
    /// Bytes of YAML in it: the manifest and the hooks.
    pub(super) yaml: usize,
}

/// The largest release that fits, without anything to object to: its components, and templates of half their size.
pub(super) fn largest() -> Record {
    let sample = of_components(100);
    of_components(100 * STORED / sample.stored)
}

fn of_components(count: usize) -> Record {
    let mut noise = Noise::new(6);
    let components: Vec<String> =
        (0..count as u64).map(|index| manifests::component(&mut noise, 4 * index + 1)).collect();
    let manifest = components.concat();
    let hooks: Vec<Value> = (0..count / 8).map(|index| {
        let name = format!("component-{index}");
        let manifest = manifests::hook(&mut noise, &name);
        json!({"name": format!("{name}-migrate"), "kind": "Job", "path": format!("shop/templates/{name}/migrate.yaml"),
            "manifest": manifest, "events": ["pre-install", "pre-upgrade"], "weight": 5,
            "last_run": {"started_at": "", "completed_at": "", "phase": ""}})
    }).collect();
    let yaml = manifest.len()
        + hooks.iter().filter_map(|hook| hook["manifest"].as_str()).map(str::len).sum::<usize>();
    let templates: Vec<Value> = components.iter().step_by(2).enumerate().map(|(index, text)| {
        json!({"name": format!("templates/{index}.yaml"), "data": STANDARD.encode(text.replace("4.2.1", "{{ .Chart.Version }}"))})
    }).collect();
    let record = json!({
        "name": "shop", "namespace": "shop", "version": 7, "manifest": manifest, "hooks": hooks, "config": {},
        "info": {"status": "pending-upgrade", "first_deployed": "2026-11-20T08:00:00Z", "description": "Preparing upgrade"},
        "chart": {"metadata": {"name": "shop", "version": "4.2.1", "apiVersion": "v2"}, "templates": templates, "values": {}},
    });
    let json = record.to_string();
    let data = release::encode(json.as_bytes());
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": format!("{PREFIX}release.v1"), "data": {"release": data},
        "metadata": {"name": format!("sh.{}.release.v1.shop.v7", PREFIX.trim_end_matches('/').split('.').rev().collect::<Vec<_>>().join(".")),
            "namespace": "shop", "labels": {"name": "shop", "owner": "helm", "status": "pending-upgrade", "version": "7"}},
    });
    Record { stored: data.len() / 4 * 3, json: json.len(), yaml, review: bodies::secret(&secret) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_holds_what_it_says() {
        let made = of_components(8);
        let review: Value = serde_json::from_slice(&made.review).unwrap();
        let data = review["request"]["object"]["data"]["release"].as_str().unwrap();
        let record = release::Record::decode(data.as_bytes(), &release::Limits::default()).unwrap();
        assert!(record.is_pending());
        assert_eq!(record.hooks.len(), 1);
        assert!(made.stored < made.json && made.yaml < made.json);
    }
}
