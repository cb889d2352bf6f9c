//! A weight that Helm does not read as a number.

use hooks::annotations::WEIGHT;

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    mode::Mode,
    rule::{Meta, Rule},
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// `helm.sh/hook-weight` is anything but a whole number in quotes, without spaces around it.
    ///
    /// ## Why it matters
    ///
    /// Helm takes anything else for 0 and does not say so: the hook runs at another place than its author believes, which shows when it
    /// starts before what it needs. A number without quotes is worse: annotations are text, and Helm stops when it builds the object.
    /// So that is denied, and what Helm takes for 0 is a warning, unless a policy names the mode of this rule.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-weight: "1.5"}}
    /// ```
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-weight: 5}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-weight: "-5"}}
    /// ```
    HookWeightInvalid, "hook-weight-invalid", severity: Medium, release: Deny, object: Warn, strict: Deny
}

impl Rule for HookWeightInvalid {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let weight = &cx.hook.weight;
        let Some(written) = &weight.written else { return };
        let number = written.text.trim().parse::<i64>();
        let help = match &number {
            Ok(number) => format!("write \"{number}\""),
            Err(_) => "write a whole number in quotes".to_owned(),
        };
        let field = wording::annotation(WEIGHT);
        if !written.is_text {
            let message = format!("{} cannot be built by Helm: its weight is not text", cx.object);
            findings.push(Finding::new(field, message, help).label("this needs quotes"));
        } else if weight.is_ignored {
            let what = wording::one(&written.text);
            let message = format!("{} runs with weight 0: {what} is no whole number", cx.object);
            let finding = Finding::new(field, message, help).label("Helm reads this as 0");
            findings.push(finding.unless_told(Mode::Warn));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, findings, rejects, shipped},
    };

    fn job(weight: &str) -> String {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: a, annotations: {{helm.sh/hook: test, helm.sh/hook-weight: {weight}}}}}}}"
        )
    }

    fn help(weight: &str) -> String {
        findings(&HookWeightInvalid, None, &Settings::default(), &job(weight)).remove(0).finding.help
    }

    #[test]
    fn what_go_reads_is_a_weight() {
        for weight in ["\"0\"", "'+5'", "\"007\"", "\"-9223372036854775808\""] {
            accepts(&HookWeightInvalid, &job(weight));
        }
    }

    #[test]
    fn spaces_count() {
        rejects(&HookWeightInvalid, &job("\" 5\""), "runs with weight 0");
        assert_eq!(help("\" 5\""), "write \"5\"");
    }

    #[test]
    fn what_helm_can_never_build_was_only_a_warning() {
        let mode = |weight| shipped(&HookWeightInvalid, &Settings::default(), &job(weight))[0].mode;
        assert_eq!((mode("5"), mode("\"1.5\"")), (Mode::Deny, Mode::Warn));
    }

    #[test]
    fn quotes_are_asked_for() {
        rejects(&HookWeightInvalid, &job("5"), "cannot be built");
        assert_eq!(help("5"), "write \"5\"");
        assert_eq!(help("yes"), "write a whole number in quotes");
    }
}
