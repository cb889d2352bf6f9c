//! The alerts as the chart renders them: their bounds fit the lives of certificates that are set.

use std::fs;

use tests::rig::Helm;

use super::render::{Offline, find};

/// A certificate of one day, which nobody renews: a minute between samples.
const NOBODY_RENEWS: &str = r#"
rule_files: [alerts.yaml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: 'hookward_ready{namespace="hookward",pod="a"}', values: '1x1439'}
  - {series: 'hookward_certificate_expiry_seconds{namespace="hookward",pod="a"}', values: '86400-60x1439'}
  promql_expr_test:
  # A third of its life is left, when it should be renewed; then a sixth, for an hour all but a minute; then a twelfth.
  - {expr: &firing 'group by (alertname) (ALERTS{alertstate="firing"})', eval_time: 960m, exp_samples: []}
  - {expr: *firing, eval_time: 1260m, exp_samples: []}
  - {expr: *firing, eval_time: 1261m, exp_samples: [&soon {labels: '{alertname="HookwardCertificateExpiresSoon"}', value: 1}]}
  - {expr: *firing, eval_time: 1330m, exp_samples: [*soon]}
  - {expr: *firing, eval_time: 1331m, exp_samples: [*soon, {labels: '{alertname="HookwardCertificateExpires"}', value: 1}]}
"#;

/// What the two alerts about the end of certificates compare with.
fn bounds(helm: &Offline, values: &str) -> Vec<String> {
    let flags = format!("metrics.prometheusRule.enabled=true,{values}");
    let rendered = helm.template(Helm::V4, &["--set", &flags]).unwrap();
    let bounds = rendered.lines().filter_map(|line| line.split_once("expiry_seconds) < "));
    bounds.map(|(_, bound)| bound.to_owned()).collect()
}

/// With a life of a day, both fired from the first hour on and for ever.
#[test]
fn certificates_of_a_day_wake_nobody_until_they_are_not_renewed() {
    let Some(helm) = Offline::find() else { return };
    let objects =
        helm.objects(&["--set", "metrics.prometheusRule.enabled=true,certificates.self.leafLife=1d"]);
    let folder = tempfile::tempdir().unwrap();
    let rule = &find(&objects, "PrometheusRule", "hookward")["spec"];
    fs::write(folder.path().join("alerts.yaml"), rule.to_string()).unwrap();
    let tests = folder.path().join("alerts.test.yaml");
    fs::write(&tests, NOBODY_RENEWS).unwrap();
    crate::monitoring::promtool(&["test", "rules", tests.to_str().unwrap()]);
}

/// What stands in the rule with this name: its expression, and how long that must hold.
fn rule(helm: &Offline, values: &str, alert: &str) -> (String, String) {
    let flags = format!("metrics.prometheusRule.enabled=true,{values}");
    let objects = helm.objects(&["--set", &flags]);
    let groups = find(&objects, "PrometheusRule", "hookward")["spec"]["groups"].as_array().unwrap();
    let mut rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    let rule = rules.find(|rule| rule["alert"] == alert).unwrap_or_else(|| panic!("no {alert}"));
    let text = |field: &str| rule[field].as_str().unwrap().to_owned();
    (text("expr"), text("for"))
}

/// With lives of hours, the bounds were reached in time and the alerts came after the end.
#[test]
fn alerts_about_short_lives_do_not_wait_until_the_end() {
    let Some(helm) = Offline::find() else { return };
    let waits = |values: &str| {
        let alerts = ["HookwardCertificateExpiresSoon", "HookwardCertificateExpires"];
        alerts.map(|alert| rule(&helm, values, alert).1)
    };
    let hours = "certificates.self.leafLife=2h,certificates.self.authorityLife=5h";
    assert_eq!(waits(hours), ["300s", "150s"]);
    assert_eq!(waits("certificates.self.leafLife=12d"), ["3600s", "10m"]);
    assert_eq!(waits("certificates.self.leafLife=84d"), ["1h", "10m"]);
}

#[test]
fn an_answer_is_slow_when_it_takes_a_fifth_of_the_time_that_there_is() {
    let Some(helm) = Offline::find() else { return };
    for (seconds, bound) in [("1", "> 0.2"), ("10", "> 2"), ("15", "> 3"), ("29", "> 5.8")] {
        let values = format!("webhooks.timeoutSeconds={seconds}");
        let (expr, _) = rule(&helm, &values, "HookwardAnswersSlowly");
        assert!(expr.ends_with(bound), "{seconds}: {expr}");
    }
}

#[test]
fn bounds_are_half_and_a_quarter_of_what_is_left_at_the_renewal_and_never_longer_than_usual() {
    let Some(helm) = Offline::find() else { return };
    let usual = ["14 * 24 * 3600", "24 * 3600"];
    assert_eq!(bounds(&helm, "certificates.self.leafLife=84d"), usual);
    assert_eq!(bounds(&helm, "certificates.self.leafLife=12d"), ["172800", usual[1]]);
    assert_eq!(bounds(&helm, "certificates.self.leafLife=36h"), ["21600", "10800"]);
    let manager = "certificates.mode=certManager,certificates.certManager.renewBefore";
    assert_eq!(bounds(&helm, &format!("{manager}=672h")), usual);
    assert_eq!(bounds(&helm, &format!("{manager}=1h30m")), ["2700", "1350"]);
    // Nobody tells us how long it lives, and what is set for the other modes says nothing of it.
    let own = "certificates.mode=existingSecret,certificates.existingSecret=x,certificates.self.leafLife=1d";
    assert_eq!(bounds(&helm, own), usual);
}
