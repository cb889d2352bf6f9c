//! A Pod where a Job would survive the loss of its node.

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// A Pod is a hook of anything but `test`.
    ///
    /// ## Why it matters
    ///
    /// Nobody makes a Pod anew. When its node is drained or lost, or when it fails once, the hook has failed and the release with it. A Job
    /// tries again, has a deadline, and removes itself.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: shop-test, annotations: {helm.sh/hook: test}}
    /// ```
    HookBarePod, "hook-bare-pod", severity: Low, release: Warn, object: Warn, off_for_tests: true
}

impl Rule for HookBarePod {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        if !cx.object.is_pod() {
            return;
        }
        let message = format!("{} is not tried again when it fails or its node is lost", cx.object);
        findings.push(Finding::new("/kind", message, "make it a Job").label("nobody makes a Pod anew"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rejects;

    #[test]
    fn a_test_that_is_more_than_a_test_counts() {
        rejects(
            &HookBarePod,
            "{apiVersion: v1, kind: Pod, metadata: {name: a, annotations: {helm.sh/hook: 'test,post-install'}}}",
            "is not tried again",
        );
    }
}
