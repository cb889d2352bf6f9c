//! Reads the policy file again when it changes; the last good policies stay in force.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use cluster::Base;
use policies::{PolicySet, documents::Documents};
use tokio::sync::watch;

use crate::{policy_file, report::Problem};

/// How often the file is looked at. A mounted ConfigMap changes by a renamed link, which watches of files miss.
const INTERVAL: Duration = Duration::from_secs(2);

/// What one look at the file led to.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Unchanged,
    Exchanged,
    Kept(String),
}

/// The file, as it was seen last, and what puts it in force.
pub(super) struct Watch {
    path: PathBuf,
    seen: Option<Vec<u8>>,
    exchange: Box<dyn FnMut() -> Result<(), Problem> + Send>,
}

/// Looks at the file until the runtime ends.
pub(super) async fn run(mut watch: Watch) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let looked = tokio::task::spawn_blocking(move || {
            let look = watch.look();
            (watch, look)
        });
        let Ok((back, look)) = looked.await else { return };
        watch = back;
        match look {
            Look::Unchanged => {}
            Look::Exchanged => tracing::info!("the policy file has changed"),
            Look::Kept(problem) => tracing::warn!(problem, "the policies stay as they were"),
        }
    }
}

impl Watch {
    /// Loads the policies, to be watched from then on; `None` for the watch without a file.
    ///
    /// The file is looked at first: what changes after that look differs from it, and is found by the next one.
    ///
    /// # Errors
    /// When there are no good policies to begin with.
    pub(super) fn begin(
        args: &policy_file::Args,
    ) -> Result<(Arc<ArcSwap<PolicySet>>, Option<Self>), Problem> {
        let seen = args.policy.as_ref().and_then(|path| fs::read(path).ok());
        let policies = Arc::new(ArcSwap::from_pointee(args.load(1)?));
        let (target, source) = (Arc::clone(&policies), args.clone());
        let exchange = move || {
            let generation = target.load().generation() + 1;
            target.store(Arc::new(source.load(generation)?));
            Ok(())
        };
        Ok((policies, Self::of(args, seen, exchange)))
    }

    /// The same for the base that other policies are laid over.
    ///
    /// # Errors
    /// When there are no good policies to begin with.
    pub(super) fn begin_base(
        args: &policy_file::Args,
    ) -> Result<(watch::Receiver<Arc<Base>>, Option<Self>), Problem> {
        let seen = args.policy.as_ref().and_then(|path| fs::read(path).ok());
        let base = |args: &policy_file::Args| {
            let Documents { policies, exceptions } = args.load_base()?;
            Ok(Arc::new(Base { policies, exceptions }))
        };
        let (sender, receiver) = watch::channel(base(args)?);
        let source = args.clone();
        let exchange = move || {
            sender.send_replace(base(&source)?);
            Ok(())
        };
        Ok((receiver, Self::of(args, seen, exchange)))
    }

    fn of(
        args: &policy_file::Args,
        seen: Option<Vec<u8>>,
        exchange: impl FnMut() -> Result<(), Problem> + Send + 'static,
    ) -> Option<Self> {
        let path = args.policy.clone()?;
        Some(Self { path, seen, exchange: Box::new(exchange) })
    }

    fn look(&mut self) -> Look {
        let found = fs::read(&self.path).ok();
        if found == self.seen {
            return Look::Unchanged;
        }
        self.seen = found;
        match (self.exchange)() {
            Ok(()) => Look::Exchanged,
            Err(problem) => Look::Kept(problem.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy_file::ProfileName;

    #[test]
    fn the_last_good_policies_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        let good = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: a}\nspec: {profile: audit}\n";
        fs::write(&path, good).unwrap();
        let args = policy_file::Args { policy: Some(path.clone()), profile: Some(ProfileName::Baseline) };
        let (policies, watch) = Watch::begin(&args).unwrap();
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
        let (policies, watch) = Watch::begin(&args).unwrap();
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
        let (mut base, watch) = Watch::begin_base(&args).unwrap();
        let mut watch = watch.unwrap();
        fs::write(&path, policy("two")).unwrap();
        assert_eq!((watch.look(), base.has_changed().unwrap()), (Look::Exchanged, true));
        let labels = base.borrow_and_update().policies[0].settings.namespace_selector.clone().unwrap();
        assert_eq!(labels.match_labels["team"], "two");
    }

    #[test]
    fn without_a_file_there_is_nothing_to_watch() {
        let args = policy_file::Args { policy: None, profile: Some(ProfileName::Baseline) };
        assert!(Watch::begin(&args).unwrap().1.is_none());
    }
}
