//! What a rollout made that does not go with its namespace, and how it is taken away.

use std::collections::BTreeMap;

use hooks::annotations;
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, ListParams, Preconditions},
};

use super::{
    Order,
    place::Place,
    sight::{Change, Sight, What},
};

/// An object that came into being while we looked, and where it can be asked for.
#[derive(Debug)]
pub(super) struct Ours {
    api: Api<DynamicObject>,
    pub(super) sight: Sight,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is gone, or somebody else's.
    Gone,
    /// Helm leaves it to those who use it by now.
    Stays(String),
    /// It could not be deleted.
    Left(String),
}

impl Place {
    /// All of them that are there.
    pub(super) fn ours(&self) -> Vec<Ours> {
        let seen = self.journal.read();
        let mut ours: BTreeMap<String, Sight> = BTreeMap::new();
        for seen in &seen {
            let What::Object(sight) = &seen.what else { continue };
            if sight.change == Change::Deleted {
                ours.remove(&sight.uid);
            } else if sight.change == Change::Added || ours.contains_key(&sight.uid) {
                ours.insert(sight.uid.clone(), sight.clone());
            }
        }
        let api = |sight: &Sight| {
            let watch = self.watches.objects.iter().find(|watch| watch.known().contains_key(&sight.uid))?;
            Some(watch.api().clone())
        };
        ours.into_values().filter_map(|sight| Some(Ours { api: api(&sight)?, sight })).collect()
    }
}

impl Ours {
    /// Takes it away, when this release made it.
    pub(super) async fn remove(&self, order: &Order<'_>) -> Outcome {
        let Self { api, sight } = self;
        let left = || Outcome::Left(format!("{} could not be deleted", sight.id));
        let Ok(all) = api.list(&ListParams::default()).await else { return left() };
        let mut all = all.items.into_iter();
        let Some(found) = all.find(|object| object.metadata.uid.as_ref() == Some(&sight.uid)) else {
            return Outcome::Gone;
        };
        let says = |name: &str| Some(found.metadata.annotations.as_ref()?.get(name)?.as_str());
        let is_of_release = annotations::RELEASE.map(says) == [Some(order.release), Some(order.namespace)];
        if !sight.is_hook && !is_of_release {
            // Of a folder for definitions; others may have made objects of the kind since.
            let is_definition = sight.id.kind == "CustomResourceDefinition" && sight.applied.is_some();
            let words = || format!("{} stays, as Helm leaves it to whoever uses it by now", sight.id);
            return if is_definition { Outcome::Stays(words()) } else { Outcome::Gone };
        }
        let only = Preconditions { uid: Some(sight.uid.clone()), resource_version: None };
        let params = DeleteParams { preconditions: Some(only), ..DeleteParams::background() };
        match api.delete(&found.metadata.name.unwrap_or_default(), &params).await {
            Ok(_) => Outcome::Gone,
            Err(kube::Error::Api(status)) if status.is_not_found() => Outcome::Gone,
            Err(_) => left(),
        }
    }
}
