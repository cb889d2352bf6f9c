//! What templates ask that only a release or a cluster can tell: `helm template` answers it all the same, and often differently.

use super::ChartSource;

/// How many templates a note names.
const NAMED: usize = 3;

/// The notes on a chart that was rendered, as for an upgrade or not.
///
/// Source: Helm 4.2.4 `pkg/cmd/template.go` and `pkg/action/install.go`: it renders as an install, which is revision 1, and without a
/// cluster `lookup` finds nothing.
pub(super) fn notes(chart: &ChartSource, is_upgrade: bool) -> Vec<String> {
    let templates = chart.all_templates();
    let note = |asks: fn(&str) -> bool, words: &str| {
        let named: Vec<_> = templates.iter().filter(|(_, text)| tokens(text).any(asks)).collect();
        let (first, more) = (named.iter().take(NAMED), named.len().saturating_sub(NAMED));
        let mut places: Vec<_> = first.map(|(path, _)| chart.shown(path)).collect();
        places.extend((more > 0).then(|| format!("{more} more")));
        (!places.is_empty()).then(|| format!("{}: {words}", places.join(", ")))
    };
    let revision = "uses .Release.Revision, which is rendered as 1 here whatever the revision is; \
                    names made of it differ with each upgrade that Helm plays";
    let lookup = "uses lookup, which finds nothing here; Helm asks the cluster";
    let is_revision = |token: &str| token.ends_with(".Release.Revision");
    let revision = is_upgrade.then(|| note(is_revision, revision)).flatten();
    revision.into_iter().chain(note(|token| token == "lookup", lookup)).collect()
}

/// The words of the actions in a template, without comments and texts.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let actions = text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap_or(rest));
    let is_comment = |action: &&str| action.trim_start_matches('-').trim_start().starts_with("/*");
    let code = actions.filter(move |action| !is_comment(action));
    let code = code.flat_map(|action| action.split('"').step_by(2));
    code.flat_map(|code| code.split('`').step_by(2))
        .flat_map(|code| code.split(|letter: char| !letter.is_alphanumeric() && !"_.$".contains(letter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn asks(text: &str, expected: &[&str]) {
        let known = |token: &&str| *token == "lookup" || token.ends_with(".Release.Revision");
        assert_eq!(tokens(text).filter(known).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn actions_ask_and_what_stands_around_them_does_not() {
        asks("name: migrate-{{ .Release.Revision }}", &[".Release.Revision"]);
        asks("{{- $x := (lookup \"v1\" \"Secret\" .Release.Namespace \"db\") }}", &["lookup"]);
        asks("{{ printf \"%d\" $.Release.Revision|quote }}", &["$.Release.Revision"]);
        asks("# lookup .Release.Revision\nlookup: {{ .Release.Name }}", &[]);
    }

    #[test]
    fn comments_and_texts_ask_nothing() {
        asks("{{- /* .Release.Revision and lookup */ -}}", &[]);
        asks("{{ fail \"lookup of x\" }}{{ fail `lookup` }}{{ .Values.lookup }}", &[]);
    }
}
