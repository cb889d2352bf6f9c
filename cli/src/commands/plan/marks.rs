//! The rules that object to what is planned, beside the objects they are about.

use lifecycle::{Chart, answer::ObjectId};
use policies::PolicySet;

use super::actions::Versions;
use crate::{
    judge::Judge,
    policy_file,
    rehearsal::Mark,
    report::{Entry, ObjectName},
};

/// What the rules say of a release, the gravest first.
pub(super) fn of(versions: &Versions, policies: &PolicySet, release: &str, namespace: &str) -> Vec<Mark> {
    let judge =
        Judge { policies, namespace: Some(namespace), release: Some(release), now: policy_file::now() };
    let mut marks = Vec::new();
    for rendered in versions.judged() {
        for Entry { rule, mode, object, .. } in judge.texts(&rendered.texts).findings {
            let object = object.and_then(|object| find(&rendered.chart, &object));
            let mark = Mark { object, rule: rule.id, mode };
            if !marks.contains(&mark) {
                marks.push(mark);
            }
        }
    }
    marks.sort_by_key(|mark| (std::cmp::Reverse(mark.mode), mark.rule));
    marks
}

/// The object as Helm sends it.
fn find(chart: &Chart, named: &ObjectName) -> Option<ObjectId> {
    let hooks = chart.hooks.iter().flat_map(|hook| &hook.objects);
    let mut ids = hooks.chain(&chart.resources).map(|object| &object.id);
    let is_named = |id: &&ObjectId| {
        let is_there = id.namespace.is_none() || id.namespace == named.namespace;
        id.kind == named.kind
            && id.api_version == named.api_version
            && is_there
            && named.name.as_ref() == Some(&id.name)
    };
    ids.find(is_named).cloned()
}
