//! Somebody may not do what the hook needs: whoever runs Helm, or the hook's own ServiceAccount.

use hooks::plain::shell_word;

use super::{
    super::evidence::{Evidence, Refusal},
    cause,
};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    of_helm(evidence).or_else(|| of_pods(evidence))
}

/// Helm itself was refused.
fn of_helm(evidence: &Evidence) -> Option<Cause> {
    let texts = [evidence.release.description.as_str()];
    let text = texts.into_iter().find(|text| !text.is_empty())?;
    let refusal = evidence.refused().any(|told| told == text).then(|| refusals(text).next()).flatten()?;
    let what = format!("could not be handled: {} may not {}", who(&refusal), action(&refusal));
    Some(
        cause("rbac", what)
            .said(text)
            .advice("give whoever runs Helm that right, or run it as somebody who has it")
            .command(can(&refusal), "says whether that is so now"),
    )
}

/// What runs in its pods was refused.
fn of_pods(evidence: &Evidence) -> Option<Cause> {
    let refusal = evidence.refusals.first()?;
    let (who, action) = (who(refusal), action(refusal));
    let what = match refusal.is_allowed_now {
        Some(true) => format!("was not allowed to {action} as {who} then; now it is"),
        _ => format!("was not allowed to {action} as {who}"),
    };
    let found = cause("rbac", what).command(can(refusal), "says whether that is so now");
    Some(found.advice("give it a Role and a RoleBinding; if they are hooks, with a lower weight than the hook that needs them"))
}

fn who(refusal: &Refusal) -> String {
    match refusal.user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
        Some((namespace, name)) => format!("ServiceAccount {name:?} of namespace {namespace:?}"),
        None => format!("user {:?}", refusal.user),
    }
}

fn action(refusal: &Refusal) -> String {
    let Refusal { verb, resource, group, namespace, .. } = refusal;
    let group = if group.is_empty() { String::new() } else { format!(".{group}") };
    let place = namespace
        .as_ref()
        .map_or_else(|| " in the whole cluster".to_owned(), |name| format!(" in namespace {name:?}"));
    format!("{verb} {resource}{group}{place}")
}

/// Source: `kubectl auth can-i --help`.
fn can(refusal: &Refusal) -> String {
    let Refusal { user, verb, resource, group, namespace, .. } = refusal;
    let resource = if group.is_empty() { resource.clone() } else { format!("{resource}.{group}") };
    let place = namespace
        .as_ref()
        .map_or_else(|| "--all-namespaces".to_owned(), |name| format!("-n {}", shell_word(name)));
    format!(
        "kubectl auth can-i {} {} {place} --as {}",
        shell_word(verb),
        shell_word(&resource),
        shell_word(user)
    )
}

/// The refusals that a text tells of, each once; nothing but words as Kubernetes has them gets in.
///
/// Source: Kubernetes `apiserver/pkg/endpoints/handlers/responsewriters/errors.go`, `forbiddenMessage`.
pub(in crate::diagnose) fn refusals(text: &str) -> impl Iterator<Item = Refusal> + '_ {
    let is_word = |text: &&str| {
        text.len() <= 253
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/@*".contains(&byte))
    };
    text.split("User ").skip(1).filter_map(move |rest| {
        let rest = rest.replace("\\\"", "\"");
        let (user, rest) = rest.strip_prefix('"')?.split_once('"')?;
        let (verb, rest) = rest.strip_prefix(" cannot ")?.split_once(" resource \"")?;
        let (resource, rest) = rest.split_once('"')?;
        let (group, rest) = rest.strip_prefix(" in API group \"")?.split_once('"')?;
        let namespace = rest
            .strip_prefix(" in the namespace \"")
            .and_then(|rest| rest.split_once('"'))
            .map(|(name, _)| name);
        if ![user, verb, resource, group, namespace.unwrap_or("")].iter().all(is_word) {
            return None;
        }
        Some(Refusal {
            user: user.to_owned(),
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            group: group.to_owned(),
            namespace: namespace.map(str::to_owned),
            is_allowed_now: None,
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    const SAID: &str = "configmaps is forbidden: User \"system:serviceaccount:demo:migrate\" cannot create resource \"configmaps\" in API group \"\" in the namespace \"demo\"";

    #[test]
    fn the_hooks_own_account_is_named() {
        let mut seen = evidence(&json!({}));
        seen.refusals = refusals(SAID).collect();
        let found = find(&seen).unwrap();
        assert_eq!(
            found.what,
            "was not allowed to create configmaps in namespace \"demo\" as ServiceAccount \"migrate\" of namespace \"demo\""
        );
        assert_eq!(
            found.repair[0].command.as_deref(),
            Some("kubectl auth can-i create configmaps -n demo --as system:serviceaccount:demo:migrate")
        );
        seen.refusals[0].is_allowed_now = Some(true);
        assert!(find(&seen).unwrap().what.ends_with("then; now it is"));
    }

    #[test]
    fn helm_itself_may_lack_a_right() {
        let said = "failed: jobs.batch is forbidden: User \"jane\" cannot create resource \"jobs\" in API group \"batch\" in the namespace \"demo\"";
        let found = find(&evidence(&json!({"description": said}))).unwrap();
        assert_eq!(
            found.what,
            "could not be handled: user \"jane\" may not create jobs.batch in namespace \"demo\""
        );
    }

    #[test]
    fn the_json_of_an_answer_is_read_too() {
        let escaped = SAID.replace('"', "\\\"");
        assert_eq!(refusals(&escaped).count(), 1);
        let whole = "User \"a\" cannot list resource \"nodes\" in API group \"\" at the cluster scope";
        assert_eq!(refusals(whole).next().unwrap().namespace, None);
    }

    #[test]
    fn words_that_are_none_are_not_passed_on() {
        assert_eq!(refusals("User \"a; rm -rf /\" cannot list resource \"x\" in API group \"\"").count(), 0);
        assert_eq!(refusals("User \"a\" cannot ").count(), 0);
        assert_eq!(refusals("").count(), 0);
    }
}
