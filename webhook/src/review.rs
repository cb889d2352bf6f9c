//! One hook object: from the bytes of a review to the bytes of its answer.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use hooks::{Interest, Node, Object, json};
use policies::{Namespace, evaluate};
use serde_json::value::RawValue;
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{
    app::{App, LARGE},
    body::Whole,
    deadline::Deadline,
    metrics::{Operation, Path},
    refusal::Refusal,
    release_gate,
    response::Answer,
    wire::{self, Request},
};

/// Answers the review in `body`. What can take long leaves the event loop: large bodies, as many at once as there are processors,
/// and release records, one at a time because each may need 64 MiB.
pub(crate) async fn answer(
    app: &Arc<App>,
    path: Path,
    body: Whole,
    deadline: Deadline,
) -> Result<Vec<u8>, Refusal> {
    let arrived = Instant::now();
    let apart = match path {
        Path::Release => Some(&app.limits.records),
        Path::Mutate | Path::Validate => (body.bytes.len() > LARGE).then_some(&app.limits.large),
    };
    match apart {
        None => judge(app, path, &body.bytes, Asked { arrived, deadline }),
        Some(permits) => judge_apart(app, path, body, Asked { arrived, deadline }, permits).await,
    }
}

/// When a request was whole, and until when its answer is worth something.
#[derive(Clone, Copy)]
struct Asked {
    arrived: Instant,
    deadline: Deadline,
}

async fn judge_apart(
    app: &Arc<App>,
    path: Path,
    body: Whole,
    asked: Asked,
    permits: &Arc<Semaphore>,
) -> Result<Vec<u8>, Refusal> {
    let permit = Arc::clone(permits).acquire_owned().await.map_err(|_| Refusal::Overloaded)?;
    let app = Arc::clone(app);
    let work = spawn_blocking(move || {
        // Both are held to the end of the work, even if nobody waits for its answer any more.
        let (_permit, body) = (permit, body);
        asked.deadline.check()?;
        judge(&app, path, &body.bytes, asked)
    });
    work.await.map_err(|_| Refusal::Panic)?
}

fn judge(app: &App, path: Path, body: &[u8], asked: Asked) -> Result<Vec<u8>, Refusal> {
    let request = wire::parse(body)?;
    let operation = match request.operation.as_str() {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        _ => Operation::Other,
    };
    let policies = app.policies.load();
    let answer = Answer::new(app, path, operation, &request, policies.generation(), asked.arrived);
    match path {
        Path::Release => release_gate::judge(&policies, &request, operation, answer, asked.deadline),
        Path::Mutate | Path::Validate => judge_object(&policies, path, &request, operation, answer),
    }
}

fn judge_object(
    policies: &policies::PolicySet,
    path: Path,
    request: &Request<'_>,
    operation: Operation,
    answer: Answer<'_>,
) -> Result<Vec<u8>, Refusal> {
    let doing = match operation {
        Operation::Create => policies::Operation::Create,
        Operation::Update if path == Path::Validate => policies::Operation::Update,
        Operation::Update | Operation::Other => return Ok(answer.skip()),
    };
    let Some(object) = request.object.filter(|_| !request.is_subresource()) else {
        return Ok(answer.skip());
    };
    let object = read(object, "object", Interest::Judged)?;
    let object = Object::new(&object);
    let old = request
        .old_object
        .filter(|_| operation == Operation::Update)
        .map(|old| read(old, "oldObject", Interest::Judged))
        .transpose()?;
    let old = old.as_ref().map(Object::new);
    // Only what is stored can be on its way out: the API server drops the mark from what somebody creates.
    if old.is_some_and(|old| old.is_being_deleted()) {
        return Ok(answer.skip());
    }
    if object.hook().is_none() {
        // An annotation taken away ends our interest, and whoever may update the object may do that.
        return Ok(if old.is_some_and(|old| old.hook().is_some()) {
            answer.stripped()
        } else {
            answer.skip()
        });
    }
    let policy = policies.policy(request.namespace().map(|name| Namespace { name, labels: None }));
    let asked = evaluate::Request {
        operation: doing,
        object,
        old,
        namespace: request.namespace(),
        field_manager: request.field_manager(),
        moment: policies::Moment::Unknown,
        now: now(),
    };
    Ok(if path == Path::Mutate {
        answer.repair(&evaluate::fixes(&policy, &asked))
    } else {
        answer.judged(object, &evaluate::object(&policy, &asked))
    })
}

/// Reads the object in `field`.
///
/// # Errors
/// [`Refusal::TooManyValues`] for JSON that costs too much to judge, [`Refusal::Unreadable`] for what is no JSON.
pub(crate) fn read<'a>(text: &'a RawValue, field: &str, interest: Interest) -> Result<Node<'a>, Refusal> {
    json::object(text.get().as_bytes(), interest).map_err(|error| {
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
