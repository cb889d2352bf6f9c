//! A release as rules see it: its hooks, its ordinary resources, and what Helm dropped on the way.

use hooks::{Event, Hook, Node, Object, manifest};

use crate::{context::Moment, finding::Place};

/// All objects of one release.
#[derive(Debug, Default)]
pub struct Release<'a> {
    /// Its name, if known.
    pub name: Option<&'a str>,
    /// Its namespace, if known.
    pub namespace: Option<&'a str>,
    /// What Helm is doing with it, if known.
    pub moment: Moment,
    /// Its objects: one per document, or one per item of a `List`.
    pub items: Vec<Item<'a>>,
    /// Hooks that Helm dropped before anybody saw them.
    pub dropped: Vec<Dropped>,
}

/// One object of a release.
#[derive(Debug)]
pub struct Item<'a> {
    /// The object.
    pub object: Object<'a>,
    /// The hook it belongs to; `None` for an ordinary resource. Items of a hook `List` share the hook of the `List`.
    pub hook: Option<Hook<'a>>,
    /// Which document it comes from, as counted by whoever built the release.
    pub document: usize,
    /// JSON pointer from the document to the object: `""`, or `/items/2` in a `List`.
    pub pointer: String,
    /// Path of its template, `""` when unknown; Helm sorts by it before anything else.
    pub path: &'a str,
}

/// A hook that Helm dropped because it does not know one of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The list of events, as written.
    pub events: String,
    /// Its template, if known.
    pub place: Option<Place>,
    /// Whether Helm itself said so while it rendered; otherwise only an unrendered template says it.
    pub is_certain: bool,
}

impl Item<'_> {
    /// JSON pointer from the document to `field` of this object. An item of a hook `List` has the annotations of the `List`.
    #[must_use]
    pub fn field(&self, field: &str) -> String {
        if self.is_of_list(field) { field.to_owned() } else { format!("{}{field}", self.pointer) }
    }

    /// Whether `field` is one of the annotations that make a hook, which an item of a hook `List` has from the `List`.
    #[must_use]
    pub fn is_of_list(&self, field: &str) -> bool {
        self.hook.is_some() && field.starts_with("/metadata/annotations/")
    }
}

impl<'a> Release<'a> {
    /// Adds one document: an object, or a list whose items count one by one.
    ///
    /// Source: Helm 4.2.4 `pkg/kube/client.go`: a `List` is one manifest to the sorter, and is flattened when it is built.
    pub fn add(&mut self, document: usize, path: &'a str, root: &'a Node<'a>) {
        let hook = Object::new(root).hook();
        let objects = manifest::objects(root);
        self.items.extend(objects.map(|(pointer, object)| Item {
            object: Object::new(object),
            hook: hook.clone(),
            document,
            pointer,
            path,
        }));
    }

    /// The hooks that Helm runs, with their place in [`Release::items`].
    pub fn hooks(&self) -> impl Iterator<Item = (usize, &Item<'a>, &Hook<'a>)> {
        self.items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| item.hook.as_ref().map(|hook| (index, item, hook)))
            .filter(|(.., hook)| !hook.events.is_dropped())
    }

    /// The ordinary resources, with their place in [`Release::items`].
    pub fn resources(&self) -> impl Iterator<Item = (usize, &Item<'a>)> {
        self.items.iter().enumerate().filter(|(_, item)| item.hook.is_none())
    }

    /// The hooks of one event in the order in which Helm runs them: kind, path and document decide only what weight and name leave open.
    #[must_use]
    pub fn execution(&self, event: Event) -> Vec<usize> {
        let mut order: Vec<_> = self.hooks().filter(|(.., hook)| hook.events.contains(event)).collect();
        hooks::order::execution(
            &mut order,
            |(_, item, _)| (item.path, item.document),
            |(_, item, _)| item.object.kind(),
            |(_, item, hook)| (hook.weight.effective, item.object.name().unwrap_or("")),
        );
        order.into_iter().map(|(index, ..)| index).collect()
    }
}
