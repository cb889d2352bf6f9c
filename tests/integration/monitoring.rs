//! Alerts and dashboard: the real Prometheus agrees with them, and they ask for nothing that the server does not export.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;
use tests::server::Server;

use crate::architecture::root;

/// Alerts that are set a little wrong, and whether their unit tests notice.
mod moved;
/// What the server exports, and what is asked of it.
pub(crate) mod queries;

use queries::{Exported, Query};

const ALERTS: &str = "deploy/chart/files/alerts.yaml";
const DASHBOARD: &str = "deploy/chart/files/dashboard.json";
const UNIT_TESTS: &str = "deploy/monitoring/alerts.test.yaml";

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn alerts() -> Vec<Value> {
    let file: Value = serde_saphyr::from_str(&read(ALERTS)).unwrap();
    let groups = file["groups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// Title and query of everything that the dashboard shows.
fn shown() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let shown = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        let title = panel["title"].as_str().unwrap().to_owned();
        targets.into_iter().map(move |target| (title.clone(), target["expr"].as_str().unwrap().to_owned()))
    });
    shown.collect()
}

/// What Grafana puts in place of its variables.
fn filled_in(query: &str) -> String {
    let query = query.replace("$__rate_interval", "5m").replace("$__range", "6h");
    query.replace("$namespace", "hookward")
}

/// Runs `promtool`; `None` where it is not installed, which no machine of CI may be.
fn run(arguments: &[&str]) -> Option<Output> {
    let Ok(ran) = Command::new("promtool").args(arguments).current_dir(root()).output() else {
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!is_ci, "promtool is not installed (Debian: apt-get install prometheus)");
        eprintln!("left out: promtool is not installed (Debian: apt-get install prometheus)");
        return None;
    };
    Some(ran)
}

/// The same, which has to go well.
pub(crate) fn promtool(arguments: &[&str]) {
    let Some(ran) = run(arguments) else { return };
    let said = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn prometheus_reads_the_alerts() {
    promtool(&["check", "rules", ALERTS]);
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    promtool(&["test", "rules", UNIT_TESTS]);
}

#[test]
fn every_alert_has_a_unit_test() {
    let tests = read(UNIT_TESTS);
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "no unit test lets {name} fire");
    }
}

#[test]
fn every_alert_says_what_is_wrong_and_what_to_do() {
    let mut names = BTreeSet::new();
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap().to_owned();
        let severity = alert["labels"]["severity"].as_str().unwrap();
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity}");
        for text in ["summary", "description", "runbook"] {
            let text = alert["annotations"][text].as_str().unwrap_or_default();
            assert!(text.len() > 20, "{name} does not say enough: {text:?}");
        }
        assert!(names.insert(name.clone()), "{name} is there twice");
    }
}

#[test]
fn prometheus_reads_every_query_of_the_dashboard() {
    let rules = shown().into_iter().enumerate().map(|(number, (_, query))| {
        format!("  - record: panel:query{number}\n    expr: {}\n", serde_json::json!(filled_in(&query)))
    });
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("dashboard.yaml");
    fs::write(&file, format!("groups:\n- name: dashboard\n  rules:\n{}", rules.collect::<String>())).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()]);
}

#[test]
fn alerts_and_dashboard_ask_only_for_what_the_server_exports() {
    let exported = Exported::by_a_server_in_a_cluster();
    let alerts = alerts().into_iter().map(|alert| {
        (alert["alert"].as_str().unwrap().to_owned(), alert["expr"].as_str().unwrap().to_owned())
    });
    for (whose, text) in alerts.chain(shown()) {
        let problems = Query::read(&filled_in(&text)).problems(&exported);
        assert!(problems.is_empty(), "{whose}: {}, in {text}", problems.join(", "));
    }
}

/// A reason that no alert asks for is one for which nobody is woken.
#[test]
fn every_reason_of_a_request_that_was_rejected_belongs_to_one_alert() {
    let metric = "hookward_requests_rejected_total";
    let asked = alerts().into_iter().flat_map(|alert| {
        Query::read(alert["expr"].as_str().unwrap()).values(metric, "reason").unwrap_or_default()
    });
    let mut asked: Vec<_> = asked.collect();
    asked.sort_unstable();
    let exported = Exported::by_a_server_in_a_cluster().values(metric, "reason");
    assert_eq!(asked, exported.into_iter().collect::<Vec<_>>());
}

#[test]
fn the_runbook_of_an_alert_explains_each_reason_that_it_tells_apart() {
    let exported = Exported::by_a_server_in_a_cluster();
    let mut explained = 0;
    for alert in alerts() {
        let query = Query::read(alert["expr"].as_str().unwrap());
        if !query.groups_by("reason") {
            continue;
        }
        let metric = query.metrics().next().unwrap();
        let reasons = query.values(metric, "reason");
        for reason in reasons.unwrap_or_else(|| exported.values(metric, "reason").into_iter().collect()) {
            let runbook = alert["annotations"]["runbook"].as_str().unwrap();
            assert!(runbook.contains(&reason), "{} does not explain {reason}", alert["alert"]);
            explained += 1;
        }
    }
    assert!(explained > 15, "{explained} reasons were looked for");
}

/// The other way round: what is counted and shown nowhere might as well not be counted.
#[test]
fn everything_the_server_exports_is_shown() {
    let shown: BTreeSet<_> = shown()
        .iter()
        .flat_map(|(_, query)| {
            Query::read(&filled_in(query)).metrics().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let families = Exported::by_a_server_in_a_cluster().families();
    let missing: Vec<_> = families.iter().filter(|name| !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "the dashboard does not show {missing:?}");
}

/// A server that runs exports what the list of its metrics promises.
#[test]
fn a_running_server_exports_what_its_metrics_promise() {
    let server = Server::start("baseline", "");
    let running = Exported::read(&server.metrics()).families();
    assert_eq!(running, Exported::by_a_server_alone().families());
}

#[test]
fn the_dashboard_can_be_put_beside_others() {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let mut places = BTreeMap::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let number = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        for column in number("x")..number("x") + number("w") {
            for line in number("y")..number("y") + number("h") {
                let former = places.insert((column, line), panel["title"].clone());
                assert_eq!(former, None, "{} lies over another panel", panel["title"]);
            }
        }
        assert!(
            panel["type"] == "row" || panel["description"].is_string(),
            "{} explains nothing",
            panel["title"]
        );
        assert!(panel["type"] == "row" || panel["datasource"]["uid"] == "${datasource}");
    }
    assert_eq!(dashboard.get("id"), None, "the number that one Grafana gave it");
}
