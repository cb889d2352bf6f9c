//! Ordinary resources without a name, with one to be made up, or with both: real Helm, and the simulation beside it.

use tests::rig::Helm;

use super::{Rollout, SETTINGS, with_both_helms};

with_both_helms! {
    a_release_that_the_simulation_deployed_is_refused
}

fn config_map(metadata: &str) -> String {
    format!("{SETTINGS}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{{metadata}}}\n")
}

fn a_release_that_the_simulation_deployed_is_refused(helm: Helm) {
    let unasked = "{exit: 1, status: null, error: resource name may not be empty}";
    let twice = "{exit: 1, status: null, error: metadata.name and metadata.generateName cannot both be set}";
    let expected = match helm {
        Helm::V3 => [unasked, unasked, "{exit: 0, status: deployed}", "{exit: 1, status: deployed}"],
        // What cannot be applied is stored all the same.
        Helm::V4 => [unasked, twice, "{exit: 0, status: deployed}", "{exit: 1, status: failed}"],
    };
    let charts = match helm {
        Helm::V3 => ["nobody.yaml", "made-up.yaml", "twice.yaml", "made-up.yaml"],
        Helm::V4 => ["nobody.yaml", "twice.yaml", "named.yaml", "made-up.yaml"],
    };
    let commands = ["install", "install", "install", "upgrade"];
    let steps: Vec<_> = commands
        .iter()
        .zip(charts)
        .zip(expected)
        .map(|((command, chart), expected)| {
            format!("  - {command}: {{chart: {chart}, timeout: 20s}}\n    expect: {expected}\n")
        })
        .collect();
    let files = [
        ("named.yaml", config_map("name: x")),
        ("nobody.yaml", config_map("labels: {a: b}")),
        ("made-up.yaml", config_map("generateName: x-")),
        ("twice.yaml", config_map("name: x, generateName: x-")),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let _ = Rollout::new(helm, "nameless", &steps.concat(), &files).passes();
}

#[test]
fn helm_4_never_finds_again_what_has_a_made_up_name() {
    let applies = "  - install: {chart: v1.yaml, timeout: 20s}
    expect: {exit: 1, status: failed, error: resource name may not be empty}
  - upgrade: {chart: v1.yaml, timeout: 20s}
    expect: {exit: 1, status: failed, error: could not get information about the resource}
  - uninstall: {timeout: 20s}
    expect: {exit: 1, status: uninstalling, error: failed to delete release}
";
    let posts = "  - install: {chart: v1.yaml, timeout: 20s, serverSide: false}
    expect: {exit: 0, status: deployed}
  - upgrade: {chart: v1.yaml, timeout: 20s}
    expect: {exit: 1, status: failed, error: could not get information about the resource}
  - upgrade: {chart: v2.yaml, timeout: 20s}
    expect: {exit: 0, status: deployed}
  - rollback: {to: 1, timeout: 20s}
    expect: {exit: 1, status: failed, error: could not get information about the resource}
  - uninstall: {timeout: 20s}
    expect: {exit: 1, status: uninstalling, error: failed to delete release}
";
    let chart = config_map("generateName: x-");
    let files = [("v1.yaml", chart.as_str()), ("v2.yaml", SETTINGS)];
    for (name, steps) in [("unfound", applies), ("posted", posts)] {
        let _ = Rollout::new(Helm::V4, name, steps, &files).passes();
    }
}
