//! Which literal events are seen in templates that nobody has rendered.

use proptest::prelude::*;

use super::*;

/// Writes `HOOK` for the annotation, and reads what is found as value and line.
fn found(text: &str) -> Vec<(String, usize)> {
    let text = text.replace("HOOK", annotations::HOOK);
    let values = hook_values(&text);
    for literal in &values {
        assert_eq!(text[literal.range.clone()], literal.value);
    }
    values.into_iter().map(|literal| (literal.value, literal.line)).collect()
}

#[track_caller]
fn finds(text: &str, value: &str, line: usize) {
    assert_eq!(found(text), [(value.to_owned(), line)], "{text}");
}

#[track_caller]
fn passes_over(text: &str) {
    assert_eq!(found(text), [], "{text}");
}

/// An object with `line` among its annotations.
fn annotated(line: &str) -> String {
    format!("kind: Job\nmetadata:\n  name: x\n  annotations:\n    {line}\nspec: {{}}\n")
}

#[test]
fn values_are_found_with_and_without_quotes_and_comments() {
    for line in [
        "HOOK: pre-instal",
        "\"HOOK\": pre-instal",
        "'HOOK': 'pre-instal'",
        "\"HOOK\" :   \"pre-instal\"  # once",
        "HOOK: pre-instal # once",
        "HOOK: {{/* why */}} pre-instal",
    ] {
        finds(&annotated(line), "pre-instal", 5);
    }
    finds(&annotated("HOOK: pre-install,pre-upgrade"), "pre-install,pre-upgrade", 5);
    finds(&annotated("HOOK: \"\""), "", 5);
    finds(&annotated("HOOK: pre-instal").replace('\n', "\r\n"), "pre-instal", 5);
}

#[test]
fn values_in_braces_are_found() {
    finds("metadata:\n  annotations: {HOOK: pre-instal, a: \"b,c\"}\n", "pre-instal", 2);
    finds("metadata:\n  annotations: { a: 'b,c', \"HOOK\": \"x,y\" }\n", "x,y", 2);
    passes_over("metadata:\n  annotations: {HOOK: {{ .Values.event }}}\n");
    passes_over("metadata:\n  annotations: {a: {HOOK: x}}\n");
    passes_over("metadata:\n  labels: {HOOK: x}\n");
}

#[test]
fn a_map_in_braces_in_a_map_in_braces_was_not_looked_into() {
    finds("kind: Job\nmetadata: {name: a, annotations: {HOOK: pre-isntall}}\n", "pre-isntall", 2);
    finds(
        "metadata: {name: {{ .Release.Name }}-a, labels: {a: [b, c]}, annotations: {\"HOOK\": \"a,b\"}} # x\n",
        "a,b",
        1,
    );
    finds(
        "{kind: Job, metadata: {annotations: {a: '{', HOOK: pre-isntall, b: c}}, spec: {}}\n",
        "pre-isntall",
        1,
    );
    for other in [
        "metadata: {annotations: {HOOK: {{ .Values.event }}}}\n",
        "metadata: {annotations: {{{ include \"a\" . }}}}\n",
        "metadata: {labels: {HOOK: x}}\n",
        "metadata: {annotations: {HOOK: x}\n",
        "metadata: {annotations: {HOOK: x}} y\n",
        "metadata: ]\n",
        "metadata: {{ x }} annotations: {HOOK: x}\n",
        "metadata: {annotations: {HOOK: \"x\\n\"}}\n",
        "spec: {template: {metadata: {annotations: {HOOK: x}}}}\n",
        "spec:\n  template:\n    metadata: {annotations: {HOOK: x}}\n",
        "{spec: {metadata: {annotations: {HOOK: x}}}}\n",
        "spec:\n  {metadata: {annotations: {HOOK: x}}}\n",
    ] {
        passes_over(other);
    }
}

#[test]
fn actions_between_the_lines_do_not_hide_them() {
    let text = "{{- if .Values.on }}\nmetadata:\n  annotations:\n{{- with .Values.more }}\n  {{- toYaml . | nindent 4 }}\n{{- end }}
    HOOK: pre-instal\n    {{- if .Values.keep }}\n    other: x\n    {{- end }}\n{{- end }}\n";
    finds(text, "pre-instal", 7);
}

#[test]
fn named_templates_are_read() {
    finds("{{- define \"a.hooks\" -}}\nHOOK: pre-instal\n{{- end }}\n", "pre-instal", 2);
    finds(
        "{{ define \"a\" }}\nspec:\n{{ end }}\n{{ define \"b\" }}\n  annotations:\n    HOOK: x\n{{ end }}",
        "x",
        6,
    );
}

#[test]
fn every_document_is_read() {
    let text = format!("{}---\n{}", annotated("HOOK: a"), annotated("HOOK: b"));
    assert_eq!(found(&text), [("a".to_owned(), 5), ("b".to_owned(), 12)]);
}

#[test]
fn what_is_rendered_is_not_known() {
    for line in [
        "HOOK: {{ .Values.event }}",
        "HOOK: pre-{{ .Values.event }}",
        "HOOK: \"pre-install{{ if .Values.up }},pre-upgrade{{ end }}\"",
        "HOOK: {{\n .Values.event }}",
        "HOOK: pre-install{{ if\n .Values.up }},pre-upgrade{{ end }}",
        "{{ if .Values.on }}HOOK: pre-install{{ end }}",
    ] {
        passes_over(&annotated(line));
    }
}

#[test]
fn comments_are_passed_over() {
    passes_over(&annotated("# HOOK: pre-instal"));
    passes_over(&annotated("{{/* HOOK: pre-instal */}}"));
    passes_over(&annotated("{{- /*\n    HOOK: pre-instal\n    */ -}}"));
    passes_over("{{/*\nmetadata:\n  annotations:\n    HOOK: pre-instal\n");
}

#[test]
fn uncertain_values_are_passed_over() {
    for line in [
        "HOOK:",
        "HOOK: # nothing",
        "HOOK: >-\n      pre-install",
        "HOOK: pre-install,\n      pre-upgrade",
        "HOOK: \"pre-install,\n      pre-upgrade\"",
        "HOOK: *event",
        "HOOK: !!str x",
        "HOOK: [pre-install]",
        "HOOK: \"pre\\x2dinstall\"",
        "HOOK: 'it''s'",
        "HOOKs: x",
        "HOOK-weight: x",
    ] {
        passes_over(&annotated(line));
    }
}

#[test]
fn annotations_of_anything_else_are_passed_over() {
    passes_over("metadata:\n  labels:\n    HOOK: x\n");
    passes_over("spec:\n  template:\n    metadata:\n      annotations:\n        HOOK: x\n");
    passes_over("kind: List\nitems:\n- metadata:\n    annotations:\n      HOOK: x\n");
    passes_over("spec:\n  list:\n  - HOOK: x\n");
}

#[test]
fn text_in_text_is_passed_over() {
    for header in ["|", ">-", "|2+ # why"] {
        passes_over(&format!(
            "data:\n  a.yaml: {header}\n    metadata:\n\n      annotations:\n        HOOK: x\n"
        ));
        passes_over(&format!("annotations:\n- {header}\n  HOOK: x\n"));
    }
    passes_over("annotations:\n  text: \"\n    HOOK: x\"\n");
    passes_over("annotations: |\n  HOOK: x\n");
}

/// So many that looking at each from each of the others would not end.
#[test]
fn lines_that_say_nothing_are_looked_at_once() {
    for silent in ["\n", "#\n", "  # x\n"] {
        let many = silent.repeat(400_000);
        let text = format!("{many}metadata:\n  annotations:\n    HOOK: pre-instal\n{many}");
        finds_after(&text, 400_003);
        passes_over(&format!("metadata:\n  annotations:\n    HOOK: a,\n{many}      b\n"));
    }
}

#[track_caller]
fn finds_after(text: &str, line: usize) {
    assert!(found(text) == [("pre-instal".to_owned(), line)]);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop::collection::vec(prop_oneof![
        Just("HOOK"), Just("annotations"), Just("metadata:\n"), Just(": "), Just("\n"), Just("  "), Just("{{"), Just("}}"), Just("/*"),
        Just("*/"), Just("\""), Just("'"), Just("{"), Just("}"), Just(","), Just("|"), Just("#"), Just("- "), Just("\u{e9}"), Just("\r"),
    ], 0..40)) {
        let _ = found(&text.concat());
    }
}
