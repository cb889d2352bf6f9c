//! What helm says on stderr: the hooks that it dropped, and why it failed.

use policies::{finding::Place, release::Dropped};

use super::ChartSource;
use crate::plain;

/// What Helm 3 says before the list of events, quoted as Go does.
///
/// Source: Helm 3.21.4 `pkg/releaseutil/manifest_sorter.go`.
const HELM_3: &str = "info: skipping unknown hook: ";
/// What Helm 4 says before the list of events, quoted where that is needed.
///
/// Source: Helm 4.2.4 `pkg/release/v1/util/manifest_sorter.go`.
const HELM_4: &str = "msg=\"skipping unknown hooks\" hookTypes=";
/// How many lines of an error are kept.
const LINES: usize = 3;

/// The hooks that Helm dropped, each with its template if only one has that list of events.
pub(super) fn hooks(stderr: &str, chart: &ChartSource) -> Vec<Dropped> {
    let said: Vec<String> = stderr.lines().filter_map(events).collect();
    if said.is_empty() {
        return Vec::new();
    }
    let templates = chart.all_templates();
    let dropped = |events: String| Dropped { place: place(&events, &templates), events, is_certain: true };
    said.into_iter().map(dropped).collect()
}

fn events(line: &str) -> Option<String> {
    let at = |said: &str| line.find(said).map(|at| &line[at + said.len()..]);
    at(HELM_3).or_else(|| at(HELM_4)).map(unquoted)
}

/// Go's quotes are those of JSON for everything that people write.
fn unquoted(text: &str) -> String {
    serde_json::from_str(text.trim()).unwrap_or_else(|_| text.trim().trim_matches('"').to_owned())
}

fn place(events: &str, templates: &[(String, String)]) -> Option<Place> {
    let mut found = templates.iter().flat_map(|(path, text)| {
        let literals = hooks::template_source::hook_values(text).into_iter();
        literals.filter(|literal| literal.value == events).map(move |literal| (path, literal.line))
    });
    let (path, line) = found.next()?;
    found.next().is_none().then(|| Place { path: path.clone(), line: Some(line) })
}

/// Why helm failed: its first lines that are no chatter, as one.
pub(super) fn first_lines(stderr: &str) -> String {
    let is_chatter = |line: &str| {
        line.is_empty()
            || events(line).is_some()
            || line.starts_with("level=")
            || line.starts_with("Use --debug")
            || line.starts_with("WARNING: Kubernetes config")
    };
    let useful: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !is_chatter(line)).collect();
    let start = useful.iter().position(|line| line.starts_with("Error: ")).unwrap_or(0);
    let lines: Vec<_> = useful.iter().skip(start).take(LINES).map(|line| plain::line(line)).collect();
    let text = lines.join(" ");
    let text = text.strip_prefix("Error: ").unwrap_or(&text);
    if text.is_empty() { "it says nothing about the reason".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_helms_are_understood() {
        assert_eq!(
            events(r#"manifest_sorter.go:199: info: skipping unknown hook: "pre-instal, \"x\"""#).unwrap(),
            "pre-instal, \"x\""
        );
        assert_eq!(events(r#"level=INFO msg="skipping unknown hooks" hookTypes="a, b""#).unwrap(), "a, b");
        assert_eq!(
            events(r#"level=INFO msg="skipping unknown hooks" hookTypes=crd-install,test"#).unwrap(),
            "crd-install,test"
        );
        assert_eq!(events("Error: something"), None);
    }

    #[test]
    fn a_place_is_named_only_when_there_is_one() {
        let template = |path: &str, hook: &str| {
            (
                path.to_owned(),
                format!("metadata:\n  annotations:\n    {}: {hook}\n", hooks::annotations::HOOK),
            )
        };
        let once =
            [template("chart/templates/a.yaml", "pre-instal"), template("chart/templates/b.yaml", "test")];
        assert_eq!(
            place("pre-instal", &once),
            Some(Place { path: "chart/templates/a.yaml".into(), line: Some(3) })
        );
        let twice = [
            template("chart/templates/a.yaml", "pre-instal"),
            template("chart/templates/b.yaml", "pre-instal"),
        ];
        assert_eq!(place("pre-instal", &twice), None);
    }

    #[test]
    fn chatter_is_left_out_of_errors() {
        let stderr = "level=INFO msg=x\nwalk.go:75: found symbolic link\nError: found in Chart.yaml, but missing\nmore\n";
        assert_eq!(first_lines(stderr), "found in Chart.yaml, but missing more");
        assert_eq!(first_lines(""), "it says nothing about the reason");
    }
}
