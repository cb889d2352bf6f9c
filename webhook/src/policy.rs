//! Our own objects: `/policy/stamp` writes down who asks, and `/policy` refuses what is not right or not signed by who asked.
//!
//! # Why two paths
//! Nothing in a review says whether a mutating or a validating webhook asks. To the one a wrong signature is to be mended, to the
//! other it is to be refused: between them, or instead of the first, anybody could have written it. A patch is no refusal: to the API
//! server it is an error of a validating webhook, which a failure policy may forgive.
//!
//! Source: Kubernetes `k8s.io/apiserver/pkg/admission/plugin/webhook/request`, `VerifyAdmissionResponse`.

use policies::{
    PolicySet,
    documents::{API_VERSION, GROUP, VERSION},
};
use serde_json::{Value, value::RawValue};

use crate::{
    app::App,
    metrics::{Operation, Path},
    refusal::Refusal,
    response::{Answer, Wrong},
    wire::Request,
};

mod exceptions;
mod hook_policies;

/// What becomes of an object of ours.
#[derive(Debug, Default, PartialEq, Eq)]
struct Accepted {
    operations: Vec<json_patch::PatchOperation>,
    warnings: Vec<String>,
}

/// Judges an object of ours. Allowed without a judgement: what is not ours, what is deleted, and the status of policies.
///
/// # Errors
/// [`Refusal::NotReady`] for exceptions before policies and exceptions are read; policies are judged by themselves, so that the
/// first ones can be made.
pub(crate) fn judge(
    app: &App,
    policies: &PolicySet,
    path: Path,
    request: &Request<'_>,
    operation: Operation,
    answer: Answer<'_>,
) -> Result<Vec<u8>, Refusal> {
    if request.kind.group.as_str() != GROUP || operation == Operation::Other {
        return Ok(answer.skip());
    }
    let subresource = request.sub_resource.as_ref().map_or("", |name| name.as_str());
    let kind = request.kind.kind.as_str();
    let judged = match (kind, subresource) {
        _ if request.kind.version.as_str() != VERSION => {
            Err(Wrong::invalid("", format!("only {API_VERSION} is known to this server")))
        }
        ("HookPolicy", "status") => return Ok(answer.skip()),
        ("HookPolicy", "") if path == Path::Stamp => return Ok(answer.skip()),
        ("HookPolicy", "") => {
            let others = app.ready.can_judge().then_some(policies);
            hook_policies::judge(others, name(request), &stored(request)?)
        }
        ("HookException", "" | "status") => {
            if !app.ready.can_judge() {
                return Err(Refusal::NotReady);
            }
            let stored = stored(request)?;
            let asked = exceptions::Asked::new(path, request.user(), name(request), &stored);
            if subresource.is_empty() { asked.main() } else { asked.status() }
        }
        _ => Err(Wrong::invalid("", "this server does not know what that means".to_owned())),
    };
    Ok(match judged {
        Ok(Accepted { operations, warnings }) => answer.accepted(&operations, &warnings),
        Err(wrong) => answer.refused(&wrong),
    })
}

/// An object as it would be stored, and as it is.
struct Stored {
    new: Value,
    /// `null` on CREATE.
    old: Value,
}

impl Stored {
    /// Whether the object is new, or says something else than before.
    fn is_changed(&self) -> bool {
        self.old.is_null() || self.old.get("spec") != self.new.get("spec")
    }
}

/// Bytes of one object of ours: a policy that sets every option of every rule, with who wrote what, has less than half of it. Reading
/// takes a hundred times as much memory, at the worst.
const LARGEST: usize = 128 << 10;

fn stored(request: &Request<'_>) -> Result<Stored, Refusal> {
    let read = |object: Option<&RawValue>, field: &str| {
        if object.is_some_and(|object| object.get().len() > LARGEST) {
            return Err(Refusal::TooManyValues);
        }
        let read = object.map_or(Ok(Value::Null), |object| serde_json::from_str(object.get()));
        read.map_err(|_| Refusal::Unreadable(format!("its {field} is no JSON that can be read")))
    };
    Ok(Stored { new: read(request.object, "object")?, old: read(request.old_object, "oldObject")? })
}

fn name<'r>(request: &'r Request<'_>) -> &'r str {
    request.name.as_ref().map_or("", |name| name.as_str())
}

impl Wrong {
    /// Something that nobody may write.
    fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), is_forbidden: false }
    }

    /// Something that this user may not write.
    fn forbidden(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), is_forbidden: true }
    }
}

#[cfg(test)]
mod tests;
