//! Inputs that are made to fill the memory of whoever reads them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\n  annotations:\n    helm.sh/hook: pre-install\nspec: {}\n";
const CONFIG_MAP: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n";
const MB: usize = 1 << 20;

/// What the API server asks about an object that is being created; the text of the object is taken as it is.
#[must_use]
pub fn review(object: &str) -> String {
    format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{
            "uid":"705ab4f5-6393-11e8-b7cc-42010a800002","operation":"CREATE","namespace":"shop","name":"a",
            "kind":{{"group":"","version":"v1","kind":"Thing"}},
            "resource":{{"group":"","version":"v1","resource":"things"}},
            "userInfo":{{"username":"admin"}},"dryRun":false,"object":{object},"oldObject":null}}}}"#
    )
}

/// Release Secrets whose records are a thousand times as long when they are read, each with what is in it. The releases are called
/// `NAME-0` and so on, and something is under way with each.
#[must_use]
pub fn records(name: &str) -> Vec<(&'static str, Value)> {
    let none = || json!([]);
    let manifest =
        |text: &str, length: usize| (vec![JOB.to_owned()], text.repeat(length / text.len()), none());
    let hooks = |hooks: Vec<String>| (hooks, String::new(), none());
    let hook = |more: &str| hooks(vec![format!("{JOB}{more}\n")]);
    let typo = "kind: Job\nmetadata:\n  annotations:\n    helm.sh/hook: pre-instal\n---\n".repeat(20_000);
    let typos = vec![json!({"name": "t", "data": STANDARD.encode(typo)}); 5];
    let records = vec![
        ("2 MB of tiny documents", manifest("---\na: 1\n", 2 * MB)),
        ("2 MB of small resources", manifest(CONFIG_MAP, 2 * MB)),
        ("7 MB of small resources", manifest(CONFIG_MAP, 7 * MB)),
        ("59 MB of small resources", manifest(CONFIG_MAP, 59 * MB)),
        ("one text of 8 MB", manifest("x", 8 * MB - 1)),
        ("a list of a million lists", hook(&format!("x: [{}[]]", "[],".repeat(MB)))),
        ("a million events", hooks(vec![JOB.replace("pre-install", &",".repeat(MB))])),
        ("quoted lines at the margin", hook(&format!("x: '{}'", "\n".repeat(3 * MB)))),
        ("4,000 hooks", hooks(vec![JOB.to_owned(); 4_000])),
        ("20,000 hooks", hooks(vec![JOB.to_owned(); 20_000])),
        ("100,000 misspelt events", (Vec::new(), String::new(), typos.into())),
    ];
    let numbered = records.into_iter().enumerate();
    numbered.map(|(index, (what, made))| (what, secret(&format!("{name}-{index}"), made))).collect()
}

/// The Secret of a release whose record has these hooks, this manifest, and these templates.
fn secret(name: &str, (hooks, manifest, templates): (Vec<String>, String, Value)) -> Value {
    let hook = |text| json!({"name": "a", "kind": "Job", "path": "t", "manifest": text});
    let record = json!({
        "name": name, "namespace": "demo", "version": 1, "info": {"status": "pending-install"},
        "manifest": manifest, "hooks": hooks.into_iter().map(hook).collect::<Vec<_>>(),
        "chart": {"metadata": {"name": "c"}, "templates": templates},
    });
    let labels = json!({"owner": "helm", "name": name, "status": "pending-install", "version": "1"});
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": format!("sh.helm.release.v1.{name}.v1"), "namespace": "demo", "labels": labels},
        "data": {"release": hooks::release::encode(record.to_string().as_bytes())},
    })
}

/// Reviews of objects of 7 MB, as no API server sends them, each with what is in it.
#[must_use]
pub fn objects() -> Vec<(&'static str, String)> {
    let with = |extra: String| {
        review(&format!(
            r#"{{"apiVersion":"batch/v1","kind":"Job","metadata":{{"name":"a","annotations":{{"helm.sh/hook":"pre-install"}}}},{extra}}}"#
        ))
    };
    vec![
        ("maps", with(format!("\"zz\":[{}1]", r#"{"a":1},"#.repeat(800_000)))),
        ("lists", with(format!("\"zz\":[{}1]", "[],".repeat(2_300_000)))),
        ("numbers", with(format!("\"zz\":[{}1]", "1,".repeat(3_500_000)))),
        ("a text with escapes", with(format!("\"zz\":\"{}\"", "\\n".repeat(3_500_000)))),
        (
            "containers",
            with(format!(
                r#""spec":{{"template":{{"spec":{{"containers":[{}{{}}]}}}}}}"#,
                r#"{"securityContext":{"privileged":true}},"#.repeat(150_000)
            )),
        ),
    ]
}
