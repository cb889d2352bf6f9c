//! The policy files as a server has it: read before the first request, and again when they change.

use std::{fs, sync::Arc};

use anyhow::anyhow;
use arc_swap::ArcSwap;
use policies::{PolicySet, documents::Documents};
use tokio::sync::watch;

use super::file_watch::Watch;
use crate::{policy_file, report::Problem};

/// Policies that are exchanged as a whole, what is to be said about them, and what exchanges them; that is `None` without a file.
type Begun = (Arc<ArcSwap<PolicySet>>, Vec<String>, Option<Watch>);

/// Loads the policies, to be watched from then on.
///
/// # Errors
/// When there are no good policies to begin with.
pub(super) fn begin(args: &policy_file::Args) -> Result<Begun, Problem> {
    let seen = seen(args);
    let (policies, notes) = args.load(1)?;
    let policies = Arc::new(ArcSwap::from_pointee(policies));
    let target = Arc::clone(&policies);
    let exchange = move |args: &policy_file::Args| {
        let generation = target.load().generation() + 1;
        let (policies, notes) = args.load(generation)?;
        for note in &notes {
            tracing::warn!("{note}");
        }
        target.store(Arc::new(policies));
        Ok(())
    };
    Ok((policies, notes, watch(args, seen, exchange)))
}

/// The same for the base that other policies are laid over.
///
/// # Errors
/// When there are no good policies to begin with.
pub(super) fn begin_base(
    args: &policy_file::Args,
) -> Result<(watch::Receiver<Arc<Documents>>, Option<Watch>), Problem> {
    let seen = seen(args);
    let (sender, receiver) = watch::channel(Arc::new(args.load_base()?));
    let exchange = move |args: &policy_file::Args| {
        let base = args.load_base()?;
        for note in policy_file::not_counted(&base.unapproved) {
            tracing::warn!("{note}");
        }
        sender.send_replace(Arc::new(base));
        Ok(())
    };
    Ok((receiver, watch(args, seen, exchange)))
}

fn seen(args: &policy_file::Args) -> Vec<Option<Vec<u8>>> {
    args.policy.iter().map(|path| fs::read(path).ok()).collect()
}

fn watch(
    args: &policy_file::Args,
    seen: Vec<Option<Vec<u8>>>,
    mut exchange: impl FnMut(&policy_file::Args) -> Result<(), Problem> + Send + 'static,
) -> Option<Watch> {
    let (paths, args) = (args.policy.clone(), args.clone());
    let exchange = move || exchange(&args).map_err(|problem| anyhow!("{problem}"));
    (!paths.is_empty()).then(|| Watch::new(paths, seen, exchange))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commands::serve::file_watch::Look, policy_file::ProfileName};

    #[test]
    fn the_last_good_policies_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        let good = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: a}\nspec: {profile: audit}\n";
        fs::write(&path, good).unwrap();
        let args = policy_file::Args { policy: vec![path.clone()], profile: Some(ProfileName::Baseline) };
        let (policies, _, watch) = begin(&args).unwrap();
        let mut watch = watch.unwrap();
        assert_eq!(watch.look(), Look::Unchanged);

        fs::write(&path, "kind: Nonsense").unwrap();
        assert!(matches!(watch.look(), Look::Kept(_)));
        assert_eq!((watch.look(), policies.load().generation()), (Look::Unchanged, 1), "said once");

        fs::remove_file(&path).unwrap();
        assert!(matches!(watch.look(), Look::Kept(problem) if problem.contains("no such file")));

        fs::write(&path, good.replace("audit", "strict")).unwrap();
        assert_eq!((watch.look(), policies.load().generation()), (Look::Exchanged, 2));
    }

    #[test]
    fn a_change_of_the_second_file_counts() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["a.yaml", "b.yaml"].map(|name| folder.path().join(name));
        let policy = |name: &str, profile: &str| {
            format!(
                "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {{name: {name}}}\nspec: {{{profile}}}\n"
            )
        };
        fs::write(&first, policy("a", "")).unwrap();
        fs::write(&second, policy("b", "profile: audit")).unwrap();
        let args = policy_file::Args { policy: vec![first, second.clone()], profile: None };
        let (policies, _, watch) = begin(&args).unwrap();
        let mut watch = watch.unwrap();
        assert_eq!(watch.look(), Look::Unchanged);
        fs::write(&second, policy("b", "profile: strict")).unwrap();
        assert_eq!(watch.look(), Look::Exchanged);
        assert_eq!(policies.load().policy(None).profile, policies::Profile::Strict);
    }

    #[test]
    fn a_change_while_the_server_starts_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        let policy = |profile| {
            format!(
                "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {{name: a}}\nspec: {{profile: {profile}}}\n"
            )
        };
        fs::write(&path, policy("audit")).unwrap();
        let args = policy_file::Args { policy: vec![path.clone()], profile: Some(ProfileName::Baseline) };
        let (policies, _, watch) = begin(&args).unwrap();
        // Before the watch looks for the first time, which may be long after.
        fs::write(&path, policy("strict")).unwrap();
        assert_eq!((watch.unwrap().look(), policies.load().generation()), (Look::Exchanged, 2));
    }

    #[test]
    fn a_base_may_select_by_labels_and_is_told_of_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        let policy = |label: &str| {
            format!(
                "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {{name: a}}\nspec: {{namespaceSelector: {{matchLabels: {{team: {label}}}}}}}\n"
            )
        };
        fs::write(&path, policy("one")).unwrap();
        let args = policy_file::Args { policy: vec![path.clone()], profile: None };
        let (mut base, watch) = begin_base(&args).unwrap();
        let mut watch = watch.unwrap();
        fs::write(&path, policy("two")).unwrap();
        assert_eq!((watch.look(), base.has_changed().unwrap()), (Look::Exchanged, true));
        let labels = base.borrow_and_update().policies[0].settings.namespace_selector.clone().unwrap();
        assert_eq!(labels.match_labels["team"], "two");
    }

    #[test]
    fn without_a_file_there_is_nothing_to_watch() {
        let args = policy_file::Args { policy: Vec::new(), profile: Some(ProfileName::Baseline) };
        assert!(begin(&args).unwrap().2.is_none());
    }
}
