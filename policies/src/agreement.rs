//! Settings of different rules that contradict each other: what one writes, another must not find fault with.

use crate::{
    policy::{Active, Error, Policy},
    rule::Meta,
    rules::{
        job_backoff_limit_high::{self, JobBackoffLimitHigh},
        job_backoff_limit_unset::{self, JobBackoffLimitUnset},
        job_ttl_missing::{self, JobTtlMissing},
        job_ttl_too_low::{self, JobTtlTooLow},
    },
};

/// Compares what the rules of `policy` would write with what the others ask for.
pub(crate) fn verify(policy: &Policy) -> Result<(), Error> {
    let ttl = pair(policy, &JobTtlMissing::META, &JobTtlTooLow::META).and_then(|(writer, judge)| {
        let value = options::<job_ttl_missing::Options>(writer)?.seconds(&policy.engine);
        let least = i64::from(options::<job_ttl_too_low::Options>(judge)?.min);
        (value < least).then(|| Error::Disagreement {
            writer: JobTtlMissing::META.id,
            value: format!("ttlSecondsAfterFinished to {value}"),
            judge: JobTtlTooLow::META.id,
            bound: format!("at least {least}"),
        })
    });
    let limit =
        pair(policy, &JobBackoffLimitUnset::META, &JobBackoffLimitHigh::META).and_then(|(writer, judge)| {
            let value = options::<job_backoff_limit_unset::Options>(writer)?.default;
            let most = options::<job_backoff_limit_high::Options>(judge)?.max;
            (value > most).then(|| Error::Disagreement {
                writer: JobBackoffLimitUnset::META.id,
                value: format!("backoffLimit to {value}"),
                judge: JobBackoffLimitHigh::META.id,
                bound: format!("at most {most}"),
            })
        });
    ttl.or(limit).map_or(Ok(()), Err)
}

/// Two rules, when both are on and the first one writes.
fn pair<'p>(policy: &'p Policy, writer: &Meta, judge: &Meta) -> Option<(&'p Active, &'p Active)> {
    let find = |meta: &Meta| policy.rules.iter().find(|active| active.meta().id == meta.id && active.is_on());
    Some((find(writer).filter(|active| active.fix)?, find(judge)?))
}

fn options<T: 'static>(active: &Active) -> Option<&T> {
    active.options.downcast_ref()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::mode::Profile;

    fn problem(settings: Value) -> Option<String> {
        let settings = serde_json::from_value(settings).unwrap();
        let resolved = Policy::resolve([&settings], Profile::Baseline, std::sync::Arc::default());
        resolved.err().map(|error| error.to_string())
    }

    #[test]
    fn a_lifetime_was_injected_that_is_too_low_by_another_rule() {
        let too_low = |min: u32| json!({"options": {"min": min}});
        let sentence = "rule job-ttl-missing would set ttlSecondsAfterFinished to 300, and rule job-ttl-too-low wants at least 301: change one of the two";
        assert_eq!(problem(json!({"rules": {"job-ttl-too-low": too_low(301)}})).as_deref(), Some(sentence));
        assert_eq!(problem(json!({"rules": {"job-ttl-too-low": too_low(300)}})), None);
        let longer = json!({"engine": {"timeoutSeconds": 600}, "rules": {"job-ttl-too-low": too_low(600)}});
        assert_eq!(problem(longer), None);
        let written = json!({"options": {"default": 120}});
        let both = json!({"rules": {"job-ttl-too-low": too_low(200), "job-ttl-missing": written}});
        assert!(problem(both).is_some());
    }

    #[test]
    fn a_limit_was_injected_that_is_too_high_by_another_rule() {
        let rules = |default: u32, max: u32| {
            json!({"rules": {
                "job-backoff-limit-unset": {"options": {"default": default}},
                "job-backoff-limit-high": {"options": {"max": max}},
            }})
        };
        let sentence = "rule job-backoff-limit-unset would set backoffLimit to 5, and rule job-backoff-limit-high wants at most 4: change one of the two";
        assert_eq!(problem(rules(5, 4)).as_deref(), Some(sentence));
        assert_eq!(problem(rules(5, 5)), None);
    }

    #[test]
    fn what_is_not_written_or_not_judged_contradicts_nothing() {
        let low = json!({"options": {"min": 900}});
        for missing in [json!({"fix": false}), json!({"mode": "off"})] {
            assert_eq!(problem(json!({"rules": {"job-ttl-too-low": low, "job-ttl-missing": missing}})), None);
        }
        let off = json!({"mode": "off", "options": {"min": 900}});
        assert_eq!(problem(json!({"rules": {"job-ttl-too-low": off}})), None);
        assert_eq!(problem(json!({"profile": "audit", "rules": {"job-ttl-too-low": low}})), None);
    }
}
