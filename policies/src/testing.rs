//! The two words that tests of rules are written in: text in, yes or no out.

use hooks::{Interest, Object, manifest};

use crate::{
    context::{Moment, Operation},
    evaluate::{self, Request},
    finding::Judged,
    mode::{Mode, Profile},
    policy::Policy,
    release::Release,
    rule::Rule,
    settings::{RuleSettings, Settings},
};

/// The policy that tests judge by.
fn policy(
    rule: &dyn Rule,
    mode: Option<Mode>,
    options: Option<serde_json::Value>,
    settings: &Settings,
) -> Policy {
    let mut settings = settings.clone();
    let own = RuleSettings { mode, fix: None, options };
    settings.rules.insert(rule.meta().id.to_owned(), own);
    Policy::resolve([&settings], Profile::Baseline, std::sync::Arc::default()).unwrap()
}

/// What `rule` finds in `yaml`, which is judged as a whole release, and by itself as at admission, by a policy that has the rule
/// deny. An UPDATE is two documents of the same object, the stored one first.
pub(crate) fn findings(
    rule: &dyn Rule,
    options: Option<serde_json::Value>,
    settings: &Settings,
    yaml: &str,
) -> Vec<Judged> {
    found(rule, &policy(rule, Some(Mode::Deny), options, settings), yaml)
}

/// What `rule` finds in `yaml` where no policy names its mode.
pub(crate) fn shipped(rule: &dyn Rule, settings: &Settings, yaml: &str) -> Vec<Judged> {
    found(rule, &policy(rule, None, None, settings), yaml)
}

fn found(rule: &dyn Rule, policy: &Policy, yaml: &str) -> Vec<Judged> {
    let manifests: Vec<_> = manifest::read(yaml, Interest::Judged, &hooks::yaml::Limits::default())
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut release = Release { namespace: Some("shop"), name: Some("shop"), ..Release::default() };
    for (index, manifest) in manifests.iter().enumerate() {
        release.add(index, manifest.document.source.unwrap_or(""), &manifest.root);
    }
    let mut found = evaluate::release(policy, &release, 0).findings;
    let roots: Vec<Object<'_>> = manifests.iter().map(|manifest| Object::new(&manifest.root)).collect();
    if let [old, new] = roots[..]
        && (old.kind(), old.name()) == (new.kind(), new.name())
    {
        let request = Request {
            operation: Operation::Update,
            object: new,
            old: Some(old),
            namespace: Some("shop"),
            field_manager: Some("helm"),
            moment: Moment::Unknown,
            now: 0,
        };
        found.extend(evaluate::object(policy, &request).findings);
    }
    found.retain(|judged| judged.rule.id == rule.meta().id);
    found
}

/// `rule` finds nothing in `yaml`.
#[track_caller]
pub(crate) fn accepts(rule: &dyn Rule, yaml: &str) {
    let found = findings(rule, None, &Settings::default(), yaml);
    assert!(found.is_empty(), "{}: {:?}", rule.meta().id, found.first().map(|judged| &judged.finding));
}

/// `rule` finds something in `yaml`, and a message contains `text`.
#[track_caller]
pub(crate) fn rejects(rule: &dyn Rule, yaml: &str, text: &str) {
    let found = findings(rule, None, &Settings::default(), yaml);
    let messages: Vec<_> = found.iter().map(|judged| judged.finding.message.as_str()).collect();
    assert!(messages.iter().any(|message| message.contains(text)), "{}: {messages:?}", rule.meta().id);
}

/// What `rule` finds in `yaml` when the API server asks about its creation.
pub(crate) fn admitted(rule: &dyn Rule, options: Option<serde_json::Value>, yaml: &str) -> Vec<Judged> {
    let manifest = only(yaml);
    let policy = policy(rule, Some(Mode::Deny), options, &Settings::default());
    let mut found = evaluate::object(&policy, &creation(Object::new(&manifest.root))).findings;
    found.retain(|judged| judged.rule.id == rule.meta().id);
    found
}

/// What `rule` makes of `yaml` when the API server asks about its creation. Asked again, it must change nothing more.
#[track_caller]
pub(crate) fn fixed(
    rule: &dyn Rule,
    options: Option<serde_json::Value>,
    settings: &Settings,
    yaml: &str,
) -> serde_json::Value {
    let mut settings = settings.clone();
    let others = crate::RULES.iter().filter(|other| other.meta().fix != crate::Fix::None);
    for other in others {
        let off = RuleSettings { mode: None, fix: Some(false), options: None };
        settings.rules.insert(other.meta().id.to_owned(), off);
    }
    let own = RuleSettings { mode: None, fix: Some(true), options };
    settings.rules.insert(rule.meta().id.to_owned(), own);
    let policy = Policy::resolve([&settings], Profile::Baseline, std::sync::Arc::default()).unwrap();
    let before = only(yaml).root.to_json();
    let after = fix_once(&policy, &before);
    assert_eq!(fix_once(&policy, &after), after, "{} changes what it has fixed", rule.meta().id);
    after
}

/// `object` as `/mutate` leaves it.
pub(crate) fn fix_once(policy: &Policy, object: &serde_json::Value) -> serde_json::Value {
    let text = object.to_string();
    let root = hooks::json::object(text.as_bytes(), Interest::Everything).unwrap();
    let fixes = evaluate::fixes(policy, &creation(Object::new(&root)));
    let mut after = object.clone();
    json_patch::patch(&mut after, &fixes.operations).unwrap();
    let least = json_patch::diff(object, &after);
    assert_eq!(fixes.operations.len(), least.0.len(), "more is written than changes: {:?}", fixes.operations);
    after
}

/// The creation of `object`, by nobody in particular.
pub(crate) fn creation(object: Object<'_>) -> Request<'_> {
    Request {
        operation: Operation::Create,
        object,
        old: None,
        namespace: Some("shop"),
        field_manager: None,
        moment: Moment::Unknown,
        now: 0,
    }
}

/// The one document of `yaml`.
pub(crate) fn only(yaml: &str) -> manifest::Manifest<'_> {
    manifest::read(yaml, Interest::Judged, &hooks::yaml::Limits::default())
        .into_iter()
        .next()
        .unwrap()
        .unwrap()
}
