//! One hook object: from the bytes of a review to the bytes of its answer.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use hooks::{Interest, Node, Object, Room, json};
use policies::{HookKey, Membership, Mode, Moment, Namespace, Policy, PolicySet, evaluate};
use serde_json::value::RawValue;
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    app::{App, LARGE},
    body::Whole,
    budget::{HOOK, QUICK, judging},
    deadline::Deadline,
    metrics::{Operation, Path},
    policy,
    refusal::Refusal,
    release_gate,
    response::Answer,
    surroundings::{Labels, Learned},
    wire::{self, Request},
};

/// Answers the review in `body`. What can take long, or much memory, leaves the event loop and waits for its memory: large bodies, of
/// which several may fit, and release records and our own objects, one at a time.
pub(crate) async fn answer(
    app: &Arc<App>,
    path: Path,
    body: Whole,
    deadline: Deadline,
) -> Result<Vec<u8>, Refusal> {
    let mut asked = Asked { path, arrived: Instant::now(), deadline, is_absent: false };
    let body = Arc::new(body);
    let answered = judge_in_turn(app, &body, asked).await;
    let Err(Refusal::NamespaceUnknown { name }) = answered else { return answered };
    asked.is_absent = learn(app, &name, deadline).await == Learned::Absent;
    judge_in_turn(app, &body, asked).await
}

/// What a request was sent for, when it was whole, and until when its answer is worth something.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    path: Path,
    arrived: Instant,
    pub(crate) deadline: Deadline,
    /// Whether the cluster has said that there is no such namespace.
    pub(crate) is_absent: bool,
}

/// Asks for the labels of a namespace that nobody has seen yet: it may be a moment old. Half of the time is left for the judgement.
async fn learn(app: &App, namespace: &str, deadline: Deadline) -> Learned {
    let Some(surroundings) = &app.surroundings else { return Learned::Nothing };
    // Without an answer the labels are still unknown, and the judgement says so.
    timeout(deadline.left() / 2, surroundings.learn(namespace)).await.unwrap_or(Learned::Nothing)
}

/// Judges a small body here and now, and whatever needs more memory when there is some: first what is likely to do, then all of it.
async fn judge_in_turn(app: &Arc<App>, body: &Arc<Whole>, asked: Asked) -> Result<Vec<u8>, Refusal> {
    let work = &app.limits.budget.work;
    if matches!(asked.path, Path::Mutate | Path::Validate) {
        let judged = if body.bytes.len() > LARGE {
            judge_apart(app, body, asked, work.likely(body.bytes.len())).await
        } else {
            judge(app, &body.bytes, asked, &Room::new(QUICK))
        };
        if judged != Err(Refusal::TooManyValues) {
            return judged;
        }
    }
    judge_apart(app, body, asked, work.all()).await
}

/// Judges on a thread of its own, in so much memory.
async fn judge_apart(app: &Arc<App>, body: &Arc<Whole>, asked: Asked, kib: u32) -> Result<Vec<u8>, Refusal> {
    let permit = app.limits.budget.work.take(kib).await?;
    let (app, body) = (Arc::clone(app), Arc::clone(body));
    let work = spawn_blocking(move || {
        // Both are held to the end of the work, even if nobody waits for its answer any more.
        let (_permit, body) = (permit, body);
        asked.deadline.check()?;
        judge(&app, &body.bytes, asked, &Room::new(kib as usize * 1024))
    });
    work.await.map_err(|_| Refusal::Panic)?
}

fn judge(app: &App, body: &[u8], asked: Asked, room: &Room) -> Result<Vec<u8>, Refusal> {
    let request = wire::parse(body)?;
    let operation = match request.operation.as_str() {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        _ => Operation::Other,
    };
    let policies = app.policies.load();
    let answer = Answer::new(app, asked.path, operation, &request, policies.generation(), asked.arrived);
    match asked.path {
        Path::Release => release_gate::judge(app, &policies, &request, operation, answer, asked, room),
        Path::Mutate | Path::Validate => {
            judge_object(app, &policies, (asked, room), &request, operation, answer)
        }
        Path::Policy | Path::Stamp => policy::judge(app, &policies, asked.path, &request, operation, answer),
    }
}

fn judge_object(
    app: &App,
    policies: &PolicySet,
    (asked, room): (Asked, &Room),
    request: &Request<'_>,
    operation: Operation,
    answer: Answer<'_>,
) -> Result<Vec<u8>, Refusal> {
    let doing = match operation {
        Operation::Create => policies::Operation::Create,
        Operation::Update if asked.path == Path::Validate => policies::Operation::Update,
        Operation::Update | Operation::Other => return Ok(answer.skip()),
    };
    let Some(object) = request.object.filter(|_| !request.is_subresource()) else {
        return Ok(answer.skip());
    };
    let object = read(object, "object", Interest::Judged, room)?;
    let object = Object::new(&object);
    let old = request
        .old_object
        .filter(|_| operation == Operation::Update)
        .map(|old| read(old, "oldObject", Interest::Judged, room))
        .transpose()?;
    let old = old.as_ref().map(Object::new);
    let price = judging(object, HOOK) + old.map_or(0, |old| judging(old, HOOK));
    if !room.take(price) {
        return Err(Refusal::TooManyValues);
    }
    // Only what is stored can be on its way out: the API server drops the mark from what somebody creates.
    if old.is_some_and(|old| old.is_being_deleted()) {
        return Ok(answer.skip());
    }
    if object.hook().is_none() {
        // An annotation taken away ends our interest, and whoever may update the object may do that.
        return Ok(if old.is_some_and(|old| old.hook().is_some()) {
            let membership = membership(app, object, request);
            answer.of(membership).stripped(object)
        } else {
            answer.skip()
        });
    }
    let policy = policy_of(app, policies, request.governing_namespace(), asked.is_absent)?;
    let path = asked.path;
    let asked = evaluate::Request {
        operation: doing,
        object,
        old,
        namespace: request.namespace(),
        field_manager: request.field_manager(),
        moment: Moment::Unknown,
        now: now(),
    };
    Ok(if path == Path::Mutate {
        answer.repair(&evaluate::fixes(&policy, &asked))
    } else {
        validate(app, &policy, &asked, request, answer)
    })
}

/// Judges a hook as it would be stored. Which release it belongs to matters only to those with something to say, so only then somebody
/// is asked.
fn validate(
    app: &App,
    policy: &Policy,
    asked: &evaluate::Request<'_>,
    request: &Request<'_>,
    answer: Answer<'_>,
) -> Vec<u8> {
    let verdict = evaluate::object(policy, asked);
    if verdict.worst() < Some(Mode::Warn) {
        return answer.judged(asked.object, &verdict);
    }
    let membership = membership(app, asked.object, request);
    let moment = membership.as_ref().map_or(Moment::Unknown, |membership| membership.moment);
    let answer = answer.of(membership);
    if moment == Moment::Unknown {
        return answer.judged(asked.object, &verdict);
    }
    answer.judged(asked.object, &evaluate::object(policy, &evaluate::Request { moment, ..*asked }))
}

/// The release that a hook belongs to: by its stored record where those are looked up, else by what the gate saw here.
fn membership(app: &App, object: Object<'_>, request: &Request<'_>) -> Option<Membership> {
    let key = HookKey::of(object, request.governing_namespace())?;
    let stored = app.surroundings.as_ref().and_then(|surroundings| surroundings.membership(&key));
    stored.or_else(|| app.memory.membership(&key))
}

/// The policy for a namespace; its labels are asked for only when a policy selects by them. One that is not there has none: the API
/// server refuses to store anything in it, and whoever asks us without the API server learns nothing by that.
///
/// # Errors
/// [`Refusal::NamespaceUnknown`] when they are needed and not known.
pub(crate) fn policy_of(
    app: &App,
    policies: &PolicySet,
    namespace: Option<&str>,
    is_absent: bool,
) -> Result<Arc<Policy>, Refusal> {
    let Some(name) = namespace else { return Ok(policies.policy(None)) };
    if !policies.needs_labels() {
        return Ok(policies.policy(Some(Namespace { name, labels: None })));
    }
    let labels = app.surroundings.as_ref().and_then(|surroundings| surroundings.labels(name));
    let labels = labels.or_else(|| is_absent.then(Labels::default));
    let labels = labels.ok_or_else(|| Refusal::NamespaceUnknown { name: name.to_owned() })?;
    Ok(policies.policy(Some(Namespace { name, labels: Some(&labels) })))
}

/// Reads the object in `field`.
///
/// # Errors
/// [`Refusal::TooManyValues`] for JSON that costs too much to judge, [`Refusal::Unreadable`] for what is no JSON.
pub(crate) fn read<'a>(
    text: &'a RawValue,
    field: &str,
    interest: Interest,
    room: &Room,
) -> Result<Node<'a>, Refusal> {
    json::object_within(text.get().as_bytes(), interest, room).map_err(|error| {
        if error.is_limit() {
            Refusal::TooManyValues
        } else {
            Refusal::Unreadable(format!("its {field} is {error}"))
        }
    })
}

/// Seconds since 1970. A clock before that expires no exception, which is the stricter reading of none.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
