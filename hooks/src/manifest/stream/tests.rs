//! What hides behind the first object of a text, as Go's decoder was seen to read it; `tests/integration/yaml_go/streams.rs` asks it.

use crate::{
    interest::Interest,
    manifest::{self, Document, Manifest},
    node::Node,
    object::Object,
    yaml::Limits,
};

const A: &str =
    r#"{"kind":"A","apiVersion":"v1","metadata":{"name":"a","annotations":{"helm.sh/hook":"test"}}}"#;

fn read_within(text: &str, limits: Limits) -> Manifest<'_> {
    Document::of_hook(text).read(Interest::Everything, &limits).unwrap()
}

/// The kinds of all objects, with a mark where the text has a fault and one where something is left unread.
#[track_caller]
fn kinds(text: &str) -> String {
    let read = read_within(text, Limits::default());
    let kinds =
        manifest::objects(&read.root).map(|(_, object)| object.str_at("kind").unwrap_or("?").to_owned());
    let kinds = kinds.collect::<Vec<_>>().join(" ");
    let mark = |is_there, mark| if is_there { mark } else { "" };
    format!("{kinds}{}{}", mark(read.fault.is_some(), " fault"), mark(read.unread.is_some(), " unread"))
}

#[test]
fn what_followed_the_first_json_object_was_judged_by_nobody() {
    let b = r#"{"kind":"B"}"#;
    for (rest, read) in [
        (b.to_owned(), "A B"),
        (format!("\n{b}\n\n{b}\n"), "A B B"),
        (format!("null{b}nullnull{b}"), "A B B"),
        ("\n".to_owned(), "A"),
        (format!("\n{b}\n{{"), "A B fault"),
        (format!("{b}kind: C\n"), "A B fault"),
        (format!("\n5{b}"), "A fault"),
        (format!("\n[{b}]"), "A fault"),
        (format!("\n\"{b}"), "A fault"),
        (format!(",{b}"), "A fault"),
        // What is no JSON any more is YAML, if it is only the second.
        (" --- \nkind: B\n".to_owned(), "A B"),
        ("---\nkind: B\n...\nkind: C\n".to_owned(), "A B unread"),
        ("--- x\nkind: B\n".to_owned(), "A fault"),
        ("\nkind: B\n".to_owned(), "A B"),
        ("\n# kind: B\n".to_owned(), "A"),
        (" #B".to_owned(), "A fault"),
        (format!("\u{feff}{b}"), "A B"),
        (format!("\u{a0}{b}{b}"), "A B unread"),
        (format!("\u{85}{{kind: B}}{b}"), "A B unread"),
        ("\n{kind: B}\n\"x\"5".to_owned(), "A B unread"),
        (format!("\0{b}"), "A fault"),
        // JSON that is no YAML.
        (r#"{"kind":"B","x":"\/\ud83d\ude00"}"#.to_owned(), "A B"),
        ("{\"kind\":\"B\",\"x\":\"\u{7f}\"}".to_owned(), "A B"),
        (r#"{"kind":"x","kind":"B","Kind":"C"}"#.to_owned(), "A B"),
        (r#"{"kind":"List","items":[{"kind":"B"},{"kind":"C"}]}{"kind":"D"}"#.to_owned(), "A B C D"),
    ] {
        assert_eq!(kinds(&format!("{A}{rest}")), read, "{rest:?}");
    }
}

#[test]
fn a_text_that_does_not_begin_with_a_json_object_is_yaml() {
    let b = r#"{"kind":"B"}"#;
    for text in [
        format!("\u{feff}{A}{b}"),
        format!("# {b}\n{A}\n{b}"),
        format!("{{kind: A, metadata: {{}}}}\n{b}"),
        format!("{{\"kind\":\"A\",}}\"x\"5{b}"),
        "kind: A\n... # over\nkind: B\n".to_owned(),
        "kind: A\n...\n# and\n...\nkind: B\n".to_owned(),
    ] {
        assert_eq!(kinds(&text), "A unread", "{text}");
    }
    for text in ["kind: A\n...\n# nothing\n", "{kind: A} # nothing\n", "kind: A\nx: |\n  ...\n  kind: B\n"] {
        assert_eq!(kinds(text), "A", "{text}");
    }
    // Line breaks that only Go knows.
    assert_eq!(kinds("x: 1\u{2028}kind: A\u{85}metadata: {name: a}\n"), "A");
}

#[test]
fn a_stream_is_the_hook_that_its_first_object_is() {
    let text = format!("{A}\n{{\"kind\":\"B\"}}");
    let read = read_within(&text, Limits::default());
    let object = Object::new(&read.root);
    assert_eq!((read.is_stream, read.kind(), object.name()), (true, "A", Some("a")));
    assert!(object.hook().is_some());
    let (_, b) = manifest::objects(&read.root).nth(1).unwrap();
    assert_eq!(&text[b.span.start as usize..b.span.end as usize], r#"{"kind":"B"}"#);
}

#[test]
fn the_line_that_helm_puts_above_is_not_of_the_text() {
    let all = |file: &str| {
        let read = manifest::read(file, Interest::Judged, &Limits::default());
        let roots = read.iter().flatten().flat_map(|read| manifest::objects(&read.root)).count();
        (roots, read.iter().flatten().filter(|read| read.unread.is_some()).count())
    };
    let b = r#"{"kind":"B"}"#;
    assert_eq!(all(&format!("---\n# Source: shop/templates/a.yaml\n{A}\n{b}\n")), (2, 0));
    // Helm joins ordinary resources to one text, and reads of each the first YAML document.
    assert_eq!(all(&format!("---\n# Source: shop/templates/a.yaml\n{b}\n{b}\n")), (1, 1));
    assert_eq!(all(&format!("---\n# Source: shop/crds/a.yaml\n{b}\n{b}\n")), (2, 0));
    assert_eq!(all(&format!("{b}\n{b}\n{A}\n")), (3, 0));
}

#[test]
fn whoever_has_items_is_a_list_and_they_have_its_kind() {
    assert_eq!(kinds(r#"{"kind":"A","metadata":{},"items":[{"kind":"B"},{"kind":"C"}]}"#), "B C");
    let read =
        read_within("apiVersion: v1\nkind: SecretList\nitems: [{metadata: {name: a}}]\n", Limits::default());
    let (pointer, item) = manifest::objects(&read.root).next().unwrap();
    assert_eq!(
        (pointer.as_str(), item.str_at("kind"), item.str_at("apiVersion")),
        ("/items/0", Some("Secret"), Some("v1"))
    );
    let all = "{}, ".repeat(1000);
    let limits = Limits { memory: 1000 * 160 * 3, ..Limits::default() };
    let text = format!("{{kind: SecretList, apiVersion: v1, items: [{all}]}}");
    assert!(Document::of_hook(&text).read(Interest::Judged, &limits).is_err());
}

#[test]
fn an_item_with_items_that_are_no_list_was_judged_by_nobody() {
    for items in ["x", "5", "{}", "null"] {
        let item = format!("{{kind: B, items: {items}}}");
        assert_eq!(kinds(&format!("{{kind: List, items: [{item}, {{kind: C}}]}}")), "B C", "{items}");
        assert_eq!(kinds(&item), "B", "{items}");
    }
    assert_eq!(
        kinds("{kind: List, items: [{kind: List, items: [{kind: B}]}, {kind: List, items: []}]}"),
        "B"
    );
}

#[test]
fn a_hook_that_only_helm_can_see_was_an_ordinary_resource() {
    let events = |text: &str| {
        let read = read_within(text, Limits::default());
        Object::new(&read.root).annotation("helm.sh/hook").map(str::to_owned)
    };
    for text in [
        r#"{"kind":"A","Metadata":{"annotations":{"helm.sh/hook":"test"}},"metadata":{"name":"a"}}"#,
        r#"{"kind":"A","metadata":{"Annotations":{"helm.sh/hook":"test"},"annotations":{"x":"y"}}}"#,
        "kind: A\nMETADATA:\n  annotation\u{17f}: {helm.sh/hook: test}\n",
    ] {
        assert_eq!(events(text).as_deref(), Some("test"), "{text}");
    }
    let taken_back = r#"{"kind":"A","Metadata":{"annotations":{"helm.sh/hook":"test"}},"metadata":null}"#;
    assert_eq!(events(taken_back), None);
}

#[test]
fn annotations_in_two_places_took_time_squared() {
    let all = |letter: char| {
        let members: Vec<_> = (0..120_000).map(|number| format!("{letter}{number}: v, ")).collect();
        members.concat()
    };
    let text =
        format!("{{kind: A, metadata: {{annotations: {{{}}}, Annotations: {{{}}}}}}}", all('a'), all('b'));
    let read = read_within(&text, Limits::default());
    let annotations = read.root.at(&["metadata", "annotations"]).unwrap();
    assert_eq!(annotations.members().len(), 240_000);
}

#[test]
fn of_annotations_in_two_places_the_one_read_last_counts() {
    let text = "kind: A\nmetadata:\n  annotations: {a: '1', b: '2'}\n  Annotations: {a: '3', c: '4'}\n";
    let read = read_within(text, Limits::default());
    let annotations = read.root.at(&["metadata", "annotations"]).unwrap();
    assert_eq!(annotations.to_json(), serde_json::json!({"a": "1", "b": "2", "c": "4"}));
}

#[test]
fn a_million_objects_are_refused_before_they_are_held() {
    let text = format!("{A}{}", "{}".repeat(1_000_000));
    let read = read_within(&text, Limits { memory: 1 << 20, ..Limits::default() });
    assert!(read.fault.is_some());
    assert!(read.root.get("items").is_some_and(|items| items.items().len() < 10_000));
    let foreign = format!("{A}{}", r#"{"a":"\/"}"#.repeat(20_000));
    let read = read_within(&foreign, Limits::default());
    assert_eq!((read.fault, read.root.get("items").map(|items| items.items().len())), (None, Some(20_001)));
    let nested = format!("{A}{}", r#"{"a":"#.repeat(100_000));
    assert!(read_within(&nested, Limits::default()).fault.is_some());
}

#[test]
fn a_fault_says_where_it_is_and_what_go_says() {
    let file = format!("---\nkind: X\n---\n{A}\n{{}}\n  kind: B\n");
    let read = manifest::read(&file, Interest::Judged, &Limits::default());
    let fault = read[1].as_ref().unwrap().fault.clone().unwrap();
    assert_eq!((fault.line, fault.column), (6, 3));
    assert_eq!(fault.message, "invalid character 'k' looking for beginning of value");
    let fault = |rest: &str| read_within(&format!("{A}{rest}"), Limits::default()).fault.unwrap().message;
    assert_eq!(fault("\n{\"a\""), "unexpected EOF");
    assert_eq!(
        fault(",{}  "),
        format!("json: offset {}: invalid character ',' looking for beginning of value", A.len() + 1)
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(pieces in proptest::collection::vec(proptest::sample::select(&[
        A, "{}", "{\"a\":", "null", "---", "...", "\n", "\u{85}", "\u{feff}", "é", "kind: B", "[", "\"", "'", "{", "}", "#", "&a ", ":", "# Source: x\n",
        "- ", "? ", "x:\n", "\n---\n", "\u{2028}", "\u{2029}",
    ][..]), 0..12)) {
        let text = pieces.concat();
        for read in manifest::read(&text, Interest::Judged, &Limits::default()).iter().flatten() {
            let is_within = |node: &Node<'_>| text.get(node.span.start as usize..node.span.end as usize).is_some();
            proptest::prop_assert!(manifest::objects(&read.root).all(|(_, object)| is_within(object)));
        }
    }
}
