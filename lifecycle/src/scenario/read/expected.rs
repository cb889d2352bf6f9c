//! What a step may expect: whatever could be told from its opposite.

use hooks::{Node, Value, release::Status};

use super::super::{Field, spelling};

const STATUSES: [Status; 9] = [
    Status::Unknown,
    Status::Deployed,
    Status::Uninstalled,
    Status::Superseded,
    Status::Failed,
    Status::Uninstalling,
    Status::PendingInstall,
    Status::PendingUpgrade,
    Status::PendingRollback,
];

/// The first thing that is wrong with what the step at `pointer` expects: where in the step, and a sentence.
pub(super) fn fault(root: &Node<'_>, pointer: &str) -> Option<(&'static str, String)> {
    let expect = &root.nearest(pointer).0.member("expect")?.node;
    if expect.members().is_empty() {
        let message = "nothing is expected here: name exit, error, status, hooks or leftovers, or leave expect out, and the step must exit with 0";
        return Some(("/expect", message.to_owned()));
    }
    let of = |field: Field| Some(&expect.member(field.name())?.node);
    let nothing = |field| of(field).is_some_and(|node| node.value == Value::Null);
    let refuse = |field, message: &str| Some((field, message.to_owned()));
    if nothing(Field::Exit) {
        return refuse("/expect/exit", "say with which code Helm exits, 0 or 1");
    }
    if of(Field::Exit).and_then(Node::as_i64).is_some_and(|code| !(0..=255).contains(&code)) {
        return refuse("/expect/exit", "no program exits with that: Helm exits with 0 or 1");
    }
    if nothing(Field::Error) || of(Field::Error).and_then(Node::as_str) == Some("") {
        return refuse(
            "/expect/error",
            "say a part of the error; for any error expect exit: 1, and for none exit: 0",
        );
    }
    if nothing(Field::Hooks) {
        return refuse("/expect/hooks", "list the hooks that are sent, or write [] for none");
    }
    if nothing(Field::Leftovers) {
        return refuse("/expect/leftovers", "list the hook objects that are left, or write [] for none");
    }
    let status = of(Field::Status).filter(|node| node.value != Value::Null)?;
    let status = status.as_str().map_or_else(|| status.to_json().to_string(), str::to_owned);
    (Status::parse(&status) == Status::Other).then(|| {
        let hint = spelling::hint(&status, STATUSES.map(Status::name));
        ("/expect/status", format!("{status:?} is no status of a revision{hint}"))
    })
}
