//! `plan`: what it takes a word, a path or a stored release for.

use flate2::{Compression, write::GzEncoder};

use super::*;

fn heading(ran: &Ran) -> &str {
    ran.stdout.lines().next().unwrap_or_default()
}

/// The archive of a chart called `pay`, as `helm package` makes it.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len().try_into().unwrap());
        header.set_mode(0o644);
        archive.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn the_tool_of_a_policy_was_passed_over_while_its_timeout_counted() {
    let policy = |engine: &str| {
        format!(
            "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {{name: a}}\nspec: {{engine: {engine}}}\n"
        )
    };
    for (engine, flags, played) in [
        ("{helmVersion: 3, timeoutSeconds: 600}", &[][..], "Helm 3.21 · timeout 10m per wait"),
        ("{helmVersion: 3, timeoutSeconds: 600}", &["--helm", "4"], "Helm 4.2 · timeout 10m per wait"),
        ("{helmVersion: 4}", &[], "Helm 4.2 · timeout 5m per wait"),
        ("{timeoutSeconds: 600}", &[], "Helm 4.2 · timeout 10m per wait"),
        ("{gitops: argocd, helmVersion: 3}", &[], "Argo CD"),
        ("{gitops: flux}", &["--timeout", "1m"], "Flux"),
    ] {
        let files = Files::new(&[("policy.yaml", &policy(engine)), ("shop.yaml", SHOP)]);
        let (shop, file) = (files.path("shop.yaml"), files.path("policy.yaml"));
        let ran = hookward(["plan", &shop, "--policy", &file].iter().chain(flags));
        assert!(ran.code == 0 && heading(&ran).contains(played), "{engine}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn the_tool_of_a_policy_for_one_namespace_counts_there() {
    let policy = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: a}\n\
                  spec: {engine: {helmVersion: 3}, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: demo}}}\n";
    let stored = stored_release::stored(1);
    let files = Files::new(&[("policy.yaml", policy), ("stored.yaml", &stored), ("shop.yaml", SHOP)]);
    let played = |path: &str, flags: &[&str]| {
        let (path, policy) = (files.path(path), files.path("policy.yaml"));
        let ran = hookward(["plan", &path, "--policy", &policy, "--format", "json"].iter().chain(flags));
        ran.json()["helm"].clone()
    };
    assert_eq!([played("shop.yaml", &[]), played("shop.yaml", &["-n", "demo"])], ["4.2.4", "3.21.4"]);
    assert_eq!(played("stored.yaml", &[]), "3.21.4", "the record names the namespace");
}

#[test]
fn a_flag_that_the_tool_of_a_policy_does_not_have_is_told_with_the_way_out() {
    let policy = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: a}\nspec: {engine: {helmVersion: 3}}\n";
    let files = Files::new(&[("policy.yaml", policy)]);
    let ran = ran(SHOP, &["--policy", &files.path("policy.yaml"), "--server-side", "true"]);
    let told =
        "Helm 3 has no server-side apply; leave it out (the policies name the tool; --helm names another)";
    assert_eq!((ran.code, &*ran.errors()[0].2), (2, told));
    assert_eq!(ran.json()["helm"], "3.21.4");
}

#[test]
fn a_packed_chart_had_another_name_than_its_folder() {
    let files = charts::chart(&format!("---\n{SHOP}"), "", 0);
    let name = "apiVersion: v2\nname: pay\nversion: 0.3.0\n";
    let named = |packed: &[u8]| {
        files.write("pay-0.3.0.tgz", packed);
        let (path, helm) = (files.path("pay-0.3.0.tgz"), files.path("helm"));
        let ran = hookward(["plan", &path, "--helm-bin", &helm, "--format", "json"]);
        let asked = std::fs::read_to_string(files.path("args")).unwrap();
        let release = ran.json()["release"].as_str().unwrap().to_owned();
        assert!(asked.contains(&format!("-- {release} ")), "{asked}");
        release
    };
    let subchart = ("pay/charts/db/Chart.yaml", "name: db\n");
    assert_eq!(named(&archive(&[subchart, ("pay/values.yaml", ""), ("pay/Chart.yaml", name)])), "pay");
    assert_eq!(named(&archive(&[("any-folder/Chart.yaml", name)])), "pay");
    let whole = archive(&[("pay/Chart.yaml", name)]);
    for unnamed in [archive(&[subchart]), archive(&[]), b"no archive".to_vec(), whole[..20].to_vec()] {
        assert_eq!(named(&unnamed), "release-name", "helm says what is wrong with it");
    }
}

#[test]
fn a_packed_library_was_rendered() {
    let files = charts::chart("", "", 1);
    let library = "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n";
    files.write("lib.tgz", archive(&[("lib/Chart.yaml", library)]));
    let ran = hookward(["check", &files.path("lib.tgz"), "--helm", &files.path("helm")]);
    assert!(ran.code == 0 && ran.stderr.contains("a library chart renders nothing"), "{}", ran.stderr);
}

#[test]
fn a_revision_before_that_nothing_needs_was_passed_over_in_silence() {
    let files = Files::new(&[("one.yaml", PLAIN), ("two.yaml", SHOP)]);
    let note = "note: --previous has no effect: none of the actions needs a revision before\n";
    for (actions, told) in [
        (&["install"][..], note),
        (&["install", "test"], note),
        (&["install", "upgrade"], ""),
        (&["test"], ""),
        (&["rollback"], ""),
        (&["uninstall"], ""),
    ] {
        let (one, two) = (files.path("one.yaml"), files.path("two.yaml"));
        let flags = actions.iter().flat_map(|action| ["--action", action]);
        let ran = hookward(["plan", &two, "--previous", &one].into_iter().chain(flags));
        assert_eq!((ran.code, &*ran.stderr), (0, told), "{actions:?}");
        let is_of_two = ran.stdout.contains("Job/migrate");
        assert!(is_of_two || actions == ["uninstall"], "{actions:?}: {}", ran.stdout);
    }
}

#[test]
fn a_release_that_could_not_be_read_had_a_name_and_a_namespace() {
    let names = |flags: &[&str]| {
        let document = hookward(["plan", "missing.yaml", "--format", "json"].iter().chain(flags)).json();
        ["helm", "release", "namespace"].map(|field| document[field].clone())
    };
    assert_eq!(names(&[]), [json!("4.2.4"), Value::Null, Value::Null]);
    assert_eq!(names(&["--release", "shop", "-n", "demo"]), [json!("4.2.4"), json!("shop"), json!("demo")]);
    let no_policy = ["--policy", "missing.yaml"];
    assert_eq!(names(&no_policy), [Value::Null, Value::Null, Value::Null], "a policy may name the tool");
    assert_eq!(names(&[&no_policy[..], &["--helm", "3"]].concat())[0], "3.21.4");
    for format in ["markdown", "html", "junit"] {
        let ran = hookward(["plan", "missing.yaml", "--format", format]);
        assert!(!ran.stdout.contains("Plan of"), "{}", ran.stdout);
        assert!(ran.stdout.contains("no such file"), "{}", ran.stdout);
    }
}

#[test]
fn a_folder_with_a_chart_and_manifests_named_neither() {
    let chart = "apiVersion: v2\nname: geo\nversion: 1.0.0\n";
    let files =
        Files::new(&[("a/geo/Chart.yaml", chart), ("a/shop.yaml", SHOP), ("b/geo/Chart.yaml", chart)]);
    let told = |path: &str| {
        let flags = ["plan", &files.path(path), "--helm-bin", "helm", "--format", "json"];
        // Whoever tests this may have a helm.
        let ran = hookward(flags);
        (!ran.stderr.contains("helm template")).then(|| files.relative(&ran.errors()[0].2))
    };
    let needs = "geo cannot be rendered without helm on PATH, or --helm-bin FILE";
    if let Some((beside, alone)) = told("a").zip(told("b")) {
        let hint =
            "a plan is of one release: name one chart, or what holds the manifests of one release alone";
        assert_eq!(beside, format!("a/{needs}; {hint}"));
        assert_eq!(alone, format!("b/{needs}"));
    }
}

#[test]
fn what_seems_to_be_several_releases_was_made_one_in_silence() {
    let of = |chart: &str| format!("# Source: {chart}/templates/a.yaml\n{PLAIN}");
    let other = PLAIN.replace("plain", "other");
    let subchart = format!("# Source: shop/charts/db/templates/a.yaml\n{other}");
    let files = Files::new(&[
        ("flat/a.yaml", PLAIN),
        ("flat/b.yaml", &other),
        ("flat/rollouts/x.yaml", "apiVersion: hookward.dev/v1alpha1\nkind: RolloutScenario\nspec: {}\n"),
        ("deep/one/a.yaml", PLAIN),
        ("deep/two/b.yaml", &other),
        ("charts/a.yaml", &of("shop")),
        ("charts/b.yaml", &of("pay")),
        ("out/shop/templates/a.yaml", &of("shop")),
        ("out/shop/charts/db/templates/a.yaml", &subchart),
        ("out/more.yaml", SHOP),
    ]);
    let told = |paths: &[&str]| {
        let paths: Vec<_> = paths.iter().map(|path| files.path(path)).collect();
        let ran =
            hookward(["plan", "--action", "install"].into_iter().chain(paths.iter().map(|path| &**path)));
        files.relative(&format!("{}/", ran.stderr)).replace(&format!("{}/", files.folder().display()), "")
    };
    let note = "2 files are taken for one release; name a part of it if they are several\n/";
    assert!(told(&["deep"]).ends_with(note) && told(&["charts"]).ends_with(note), "{}", told(&["deep"]));
    for fine in [&["flat"][..], &["out"], &["deep/one", "deep/two"], &["flat/a.yaml", "deep/two/b.yaml"]] {
        assert_eq!(told(fine), "/", "{fine:?}");
    }
}

#[test]
fn a_chart_among_manifests_was_made_one_release_with_them_in_silence() {
    let files = charts::chart(&format!("---\n# Source: shop/templates/a.yaml\n{SHOP}"), "", 0);
    files.write("all/a.yaml", PLAIN);
    std::os::unix::fs::symlink(files.path("shop"), files.path("all/shop")).unwrap();
    let ran = |paths: &[&str]| {
        let paths: Vec<_> = paths.iter().map(|path| files.path(path)).collect();
        let flags = ["plan", "--helm-bin", &files.path("helm"), "--action", "install"].map(ToOwned::to_owned);
        let ran = hookward(flags.into_iter().chain(paths));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        files.relative(&ran.stderr)
    };
    assert!(ran(&["all"]).contains("1 file and a chart are taken for one release"), "{}", ran(&["all"]));
    assert_eq!((ran(&["shop", "all/a.yaml"]), ran(&["all/shop"])), (String::new(), String::new()));
}

#[test]
fn the_program_that_renders_has_one_name_for_all_commands() {
    let files = charts::chart(PLAIN, "", 0);
    for command in ["check", "try", "plan"] {
        let ran = hookward([command, &files.path("shop"), "--helm-bin", &files.path("helm")]);
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{command}");
    }
}

#[test]
fn a_stored_revision_lost_its_number() {
    let deployed = |revision| stored_release::stored_as(revision, "deployed", "ssa", SUSPENDED);
    let files = Files::new(&[
        ("three.yaml", &deployed(3)),
        ("four.yaml", &deployed(4)),
        ("shop.yaml", SHOP),
        ("far.yaml", &deployed(i64::from(u32::MAX))),
    ]);
    let heading = |paths: &[&str], actions: &[&str]| {
        let paths =
            paths.iter().map(|word| if word.contains('.') { files.path(word) } else { (*word).to_owned() });
        let actions = actions.iter().flat_map(|action| ["--action".to_owned(), (*action).to_owned()]);
        let ran = hookward(
            ["plan".to_owned(), "--release".into(), "shop".into()].into_iter().chain(paths).chain(actions),
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout.split(" · ").next().unwrap().to_owned()
    };
    assert_eq!(heading(&["four.yaml"], &["upgrade"]), "upgrade shop 4 → 5");
    assert_eq!(heading(&["four.yaml"], &["test"]), "test shop 4");
    assert_eq!(heading(&["four.yaml"], &["uninstall"]), "uninstall shop 4");
    assert_eq!(heading(&["four.yaml"], &["rollback"]), "rollback shop 4 → 5");
    assert_eq!(heading(&["shop.yaml", "--previous", "four.yaml"], &["upgrade"]), "upgrade shop 4 → 5");
    assert_eq!(heading(&["shop.yaml", "--previous", "four.yaml"], &["rollback"]), "rollback shop 5 → 6");
    assert_eq!(heading(&["four.yaml", "--previous", "three.yaml"], &["upgrade"]), "upgrade shop 3 → 4");
    assert_eq!(heading(&["four.yaml", "--previous", "three.yaml"], &["rollback"]), "rollback shop 4 → 5");
    assert_eq!(
        heading(&["four.yaml", "--previous", "three.yaml", "--to", "3"], &["rollback"]),
        "rollback shop 4 → 5"
    );
    assert_eq!(heading(&["four.yaml"], &["install"]), "install shop → 1");
    assert_eq!(heading(&["far.yaml"], &["upgrade"]), "upgrade shop 1 → 2");
}
