//! What an Event says: from a decision to one line.

use policies::{
    Decision,
    decision::{Occasion, Told},
};

use super::Announcement;

/// What is told of a decision; `None` when there is nothing to tell.
pub(super) fn announcement(decision: &Decision) -> Option<Announcement> {
    let Decision { occasion, object, allowed, findings, membership, .. } = decision;
    let (reason, action) = match (occasion, allowed) {
        (Occasion::AnnotationRemoved, _) => ("HookAnnotationRemoved", "Update"),
        (Occasion::Hook, false) => ("HookDenied", "Deny"),
        (Occasion::Hook, true) => ("HookWarned", "Warn"),
        (Occasion::Release, false) => ("ReleaseDenied", "Deny"),
        (Occasion::Release, true) => ("ReleaseWarned", "Warn"),
    };
    let release = membership.as_ref().map(|of| format!("release {} revision {}: ", of.release, of.revision));
    let text = format!("{}{}", release.unwrap_or_default(), sentence(*occasion, findings)?);
    let topic: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
    Some(Announcement { about: object.clone(), reason, action, topic: topic.join(" "), text })
}

fn sentence(occasion: Occasion, findings: &[Told]) -> Option<String> {
    if occasion == Occasion::AnnotationRemoved {
        return Some(
            "the update took the hook annotation away: no rule judges this object any more".to_owned(),
        );
    }
    let (first, others) = findings.split_first()?;
    if others.is_empty() {
        return Some(first.message.clone());
    }
    let rules: Vec<_> = others.iter().map(|other| other.rule).collect();
    Some(format!("{}; and {} more: {}", first.message, others.len(), rules.join(", ")))
}

/// At most `limit` bytes of text on one line, with a mark where it was cut off.
pub(super) fn cut(text: &str, limit: usize) -> String {
    const MARK: &str = "…";
    let mut line: String = text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    if line.len() > limit {
        let end = (0..=limit - MARK.len()).rev().find(|end| line.is_char_boundary(*end));
        line.truncate(end.unwrap_or_default());
        line.push_str(MARK);
    }
    line
}

#[cfg(test)]
mod tests {
    use policies::{Membership, Mode, context::Moment, decision::Identity};

    use super::*;

    fn told(rule: &'static str) -> Told {
        Told { rule, mode: Mode::Deny, message: format!("`{rule}`: it is wrong") }
    }

    fn decision(occasion: Occasion, allowed: bool) -> Decision {
        let findings = vec![told("a"), told("b")];
        Decision { at: 0, occasion, object: Identity::default(), allowed, findings, membership: None }
    }

    #[test]
    fn the_first_finding_is_told_and_the_others_are_named() {
        let told = announcement(&decision(Occasion::Hook, false)).unwrap();
        assert_eq!(told.text, "`a`: it is wrong; and 1 more: b");
        assert_eq!((told.reason, told.action, told.topic.as_str()), ("HookDenied", "Deny", "a b"));
    }

    #[test]
    fn every_occasion_has_its_reason() {
        let reason = |occasion, allowed| announcement(&decision(occasion, allowed)).unwrap().reason;
        assert_eq!(reason(Occasion::Hook, true), "HookWarned");
        assert_eq!(reason(Occasion::Release, false), "ReleaseDenied");
        assert_eq!(reason(Occasion::Release, true), "ReleaseWarned");
    }

    #[test]
    fn a_hook_that_is_none_any_more_is_told_of_without_findings() {
        let removed = Decision { findings: vec![], ..decision(Occasion::AnnotationRemoved, true) };
        let told = announcement(&removed).unwrap();
        assert_eq!(told.reason, "HookAnnotationRemoved");
        assert!(told.text.contains("annotation"), "{}", told.text);
    }

    #[test]
    fn the_release_comes_first_where_it_is_known() {
        let membership = Membership {
            release: "shop".into(),
            namespace: "demo".into(),
            revision: 3,
            moment: Moment::Unknown,
        };
        let decision = Decision { membership: Some(membership), ..decision(Occasion::Hook, true) };
        let told = announcement(&decision).unwrap();
        assert!(told.text.starts_with("release shop revision 3: `a`"), "{}", told.text);
    }

    #[test]
    fn nothing_found_is_nothing_to_tell() {
        assert_eq!(announcement(&Decision { findings: vec![], ..decision(Occasion::Hook, true) }), None);
    }

    #[test]
    fn text_is_cut_between_characters_and_stays_on_one_line() {
        assert_eq!(cut("a\nb\u{1b}[31m", 20), "a b [31m");
        let long = cut(&"ä".repeat(2000), 1024);
        assert!(long.len() <= 1024 && long.ends_with("ä…"), "{} bytes", long.len());
        assert_eq!(cut("short", 5), "short");
    }
}
