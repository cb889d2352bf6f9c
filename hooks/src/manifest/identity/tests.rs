//! The quick look and the reader agree wherever the quick look says anything.

use proptest::prelude::*;

use super::*;
use crate::{
    interest::Interest,
    yaml::{self, Limits},
};

const SERVICE: &str = "apiVersion: v1\nkind: Service # of the shop\nmetadata:\n  labels:\n    a: 'b'\n  name: shop\n  namespace: east\nspec: {}\n";

/// All that is wanted, with places: value, place of the name, place of the value.
fn wanted<'n>(root: &'n Node<'_>) -> Vec<Option<(&'n str, Span, Span)>> {
    let of = |node: Option<&'n Node<'_>>, name: &str| {
        let member = node?.member(name)?;
        Some((member.node.as_str().unwrap_or("no text"), member.name_span, member.node.span))
    };
    let metadata = root.get("metadata");
    let top = WANTED[..2].iter().map(|name| of(Some(root), name));
    top.chain(OF_METADATA.iter().map(|name| of(metadata, name))).collect()
}

fn read(text: &str, offset: usize) -> Result<Node<'_>, yaml::Error> {
    yaml::document(text, offset, Interest::Judged, &Limits::default())
}

/// Whether the document is seen at a glance, which must then be what the reader sees.
fn is_seen(text: &str) -> bool {
    let seen = identity(text, 7);
    if let (Some(seen), Ok(node)) = (&seen, read(text, 7)) {
        assert_eq!(wanted(seen), wanted(&node), "{text:?}");
        assert_eq!(seen.member("metadata").unwrap().name_span, node.member("metadata").unwrap().name_span);
    }
    seen.is_some()
}

#[test]
fn plain_documents_are_seen() {
    let seen = identity(SERVICE, 0).unwrap();
    assert_eq!(
        seen.to_json(),
        serde_json::json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop", "namespace": "east"},
        })
    );
    for text in [
        SERVICE.to_owned(),
        SERVICE.replace('\n', "\r\n"),
        format!("# Source: shop\n\n{SERVICE}"),
        SERVICE.replace("    a:", "    helm.sh/chart: shop-1\n    a:"),
        format!("{SERVICE}text: |-\n  kind: Job\n\n   \tx\n  \"\n"),
        format!("{SERVICE}list:\n- a: |\n    kind: Job\n- \"a: b\"\n- - x: y\n    z: [1, \"]\"]\n"),
        SERVICE.replace("    a: 'b'", "    {}"),
        format!("{SERVICE}text: it's\n  a [ long one\n  kind\n"),
    ] {
        assert!(is_seen(&text), "{text:?}");
    }
}

#[test]
fn whatever_is_in_doubt_is_for_the_reader() {
    for text in [
        "kind: Job\n",
        "kind: A\nmetadata:\n  labels: {}\n",
        "kind: y\nmetadata:\n  name: shop\n",
        "kind: A\nmetadata:\n  name: NULL\n",
        "kind: A\nmetadata:\n  name: 5\n",
        "kind: A\nmetadata:\n  name: \"shop\"\n",
        "kind: A\nmetadata:\n  name: shop\n   two\n",
        "kind: A\n two\nmetadata:\n  name: shop\n",
        "kind: A\nmetadata: {name: shop}\n",
        "kind: A\nmetadata:\n  name: shop\n  name: bar\n",
        "kind: A\nmetadata:\n  name: shop\nkind: B\n",
        "kind: A\nmetadata:\n  name: shop\n\"kind\": B\n",
        "kind: A\nmetadata:\n  name: shop\n? kind\n: B\n",
        "kind: A\nmetadata:\n  name: shop\n<<: {kind: B}\n",
        "kind: A\nmetadata:\n  name: shop\n  <<: *a\n",
        "kind: A\nmetadata:\n  name: shop\nx: \"\nkind: B\"\n",
        "kind: A\nmetadata:\n  name: shop\nx: [\nkind: B]\n",
        "kind: A\nmetadata:\n  name: shop\nx: !!binary aGVsbS5zaC9ob29r\n",
        "kind: A\nmetadata:\n  name: shop\n  annotations:\n    \"hel\\x6d.sh/ho\\x6fk\": test\n",
        "kind: A\nmetadata:\n  name: shop\n  annotations:\n    hlem.sh/hook: test\n",
        "kind: A\nmetadata:\n  name: shop\n  labels:\n    helm.sh/chart-hoo: a\n",
        "kind: A\nmetadata:\n  name: shop\nx: |2\n   kind: B\n",
        "kind: A\nmetadata:\n  name: shop\n...\nkind: B\n",
        "kind: A\nmetadata:\n  name: shop\rkind: B\n",
        "kind: AList\nmetadata:\n  name: shop\n",
        "- kind: A\n  metadata:\n    name: shop\n",
    ] {
        assert!(!is_seen(text), "{text:?}");
    }
}

/// Lines that fit together, and lines that are there to deceive.
const LINES: &[&str] = &[
    "apiVersion: apps/v1",
    "apiVersion: v1",
    "kind: Job",
    "kind: Service",
    "kind: \"Job\"",
    "kind: on",
    "metadata:",
    "metadata: {name: b}",
    "  name: shop",
    "  name: bar",
    "  name: 'bar'",
    "  namespace: east",
    "    name: deep",
    " name: shallow",
    "  labels:",
    "    app: shop",
    "spec:",
    "  text: |",
    "  text: >-",
    "    kind: Pod",
    "kind: Pod # c",
    "- name: x",
    "  - name: y",
    "  - |",
    "    - a: |+",
    "      name: z",
    "  a: \"open",
    "  close\"",
    "kind: \"x",
    "  b: 'it''s'",
    "  c: 'open",
    "'",
    "\"",
    "]",
    "}",
    "  d: [a, b]",
    "  e: {a: \"}\"}",
    "f: [",
    "g: {",
    "h: don't",
    "  more words",
    "  more: words",
    "# comment",
    "    # comment",
    "",
    "   ",
    "\t",
    "  \tx",
    "x: |",
    "x: >2",
    "  name: shop  ",
    "kind: Job  # c",
    "name: top",
    "  i: a#b",
    "  j: \"a\\\"b\"",
    "  k: \"a\\\\\"",
    "\"kind\": Cron",
    "? kind",
    ": y",
    "<<: {kind: Z}",
    "  |",
    "...",
    "  - - a: 1",
    "      b: 2",
    "-",
    "  -",
    "  l:",
    "m: &a b",
    "n: *a",
    "o: !!str p",
    "q: a: b",
    "r: - s",
    "- metadata:",
    "  \"name\": t",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn what_is_seen_is_what_is_read(
        before in prop::collection::vec(prop::sample::select(LINES), 0..4),
        between in prop::collection::vec(prop::sample::select(LINES), 0..4),
        after in prop::collection::vec(prop::sample::select(LINES), 0..8),
        is_windows in any::<bool>(),
    ) {
        let base = [&before[..], &["apiVersion: v1", "kind: Job", "metadata:"], &between, &["  name: shop"], &after].concat();
        is_seen(&base.join(if is_windows { "\r\n" } else { "\n" }));
        is_seen(&[&before[..], &after].concat().join("\n"));
    }

    #[test]
    fn no_line_is_too_much(text in "[a:'\"\\[\\]{}|># \\-\\\\\n]{0,40}") {
        let text = format!("kind: A\nmetadata:\n  name: b\n  x: {text}\n");
        is_seen(&text);
    }
}
