//! What says of a namespace that a rollout made it, and whether that rollout is still alive.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::{api::core::v1::Namespace, jiff::Timestamp};
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::json;
use tokio::task::JoinHandle;

use super::{Cluster, Order};

/// Marks a namespace that a rollout made; its value is the release.
const LABEL: &str = "hookward.dev/rollout";
/// When the rollout was last there, while it is played; nothing before it could say so the first time.
const ALIVE: &str = "hookward.dev/rollout-alive";
/// Says that it is left behind on purpose.
const KEPT: &str = "hookward.dev/rollout-kept";
/// What the charts may make that does not go with the namespace.
const OUTSIDE: &str = "hookward.dev/rollout-outside";

/// How often it is said.
const BEAT: Duration = Duration::from_secs(10);
/// Who was silent for so long is no more.
const SILENT: Duration = Duration::from_secs(60);
/// Who may make a namespace and not change it cannot say anything; no rollout that is played takes longer.
const MUTE: Duration = Duration::from_secs(25 * 3600);
/// So much of what is outside is named.
const NAMED: usize = 20;

/// A namespace that a rollout left behind: it has ended, and did not clean up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remains {
    /// The namespace.
    pub namespace: String,
    /// The release in it.
    pub release: String,
    /// Since when nothing was heard of that rollout.
    silent: Duration,
    /// What its charts may have made outside of the namespace.
    pub outside: String,
}

impl Remains {
    /// For how long nothing was heard of that rollout, as in `3 h`.
    #[must_use]
    pub fn silent(&self) -> String {
        match self.silent.as_secs() / 60 {
            minutes @ ..120 => format!("{minutes} min"),
            minutes @ ..2880 => format!("{} h", minutes / 60),
            minutes => format!("{} d", minutes / (24 * 60)),
        }
    }
}

/// What a namespace says of the rollout that made it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// None did.
    Somebody,
    /// It is being played; it was heard of so long ago.
    Alive(Duration),
    /// It was to be kept.
    Kept(Remains),
    /// It is over.
    Gone(Remains),
}

/// The namespace of a rollout, before it is made.
pub(super) fn namespace(order: &Order<'_>) -> Namespace {
    let is_outside = |namespace: &Option<String>| namespace.as_deref() != Some(order.namespace);
    let outside = order.objects.iter().filter(|id| is_outside(&id.namespace)).take(NAMED);
    let outside: Vec<_> = outside.map(ToString::to_string).collect();
    let mut namespace = Namespace::default();
    let mut annotations = BTreeMap::from([(ALIVE.to_owned(), String::new())]);
    if !outside.is_empty() {
        annotations.insert(OUTSIDE.to_owned(), outside.join(", "));
    }
    if order.keep {
        annotations.insert(KEPT.to_owned(), "true".to_owned());
    }
    namespace.metadata.name = Some(order.namespace.to_owned());
    namespace.metadata.labels = Some(BTreeMap::from([(LABEL.to_owned(), order.release.to_owned())]));
    namespace.metadata.annotations = Some(annotations);
    namespace
}

/// Says that a rollout is alive, until dropped.
#[derive(Debug)]
pub(super) struct Heartbeat(JoinHandle<()>);

impl Heartbeat {
    /// Begins to beat in the namespace that was made with this uid.
    pub(super) fn start(api: Api<Namespace>, name: String, uid: String) -> Self {
        Self(tokio::spawn(async move {
            loop {
                let alive = json!({ ALIVE: Timestamp::now().to_string() });
                // Another namespace of this name has another uid, and the change is refused.
                let patch = json!({"metadata": {"uid": uid, "annotations": alive}});
                let _ = api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await;
                tokio::time::sleep(BEAT).await;
            }
        }))
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Maker {
    /// What is known of it at this time.
    pub(super) fn of(namespace: &Namespace, now: Timestamp) -> Self {
        let (labels, annotations) = (namespace.labels(), namespace.annotations());
        let (Some(release), Some(alive)) = (labels.get(LABEL), annotations.get(ALIVE)) else {
            return Self::Somebody;
        };
        let made = namespace.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0);
        // What cannot be read says that there is somebody.
        let (last, limit) =
            if alive.is_empty() { (made, MUTE) } else { (alive.parse().unwrap_or(now), SILENT) };
        let silent = Duration::try_from(now.duration_since(last)).unwrap_or_default();
        let remains = Remains {
            namespace: namespace.name_any(),
            release: release.clone(),
            silent,
            outside: annotations.get(OUTSIDE).cloned().unwrap_or_default(),
        };
        match () {
            () if annotations.contains_key(KEPT) => Self::Kept(remains),
            () if silent < limit => Self::Alive(silent),
            () => Self::Gone(remains),
        }
    }
}

impl Cluster {
    /// The namespaces of rollouts that ended without cleaning up, by name; none where they may not be listed.
    pub async fn remains(&self) -> Vec<Remains> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let Ok(found) = api.list(&ListParams::default().labels(LABEL)).await else { return Vec::new() };
        let (now, stays) = (Timestamp::now(), |one: &&Namespace| one.metadata.deletion_timestamp.is_none());
        let makers = found.items.iter().filter(stays).map(|namespace| Maker::of(namespace, now));
        makers
            .filter_map(|maker| if let Maker::Gone(remains) = maker { Some(remains) } else { None })
            .collect()
    }

    /// The commands that remove them.
    #[must_use]
    pub fn removal(&self, remains: &Remains) -> String {
        let namespace = &remains.namespace;
        let delete = format!("kubectl{} delete namespace {namespace}", self.target.flags("--context"));
        if remains.outside.is_empty() {
            return delete;
        }
        let flags = self.target.flags("--kube-context");
        let release = &remains.release;
        format!("helm{flags} uninstall {release} --namespace {namespace} --no-hooks; {delete}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maker(annotations: &[(&str, &str)], now: &str) -> Maker {
        let mut namespace = Namespace::default();
        namespace.metadata.labels = Some(BTreeMap::from([(LABEL.to_owned(), "shop".to_owned())]));
        let annotations = annotations.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        namespace.metadata.annotations = Some(annotations.collect());
        let made = "2026-01-01T10:00:00Z".parse().unwrap();
        namespace.metadata.creation_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(made));
        Maker::of(&namespace, now.parse().unwrap())
    }

    #[test]
    fn a_rollout_that_was_just_heard_of_is_alive_and_later_gone() {
        let at = |now| maker(&[(ALIVE, "2026-01-01T12:00:00Z")], now);
        assert_eq!(at("2026-01-01T12:00:20Z"), Maker::Alive(Duration::from_secs(20)));
        assert!(matches!(at("2026-01-01T12:01:00Z"), Maker::Gone(_)));
    }

    #[test]
    fn its_silence_is_told_as_kubectl_tells_an_age() {
        let after = |minutes: u64| {
            Remains { silent: Duration::from_secs(60 * minutes), ..Remains::default() }.silent()
        };
        assert_eq!([5, 119, 120, 2879, 2880].map(after), ["5 min", "119 min", "2 h", "47 h", "2 d"]);
    }

    #[test]
    fn another_clock_that_goes_fast_makes_nobody_dead() {
        assert_eq!(
            maker(&[(ALIVE, "2026-01-01T12:00:00Z")], "2026-01-01T11:00:00Z"),
            Maker::Alive(Duration::ZERO)
        );
    }

    #[test]
    fn who_never_could_say_anything_has_a_day() {
        assert!(matches!(maker(&[(ALIVE, "")], "2026-01-02T10:59:00Z"), Maker::Alive(_)));
        assert!(matches!(maker(&[(ALIVE, "")], "2026-01-02T11:01:00Z"), Maker::Gone(_)));
        assert!(matches!(maker(&[(ALIVE, "soon")], "2027-01-02T11:01:00Z"), Maker::Alive(_)));
    }

    #[test]
    fn what_is_kept_or_has_only_our_label_is_not_left_behind() {
        let kept = maker(&[(ALIVE, "2026-01-01T12:00:00Z"), (KEPT, "true")], "2027-01-01T12:00:00Z");
        assert!(matches!(kept, Maker::Kept(_)));
        assert_eq!(maker(&[], "2027-01-01T12:00:00Z"), Maker::Somebody);
    }
}
