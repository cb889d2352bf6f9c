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
    hook_stale_rerun::HookStaleRerun,
    job_suspended::JobSuspended,
}

/// The rule called `id`.
#[must_use]
pub fn find(id: &str) -> Option<&'static dyn Rule> {
    RULES.binary_search_by(|rule| rule.meta().id.cmp(id)).ok().map(|index| RULES[index])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{settings::Settings, testing};

    /// The YAML blocks under a heading of the documentation.
    fn examples(docs: &str, heading: &str) -> Vec<String> {
        let lines = docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        let section = lines.skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with("## "));
        let text = section.collect::<Vec<_>>().join("\n");
        text.split("```yaml\n").skip(1).filter_map(|block| block.split("\n```").next()).map(str::to_owned).collect()
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
