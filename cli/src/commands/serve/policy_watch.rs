//! Reads the policy file again when it changes; the last good policies stay in force.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use policies::PolicySet;

use crate::{policy_file, report::Problem};

/// How often the file is looked at. A mounted ConfigMap changes by a renamed link, which watches of files miss.
const INTERVAL: Duration = Duration::from_secs(2);

/// What one look at the file led to.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Unchanged,
    Exchanged(u64),
    Kept(String),
}

/// The file, as it was seen last.
pub(super) struct Watch {
    path: PathBuf,
    args: policy_file::Args,
    policies: Arc<ArcSwap<PolicySet>>,
    seen: Option<Vec<u8>>,
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
            Look::Exchanged(generation) => tracing::info!(generation, "the policies have changed"),
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
        let watch = |path| Self { path, args: args.clone(), policies: Arc::clone(&policies), seen };
        let watch = args.policy.clone().map(watch);
        Ok((policies, watch))
    }

    fn look(&mut self) -> Look {
        let found = fs::read(&self.path).ok();
        if found == self.seen {
            return Look::Unchanged;
        }
        self.seen = found;
        let generation = self.policies.load().generation() + 1;
        match self.args.load(generation) {
            Ok(policies) => {
                self.policies.store(Arc::new(policies));
                Look::Exchanged(generation)
            }
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
        assert_eq!((watch.look(), policies.load().generation()), (Look::Exchanged(2), 2));
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
        assert_eq!((watch.unwrap().look(), policies.load().generation()), (Look::Exchanged(2), 2));
    }

    #[test]
    fn without_a_file_there_is_nothing_to_watch() {
        let args = policy_file::Args { policy: None, profile: Some(ProfileName::Baseline) };
        assert!(Watch::begin(&args).unwrap().1.is_none());
    }
}
