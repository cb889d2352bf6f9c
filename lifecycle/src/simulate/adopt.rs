//! Before anything is stored, Helm asks for each new resource: it takes over what is its own, and ends where it cannot ask.

use std::sync::Arc;

use hooks::annotations::PREFIX;

use super::{
    Play,
    errors::{Failure, NO_NAME},
};
use crate::{answer::ObjectId, chart::Object, profile::Engine};

impl Play<'_> {
    /// Those of the objects that are there already, and are the release's own.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/validate.go`, `existingResourceConflict`.
    ///
    /// # Errors
    /// When one of them belongs to nobody, as the objects of hooks do, or has no name to ask for.
    pub(super) fn adopted(&self, objects: &[Arc<Object>]) -> Result<Vec<Arc<Object>>, Failure> {
        let mut adopted = Vec::new();
        for object in objects {
            if !self.is_asked_for(object)? {
                continue;
            }
            let Some(live) = self.world.live(&object.id) else { continue };
            if live.origin != self.owned() {
                return Err(self.not_owned(&object.id, live.object.is_labelled));
            }
            adopted.push(Arc::clone(object));
        }
        Ok(adopted)
    }

    /// Helm 4 asks for nothing whose name the API server makes up; Helm 3 does, and cannot.
    ///
    /// Source: Helm 4.2.4 `pkg/action/validate.go`, `validateNameAndGenerateName`.
    fn is_asked_for(&self, object: &Object) -> Result<bool, Failure> {
        if self.profile.engine != Engine::Helm3 && object.names_twice {
            return Err(Failure("metadata.name and metadata.generateName cannot both be set".to_owned()));
        }
        if self.profile.engine != Engine::Helm3 && object.generates_name {
            return Ok(false);
        }
        if object.is_named() {
            return Ok(true);
        }
        let ObjectId { kind, namespace, .. } = &object.id;
        let namespace = namespace.as_deref().unwrap_or_default();
        Err(Failure(format!(
            "could not get information about the resource {kind} \"\" in namespace \"{namespace}\": {NO_NAME}"
        )))
    }

    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/validate.go`, `checkOwnership`.
    fn not_owned(&self, id: &ObjectId, is_labelled: bool) -> Failure {
        let ObjectId { kind, name, .. } = id;
        let namespace = id.namespace.as_deref().unwrap_or_default();
        let label =
            "; label validation error: missing key \"app.kubernetes.io/managed-by\": must be set to \"Helm\"";
        let label = if is_labelled { "" } else { label };
        let annotations = [("name", self.release.as_ref()), ("namespace", self.namespace)].map(|(what, value)| {
            format!("; annotation validation error: missing key \"meta.{PREFIX}release-{what}\": must be set to \"{value}\"")
        });
        Failure(format!(
            "{kind} \"{name}\" in namespace \"{namespace}\" exists and cannot be imported into the current release: invalid \
             ownership metadata{label}{}",
            annotations.concat()
        ))
    }
}

/// By what Helm knows an object, which is before names are made up.
///
/// Source: Helm 3.21.4 and 4.2.4 `pkg/action/upgrade.go`, `objectKey`.
pub(super) fn key(object: &Object) -> (&str, &str, Option<&str>, &str) {
    let ObjectId { api_version, kind, namespace, name } = &object.id;
    (api_version, kind, namespace.as_deref(), if object.is_named() { name } else { "" })
}
