//! An event that Helm does not know, so that it drops the whole object.

use std::borrow::Cow;

use hooks::{Event, Events, Written, annotations::HOOK};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::{Context, Origin, ReleaseContext},
    declare_rule, event_meaning,
    finding::Finding,
    mode::Mode,
    rule::{Meta, Rule},
    rules::hook_legacy_event,
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// An item of `helm.sh/hook` is none of Helm's nine events; nor is an empty one, as after a trailing comma. Helm's own message is
    /// read too when a chart is rendered, and the template sources inside a stored release, since a dropped hook is seen nowhere else.
    /// The events of `helm uninstall` are `pre-delete` and `post-delete`; there is no `post-uninstall`. Words of Helm 2
    /// are the business of `hook-legacy-event`.
    ///
    /// ## Why it matters
    ///
    /// One item that Helm does not know is enough: it drops the whole object, even if the other events are right. The object becomes
    /// neither a hook nor a resource, the release succeeds, and the only trace is a line at level info.
    ///
    /// Denied is what shows it for certain: a rendered manifest, or Helm's own message. The release gate sees neither, since Helm
    /// stores a release without what it has dropped. It and `hookward check` of a stored release have only templates that nobody has
    /// rendered, and warn at most.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: "pre-install,pre-upgarde"}}
    /// ```
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: "pre-install,"}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: "pre-install, Pre-Upgrade"}}
    /// ```
    HookUnknownEvent, "hook-unknown-event", severity: High, release: Deny, object: Warn, of_dropped: true, options: Options
}

/// Options of this rule.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Events that another tool understands; Helm drops objects with them all the same.
    extra_events: Vec<String>,
}

impl Options {
    /// The items of `events` to report.
    fn unknown<'e>(&self, events: &'e Events<'_>) -> Vec<&'e str> {
        let is_extra = |item: &str| self.extra_events.iter().any(|extra| extra.eq_ignore_ascii_case(item));
        events.unknown().filter(|item| !is_extra(item) && !hook_legacy_event::is_dropped(item)).collect()
    }
}

impl Rule for HookUnknownEvent {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let unknown = cx.options::<Options>().unknown(&cx.hook.events);
        if unknown.is_empty() {
            return;
        }
        let what = what(&unknown);
        let message = match cx.origin {
            Origin::Rendered => format!("{} is dropped by Helm, neither run nor created: {what}", cx.object),
            Origin::Admitted => format!("{} is a hook that no Helm runs: {what}", cx.object),
        };
        findings.push(
            Finding::new(wording::annotation(HOOK), message, help(&unknown, &cx.hook.events))
                .label(label(&unknown)),
        );
    }

    fn check_release(&self, cx: &ReleaseContext<'_>, findings: &mut Vec<Finding>) {
        for dropped in &cx.release.dropped {
            let events = Events::parse(Written { text: Cow::Borrowed(&dropped.events), is_text: true });
            let unknown = cx.options::<Options>().unknown(&events);
            // What a template would still fill in is not known.
            if unknown.is_empty() || dropped.events.contains("{{") {
                continue;
            }
            let (verb, at_most) =
                if dropped.is_certain { ("drops", Mode::Deny) } else { ("would drop", Mode::Warn) };
            let message =
                format!("Helm {verb} a hook, which is then neither run nor created: {}", what(&unknown));
            let mut finding =
                Finding::new("", message, help(&unknown, &events)).label(label(&unknown)).at_most(at_most);
            if let Some(place) = &dropped.place {
                finding = finding.in_template(&*place.path, place.line);
            }
            findings.push(finding);
        }
    }
}

fn what(unknown: &[&str]) -> String {
    match unknown {
        [""] => "an item of its list of events is empty".to_owned(),
        [one] => format!("{} is no event", wording::one(one)),
        more => format!("{} are no events", wording::quoted(more.iter().copied())),
    }
}

fn label(unknown: &[&str]) -> &'static str {
    if unknown == [""] { "an empty item is an unknown event" } else { "Helm does not know this event" }
}

fn help(unknown: &[&str], events: &Events<'_>) -> String {
    match event_meaning::advice(unknown, events) {
        Some(advice) => advice,
        None if unknown.contains(&"") => "remove the comma, or name an event".to_owned(),
        None => format!("use {}", wording::listed(Event::ALL)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::Place,
        policy::Policy,
        release::{Dropped, Release},
        settings::Settings,
        testing::{accepts, findings, rejects},
    };

    fn job(events: &str) -> String {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: migrate, annotations: {{helm.sh/hook: {events:?}}}}}}}"
        )
    }

    fn dropped(events: &str, is_certain: bool) -> Vec<(Mode, Finding)> {
        let place = Some(Place { path: "shop/templates/migrate.yaml".to_owned(), line: Some(6) });
        let release = Release {
            dropped: vec![Dropped { events: events.to_owned(), place, is_certain }],
            ..Release::default()
        };
        let policy = Policy::resolve([], crate::Profile::Baseline, std::sync::Arc::default()).unwrap();
        let found = crate::evaluate::release(&policy, &release, 0).findings;
        let own = found.into_iter().filter(|judged| judged.rule.id == HookUnknownEvent::META.id);
        own.map(|judged| (judged.mode, judged.finding)).collect()
    }

    #[test]
    fn the_nearest_event_is_suggested() {
        let found = findings(&HookUnknownEvent, None, &Settings::default(), &job("pre-install,pre-upgarde"));
        assert_eq!(found[0].finding.help, "write pre-upgrade");
        rejects(&HookUnknownEvent, &job("deploy"), "\"deploy\" is no event");
    }

    #[test]
    fn nothing_at_all_is_an_empty_item() {
        rejects(&HookUnknownEvent, &job(""), "empty");
        rejects(
            &HookUnknownEvent,
            "{kind: Job, metadata: {name: a, annotations: {helm.sh/hook: null}}}",
            "empty",
        );
    }

    #[test]
    fn a_word_of_another_tool_can_be_allowed() {
        let options = serde_json::json!({"extraEvents": ["Warm-Up"]});
        assert!(findings(&HookUnknownEvent, Some(options), &Settings::default(), &job("warm-up")).is_empty());
    }

    #[test]
    fn a_word_of_helm_2_is_another_rules_business() {
        accepts(&HookUnknownEvent, &job("crd-install"));
        assert!(dropped("crd-install", true).is_empty());
    }

    #[test]
    fn what_helm_says_denies_and_what_a_template_says_warns() {
        let [(mode, certain)] = &dropped("pre-instal", true)[..] else { panic!("one finding") };
        assert_eq!((*mode, certain.template.as_ref().unwrap().line), (Mode::Deny, Some(6)));
        assert_eq!(dropped("pre-instal", false)[0].0, Mode::Warn);
        assert!(dropped("{{ .Values.event }}", false).is_empty());
    }
}
