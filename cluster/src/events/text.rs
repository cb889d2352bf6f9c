//! What an Event says: from a decision to one line.

use policies::Decision;

use super::Announcement;

/// The Secrets of Helm begin so.
///
/// Source: Helm 4.2.4 `pkg/storage/storage.go`, `HelmStorageType` and `makeKey`.
const RECORD: &str = "sh.helm.release.v1.";

/// What is told of a decision; `None` when there is nothing to tell.
pub(super) fn announcement(decision: &Decision) -> Option<Announcement> {
    let Decision { object, allowed, findings, membership, .. } = decision;
    let (first, others) = findings.split_first()?;
    let is_release = object.kind == "Secret" && object.name.starts_with(RECORD);
    let (reason, action) = match (is_release, allowed) {
        (false, false) => ("HookDenied", "Deny"),
        (false, true) => ("HookWarned", "Warn"),
        (true, false) => ("ReleaseDenied", "Deny"),
        (true, true) => ("ReleaseWarned", "Warn"),
    };
    let release = membership.as_ref().map(|of| format!("release {} revision {}: ", of.release, of.revision));
    let mut text = format!("{}{}", release.unwrap_or_default(), first.message);
    if !others.is_empty() {
        let rules: Vec<_> = others.iter().map(|other| other.rule).collect();
        text = format!("{text}; and {} more: {}", others.len(), rules.join(", "));
    }
    let topic: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
    Some(Announcement { about: object.clone(), reason, action, topic: topic.join(" "), text })
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
    use policies::{
        Membership, Mode,
        context::Moment,
        decision::{Identity, Told},
    };

    use super::*;

    fn told(rule: &'static str) -> Told {
        Told { rule, mode: Mode::Deny, message: format!("`{rule}`: it is wrong") }
    }

    fn decision(name: &str, kind: &str, allowed: bool) -> Decision {
        let object = Identity { kind: kind.into(), name: name.into(), ..Identity::default() };
        Decision { at: 0, object, allowed, findings: vec![told("a"), told("b")], membership: None }
    }

    #[test]
    fn the_first_finding_is_told_and_the_others_are_named() {
        let told = announcement(&decision("migrate", "Job", false)).unwrap();
        assert_eq!(told.text, "`a`: it is wrong; and 1 more: b");
        assert_eq!((told.reason, told.action, told.topic.as_str()), ("HookDenied", "Deny", "a b"));
    }

    #[test]
    fn a_release_is_told_from_a_hook_by_its_record() {
        let reason = |name, kind, allowed| announcement(&decision(name, kind, allowed)).unwrap().reason;
        assert_eq!(reason("sh.helm.release.v1.shop.v1", "Secret", false), "ReleaseDenied");
        assert_eq!(reason("sh.helm.release.v1.shop.v1", "Secret", true), "ReleaseWarned");
        assert_eq!(reason("password", "Secret", true), "HookWarned");
    }

    #[test]
    fn the_release_comes_first_where_it_is_known() {
        let membership = Membership {
            release: "shop".into(),
            namespace: "demo".into(),
            revision: 3,
            moment: Moment::Unknown,
        };
        let decision = Decision { membership: Some(membership), ..decision("migrate", "Job", true) };
        let told = announcement(&decision).unwrap();
        assert!(told.text.starts_with("release shop revision 3: `a`"), "{}", told.text);
    }

    #[test]
    fn nothing_found_is_nothing_to_tell() {
        assert_eq!(announcement(&Decision { findings: vec![], ..decision("a", "Job", true) }), None);
    }

    #[test]
    fn text_is_cut_between_characters_and_stays_on_one_line() {
        assert_eq!(cut("a\nb\u{1b}[31m", 20), "a b [31m");
        let long = cut(&"ä".repeat(2000), 1024);
        assert!(long.len() <= 1024 && long.ends_with("ä…"), "{} bytes", long.len());
        assert_eq!(cut("short", 5), "short");
    }
}
