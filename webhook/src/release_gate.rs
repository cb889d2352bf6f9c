//! The release gate: a whole release is judged before Helm deletes or creates anything of it.
//!
//! Helm stores the record of a revision first, as a Secret with a status that says what it is about to do. Refusing that Secret
//! ends the action with nothing touched and nothing wedged.

use std::time::Duration;

use hooks::{
    Events, Interest, Room, Written,
    release::{Limits, Record, Status, secret},
    template_source,
};
use policies::{Judged, Membership, Moment, PolicySet, Release, evaluate, finding::Place, release::Dropped};

use crate::{
    app::App,
    deadline::Deadline,
    metrics::Operation,
    refusal::Refusal,
    response::Answer,
    review::{Asked, now, policy_of, read},
    wire::Request,
};

mod documents;

pub(crate) use documents::Unreadable;

/// The most hooks that are named as dropped; each takes memory.
const DROPPED: usize = 1_000;
/// What a record keeps besides its largest text, in bytes: hooks and templates.
const KEPT: usize = 8 << 20;

/// Judges a release record that is about to be stored. Allowed without a judgement: what is no release record, and what is neither
/// an install nor an upgrade. A record that cannot be decoded is allowed with a warning.
pub(crate) fn judge(
    app: &App,
    policies: &PolicySet,
    request: &Request<'_>,
    operation: Operation,
    answer: Answer<'_>,
    asked: Asked,
    room: &Room,
) -> Result<Vec<u8>, Refusal> {
    let all = room.left();
    let Some(object) = request.object.filter(|_| operation == Operation::Create && !request.is_subresource())
    else {
        return Ok(answer.skip());
    };
    let object = read(object, "object", Interest::Everything, room)?;
    let Some(stored) = secret(&object) else {
        return Ok(answer.skip());
    };
    // The largest text is there three times while it is read.
    let text = room.left().saturating_sub(KEPT) / 3;
    let record = match stored.decode(&Limits { text: text.min(Limits::default().text), ..Limits::default() })
    {
        Ok(record) => record,
        Err(error) => return Ok(answer.undecodable(&error)),
    };
    drop(object);
    asked.deadline.check()?;
    let room = Room::new(all.saturating_sub(record.length()));
    match record.status {
        Status::PendingInstall => {
            judge_record(app, policies, &record, Moment::Install, answer, (asked, &room))
        }
        Status::PendingUpgrade => {
            judge_record(app, policies, &record, Moment::Upgrade, answer, (asked, &room))
        }
        _ => Ok(answer.skip()),
    }
}

fn judge_record(
    app: &App,
    policies: &PolicySet,
    record: &Record,
    moment: Moment,
    answer: Answer<'_>,
    (asked, room): (Asked, &Room),
) -> Result<Vec<u8>, Refusal> {
    let deadline = asked.deadline;
    let documents = documents::read(record, room, deadline)?;
    let mut release = Release {
        name: Some(&record.name),
        namespace: Some(record.namespace.as_str()).filter(|namespace| !namespace.is_empty()),
        moment,
        dropped: dropped(record, deadline)?,
        ..Release::default()
    };
    for document in &documents.readable {
        release.add(document.index, document.path, &document.root);
    }
    // The record says where the release is; the Secret may be elsewhere.
    let policy = policy_of(app, policies, release.namespace, asked.is_absent)?;
    deadline.check()?;
    let verdict = evaluate::release(&policy, &release, now());
    deadline.check()?;
    let revision = u64::try_from(record.version).unwrap_or(0);
    if verdict.is_allowed() && !answer.is_dry_run() {
        let seconds = u64::try_from(policy.engine.timeout_seconds).unwrap_or(0);
        app.memory.keep(&release, revision, Duration::from_secs(seconds));
    }
    let membership = release.namespace.map(|namespace| Membership {
        release: record.name.clone(),
        namespace: namespace.to_owned(),
        revision,
        moment,
    });
    let header = format!(
        "release \"{}\" revision {} is refused, no hook and no object was touched:",
        record.name, record.version
    );
    Ok(answer
        .of(membership)
        .judged_release(&header, &verdict, &documents.unreadable, |judged| subject(&release, judged)))
}

/// What a finding is about: an object, a template, or the release itself.
fn subject(release: &Release<'_>, judged: &Judged) -> String {
    let item = judged.finding.item.and_then(|index| release.items.get(index));
    match (item, &judged.finding.template) {
        (Some(item), _) => item.object.to_string(),
        (None, Some(Place { path, line: Some(line) })) => format!("{path}:{line}"),
        (None, Some(Place { path, line: None })) => path.clone(),
        (None, None) => format!("release \"{}\"", release.name.unwrap_or_default()),
    }
}

/// Hooks that Helm dropped without a word, as far as the chart's own templates show: they are not rendered, so nothing is certain.
fn dropped(record: &Record, deadline: Deadline) -> Result<Vec<Dropped>, Refusal> {
    let mut dropped = Vec::new();
    for template in &record.templates {
        deadline.check()?;
        let values = template_source::hook_values(&template.text).into_iter();
        let is_dropped =
            |text: &str| Events::parse(Written { text: text.into(), is_text: true }).is_dropped();
        let room = DROPPED - dropped.len();
        dropped.extend(values.filter(|literal| is_dropped(&literal.value)).take(room).map(|literal| {
            Dropped {
                place: Some(Place {
                    path: format!("{}/{}", record.chart_name, template.name),
                    line: Some(literal.line),
                }),
                events: literal.value,
                is_certain: false,
            }
        }));
    }
    Ok(dropped)
}

#[cfg(test)]
mod tests;
