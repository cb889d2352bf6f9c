//! Files as Helm cuts them, and what is left of broken ones.

use proptest::prelude::*;

use super::*;

fn texts(file: &str) -> Vec<&str> {
    split(file).map(|document| document.text).collect()
}

#[test]
fn a_line_that_begins_with_the_separator_separates() {
    assert_eq!(texts("a: 1\n---\nb: 2\n"), ["a: 1\n", "b: 2\n"]);
    assert_eq!(texts("---\na: 1\n--- \t\nb: 2"), ["a: 1\n", "b: 2"]);
    assert_eq!(texts("a: 1\n---apiVersion: v1\n"), ["a: 1\n", "apiVersion: v1\n"]);
    assert_eq!(texts("a: 1\n----\n"), ["a: 1\n", "-\n"]);
    assert_eq!(texts("a: 1\n--- # b\nc: 2\n"), ["a: 1\n", "# b\nc: 2\n"]);
    assert_eq!(texts("a: 1\r\n---\r\nb: 2\r\n"), ["a: 1\r\n", "b: 2\r\n"]);
    assert_eq!(texts("  ---\na: 1"), ["a: 1"]);
    assert_eq!(texts("a: 1\n ---\nb: 2"), ["a: 1\n ---\nb: 2"]);
    assert_eq!(texts("a: |\n---\n  b"), ["a: |\n", "b"]);
}

#[test]
fn blank_documents_are_left_out() {
    assert_eq!(texts(""), [""; 0]);
    assert_eq!(texts(" \n\u{a0}\n"), [""; 0]);
    assert_eq!(texts("---\n---\n \n---\n"), [""; 0]);
    assert_eq!(texts("---\n---\na: 1\n---\n"), ["a: 1\n"]);
}

#[test]
fn documents_know_where_they_come_from() {
    let file = "\n---\n# Source: shop/templates/a.yaml\na: 1\n---\n\n  # by hand\n#\n# Source: b.yaml \nb: 2\n---\nc: 3 # Source: no\n";
    let documents: Vec<_> = split(file).collect();
    let sources: Vec<_> = documents.iter().map(|document| document.source).collect();
    assert_eq!(sources, [Some("shop/templates/a.yaml"), Some("b.yaml"), None]);
    for (index, document) in documents.iter().enumerate() {
        assert_eq!(document.index, index);
        assert!(file[document.offset..].starts_with(document.text));
    }
}

#[test]
fn the_folder_of_definitions_is_no_chart_and_no_template() {
    for path in
        ["shop/crds/x.yaml", "shop/charts/sub/crds/x.yaml", "shop/charts/crds/charts/sub/crds/a/x.yaml"]
    {
        assert!(is_of_crds(path), "{path}");
    }
    for path in [
        "shop/templates/crds/x.yaml",
        "shop/charts/crds/templates/x.yaml",
        "crds/templates/x.yaml",
        "crds",
        "",
    ] {
        assert!(!is_of_crds(path), "{path}");
    }
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    let file = "---\na: 1\n---\nb: [\n---\n# nothing\n---\nc: 3\n---\n  é: x: y\n---\nd: 4";
    let read = read(file, Interest::Everything, &Limits::default());
    let places: Vec<_> = read
        .iter()
        .map(|manifest| match manifest {
            Ok(manifest) => {
                Ok((manifest.document.index, line_column(file, manifest.root.span.start as usize)))
            }
            Err(error) => Err((error.line, error.column)),
        })
        .collect();
    assert_eq!(places[0], Ok((0, (2, 1))));
    assert!(places[1].is_err());
    assert_eq!(places[2], Ok((3, (8, 1))));
    assert_eq!(places[3], Err((10, 7)));
    assert_eq!(places[4], Ok((5, (12, 1))));
    assert_eq!(places.len(), 5);
    for error in read.iter().filter_map(|manifest| manifest.as_ref().err()) {
        assert_eq!((error.line, error.column), line_column(file, error.offset));
    }
}

#[test]
fn a_list_stays_a_list_and_json_is_read() {
    let read = read("[{\"a\": 1}, {\"a\": 2}]\n", Interest::Everything, &Limits::default());
    assert_eq!(read[0].as_ref().unwrap().root.items().len(), 2);
}

#[test]
fn columns_count_characters() {
    assert_eq!(line_column("aé\nüb", 0), (1, 1));
    assert_eq!(line_column("aé\nüb", 3), (1, 3));
    assert_eq!(line_column("aé\nüb", 6), (2, 2));
    assert_eq!(line_column("aé\nüb", 5), (2, 1));
    assert_eq!(line_column("aé\nüb", 99), (2, 3));
}

proptest! {
    #[test]
    fn documents_are_pieces_of_the_file_in_order(pieces in prop::collection::vec(
        prop::sample::select(&["---", "\n", " ", "a: 1", "-", "\t", "\r\n", "\u{a0}", "# Source: x", "é", "\u{feff}",
            "- ", "? ", "x:\n", "'", "\"", "[", "{", "\n---\n", "\u{85}", "\u{2028}", "\u{2029}"][..]), 0..30)
    ) {
        let file = pieces.concat();
        let mut end = 0;
        for document in split(&file) {
            prop_assert!(document.offset >= end && !document.text.trim().is_empty());
            prop_assert!(file[document.offset..].starts_with(document.text));
            prop_assert!(!document.text.contains("\n---"));
            end = document.offset + document.text.len();
        }
        let _ = read(&file, Interest::Judged, &Limits::default());
    }
}

#[test]
fn what_is_pruned_afterwards_is_what_rules_would_have_read() {
    let file = "kind: Secret\nmetadata: {name: a, managedFields: [{manager: helm}]}\nstringData: {key: secret}\n---\n\
                apiVersion: v1\nkind: List\nitems:\n- {kind: ConfigMap, metadata: {name: b}, data: {key: value}}\n---\n\
                kind: CustomResourceDefinition\nmetadata: {name: c}\nspec: {group: example.com, versions: [{name: v1}]}\n";
    let read = |interest| read(file, interest, &Limits::default()).into_iter().map(Result::unwrap);
    let mut whole: Vec<_> = read(Interest::Everything).collect();
    let judged: Vec<_> = read(Interest::Judged).collect();
    assert_ne!(whole, judged);
    for manifest in &mut whole {
        Interest::Judged.prune(&mut manifest.root);
    }
    assert_eq!(whole, judged);
}

#[test]
fn an_annotation_that_is_no_text_was_called_an_unknown_event() {
    let file = "kind: Pod\nmetadata:\n  name: a\n  annotations:\n    helm.sh/hook: [test]\n---\nkind: Pod\nmetadata: {name: b}\n";
    let read = read(file, Interest::Judged, &Limits::default());
    let error = read[0].as_ref().unwrap_err();
    assert!(error.message.contains("annotation \"helm.sh/hook\" must be text"), "{error}");
    assert_eq!((error.line, error.column), (5, 19));
    assert!(read[1].is_ok());
}

#[test]
fn scalars_become_text_and_other_files_may_have_any_shape() {
    for file in [
        "kind: Pod\nmetadata: {name: 5, annotations: {a: true, b: null}}",
        "metadata: [a]",
        "- a",
        "kind: Pod\nmetadata:",
    ] {
        assert!(read(file, Interest::Judged, &Limits::default()).iter().all(Result::is_ok), "{file}");
    }
    for file in [
        "kind: Pod\nmetadata: [a]",
        "kind: Pod\nmetadata: {annotations: text}",
        "kind: Pod\nmetadata: {name: {a: b}}",
    ] {
        assert!(read(file, Interest::Judged, &Limits::default())[0].is_err(), "{file}");
    }
}
