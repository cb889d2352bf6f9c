//! Input that cannot be read gets a sentence with its file and line, exit code 2, and the rest is judged.

use super::{Files, Ran, SUSPENDED, hookward};

/// Checks one bad file beside a good one, and gives the sentence about it.
#[track_caller]
fn sentence(files: &Files, name: &str) -> (Option<u64>, String) {
    files.write("good.yaml", SUSPENDED);
    let ran = hookward(["check", &files.path(name), &files.path("good.yaml"), "--format", "json"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stdout.contains("job-suspended"), "the good file is judged: {}", ran.stdout);
    let [(file, line, message)] = &ran.errors()[..] else { panic!("one error: {}", ran.stdout) };
    assert_eq!(files.relative(file), name);
    assert!(files.relative(&ran.stderr).starts_with(&format!("error: {name}:")), "{}", ran.stderr);
    assert!(
        !message.ends_with('.') && !message.starts_with(char::is_uppercase) || message.starts_with("Secret"),
        "{message}"
    );
    (*line, message.clone())
}

#[test]
fn a_missing_file() {
    assert_eq!(sentence(&Files::new(&[]), "missing.yaml"), (None, "no such file".into()));
}

#[test]
fn a_folder_without_yaml() {
    let files = Files::new(&[("empty/readme.txt", "")]);
    assert!(sentence(&files, "empty").1.contains("no .yaml"));
}

#[test]
fn broken_yaml_among_many_files_and_documents() {
    let broken = format!("{SUSPENDED}---\na: b: c\n---\n{}", SUSPENDED.replace("migrate", "other"));
    let files =
        Files::new(&[("many/a.yaml", SUSPENDED), ("many/broken.yaml", &broken), ("many/c.yaml", SUSPENDED)]);
    let ran = hookward(["check", &files.path("many"), "--format", "json"]);
    assert_eq!(ran.code, 2);
    let [(file, line, message)] = &ran.errors()[..] else { panic!("{}", ran.stdout) };
    assert_eq!((files.relative(file).as_str(), *line), ("many/broken.yaml", Some(10)));
    assert!(message.ends_with("the other 2 documents were checked"), "{message}");
    assert_eq!(ran.json()["summary"]["objects"], 4);
}

#[test]
fn binary_files() {
    let files = Files::new(&[]);
    files.write("nul.yaml", b"a: b\n\0\x01\x02");
    files.write("latin.yaml", b"a: b\nc: \xe9\n");
    for (name, what) in [("nul.yaml", "binary"), ("latin.yaml", "not UTF-8 (byte 9); save it as UTF-8")] {
        let (line, message) = sentence(&files, name);
        assert!(line == Some(2) && message.contains(what), "{message}");
    }
}

#[test]
fn a_file_of_100_megabytes_is_not_even_read() {
    let files = Files::new(&[]);
    std::fs::File::create(files.path("big.yaml")).unwrap().set_len(100 << 20).unwrap();
    assert!(sentence(&files, "big.yaml").1.contains("100 MiB, and the limit is 64 MiB"));
}

#[test]
fn bombs_of_aliases_and_of_nesting() {
    let mut aliases = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for index in 1..12 {
        let before = index - 1;
        let items = vec![format!("*a{before}"); 10].join(",");
        aliases.extend([format!("a{index}: &a{index} [{items}]\n")]);
    }
    let files = Files::new(&[
        ("alias.yaml", &aliases),
        ("deep.yaml", &"- ".repeat(20_000)),
        ("deep.json", &"[".repeat(20_000)),
    ]);
    assert!(sentence(&files, "alias.yaml").0.is_some());
    assert!(sentence(&files, "deep.yaml").1.contains("nested too deeply"));
    assert!(sentence(&files, "deep.json").1.contains("nested too deeply"));
}

#[test]
fn a_chart_without_helm() {
    let files = Files::new(&[("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n")]);
    files.write("good.yaml", SUSPENDED);
    let ran = hookward([
        "check",
        &files.path("shop"),
        &files.path("good.yaml"),
        "--helm",
        &files.path("no-helm"),
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 2);
    let (file, _, message) = &ran.errors()[0];
    assert_eq!((files.relative(file).as_str(), message.as_str()), ("no-helm", "no such program"));
    assert!(ran.stdout.contains("job-suspended"));
}

#[test]
fn text_without_an_object_when_it_is_named() {
    let files = Files::new(&[("values.yaml", "replicas: 1\n")]);
    assert!(sentence(&files, "values.yaml").1.contains("no Kubernetes object"));
}

#[test]
fn a_template_that_nobody_rendered() {
    let files = Files::new(&[("raw.yaml", "kind: {{ .Values.kind }}\n")]);
    let (line, message) = sentence(&files, "raw.yaml");
    assert!(line == Some(1) && message.contains("give the chart's folder"), "{message}");
}

#[test]
fn without_any_input_json_is_still_one_document() {
    let ran: Ran = hookward(["check", "nowhere.yaml", "--format", "json"]);
    assert_eq!((ran.code, ran.json()["summary"]["objects"].as_u64(), ran.errors().len()), (2, Some(0), 1));
}

#[test]
fn many_documents_with_something_to_say_of_took_time_squared() {
    let broken = "---\n{\n".repeat(20_000);
    let unread = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n...\nkind: Job\n".repeat(8_000);
    let no_list = "---\napiVersion: v1\nkind: List\nitems: é\n".repeat(8_000);
    for command in ["check", "plan"] {
        let said = |text: &str| super::hookward_with(text, [command, "-"]).stderr;
        let (errors, notes) = (said(&broken), said(&unread));
        assert_eq!((errors.lines().count(), notes.lines().count()), (20_000, 8_000));
        assert!(errors.lines().last().unwrap().starts_with("error: -:40000:1: "), "{command}");
        assert!(notes.lines().last().unwrap().starts_with("note: -:48000:1: "), "{command}");
    }
    let errors = super::hookward_with(&no_list, ["check", "-"]).stderr;
    assert_eq!(errors.lines().last(), Some("error: -:32000:8: items of this List is no list"));
}

#[test]
fn the_standard_input_is_read_once() {
    let ran = super::hookward_with(SUSPENDED, ["check", "-", "-", "--format", "json"]);
    assert!(ran.code == 2 && ran.errors()[0].2.contains("only once"), "{}", ran.stdout);
}

#[test]
fn a_list_without_a_list_was_taken_for_an_object() {
    let files = Files::new(&[("list.yaml", "apiVersion: v1\nkind: List\nitems: {a: b}\n")]);
    assert_eq!(sentence(&files, "list.yaml"), (Some(3), "items of this List is no list".into()));
    let ran = hookward(["try", &files.path("list.yaml")]);
    assert!(ran.code == 2 && ran.stderr.contains("items of this List is no list"), "{}", ran.stderr);
}

#[test]
fn names_that_helm_would_refuse_were_taken() {
    for (flag, name, wanted) in [
        ("-n", "Foo Bar", "no namespace has such a name"),
        ("--release", "Foo_Bar", "Helm would refuse this name"),
    ] {
        for command in ["check", "try"] {
            let ran = super::hookward_with(SUSPENDED, [command, "-", flag, name]);
            assert!(ran.code == 2 && ran.stderr.contains(wanted), "{}", ran.stderr);
        }
    }
}
