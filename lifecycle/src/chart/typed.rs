//! Numbers and truth values that are something else: what is made of them, and what is said of them.

use std::sync::Arc;

use hooks::{Node, Value};

use super::{Misfit, Object, fields::Place};

/// Go's type of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Int32,
    Int64,
}

/// Source: Kubernetes 1.36 `staging/src/k8s.io/api/batch/v1/types.go`, `JobSpec`.
pub(super) const JOB: [(&str, Type); 9] = [
    ("activeDeadlineSeconds", Type::Int64),
    ("backoffLimit", Type::Int32),
    ("backoffLimitPerIndex", Type::Int32),
    ("completions", Type::Int32),
    ("manualSelector", Type::Bool),
    ("maxFailedIndexes", Type::Int32),
    ("parallelism", Type::Int32),
    ("suspend", Type::Bool),
    ("ttlSecondsAfterFinished", Type::Int32),
];

/// Source: Kubernetes 1.36 `staging/src/k8s.io/api/core/v1/types.go`, `PodSpec`: those that say how long pods run.
pub(super) const POD: [(&str, Type); 2] =
    [("activeDeadlineSeconds", Type::Int64), ("terminationGracePeriodSeconds", Type::Int64)];

/// The whole number that is written there, `3.0` and `3e0` included.
#[expect(clippy::cast_possible_truncation, reason = "what is too large is cut as Go cuts it")]
pub(super) fn whole(node: &Node<'_>) -> Option<i64> {
    let Value::Number(number) = &node.value else { return None };
    let fraction = || number.as_f64().filter(|number| number.fract() == 0.0);
    number.as_i64().or_else(|| fraction().map(|number| number as i64))
}

/// What a server-side apply makes of a whole number where Kubernetes wants 32 bits: what is too large loses its upper half.
///
/// Source: apimachinery 0.36 `pkg/runtime/converter.go`, `fromUnstructured`.
#[expect(clippy::cast_possible_truncation, reason = "it is meant")]
pub(super) const fn cut(number: i64) -> i32 {
    number as i32
}

/// What Helm says of the items of a list when it checks them itself; `None` where it finds nothing.
///
/// Source: kubectl 0.36 `pkg/validation/schema.go`, `NewParamVerifyingSchema`; Helm 4.2.4 `pkg/kube/client.go`, `scrubValidationError`.
pub(crate) fn checked<'a>(objects: impl Iterator<Item = &'a Arc<Object>>) -> Option<String> {
    let misfits = objects.flat_map(|object| &object.misfits);
    let errors: Vec<_> = misfits.filter_map(|misfit| misfit.checked.as_deref()).collect();
    let words = match &errors[..] {
        [] => return None,
        [one] => (*one).to_owned(),
        many => format!("[{}]", many.join(", ")),
    };
    Some(format!("error validating \"\": error validating data: {words}"))
}

impl Place {
    /// Those of the members that are of another type than `types` says.
    ///
    /// Source: structured-merge-diff 6 `typed/validate.go`; Go's `encoding/json`; kube-openapi `pkg/util/proto/validation/types.go`.
    pub(super) fn mistyped(&self, node: &Node<'_>, types: &[(&str, Type)]) -> Vec<Misfit> {
        let misfit = |(name, wanted): &(&str, Type)| {
            let node = node.get(name)?;
            let written = Written::of(node)?;
            (!wanted.takes(node)).then(|| self.misfit(name, *wanted, &written))
        };
        types.iter().filter_map(misfit).collect()
    }

    fn misfit(&self, name: &str, wanted: Type, written: &Written) -> Misfit {
        let path = format!("{}.{name}", self.path);
        let model = self.model.rsplit('.').next().unwrap_or_default();
        let is_number = written.checked == "integer" || written.checked == "number";
        let go = if wanted == Type::Bool && is_number { "number" } else { &written.decoded };
        let decoded = format!(
            "json: cannot unmarshal {go} into Go struct field {model}{path} of type {}",
            wanted.name()
        );
        let is_whole = written.checked == "integer";
        let [mut applied, mut converted, mut checked] = [None, None, None];
        match wanted {
            Type::Bool => applied = Some("expected boolean, got …".to_owned()),
            _ if is_whole => {}
            _ if is_number => converted = Some(format!("cannot convert float64 to {}", wanted.name())),
            _ => applied = Some(format!("expected numeric (int or float), got {}", written.applied)),
        }
        if applied.is_some() {
            let expected = if wanted == Type::Bool { "boolean" } else { "integer" };
            checked = Some(format!(
                "ValidationError({}.{name}): invalid type for {}.{name}: got \"{}\", expected \"{expected}\"",
                self.checked, self.model, written.checked
            ));
        }
        Misfit { path, applied, converted, decoded: Some(decoded), checked }
    }
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }

    /// Whether the body of a POST may have it there.
    fn takes(self, node: &Node<'_>) -> bool {
        match (self, &node.value) {
            (Self::Bool, Value::Bool(_)) => true,
            (Self::Int32, Value::Number(_)) => {
                whole(node).is_some_and(|number| i32::try_from(number).is_ok())
            }
            // The largest is what a float beyond all bounds is cut to.
            (Self::Int64, Value::Number(number)) => {
                number.as_i64().is_some() || whole(node).is_some_and(|number| number.unsigned_abs() < 1 << 62)
            }
            _ => false,
        }
    }
}

/// Another type, in everybody's words.
struct Written {
    applied: &'static str,
    decoded: String,
    checked: &'static str,
}

impl Written {
    fn of(node: &Node<'_>) -> Option<Self> {
        let written =
            |applied, decoded: &str, checked| Self { applied, decoded: decoded.to_owned(), checked };
        Some(match &node.value {
            Value::Null => return None,
            Value::Bool(_) => written("bool", "bool", "boolean"),
            Value::String(_) => written("string", "string", "string"),
            Value::List(_) => written("[]interface {}", "array", "array"),
            Value::Map(_) => written("map[string]interface {}", "object", "map"),
            Value::Number(number) => {
                let checked = if whole(node).is_some() { "integer" } else { "number" };
                written("float64", &format!("number {number}"), checked)
            }
        })
    }
}
