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

/// The policy that tests judge by: the rule at hand denies wherever it is asked.
fn policy(rule: &dyn Rule, options: Option<serde_json::Value>, settings: &Settings) -> Policy {
    let mut settings = settings.clone();
    let own = RuleSettings { mode: Some(Mode::Deny), fix: None, options };
    settings.rules.insert(rule.meta().id.to_owned(), own);
    Policy::resolve([&settings], Profile::Baseline, std::sync::Arc::default()).unwrap()
}

/// What `rule` finds in `yaml`, which is judged as a whole release, and by itself as at admission. An UPDATE is two documents of
/// the same object, the stored one first.
pub(crate) fn findings(rule: &dyn Rule, options: Option<serde_json::Value>, settings: &Settings, yaml: &str) -> Vec<Judged> {
    let policy = policy(rule, options, settings);
    let manifests: Vec<_> = manifest::read(yaml, Interest::Judged, &hooks::yaml::Limits::default())
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut release = Release { namespace: Some("shop"), name: Some("shop"), ..Release::default() };
    for (index, manifest) in manifests.iter().enumerate() {
        release.add(index, manifest.document.source.unwrap_or(""), &manifest.root);
    }
    let mut found = evaluate::release(&policy, &release, 0).findings;
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
        found.extend(evaluate::object(&policy, &request).findings);
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
