//! The policy file as a server has it: read before the first request, and again when it changes.

use std::{fs, sync::Arc};

use anyhow::anyhow;
use arc_swap::ArcSwap;
use policies::{PolicySet, documents::Documents};
use tokio::sync::watch;

use super::file_watch::Watch;
use crate::{policy_file, report::Problem};

/// Loads the policies, to be watched from then on; `None` for the watch without a file.
///
/// # Errors
/// When there are no good policies to begin with.
pub(super) fn begin(args: &policy_file::Args) -> Result<(Arc<ArcSwap<PolicySet>>, Option<Watch>), Problem> {
    let seen = seen(args);
    let policies = Arc::new(ArcSwap::from_pointee(args.load(1)?));
    let target = Arc::clone(&policies);
    let exchange = move |args: &policy_file::Args| {
        let generation = target.load().generation() + 1;
        target.store(Arc::new(args.load(generation)?));
        Ok(())
    };
    Ok((policies, watch(args, seen, exchange)))
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
        sender.send_replace(Arc::new(args.load_base()?));
        Ok(())
    };
    Ok((receiver, watch(args, seen, exchange)))
}

fn seen(args: &policy_file::Args) -> Option<Vec<u8>> {
    args.policy.as_ref().and_then(|path| fs::read(path).ok())
}

fn watch(
    args: &policy_file::Args,
    seen: Option<Vec<u8>>,
    mut exchange: impl FnMut(&policy_file::Args) -> Result<(), Problem> + Send + 'static,
) -> Option<Watch> {
    let (path, args) = (args.policy.clone()?, args.clone());
    Some(Watch::new(path, seen, move || exchange(&args).map_err(|problem| anyhow!("{problem}"))))
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
        let args = policy_file::Args { policy: Some(path.clone()), profile: Some(ProfileName::Baseline) };
        let (policies, watch) = begin(&args).unwrap();
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
    fn a_change_while_the_server_starts_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        let policy = |profile| {
            format!(
                "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {{name: a}}\nspec: {{profile: {profile}}}\n"
            )
        };
        fs::write(&path, policy("audit")).unwrap();
        let args = policy_file::Args { policy: Some(path.clone()), profile: Some(ProfileName::Baseline) };
        let (policies, watch) = begin(&args).unwrap();
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
        let args = policy_file::Args { policy: Some(path.clone()), profile: None };
        let (mut base, watch) = begin_base(&args).unwrap();
        let mut watch = watch.unwrap();
        fs::write(&path, policy("two")).unwrap();
        assert_eq!((watch.look(), base.has_changed().unwrap()), (Look::Exchanged, true));
        let labels = base.borrow_and_update().policies[0].settings.namespace_selector.clone().unwrap();
        assert_eq!(labels.match_labels["team"], "two");
    }

    #[test]
    fn without_a_file_there_is_nothing_to_watch() {
        let args = policy_file::Args { policy: None, profile: Some(ProfileName::Baseline) };
        assert!(begin(&args).unwrap().1.is_none());
    }
}
