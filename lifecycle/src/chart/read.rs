//! From rendered text to a [`Chart`].

use std::sync::Arc;

use hooks::{
    DeletePolicies, DeletePolicy, Event, Interest, Node,
    annotations::{self, HOOK, Written},
    manifest::{self, Manifest},
    order, yaml,
};

use super::{
    Chart, Dropped, Hook, Object, argocd,
    object::{self, Home},
};
use crate::{outcome::NoOutcome, profile::Engine};

/// Why a rendering cannot be played. Says nothing of the values in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A document that Helm cannot read either, which ends its command.
    #[error("{}{}:{}: {}", shown(path), error.line, error.column, error.message)]
    Unreadable {
        /// The template, if it is known.
        path: String,
        /// What is wrong; its line and column are those of the whole text.
        error: yaml::Error,
    },
    /// An annotation that says how pods end, and that nobody understands.
    #[error("{}{kind} \"{name}\": annotation {}", shown(path), crate::outcome::ANNOTATION)]
    Outcome {
        /// The template, if it is known.
        path: String,
        /// The kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: NoOutcome,
    },
}

fn shown(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// The template whose document is at a byte of the text.
fn path_at(text: &str, offset: usize) -> String {
    let before = manifest::split(text).take_while(|document| document.offset <= offset);
    before.last().and_then(|document| document.source).unwrap_or_default().to_owned()
}

/// One document, and where it stands among the others.
struct Document<'a> {
    path: &'a str,
    index: usize,
    read: &'a Manifest<'a>,
}

/// What becomes of a document that stands in no `crds/` folder.
pub(super) enum Part {
    /// An ordinary resource.
    Resource,
    /// A hook.
    Hook(Said),
    /// Nothing, since Helm does not know one of its events.
    Dropped,
    /// Nothing, since Argo CD has no phase for it.
    LeftOut,
}

/// What the annotations of a hook say.
pub(super) struct Said {
    pub(super) events: Vec<Event>,
    pub(super) weight: i64,
    pub(super) delete_policies: Vec<DeletePolicy>,
    pub(super) log_policies: Vec<DeletePolicy>,
}

impl Chart {
    /// Reads what a rendering gave: documents with `# Source:` comments, as `helm template` and `helm get` write them. Objects
    /// without a namespace belong to `namespace`.
    ///
    /// Documents whose list of events holds an unknown one vanish, as they do in Helm.
    ///
    /// # Errors
    /// What Helm could not read either, and an outcome that nobody understands.
    pub fn read(text: &str, namespace: &str) -> Result<Self, ReadError> {
        Self::read_by(Engine::Helm4, text, namespace)
    }

    /// As [`Chart::read`], by this tool: to Argo CD other documents are hooks, and of other events, than to Helm.
    ///
    /// # Errors
    /// As [`Chart::read`].
    pub fn read_by(engine: Engine, text: &str, namespace: &str) -> Result<Self, ReadError> {
        let manifests = manifest::read(text, Interest::Everything, &yaml::Limits::default())
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| ReadError::Unreadable { path: path_at(text, error.offset), error })?;
        let documents = manifests.iter().map(|read| (read.document.source.unwrap_or_default(), read));
        Self::of(documents, namespace, engine)
    }

    /// The same of documents that have been read already, in their order, each with the path of its template.
    ///
    /// # Errors
    /// An outcome that nobody understands.
    pub fn of<'a>(
        documents: impl IntoIterator<Item = (&'a str, &'a Manifest<'a>)>,
        namespace: &str,
        engine: Engine,
    ) -> Result<Self, ReadError> {
        let documents = documents.into_iter().enumerate();
        let mut documents: Vec<_> =
            documents.map(|(index, (path, read))| Document { path, index, read }).collect();
        documents.sort_by_key(|document| (document.path, document.index));
        order::by_kind(&mut documents, |document| document.read.kind());
        let definitions: Vec<_> =
            documents.iter().flat_map(Document::items).filter_map(object::definition).collect();
        Home { namespace, definitions: &definitions }.chart(&documents, engine)
    }
}

impl Home<'_> {
    fn chart(&self, documents: &[Document<'_>], engine: Engine) -> Result<Chart, ReadError> {
        let mut chart = Chart::default();
        let mut build = Build::default();
        for document in documents {
            // Argo CD has them rendered with all else.
            if engine != Engine::ArgoCd && manifest::is_of_crds(document.path) {
                chart.crds.extend(self.objects(document)?);
                continue;
            }
            match document.part(engine) {
                Part::Resource => {
                    let objects = self.objects(document)?;
                    build.visit(document, &objects, engine);
                    chart.resources.extend(objects);
                }
                Part::Hook(said) => chart.hooks.push(self.hook(document, said)?),
                Part::Dropped => chart.dropped.push(document.dropped()),
                Part::LeftOut => {}
            }
        }
        chart.unbuildable = build.errors();
        if engine == Engine::ArgoCd {
            let named = documents.iter().map(|document| (document.dropped().name, document.view()));
            chart.notes = argocd::notes(named);
        }
        Ok(chart)
    }

    fn hook(&self, document: &Document<'_>, said: Said) -> Result<Hook, ReadError> {
        let Said { events, weight, delete_policies, log_policies } = said;
        Ok(Hook {
            path: document.path.to_owned(),
            kind: document.read.kind().to_owned(),
            name: written(document.view().metadata(), "name"),
            events,
            weight,
            delete_policies,
            log_policies,
            objects: self.objects(document)?,
            unsaid: document.unsaid(),
            unbuildable: document.unbuildable(),
        })
    }

    fn objects(&self, document: &Document<'_>) -> Result<Vec<Arc<Object>>, ReadError> {
        let policy = document.view().annotation(annotations::RESOURCE_POLICY);
        let read = |item: hooks::Object<'_>| {
            let mut object = self.object(item).map_err(|source| ReadError::Outcome {
                path: document.path.to_owned(),
                kind: item.kind().to_owned(),
                name: item.name().unwrap_or_default().to_owned(),
                source,
            })?;
            object.document_policy = policy.map(str::to_owned);
            Ok(Arc::new(object))
        };
        document.items().map(read).collect()
    }
}

fn written(members: Option<&Node<'_>>, name: &str) -> String {
    let written = members.and_then(|members| Written::of(members, name));
    written.map(|written| written.text.into_owned()).unwrap_or_default()
}

fn policies(written: &DeletePolicies<'_>) -> Vec<DeletePolicy> {
    written.items.iter().filter_map(|(_, policy)| *policy).collect()
}

/// What goes wrong when Helm builds the ordinary resources: it goes on when it cannot decode one, but not after one that has not
/// passed its own check.
///
/// Source: cli-runtime 0.36 `pkg/resource/visitor.go`, `StreamVisitor` and `ContinueOnErrorVisitor`.
#[derive(Default)]
struct Build {
    errors: Vec<String>,
    is_over: bool,
}

impl Build {
    fn visit(&mut self, document: &Document<'_>, objects: &[Arc<Object>], engine: Engine) {
        if self.is_over {
            return;
        }
        let is_list = document.read.kind() == "List";
        let unsaid = document.unsaid().filter(|_| engine != Engine::ArgoCd);
        let refused = unsaid.or_else(|| super::checked(objects.iter().filter(|_| is_list)));
        self.is_over = refused.is_some();
        self.errors.extend(refused.or_else(|| document.unbuildable()));
    }

    fn errors(mut self) -> Option<String> {
        match self.errors.len() {
            0 | 1 => self.errors.pop(),
            _ => Some(format!("[{}]", self.errors.join(", "))),
        }
    }
}

impl<'a> Document<'a> {
    const fn view(&self) -> hooks::Object<'a> {
        hooks::Object::new(&self.read.root)
    }

    /// What Helm says of a kind or a version that is missing, when it looks itself.
    fn unsaid(&self) -> Option<String> {
        if self.read.fault.is_some() {
            return None;
        }
        self.parts().find_map(object::unsaid)
    }

    /// Why Helm cannot build it.
    fn unbuildable(&self) -> Option<String> {
        if let Some(fault) = &self.read.fault {
            return Some(format!("error parsing : {}", fault.message));
        }
        self.parts().find_map(object::unbuildable)
    }

    /// The document, or the objects of a stream.
    fn parts(&self) -> impl Iterator<Item = hooks::Object<'a>> + use<'a> {
        let root = &self.read.root;
        let parts = if self.read.is_stream {
            root.get("items").map_or(&[][..], Node::items)
        } else {
            std::slice::from_ref(root)
        };
        parts.iter().map(hooks::Object::new)
    }

    fn part(&self, engine: Engine) -> Part {
        if engine == Engine::ArgoCd {
            return argocd::part(self.view());
        }
        let Some(written) = self.view().hook() else { return Part::Resource };
        if written.events.is_dropped() {
            return Part::Dropped;
        }
        let mut delete_policies = policies(&written.delete_policies);
        if written.delete_policies.is_absent() {
            delete_policies.push(DeletePolicy::BeforeHookCreation);
        }
        Part::Hook(Said {
            events: written.events.known().collect(),
            weight: written.weight.effective,
            delete_policies,
            log_policies: policies(&written.output_log_policies),
        })
    }

    /// As people are told that it vanishes.
    fn dropped(&self) -> Dropped {
        let name = written(self.view().metadata(), "name");
        Dropped {
            name: if self.view().kind().is_empty() { name } else { format!("{}/{name}", self.view().kind()) },
            events: written(self.view().annotations(), HOOK),
        }
    }

    /// The document, or the items of a list.
    fn items(&self) -> impl Iterator<Item = hooks::Object<'a>> + use<'a> {
        manifest::objects(&self.read.root).map(|(_, item)| hooks::Object::new(item))
    }
}

#[cfg(test)]
mod tests;
