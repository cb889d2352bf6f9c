//! The rules that object to what is planned, beside the objects they are about.

use std::collections::HashMap;

use lifecycle::{Chart, answer::ObjectId};
use policies::PolicySet;

use super::actions::{Version, Versions};
use crate::{
    judge::Judge,
    policy_file,
    rehearsal::Mark,
    report::{Entry, ObjectName},
};

/// What the rules say of a release, the gravest first; and what there is to note of it.
pub(super) fn of(
    versions: &Versions<'_>,
    policies: &PolicySet,
    release: &str,
    namespace: &str,
) -> (Vec<Mark>, Vec<String>) {
    let judge =
        Judge { policies, namespace: Some(namespace), release: Some(release), now: policy_file::now() };
    let (mut marks, mut notes) = (Vec::new(), Vec::new());
    // What is found in each version is one finding; what is found twice in one of them is two, as for hookward check.
    let mut counted: HashMap<_, usize> = HashMap::new();
    for Version { rendered, texts, documents } in versions.judged() {
        let mut found: HashMap<_, usize> = HashMap::new();
        let sent = by_name(&rendered.chart);
        let report = judge.manifests(texts, documents);
        notes.extend(report.notes);
        for Entry { rule, mode, object, message, .. } in report.findings {
            let object = object.map(|object| find(&sent, &object).unwrap_or_else(|| unsent(object)));
            let key = (object.clone(), rule.id, mode.name());
            let times = found.entry(key.clone()).or_default();
            *times += 1;
            let known = counted.entry(key).or_default();
            if *times > *known {
                *known = *times;
                marks.push(Mark { object, rule: rule.id, mode, message });
            }
        }
    }
    marks.sort_by_key(|mark| (std::cmp::Reverse(mark.mode), mark.rule));
    (marks, notes)
}

/// An object that Helm does not send, as it is written.
fn unsent(ObjectName { api_version, kind, namespace, name }: ObjectName) -> ObjectId {
    ObjectId { api_version, kind, namespace, name: name.unwrap_or_default() }
}

/// What Helm sends, by kind and name.
type Sent<'c> = HashMap<(&'c str, &'c str), Vec<&'c ObjectId>>;

fn by_name(chart: &Chart) -> Sent<'_> {
    let hooks = chart.hooks.iter().flat_map(|hook| &hook.objects);
    let mut sent = Sent::new();
    for id in hooks.chain(&chart.resources).map(|object| &object.id) {
        sent.entry((&*id.kind, &*id.name)).or_default().push(id);
    }
    sent
}

/// The object as Helm sends it.
fn find(sent: &Sent<'_>, named: &ObjectName) -> Option<ObjectId> {
    let is_named = |id: &&&ObjectId| {
        let is_there = id.namespace.is_none() || id.namespace == named.namespace;
        id.api_version == named.api_version && is_there
    };
    let ids = sent.get(&(&*named.kind, named.name.as_deref()?))?;
    ids.iter().find(is_named).map(|id| (*id).clone())
}
