//! Which event somebody meant who wrote a word that Helm does not know: a guess that is followed runs a hook at that event.

use hooks::{Event, Events};

use crate::wording::{MOST, distance, quoted};

/// When, of what happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Pre,
    Post,
}

/// What happens. Only words of one meaning are ever held for a slip of each other: `uninstall` is two letters from `install`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Install,
    Upgrade,
    /// A word for whatever brings a new version: install as well as upgrade.
    Deploy,
    Rollback,
    Delete,
    Test,
}

const SIDES: [(&str, Side); 4] =
    [("pre", Side::Pre), ("post", Side::Post), ("before", Side::Pre), ("after", Side::Post)];

const ACTS: [(&str, Act); 21] = [
    ("install", Act::Install),
    ("installation", Act::Install),
    ("create", Act::Install),
    ("creation", Act::Install),
    ("upgrade", Act::Upgrade),
    ("update", Act::Upgrade),
    ("deploy", Act::Deploy),
    ("deployment", Act::Deploy),
    ("sync", Act::Deploy),
    ("rollback", Act::Rollback),
    ("delete", Act::Delete),
    ("deletion", Act::Delete),
    ("uninstall", Act::Delete),
    ("uninstallation", Act::Delete),
    ("remove", Act::Delete),
    ("removal", Act::Delete),
    ("destroy", Act::Delete),
    ("teardown", Act::Delete),
    ("purge", Act::Delete),
    ("test", Act::Test),
    ("testing", Act::Test),
];

/// What to write instead of the items `unknown` of the list `events`; `None` where nobody can tell what was meant.
pub(crate) fn advice(unknown: &[&str], events: &Events<'_>) -> Option<String> {
    let mut meant: Vec<Event> = Vec::new();
    let mut choice = None;
    for item in unknown.iter().take(MOST) {
        let Some((side, act)) = read(item) else { continue };
        match side {
            Some(side) => meant.extend(act.events(side)),
            None if act == Act::Test => meant.push(Event::Test),
            None => choice = choice.or(Some(act)),
        }
    }
    if let (true, Some(act)) = (meant.is_empty(), choice) {
        return Some(format!(
            "write {} or {}",
            joined(act.events(Side::Pre)),
            joined(act.events(Side::Post))
        ));
    }
    let is_guessed = !meant.is_empty();
    meant.sort_unstable();
    meant.dedup();
    meant.retain(|event| !events.contains(*event));
    match is_guessed {
        true if meant.is_empty() => Some(format!("leave out {}", quoted(unknown.iter().copied()))),
        true => Some(format!("write {}", joined(&meant))),
        false => None,
    }
}

fn joined(events: &[Event]) -> String {
    events.iter().map(|event| event.name()).collect::<Vec<_>>().join(",")
}

/// Splits `pre-install`, `preinstall` and the like, and reads both halves.
fn read(item: &str) -> Option<(Option<Side>, Act)> {
    let mut words = item.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.next()?;
    let rest: String = words.collect();
    if let Some(side) = nearest(first, &SIDES).filter(|_| !rest.is_empty()) {
        return Some((Some(side), act(&rest, Some(side))?));
    }
    let whole = format!("{first}{rest}");
    let halves = SIDES.iter().find_map(|(word, side)| Some((*side, whole.strip_prefix(word)?)));
    match halves {
        Some((side, rest)) => Some((Some(side), act(rest, Some(side))?)),
        None => Some((None, act(&whole, None)?)),
    }
}

/// A test has no before and no after.
fn act(word: &str, side: Option<Side>) -> Option<Act> {
    nearest(word, &ACTS).filter(|act| side.is_none() || *act != Act::Test)
}

/// The one meaning of all words that `written` may be a slip of: one letter in a short word, two in a long one.
fn nearest<M: Copy + PartialEq>(written: &str, words: &[(&str, M)]) -> Option<M> {
    let most = if written.chars().count() < 6 { 1 } else { 2 };
    let mut near =
        words.iter().filter(|(word, _)| distance(written, word) <= most).map(|(_, meaning)| *meaning);
    let exact = words.iter().find(|(word, _)| *word == written).map(|(_, meaning)| *meaning);
    let first = near.next()?;
    exact.or_else(|| near.all(|other| other == first).then_some(first))
}

impl Act {
    const fn events(self, side: Side) -> &'static [Event] {
        match (self, side) {
            (Self::Install, Side::Pre) => &[Event::PreInstall],
            (Self::Install, Side::Post) => &[Event::PostInstall],
            (Self::Upgrade, Side::Pre) => &[Event::PreUpgrade],
            (Self::Upgrade, Side::Post) => &[Event::PostUpgrade],
            (Self::Deploy, Side::Pre) => &[Event::PreInstall, Event::PreUpgrade],
            (Self::Deploy, Side::Post) => &[Event::PostInstall, Event::PostUpgrade],
            (Self::Rollback, Side::Pre) => &[Event::PreRollback],
            (Self::Rollback, Side::Post) => &[Event::PostRollback],
            (Self::Delete, Side::Pre) => &[Event::PreDelete],
            (Self::Delete, Side::Post) => &[Event::PostDelete],
            (Self::Test, _) => &[Event::Test],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use hooks::Written;

    use super::*;

    fn said(list: &str) -> Option<String> {
        let events = Events::parse(Written { text: Cow::Borrowed(list), is_text: true });
        advice(&events.unknown().collect::<Vec<_>>(), &events)
    }

    #[track_caller]
    fn is_meant(list: &str, events: &str) {
        assert_eq!(said(list), Some(format!("write {events}")), "{list}");
    }

    #[test]
    fn the_clean_up_of_an_uninstall_was_sent_to_the_install() {
        for word in ["uninstall", "uninstal", "remove", "removal", "destroy", "deletion", "deleted"] {
            is_meant(&format!("pre-{word}"), "pre-delete");
            is_meant(&format!("post-{word}"), "post-delete");
        }
        is_meant("pre-uninstall,post-uninstall", "pre-delete,post-delete");
    }

    #[test]
    fn what_a_deployment_does_was_sent_to_the_deletion() {
        is_meant("post-deploy", "post-install,post-upgrade");
        is_meant("pre-deployment", "pre-install,pre-upgrade");
        is_meant("PreSync", "pre-install,pre-upgrade");
        is_meant("post-creation", "post-install");
        is_meant("pre-update", "pre-upgrade");
    }

    #[test]
    fn no_slip_leads_from_a_deletion_to_anything_else_or_back() {
        let far = |act: Act, other: Act| (act == Act::Delete) != (other == Act::Delete);
        for (word, meaning) in ACTS {
            for at in 0..word.len() {
                let slips = [
                    format!("{}{}", &word[..at], &word[at + 1..]),
                    format!("{}x{}", &word[..at], &word[at + 1..]),
                    format!("{}x{}", &word[..at], &word[at..]),
                ];
                for slip in slips {
                    let guess = nearest(&slip, &ACTS);
                    assert!(guess.is_none_or(|guess| !far(meaning, guess)), "{slip}, of {word}");
                }
            }
        }
        for between in ["pre-ninstall", "pre-unstall", "pre-unistall", "pre-reinstall"] {
            assert_eq!(said(between), None, "{between}");
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_near() {
        for slip in
            ["pre-instal", "preinstall", "pre-isntall", "pre_install", "per-install", "pre\u{2010}install"]
        {
            is_meant(slip, "pre-install");
        }
        is_meant("tests", "test");
        is_meant("post-roll-back", "post-rollback");
        for far in ["", "x", "pre-", "warm-up", "post-test", "post-start", "tes!ing-things"] {
            assert_eq!(said(far), None, "{far:?}");
        }
    }

    #[test]
    fn a_word_without_before_or_after_leaves_the_choice() {
        is_meant("uninstall", "pre-delete or post-delete");
        is_meant("deploy", "pre-install,pre-upgrade or post-install,post-upgrade");
    }

    #[test]
    fn what_the_list_has_already_would_run_twice() {
        is_meant("post-install,post-deploy", "post-upgrade");
        assert_eq!(said("post-upgrade,post-update").unwrap(), "leave out \"post-update\"");
    }
}
