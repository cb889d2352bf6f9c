//! The documents of a release record: one that cannot be read takes no other one out of the judgement.

use std::borrow::Cow;

use hooks::{
    Interest, Node, Object, Room, Value, annotations::HOOK as HOOK_ANNOTATION, manifest, release::Record,
    yaml,
};

use crate::{
    budget::{HOOK, RESOURCE, judging},
    deadline::Deadline,
    refusal::Refusal,
};

/// Unreadable documents that are named; the others are counted.
const NAMED: usize = 5;

/// One document that can be judged.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// Its place in the record, hooks first.
    pub(super) index: usize,
    /// Its template, empty when unknown.
    pub(super) path: &'a str,
    pub(super) root: Node<'a>,
}

/// The documents of a release.
#[derive(Debug, Default)]
pub(super) struct Documents<'a> {
    /// Hooks and ordinary resources.
    pub(super) readable: Vec<Document<'a>>,
    /// What cannot be judged.
    pub(super) unreadable: Unreadable,
}

/// Documents that cannot be judged.
#[derive(Debug, Default)]
pub(crate) struct Unreadable {
    /// How many.
    pub(crate) count: usize,
    /// A sentence for each of the first, with nothing of what it holds.
    pub(crate) sentences: Vec<String>,
}

impl Unreadable {
    /// The sentences, and one more about those without.
    pub(crate) fn sentences(&self) -> impl Iterator<Item = String> {
        let unnamed = self.count - self.sentences.len();
        let rest = (unnamed > 0).then(|| format!("{unnamed} more documents were not judged"));
        self.sentences.iter().cloned().chain(rest)
    }

    fn add(&mut self, path: &str, number: usize, error: impl FnOnce() -> String) {
        self.count += 1;
        if self.sentences.len() < NAMED {
            let place = if path.is_empty() { String::new() } else { format!(" of {path}") };
            self.sentences.push(format!("document {number}{place} was not judged: {}", error()));
        }
    }
}

/// Every document that can be read, and that there is room for.
///
/// # Errors
/// [`Refusal::Deadline`] when nobody waits any more.
pub(super) fn read<'a>(
    record: &'a Record,
    room: &Room,
    deadline: Deadline,
) -> Result<Documents<'a>, Refusal> {
    let hooks = record.hooks.iter().map(|hook| (Some(hook.path.as_str()), hook.manifest.as_str()));
    let texts = hooks.chain([(None, record.manifest.as_str())]);
    let split = texts.flat_map(|(path, text)| manifest::split(text).map(move |document| (path, document)));
    let mut documents = Documents::default();
    for (index, (path, document)) in split.enumerate() {
        deadline.check()?;
        let is_hook = path.is_some();
        let path = path.or(document.source).unwrap_or("");
        let unreadable = &mut documents.unreadable;
        let limits = yaml::Limits { memory: room.left().saturating_sub(RESOURCE), ..yaml::Limits::default() };
        // Of an ordinary resource rules want to know what it is, and what mentions Helm or hooks is never seen at a glance.
        let seen = if is_hook { None } else { manifest::identity(document.text, document.offset) };
        let own = if is_hook { manifest::Document { source: None, ..document } } else { document };
        let (node, rest) = match seen.map_or_else(|| parsed(own, &limits), |root| Ok((root, None))) {
            Ok(read) => read,
            Err(error) => {
                unreadable.add(path, index + 1, || error);
                continue;
            }
        };
        if let Some(rest) = rest {
            unreadable.add(path, index + 1, || rest);
        }
        if room.take(price(&node, is_hook)) {
            documents.readable.push(Document { index, path, root: node });
        } else {
            unreadable.add(path, index + 1, || "the release is too large for that".to_owned());
        }
    }
    Ok(documents)
}

/// A document, and what is wrong with what follows its objects; the error is a sentence.
fn parsed<'a>(
    document: manifest::Document<'a>,
    limits: &yaml::Limits,
) -> Result<(Node<'a>, Option<String>), String> {
    let read = document.read(Interest::Judged, limits).map_err(|error| error.to_string())?;
    let unread = read.unread.map(|_| "Helm does not look at what follows its first object".to_owned());
    Ok((read.root, read.fault.map(|fault| fault.to_string()).or(unread)))
}

/// What a document takes, with all that is made of it, in bytes. Each item of a hook `List` is a hook with the annotations of the `List`.
fn price(root: &Node<'_>, is_hook: bool) -> usize {
    let object = Object::new(root);
    let is_annotated = root.at(&["metadata", "annotations", HOOK_ANNOTATION]).is_some();
    let base = if is_hook || is_annotated { HOOK } else { RESOURCE };
    let items = || manifest::objects(root).filter(|(pointer, _)| !pointer.is_empty());
    let of_items = items().map(|(_, item)| judging(Object::new(item), base)).sum::<usize>();
    held(root) + items().count().max(1).saturating_mul(judging(object, base)) + of_items
}

/// Bytes that a node takes, with all in it.
fn held(node: &Node<'_>) -> usize {
    let text = |text: &Cow<'_, str>| if let Cow::Owned(text) = text { text.len() } else { 0 };
    yaml::KEPT
        + match &node.value {
            Value::String(value) => text(value),
            Value::List(items) => items.iter().map(held).sum(),
            Value::Map(members) => {
                members.iter().map(|member| yaml::KEPT + text(&member.name) + held(&member.node)).sum()
            }
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hooks::release::{Limits, Record, encode};
    use serde_json::json;

    use super::*;

    fn record(manifest: &str) -> Record {
        let record = json!({
            "name": "shop", "version": 1, "info": {"status": "pending-install"}, "manifest": manifest, "hooks": [],
        });
        Record::decode(encode(record.to_string().as_bytes()).as_bytes(), &Limits::default()).unwrap()
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(3600))
    }

    #[test]
    fn what_fits_is_judged_when_the_rest_is_too_much() {
        let large = format!("---\nkind: Large\nx: [{}1]\n", "1, ".repeat(100));
        let record = record(&format!("---\nkind: First\n{large}---\nkind: Last\n"));
        let documents = read(&record, &Room::new(10_000), soon()).unwrap();
        let kinds: Vec<_> = documents.readable.iter().map(|document| document.index).collect();
        assert_eq!((kinds, documents.unreadable.count), (vec![0, 2], 1));
        let documents = read(&record, &Room::new(3_000), soon()).unwrap();
        assert_eq!((documents.readable.len(), documents.unreadable.count), (1, 2));
        let last = documents.unreadable.sentences().last().unwrap();
        assert!(last.starts_with("document 3 was not judged: "), "{last}");
    }

    #[test]
    fn a_million_tiny_documents_took_a_hundred_times_their_text() {
        let record = record(&"---\nkind: A\n".repeat(100_000));
        let room = Room::new(1 << 20);
        let documents = read(&record, &room, soon()).unwrap();
        assert!(documents.readable.len() < 1000);
        assert_eq!(documents.readable.len() + documents.unreadable.count, 100_000);
    }

    #[test]
    fn what_follows_the_first_object_of_a_hook_is_judged_and_what_helm_drops_is_said() {
        let hook = "{\"kind\":\"A\"}\n{\"kind\":\"B\"}\n,";
        let record = json!({
            "name": "shop", "version": 1, "info": {"status": "pending-install"}, "hooks": [{"manifest": hook}],
            "manifest": "---\n# Source: shop/templates/c.yaml\n{\"kind\":\"C\"}\n{\"kind\":\"D\"}\n",
        });
        let encoded = encode(record.to_string().as_bytes());
        let record = Record::decode(encoded.as_bytes(), &Limits::default()).unwrap();
        let documents = read(&record, &Room::unlimited(), soon()).unwrap();
        let objects = documents.readable.iter().flat_map(|document| manifest::objects(&document.root));
        let kinds: Vec<_> = objects.map(|(_, object)| object.str_at("kind").unwrap()).collect();
        assert_eq!(kinds, ["A", "B", "C"]);
        let sentences: Vec<_> = documents.unreadable.sentences().collect();
        assert!(sentences[0].contains("invalid character ','"), "{sentences:?}");
        assert!(
            sentences[1].ends_with("Helm does not look at what follows its first object"),
            "{sentences:?}"
        );
    }

    #[test]
    fn a_thousand_unreadable_documents_are_few_sentences() {
        let record = record(&"---\n# Source: shop/templates/a.yaml\na: [\n".repeat(1000));
        let unreadable = read(&record, &Room::unlimited(), soon()).unwrap().unreadable;
        let sentences: Vec<_> = unreadable.sentences().collect();
        assert_eq!((unreadable.count, sentences.len()), (1000, NAMED + 1));
        assert!(
            sentences[0].starts_with("document 1 of shop/templates/a.yaml was not judged: "),
            "{sentences:?}"
        );
        assert_eq!(sentences[NAMED], "995 more documents were not judged");
    }

    #[test]
    fn nothing_is_read_when_nobody_waits() {
        let record = record("kind: A\n");
        assert_eq!(
            read(&record, &Room::unlimited(), Deadline::after(Duration::ZERO)).unwrap_err(),
            Refusal::Deadline
        );
    }
}
