//! From the parser's events to nodes: names, merges, aliases, limits, and what is left out.

use std::{borrow::Cow, collections::HashMap, rc::Rc};

use granit_parser::{Event, Parser, ScalarStyle, StrInput, StructureStyle, Tag};

use super::{
    Fault, KEPT, Limits,
    characters::{begins_with_tab, cut_by_the_end, forbidden, has_foreign_escape},
    leniency::Reading,
    measure::measure,
    members::Members,
    scalar::{Resolved, resolve},
    syntax::syntax,
    tabs::Tabs,
};
use crate::{
    interest::{Interest, Place},
    node::{Member, Node, Span, Value},
};

/// Reads the first document of `text`; see [`super::document`].
pub(super) fn compose<'a>(
    text: &'a str,
    offset: usize,
    interest: Interest,
    limits: &Limits,
    reading: Reading,
) -> Result<Node<'a>, Fault> {
    if text.len() > limits.bytes {
        return Err(Fault::new(0, format!("document is larger than the limit of {} bytes", limits.bytes)));
    }
    if u32::try_from(offset.saturating_add(text.len())).is_err() {
        return Err(Fault::new(0, "document ends beyond 4 GiB"));
    }
    if let Some(at) = forbidden(text) {
        return Err(Fault::new(at, "control characters are not allowed"));
    }
    let text_after_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = text.len() - text_after_mark.len();
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: limits.nesting,
        block_nesting_limit: limits.nesting,
    };
    let composer = Composer {
        parser: Parser::new_from_str_with_options(text_after_mark, options),
        text: text_after_mark,
        end: 0,
        tabs: Tabs::new(text_after_mark),
        offset: offset + mark,
        interest,
        nesting: limits.nesting,
        nodes: limits.nodes,
        memory: limits.memory,
        anchors: HashMap::new(),
        reading,
    };
    composer.document().map_err(|fault| Fault { at: fault.at + mark, after: fault.after + mark, ..fault })
}

/// An event and the bytes of the document that it covers.
struct Step<'a> {
    event: Event<'a>,
    start: usize,
    end: usize,
}

/// Where a node is, and whether anybody wants it.
#[derive(Clone, Copy)]
struct Spot<'p> {
    depth: usize,
    place: Place<'p>,
    keep: bool,
}

/// What an alias stands for, and its price.
struct Anchored<'a> {
    node: Node<'a>,
    nodes: usize,
    height: usize,
    text: usize,
}

/// What stands before a colon.
enum Name<'a> {
    Merge,
    Text(Cow<'a, str>),
}

struct Composer<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    /// Where the last token ended.
    end: usize,
    tabs: Tabs<'a>,
    offset: usize,
    interest: Interest,
    nesting: usize,
    /// How many more nodes the document may ask for.
    nodes: usize,
    /// How many more bytes of memory may be kept.
    memory: usize,
    anchors: HashMap<usize, Rc<Anchored<'a>>>,
    reading: Reading,
}

impl<'a> Composer<'a> {
    fn document(mut self) -> Result<Node<'a>, Fault> {
        loop {
            let step = self.next()?;
            match step.event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd | Event::DocumentEnd => {
                    return Ok(Node::synthetic(Value::Null));
                }
                _ => {
                    let root = Spot { depth: 0, place: Place::Object, keep: true };
                    let node = self.node(step, root)?;
                    self.next()?;
                    return Ok(node);
                }
            }
        }
    }

    fn next(&mut self) -> Result<Step<'a>, Fault> {
        match self.parser.next() {
            Some(Ok((event, span))) => {
                let bytes = span.byte_range().unwrap_or_default();
                if let Some(at) = self.tabs.event(&event, bytes.start, bytes.end) {
                    return Err(Fault::new(at, "a tab cannot stand where a name could begin"));
                }
                self.end = self.end.max(bytes.end);
                Ok(Step { event, start: bytes.start, end: bytes.end })
            }
            Some(Err(error)) => {
                Err(Fault { after: self.end, ..syntax(&error, self.text, self.tabs.in_brackets()) })
            }
            None => Err(Fault::new(self.text.len(), "document ends too early")),
        }
    }

    fn node(&mut self, step: Step<'a>, spot: Spot<'_>) -> Result<Node<'a>, Fault> {
        let Step { event, start, end } = step;
        if spot.keep {
            self.keep(1, 0, start)?;
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if spot.keep {
                    self.keep(0, self.copied(&text), start)?;
                }
                let value = self.scalar(text, style, tag.as_deref(), start, end)?.into_value();
                let value = value.ok_or_else(|| Fault::new(start, "JSON has no word for this number"))?;
                self.finish(anchor, Node { value, span: self.span(start, end) }, start)
            }
            Event::SequenceStart(style, anchor, _) => self.list(style, anchor, start, spot),
            Event::MappingStart(style, anchor, _) => self.map(style, anchor, start, spot),
            Event::Alias(id) => self.alias(id, start, spot),
            _ => Err(Fault::new(start, "a value is missing")),
        }
    }

    fn scalar(
        &mut self,
        mut text: Cow<'a, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        start: usize,
        end: usize,
    ) -> Result<Resolved<'a>, Fault> {
        self.charge(1, start)?;
        if let Reading::Again { dash: Some(dash) } = self.reading
            && text.contains(dash)
        {
            text = text.replace(dash, "-").into();
        }
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded if begins_with_tab(self.text, start) => {
                return Err(Fault::new(start, "a block cannot begin with a tab"));
            }
            ScalarStyle::Literal | ScalarStyle::Folded if cut_by_the_end(&text, self.text, start, end) => {
                text.to_mut().pop();
            }
            ScalarStyle::DoubleQuoted
                if matches!(text, Cow::Owned(_)) && has_foreign_escape(&self.text[start..end]) =>
            {
                return Err(Fault::new(start, "\\/ and surrogate pairs are escapes in JSON, not here"));
            }
            _ => {}
        }
        let tag = tag.map(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:").unwrap_or("".into()));
        resolve(text, tag.as_deref(), style == ScalarStyle::Plain)
            .map_err(|message| Fault::new(start, message))
    }

    fn list(
        &mut self,
        style: StructureStyle,
        anchor: usize,
        start: usize,
        spot: Spot<'_>,
    ) -> Result<Node<'a>, Fault> {
        let spot = self.enter(anchor, start, spot)?;
        // A block list that is indented no deeper than its parent is reported from its first item on.
        let before = self.text[..start].trim_end_matches(' ');
        let dash = style == StructureStyle::Block && before.ends_with('-');
        let start = if dash { before.len() - 1 } else { start };
        let (mut items, mut last) = (Vec::new(), start);
        loop {
            let step = self.next()?;
            if matches!(step.event, Event::SequenceEnd) {
                let end = if style == StructureStyle::Flow { step.end } else { last };
                let node = Node { value: Value::List(items), span: self.span(start, end) };
                return self.finish(anchor, node, start);
            }
            last = last.max(step.end);
            let item =
                self.node(step, Spot { depth: spot.depth + 1, place: spot.place.item(), keep: spot.keep })?;
            last = last.max((item.span.end as usize).saturating_sub(self.offset));
            if spot.keep {
                items.push(item);
            }
        }
    }

    fn map(
        &mut self,
        style: StructureStyle,
        anchor: usize,
        start: usize,
        spot: Spot<'_>,
    ) -> Result<Node<'a>, Fault> {
        let spot = self.enter(anchor, start, spot)?;
        let (mut members, mut last) = (Members::default(), start);
        loop {
            let step = self.next()?;
            if matches!(step.event, Event::MappingEnd) {
                let end = if style == StructureStyle::Flow { step.end } else { last };
                let node = Node { value: Value::Map(members.into_list()), span: self.span(start, end) };
                return self.finish(anchor, node, start);
            }
            let name_span = self.span(step.start, step.end);
            let name = self.name(step)?;
            let step = self.next()?;
            last = last.max(step.end);
            let Name::Text(name) = name else {
                self.merge(step, spot, &mut members)?;
                continue;
            };
            let keep = spot.keep && spot.place.keeps(self.interest, &name);
            if keep {
                // An index of many names holds each of them once more.
                self.keep(1, 2 * self.copied(&name), step.start)?;
            }
            let node =
                self.node(step, Spot { depth: spot.depth + 1, place: spot.place.member(&name), keep })?;
            last = last.max((node.span.end as usize).saturating_sub(self.offset));
            if keep {
                members.set(Member { name, name_span, node });
            }
        }
    }

    /// Checks and pays for a list or map. What is anchored inside of something unwanted may be wanted elsewhere.
    fn enter<'p>(&mut self, anchor: usize, at: usize, spot: Spot<'p>) -> Result<Spot<'p>, Fault> {
        self.nests(spot.depth + 1, at)?;
        self.charge(1, at)?;
        Ok(if anchor == 0 { spot } else { Spot { keep: true, place: Place::Deep, ..spot } })
    }

    fn name(&mut self, step: Step<'a>) -> Result<Name<'a>, Fault> {
        let Step { event, start, end } = step;
        let resolved = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let merges = match &tag {
                    None => style == ScalarStyle::Plain,
                    Some(tag) => {
                        tag.suffix_in_namespace("tag:yaml.org,2002:").is_some_and(|tag| tag == "merge")
                    }
                };
                if merges && text == "<<" {
                    self.charge(1, start)?;
                    return Ok(Name::Merge);
                }
                let resolved = self.scalar(text, style, tag.as_deref(), start, end)?;
                if anchor != 0
                    && let Some(value) = resolved.clone().into_value()
                {
                    self.finish(anchor, Node { value, span: self.span(start, end) }, start)?;
                }
                resolved
            }
            Event::Alias(id) => {
                let spot = Spot { depth: 0, place: Place::Deep, keep: true };
                let node = self.alias(id, start, spot)?;
                Resolved::from_value(node.value)
                    .ok_or_else(|| Fault::new(start, "a name cannot be a list or a map"))?
            }
            _ => return Err(Fault::new(start, "a name cannot be a list or a map")),
        };
        resolved.into_name().map(Name::Text).map_err(|message| Fault::new(start, message))
    }

    fn alias(&mut self, id: usize, at: usize, spot: Spot<'_>) -> Result<Node<'a>, Fault> {
        let Some(anchored) = self.anchors.get(&id).map(Rc::clone) else {
            return Err(Fault::new(at, "an alias stands inside of what it stands for"));
        };
        self.nests(spot.depth + anchored.height, at)?;
        self.charge(anchored.nodes, at)?;
        self.keep(anchored.nodes, anchored.text, at)?;
        let mut node = anchored.node.clone();
        spot.place.prune(self.interest, &mut node);
        Ok(node)
    }

    /// Sets the members of one map, or of each map of a list, the first of which has the last word.
    ///
    /// Source: `go.yaml.in/yaml/v2` 2.4.3 `decode.go`, `merge`.
    fn merge(&mut self, step: Step<'a>, spot: Spot<'_>, members: &mut Members<'a>) -> Result<(), Fault> {
        let at = step.start;
        let listed = matches!(step.event, Event::SequenceStart(..));
        let node = self.node(step, Spot { depth: spot.depth + 1, place: Place::Deep, keep: true })?;
        let maps = match node.value {
            Value::List(items) if listed => items,
            value => vec![Node { value, span: node.span }],
        };
        for map in maps.into_iter().rev() {
            let Value::Map(merged) = map.value else {
                return Err(Fault::new(at, "<< needs a map or a list of maps"));
            };
            for mut member in merged {
                if spot.keep && spot.place.keeps(self.interest, &member.name) {
                    spot.place.member(&member.name).prune(self.interest, &mut member.node);
                    members.set(member);
                }
            }
        }
        Ok(())
    }

    /// Keeps a copy of what has an anchor.
    fn finish(&mut self, anchor: usize, node: Node<'a>, at: usize) -> Result<Node<'a>, Fault> {
        if anchor != 0 {
            let (nodes, height) = measure(&node);
            let text = self.copies(&node);
            self.charge(nodes, at)?;
            // What is not wanted here was kept for others all the same.
            self.keep(2 * nodes, 2 * text, at)?;
            self.anchors.insert(anchor, Rc::new(Anchored { node: node.clone(), nodes, height, text }));
        }
        Ok(node)
    }

    fn charge(&mut self, nodes: usize, at: usize) -> Result<(), Fault> {
        self.nodes =
            self.nodes.checked_sub(nodes).ok_or_else(|| Fault::new(at, "document has too many values"))?;
        Ok(())
    }

    /// Takes the memory for `nodes` values and names, and for so many bytes of text that is not borrowed.
    fn keep(&mut self, nodes: usize, text: usize, at: usize) -> Result<(), Fault> {
        let left = self.memory.checked_sub(nodes.saturating_mul(KEPT).saturating_add(text));
        self.memory = left.ok_or_else(|| Fault::new(at, "document is too large for the memory there is"))?;
        Ok(())
    }

    /// How many bytes a text takes besides the one that is read.
    #[expect(clippy::ptr_arg, reason = "what is asked is whether it is borrowed")]
    fn copied(&self, text: &Cow<'_, str>) -> usize {
        let is_copied = self.reading != Reading::First || matches!(text, Cow::Owned(_));
        if is_copied { text.len() } else { 0 }
    }

    /// The same of all texts in a node.
    fn copies(&self, node: &Node<'_>) -> usize {
        match &node.value {
            Value::String(text) => self.copied(text),
            Value::List(items) => items.iter().map(|item| self.copies(item)).sum(),
            Value::Map(members) => {
                members.iter().map(|member| self.copied(&member.name) + self.copies(&member.node)).sum()
            }
            _ => 0,
        }
    }

    fn nests(&self, depth: usize, at: usize) -> Result<(), Fault> {
        if depth > self.nesting { Err(Fault::new(at, "nested too deeply")) } else { Ok(()) }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let byte = |at: usize| u32::try_from(self.offset + at).unwrap_or(u32::MAX);
        Span { start: byte(start), end: byte(end) }
    }
}
