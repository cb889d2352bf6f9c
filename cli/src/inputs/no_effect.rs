//! What is asked of helm where nothing is rendered.

use super::{Args, PROGRAM, Plan, Rendering};

impl Rendering {
    /// Helm's flags for single values, each with what was given.
    pub(super) fn values_by_flag(&self) -> [(&'static str, &[String]); 6] {
        [
            ("--set", &self.set),
            ("--set-string", &self.set_string),
            ("--set-file", &self.set_file),
            ("--set-json", &self.set_json),
            ("--set-literal", &self.set_literal),
            ("--api-versions", &self.target.api_versions),
        ]
    }
}

impl Args {
    /// What to say when charts are to be rendered in some way and there is none; where a path stands for nothing, nobody knows.
    #[must_use]
    pub fn without_effect(&self, plan: &Plan) -> Option<String> {
        if plan.has_charts() || !plan.problems.is_empty() {
            return None;
        }
        let with = &self.helm.rendering;
        let files = (!with.values.is_empty()).then_some("--values");
        let values = with.values_by_flag().into_iter().filter(|(_, given)| !given.is_empty());
        let helm = (self.helm.helm.as_os_str() != PROGRAM).then_some(self.helm.flag);
        let flags: Vec<_> = files.into_iter().chain(values.map(|(flag, _)| flag)).chain(helm).collect();
        without_a_chart(&flags)
    }
}

/// What to say of what only a chart is rendered with, where there is none.
pub(crate) fn without_a_chart(given: &[&str]) -> Option<String> {
    let have = if given.len() == 1 { "has" } else { "have" };
    (!given.is_empty()).then(|| format!("{} {have} no effect: nothing here is a chart", given.join(", ")))
}
