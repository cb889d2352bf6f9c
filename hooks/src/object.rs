//! A Kubernetes object as rules see it: a view of a [`Node`] with the field's own words.

use std::fmt;

use crate::{annotations::Hook, node::Node};

/// A view of one object; cheap to copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object<'a> {
    root: &'a Node<'a>,
}

/// The pods that an object makes, and where they are described.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pods<'a> {
    /// JSON pointer to the pod spec: `/spec` of a Pod, `/spec/template/spec` of a Job.
    pub pointer: &'static str,
    /// JSON pointer to the metadata that pods get.
    pub metadata_pointer: &'static str,
    /// The pod spec.
    pub spec: &'a Node<'a>,
    /// The metadata that pods get, if any is written.
    pub metadata: Option<&'a Node<'a>>,
}

/// One container of a pod.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Container<'a> {
    /// `containers`, `initContainers` or `ephemeralContainers`.
    pub list: &'static str,
    /// Its place in that list.
    pub index: usize,
    /// What is written there.
    pub node: &'a Node<'a>,
}

impl<'a> Object<'a> {
    /// A view of `root`, which may be anything; what it lacks is absent.
    #[must_use]
    pub const fn new(root: &'a Node<'a>) -> Self {
        Self { root }
    }

    /// The whole object.
    #[must_use]
    pub const fn root(&self) -> &'a Node<'a> {
        self.root
    }

    /// `apiVersion`, `""` when absent.
    #[must_use]
    pub fn api_version(&self) -> &'a str {
        self.root.str_at("apiVersion").unwrap_or("")
    }

    /// The group of `apiVersion`, `""` for the core group.
    #[must_use]
    pub fn group(&self) -> &'a str {
        self.api_version().rsplit_once('/').map_or("", |(group, _)| group)
    }

    /// `kind`, `""` when absent.
    #[must_use]
    pub fn kind(&self) -> &'a str {
        self.root.str_at("kind").unwrap_or("")
    }

    /// Whether this is the kind of that group; `is("batch", "Job")`.
    #[must_use]
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind() == kind && self.group() == group
    }

    /// Whether this is a `batch` Job.
    #[must_use]
    pub fn is_job(&self) -> bool {
        self.is("batch", "Job")
    }

    /// Whether this is a Pod.
    #[must_use]
    pub fn is_pod(&self) -> bool {
        self.is("", "Pod")
    }

    /// `metadata`.
    #[must_use]
    pub fn metadata(&self) -> Option<&'a Node<'a>> {
        self.root.get("metadata")
    }

    /// `spec`.
    #[must_use]
    pub fn spec(&self) -> Option<&'a Node<'a>> {
        self.root.get("spec")
    }

    /// `metadata.name`, if it is text that is not empty.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        self.metadata()?.str_at("name").filter(|name| !name.is_empty())
    }

    /// `metadata.generateName`, if it is text that is not empty.
    #[must_use]
    pub fn generate_name(&self) -> Option<&'a str> {
        self.metadata()?.str_at("generateName").filter(|name| !name.is_empty())
    }

    /// `metadata.namespace` as written.
    #[must_use]
    pub fn namespace(&self) -> Option<&'a str> {
        self.metadata()?.str_at("namespace").filter(|name| !name.is_empty())
    }

    /// `metadata.annotations`.
    #[must_use]
    pub fn annotations(&self) -> Option<&'a Node<'a>> {
        self.metadata()?.get("annotations")
    }

    /// The text of one annotation.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&'a str> {
        self.annotations()?.str_at(name)
    }

    /// The text of one label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&'a str> {
        self.metadata()?.get("labels")?.str_at(name)
    }

    /// Whether somebody has asked for its deletion.
    #[must_use]
    pub fn is_being_deleted(&self) -> bool {
        self.metadata().is_some_and(|metadata| metadata.get("deletionTimestamp").is_some())
    }

    /// Whether another object owns it, such as a `CronJob` its Jobs.
    #[must_use]
    pub fn is_owned(&self) -> bool {
        self.metadata()
            .is_some_and(|metadata| !metadata.get("ownerReferences").map_or(&[][..], Node::items).is_empty())
    }

    /// The hook that its annotations describe.
    #[must_use]
    pub fn hook(&self) -> Option<Hook<'a>> {
        Hook::parse(self.annotations())
    }

    /// The pods it makes, if it is a Pod or a built-in kind with a pod template.
    #[must_use]
    pub fn pods(&self) -> Option<Pods<'a>> {
        let (path, pointer, metadata_pointer): (&[&str], _, _) = match (self.group(), self.kind()) {
            ("", "Pod") => {
                return Some(Pods {
                    pointer: "/spec",
                    metadata_pointer: "/metadata",
                    spec: self.spec()?,
                    metadata: self.metadata(),
                });
            }
            ("batch", "CronJob") => (
                &["jobTemplate", "spec", "template"],
                "/spec/jobTemplate/spec/template/spec",
                "/spec/jobTemplate/spec/template/metadata",
            ),
            ("batch", "Job")
            | ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("", "ReplicationController") => {
                (&["template"], "/spec/template/spec", "/spec/template/metadata")
            }
            _ => return None,
        };
        let template = self.spec()?.at(path)?;
        Some(Pods {
            pointer,
            metadata_pointer,
            spec: template.get("spec")?,
            metadata: template.get("metadata"),
        })
    }
}

impl<'a> Pods<'a> {
    /// All containers: init, ordinary, ephemeral.
    pub fn containers(&self) -> impl Iterator<Item = Container<'a>> + use<'a> {
        let spec = self.spec;
        ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(move |list| {
            let items = spec.get(list).map_or(&[][..], Node::items);
            items.iter().enumerate().map(move |(index, node)| Container { list, index, node })
        })
    }
}

impl<'a> Container<'a> {
    /// Its name, `""` when absent.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.node.str_at("name").unwrap_or("")
    }

    /// JSON pointer to `field` of this container, below the pod spec at `pods`.
    #[must_use]
    pub fn pointer(&self, pods: &Pods<'_>, field: &str) -> String {
        format!("{}/{}/{}{field}", pods.pointer, self.list, self.index)
    }
}

/// `Job "migrate"`, as messages name an object.
impl fmt::Display for Object<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind().is_empty() { "object" } else { self.kind() };
        match (self.name(), self.generate_name()) {
            (Some(name), _) => write!(formatter, "{kind} \"{name}\""),
            (None, Some(prefix)) => write!(formatter, "{kind} \"{prefix}…\""),
            (None, None) => write!(formatter, "{kind} without a name"),
        }
    }
}
