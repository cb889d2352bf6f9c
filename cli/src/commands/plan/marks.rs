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
    let mut counted: HashMap<_, Count> = HashMap::new();
    for (version, Version { rendered, texts, documents }) in versions.judged().enumerate() {
        let sent = by_name(&rendered.chart);
        let report = judge.said(texts, documents);
        notes.extend(report.notes);
        for Entry { rule, mode, object, message, .. } in report.findings {
            let object = object.map(|object| find(&sent, &object).unwrap_or_else(|| unsent(object)));
            let count = counted.entry((object.clone(), rule.id, mode.name())).or_default();
            if count.is_new_in(version) {
                marks.push(Mark { object, rule: rule.id, mode, message });
            }
        }
    }
    marks.sort_by_key(|mark| (std::cmp::Reverse(mark.mode), mark.rule));
    (marks, notes)
}

/// How often one thing is found.
#[derive(Debug, Default)]
struct Count {
    /// The last version that it was found in.
    version: usize,
    /// In that one.
    times: usize,
    /// In the one where it was found most.
    most: usize,
}

impl Count {
    /// Counts it once more in `version`, and says whether that is more than in any version before.
    fn is_new_in(&mut self, version: usize) -> bool {
        if self.version != version {
            (self.version, self.times) = (version, 0);
        }
        self.times += 1;
        let is_new = self.times > self.most;
        self.most = self.most.max(self.times);
        is_new
    }
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
