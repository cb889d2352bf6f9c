//! What a cluster of which nothing is known is taken to have.

use std::collections::HashSet;

use hooks::scope;

use crate::{
    Chart, World,
    answer::ObjectId,
    chart::{Definition, Object},
};

/// Namespaces that objects name, what their pods need, and kinds that they are of, unless the chart itself makes them.
pub(super) fn assume(world: &mut World, chart: Option<&Chart>) {
    let Some(chart) = chart else { return };
    let made: HashSet<_> = objects(chart).map(|object| object.id.named()).collect();
    let brought: Vec<_> = objects(chart).filter_map(|object| object.defines.as_ref()).collect();
    for object in objects(chart) {
        let id = &object.id;
        if let Some(namespace) = &id.namespace
            && !made.contains(&("Namespace", None, namespace.as_str()))
        {
            world.assume_namespace(namespace);
        }
        for need in &object.needs {
            let namespace = id.namespace.as_deref().unwrap_or_default();
            if !made.contains(&(need.kind, Some(namespace), need.name.as_str())) {
                world.assume_need(need, namespace);
            }
        }
        let is_brought = || brought.iter().any(|defines| defines.covers(id));
        if !id.api_version.is_empty() && !scope::is_known(&id.api_version, &id.kind) && !is_brought() {
            let (group, version) = id.api_version.rsplit_once('/').unwrap_or(("", &id.api_version));
            world.assume_kind(Definition {
                group: group.to_owned(),
                kind: id.kind.clone(),
                versions: vec![version.to_owned()],
                cluster_scoped: id.namespace.is_none(),
            });
        }
    }
}

impl ObjectId {
    /// Kind, namespace and name, where the kind is one of the core group.
    fn named(&self) -> (&str, Option<&str>, &str) {
        let kind = if self.group().is_empty() { self.kind.as_str() } else { "" };
        (kind, self.namespace.as_deref(), &self.name)
    }
}

fn objects(chart: &Chart) -> impl Iterator<Item = &Object> {
    let hooks = chart.hooks.iter().flat_map(|hook| &hook.objects);
    chart.crds.iter().chain(hooks).chain(&chart.resources).map(AsRef::as_ref)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a Job in `other` waits for after all has been assumed.
    fn assumed(beside: &str) -> World {
        let job = "{apiVersion: batch/v1, kind: Job, metadata: {name: x, namespace: other}, spec: {template: {spec: {restartPolicy: Never, serviceAccountName: robot}}}}";
        let chart = Chart::read(&format!("{job}\n---\n{beside}"), "demo").unwrap();
        let mut world = World::new();
        assume(&mut world, Some(&chart));
        world
    }

    fn has(world: &World, kind: &str) -> bool {
        world.lives().any(|live| live.object.id.kind == kind && live.object.id.name == "robot")
    }

    #[test]
    fn what_pods_need_is_there_unless_the_chart_makes_it() {
        assert!(has(&assumed(""), "ServiceAccount"));
        let made = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot, namespace: other}}";
        assert!(!has(&assumed(made), "ServiceAccount"));
        let elsewhere = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}}";
        assert!(has(&assumed(elsewhere), "ServiceAccount"));
    }

    #[test]
    fn namespaces_are_there_unless_the_chart_makes_them() {
        let has = |world: &World| world.lives().any(|live| live.object.id.name == "other");
        assert!(has(&assumed("")));
        assert!(!has(&assumed("{apiVersion: v1, kind: Namespace, metadata: {name: other}}")));
    }

    #[test]
    fn kinds_are_served_unless_the_chart_brings_them() {
        let widget = "{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}";
        let chart = Chart::read(widget, "demo").unwrap();
        let id = &chart.resources[0].id;
        assert!(assumed(widget).check_kind(id).is_ok());
        let definition = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, spec: {group: example.com, names: {kind: Widget}, versions: [{name: v1, served: true}]}}";
        assert!(assumed(&format!("{widget}\n---\n{definition}")).check_kind(id).is_err());
    }
}
