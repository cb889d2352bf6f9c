//! The registry: every rule, once. Documentation, schema, defaults and the command line all read this slice.

use crate::rule::Rule;

/// Declares the module of each rule and puts the rule into the slice.
macro_rules! rules {
    ($($module:ident :: $rule:ident,)+) => {
        $(pub(crate) mod $module;)+

        /// All rules, by id.
        pub static RULES: &[&dyn Rule] = &[$(&$module::$rule),+];
    };
}

rules! {
    dep_config::DepConfig,
    dep_service_account::DepServiceAccount,
    hook_annotation_misplaced::HookAnnotationMisplaced,
    hook_bare_pod::HookBarePod,
    hook_crd::HookCrd,
    hook_data_kind_recreated::HookDataKindRecreated,
    hook_delete_policy_unknown::HookDeletePolicyUnknown,
    hook_duplicate_identity::HookDuplicateIdentity,
    hook_failed_deletes_evidence::HookFailedDeletesEvidence,
    hook_legacy_event::HookLegacyEvent,
    hook_namespace::HookNamespace,
    hook_not_run_to_completion::HookNotRunToCompletion,
    hook_orphan_on_uninstall::HookOrphanOnUninstall,
    hook_policy_implicit::HookPolicyImplicit,
    hook_policy_no_before_creation::HookPolicyNoBeforeCreation,
    hook_stale_rerun::HookStaleRerun,
    hook_unknown_event::HookUnknownEvent,
    hook_weight_invalid::HookWeightInvalid,
    hook_weight_tie::HookWeightTie,
    job_backoff_limit_high::JobBackoffLimitHigh,
    job_backoff_limit_unset::JobBackoffLimitUnset,
    job_deadline_missing::JobDeadlineMissing,
    job_restart_policy_always::JobRestartPolicyAlways,
    job_retry_budget::JobRetryBudget,
    job_suspended::JobSuspended,
    job_ttl_missing::JobTtlMissing,
    job_ttl_too_low::JobTtlTooLow,
    pod_restart_policy::PodRestartPolicy,
    sec_cluster_admin_binding::SecClusterAdminBinding,
    sec_host_namespaces::SecHostNamespaces,
    sec_privileged::SecPrivileged,
}

/// The rule called `id`.
#[must_use]
pub fn find(id: &str) -> Option<&'static dyn Rule> {
    RULES.binary_search_by(|rule| rule.meta().id.cmp(id)).ok().map(|index| RULES[index])
}

/// The ids that somebody who wrote `id` may have meant: those that begin with it, at most three; else the one with the fewest letters
/// to change, if they are few.
#[must_use]
pub fn nearest(id: &str) -> Vec<&'static str> {
    let known = || RULES.iter().map(|rule| rule.meta().id);
    let begun: Vec<_> = known().filter(|known| !id.is_empty() && known.starts_with(id)).take(3).collect();
    if !begun.is_empty() {
        return begun;
    }
    let (changes, nearest) =
        known().map(|known| (distance(id, known), known)).min().unwrap_or((usize::MAX, ""));
    if changes <= id.len().max(6) / 2 { vec![nearest] } else { Vec::new() }
}

/// `, did you mean "…"?` for the rule with the nearest id.
pub(crate) fn suggestion(id: &str) -> String {
    nearest(id).first().map(|nearest| format!(", did you mean {nearest:?}?")).unwrap_or_default()
}

/// How many letters must be changed, added or taken away to make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().take(100).enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (at, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{settings::Settings, testing};

    /// The YAML blocks under a heading of the documentation.
    fn examples(docs: &str, heading: &str) -> Vec<String> {
        let lines = docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        let section =
            lines.skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with("## "));
        let text = section.collect::<Vec<_>>().join("\n");
        text.split("```yaml\n")
            .skip(1)
            .filter_map(|block| block.split("\n```").next())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn what_the_documentation_calls_bad_is_flagged() {
        for rule in RULES {
            let bad = examples(rule.meta().docs, "## Bad");
            assert!(!bad.is_empty(), "{} has no YAML under Bad", rule.meta().id);
            for yaml in bad {
                let found = testing::findings(*rule, None, &Settings::default(), &yaml);
                assert!(!found.is_empty(), "{} does not flag its bad example:\n{yaml}", rule.meta().id);
            }
        }
    }

    #[test]
    fn what_the_documentation_calls_good_passes() {
        for rule in RULES {
            let good = examples(rule.meta().docs, "## Good");
            assert!(!good.is_empty(), "{} has no YAML under Good", rule.meta().id);
            for yaml in good {
                testing::accepts(*rule, &yaml);
            }
        }
    }

    #[test]
    fn the_nearest_rule_begins_alike_or_is_spelt_alike() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("hook-data"), ["hook-data-kind-recreated"]);
        assert_eq!(nearest("job-suspendd"), ["job-suspended"]);
        assert_eq!(nearest("zzzzzzzzzzzzzzz"), [""; 0]);
        assert_eq!(nearest("hook-").len(), 3);
    }

    #[test]
    fn ids_are_sorted_and_unique() {
        assert!(RULES.is_sorted_by(|left, right| left.meta().id < right.meta().id));
    }

    #[test]
    fn every_rule_has_a_file_of_its_name() {
        for rule in RULES {
            assert!(find(rule.meta().id).is_some());
            assert!(rule.meta().id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        }
    }
}
