//! A hook whose text is a stream of JSON objects: real Helm, and the simulation beside it.

use tests::rig::Helm;

use super::{Rollout, SETTINGS, with_both_helms};

with_both_helms! {
    every_object_of_a_stream_is_a_step
    what_cannot_be_read_behind_it_ends_the_command
}

const STREAM: &str = r#"---
{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"first","annotations":{"helm.sh/hook":"pre-install,pre-upgrade","helm.sh/hook-delete-policy":"before-hook-creation,hook-succeeded"}}}
{"apiVersion":"v1","kind":"Secret","metadata":{"name":"second"}}
{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"third"}}]}
"#;

fn every_object_of_a_stream_is_a_step(helm: Helm) {
    let steps = "  - install: {chart: v1.yaml, timeout: 20s}
  - upgrade: {chart: v1.yaml, timeout: 20s}
";
    let chart = SETTINGS.to_owned() + STREAM;
    let played = Rollout::new(helm, "stream", steps, &[("v1.yaml", chart.as_str())]).passes().to_string();
    for name in ["first", "second", "third"] {
        assert!(played.contains(name), "{name}: {played}");
    }
}

fn what_cannot_be_read_behind_it_ends_the_command(helm: Helm) {
    let steps =
        "  - install: {chart: v1.yaml, timeout: 20s}\n    expect: {exit: 1, status: failed, leftovers: []}\n";
    let chart = SETTINGS.to_owned() + STREAM + "kind: ConfigMap\n";
    let played =
        Rollout::new(helm, "stream-fault", steps, &[("v1.yaml", chart.as_str())]).passes().to_string();
    assert!(played.contains("error parsing"), "{played}");
}
