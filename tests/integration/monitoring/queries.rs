//! As much of PromQL as it takes to see what a query asks for: metrics, label matchers, and labels that it groups by.

use std::collections::{BTreeMap, BTreeSet};

/// Labels that Prometheus adds to everything it scrapes in a cluster.
const OF_THE_TARGET: [&str; 3] = ["namespace", "pod", "instance"];

/// Series by metric: the values of each label.
#[derive(Debug)]
pub(crate) struct Exported {
    series: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    families: BTreeSet<String>,
}

impl Exported {
    /// Reads Prometheus' text format, with or without the head of an answer before it.
    pub(crate) fn read(text: &str) -> Self {
        let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        let families = families.map(str::to_owned).collect();
        let mut series = BTreeMap::<_, BTreeMap<_, BTreeSet<_>>>::new();
        for line in text.lines().filter(|line| line.starts_with("hookward_")) {
            let series_text = line.rsplit_once(' ').unwrap().0;
            let (name, labels) = series_text.split_once('{').unwrap_or((series_text, ""));
            let known = series.entry(name.to_owned()).or_default();
            for (label, _, value) in matchers(labels.trim_end_matches('}')) {
                known.entry(label).or_default().insert(value);
            }
        }
        Self { series, families }
    }

    pub(crate) fn by_a_server_alone() -> Self {
        Self::read(&own().render())
    }

    pub(crate) fn by_a_server_in_a_cluster() -> Self {
        let metrics = own();
        // They stay in the registry that they were put into.
        let _ = cluster::metrics::Metrics::new(metrics.registry());
        cli::commands::serve::certificates::describe(metrics.registry()).unwrap();
        Self::read(&metrics.render())
    }

    /// What a label of a metric may be.
    pub(crate) fn values(&self, metric: &str, label: &str) -> BTreeSet<String> {
        self.series[metric][label].clone()
    }

    /// Names of metrics; a histogram is one.
    pub(crate) fn families(&self) -> BTreeSet<String> {
        self.families.clone()
    }
}

fn own() -> webhook::Metrics {
    webhook::Metrics::new(policies::RULES.iter().map(|rule| rule.meta().id))
}

/// Label, operator and value.
type Matcher = (String, String, String);

/// What a query asks for.
#[derive(Debug)]
pub(crate) struct Query {
    /// Each selector: metric, and its matchers.
    selectors: Vec<(String, Vec<Matcher>)>,
    /// Labels that it groups by.
    groups: BTreeSet<String>,
}

impl Query {
    pub(crate) fn read(text: &str) -> Self {
        let mut selectors = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("hookward_") {
            rest = &rest[start..];
            let end =
                rest.find(|found: char| !found.is_ascii_alphanumeric() && found != '_').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let inside = after.strip_prefix('{').and_then(|after| after.split_once('}'));
            selectors.push((name.to_owned(), matchers(inside.map_or("", |(inside, _)| inside))));
            rest = after;
        }
        let groups = text.split(" by (").skip(1).filter_map(|after| Some(after.split_once(')')?.0));
        let groups =
            groups.flat_map(|labels| labels.split(',').map(|label| label.trim().to_owned())).collect();
        Self { selectors, groups }
    }

    /// Names of metrics as they are exported: without what a histogram adds.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = &str> {
        self.selectors.iter().map(|(name, _)| name.strip_suffix("_bucket").unwrap_or(name))
    }

    /// Whether it tells apart what differs in this label.
    pub(crate) fn groups_by(&self, label: &str) -> bool {
        self.groups.contains(label)
    }

    /// What a label of a metric has to be; `None` where nothing is asked of it.
    pub(crate) fn values(&self, metric: &str, label: &str) -> Option<Vec<String>> {
        let mut selectors = self.selectors.iter().filter(|(name, _)| name == metric);
        let matchers = selectors.find_map(|(_, matchers)| matchers.iter().find(|(name, ..)| name == label));
        matchers.map(|(_, _, value)| value.split('|').map(str::to_owned).collect())
    }

    /// What is asked for in vain.
    pub(crate) fn problems(&self, exported: &Exported) -> Vec<String> {
        let mut problems = Vec::new();
        if self.selectors.is_empty() {
            problems.push("it asks for nothing of ours".to_owned());
        }
        for (name, matchers) in &self.selectors {
            let Some(labels) = exported.series.get(name) else {
                problems.push(format!("there is no {name}"));
                continue;
            };
            let has = |label: &String| OF_THE_TARGET.contains(&label.as_str()) || labels.contains_key(label);
            problems.extend(
                self.groups.iter().filter(|label| !has(label)).map(|label| format!("{name} has no {label}")),
            );
            for (label, operator, value) in matchers {
                if !has(label) {
                    problems.push(format!("{name} has no {label}"));
                } else if let Some(values) = labels.get(label) {
                    let asked = if operator.ends_with('~') {
                        value.split('|').collect()
                    } else {
                        vec![value.as_str()]
                    };
                    let wrong = asked.into_iter().filter(|value| !values.contains(*value));
                    problems.extend(wrong.map(|value| format!("{label} of {name} is never {value:?}")));
                }
            }
        }
        problems
    }
}

/// The matchers between two braces.
fn matchers(text: &str) -> Vec<Matcher> {
    let parts = text.split("\",").filter(|part| !part.is_empty());
    let matchers = parts.map(|part| {
        let (left, value) = part.split_once('"').unwrap();
        let label = left.trim_end_matches(['=', '!', '~']);
        let operator = left[label.len()..].to_owned();
        (label.trim().to_owned(), operator, value.trim_end_matches('"').to_owned())
    });
    matchers.collect()
}

#[test]
fn what_is_asked_for_in_vain_is_found() {
    let exported = Exported::read("# TYPE hookward_a counter\nhookward_a{path=\"x\",le=\"+Inf\"} 1\n");
    let problems = |query: &str| Query::read(query).problems(&exported);
    assert_eq!(problems(r#"sum by (path, pod) (rate(hookward_a{path=~"x",namespace="n"}[5m]))"#), [""; 0]);
    assert_eq!(problems("up"), ["it asks for nothing of ours"]);
    assert_eq!(problems("hookward_b"), ["there is no hookward_b"]);
    assert_eq!(problems("sum by (rule) (hookward_a)"), ["hookward_a has no rule"]);
    assert_eq!(problems(r#"hookward_a{mode!="x"}"#), ["hookward_a has no mode"]);
    assert_eq!(problems(r#"hookward_a{path=~"x|y"} > 1"#), ["path of hookward_a is never \"y\""]);
}
