//! Events of Helm 2.

use std::borrow::Cow;

use hooks::{Events, Written, annotations::HOOK};

use crate::{
    context::{Context, Origin, ReleaseContext},
    declare_rule,
    finding::Finding,
    mode::{Mode, Severity},
    rule::{Meta, Rule},
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// `helm.sh/hook` names an event of Helm 2: `crd-install`, `test-failure` or `test-success`.
    ///
    /// ## Why it matters
    ///
    /// Helm 3 and 4 do not know `crd-install` and `test-failure` and drop the object: the definitions of a chart are then never
    /// installed, and those that an older release installed can be removed by an upgrade. `test-success` still means `test`; other
    /// tools, such as Argo CD, do not know it.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: apiextensions.k8s.io/v1
    /// kind: CustomResourceDefinition
    /// metadata: {name: shops.example.org, annotations: {helm.sh/hook: crd-install}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: shop-test, annotations: {helm.sh/hook: test}}
    /// ```
    HookLegacyEvent, "hook-legacy-event", severity: Medium, release: Warn, object: Warn, of_dropped: true
}

/// Whether Helm 2 knew the event and its successors drop objects with it.
pub(crate) fn is_dropped(event: &str) -> bool {
    matches!(event, "crd-install" | "test-failure")
}

impl Rule for HookLegacyEvent {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let events = cx.hook.events.items.iter().map(|(event, _)| event.as_str());
        if let Some(event) = events.clone().find(|event| is_dropped(event)) {
            let what = match cx.origin {
                Origin::Rendered => "is dropped by Helm, neither run nor created",
                // Whoever made it, it exists.
                Origin::Admitted => "is a hook that no Helm runs",
            };
            let message = format!("{} {what}: {event} is an event of Helm 2", cx.object);
            findings.push(
                Finding::new(wording::annotation(HOOK), message, help(event))
                    .label("Helm 3 and 4 do not know it"),
            );
        } else if events.clone().any(|event| event == "test-success") {
            let message =
                format!("{} is a test by an old name: test-success is Helm 2's word for test", cx.object);
            let finding = Finding::new(wording::annotation(HOOK), message, help("test-success"));
            findings.push(finding.severity(Severity::Low));
        }
    }

    fn check_release(&self, cx: &ReleaseContext<'_>, findings: &mut Vec<Finding>) {
        for dropped in &cx.release.dropped {
            let events = Events::parse(Written { text: Cow::Borrowed(&dropped.events), is_text: true });
            let Some(event) = events.unknown().find(|event| is_dropped(event)) else { continue };
            let (verb, at_most) =
                if dropped.is_certain { ("drops", Mode::Deny) } else { ("would drop", Mode::Warn) };
            let message = format!(
                "Helm {verb} an object, which is then neither run nor created: {event} is an event of Helm 2"
            );
            let mut finding =
                Finding::new("", message, help(event)).label("Helm 3 and 4 do not know it").at_most(at_most);
            if let Some(place) = &dropped.place {
                finding = finding.in_template(&*place.path, place.line);
            }
            findings.push(finding);
        }
    }
}

fn help(event: &str) -> &'static str {
    match event {
        "crd-install" => "move the definition to the folder crds/ of the chart",
        "test-failure" => "write a test that succeeds when the failure is seen, with the event test",
        _ => "write test",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{admitted, findings, rejects},
    };

    fn pod(events: &str) -> String {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: check, annotations: {{helm.sh/hook: {events:?}}}}}}}"
        )
    }

    #[test]
    fn the_alias_works_and_weighs_less() {
        let found = findings(&HookLegacyEvent, None, &Settings::default(), &pod("test-success"));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Low));
    }

    #[test]
    fn an_object_that_exists_was_called_dropped() {
        let found = admitted(&HookLegacyEvent, None, &pod("test-failure"));
        let message = "Pod \"check\" is a hook that no Helm runs: test-failure is an event of Helm 2";
        assert_eq!(found[0].finding.message, message);
    }

    #[test]
    fn one_old_word_beside_good_ones_drops_the_object() {
        rejects(&HookLegacyEvent, &pod("test, test-failure"), "dropped by Helm");
    }
}
