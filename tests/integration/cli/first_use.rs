//! What somebody meets who uses the program for the first time: each of these went wrong once.

use std::process::{Command, Output};

use serde_json::Value;

use super::{Files, PLAIN, SUSPENDED, hookward, hookward_with};

const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";

/// Runs the program itself on a machine without helm.
fn without_helm(files: &Files, arguments: &[&str]) -> Output {
    let mut command = Command::new(tests::server::program());
    command.args(arguments).current_dir(files.folder()).env("PATH", "").output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_folder_of_charts_without_helm_looked_clean() {
    let files = Files::new(&[("charts/a/Chart.yaml", CHART), ("charts/b/Chart.yaml", CHART)]);
    let wanted = "nothing could be rendered: 2 charts need helm on PATH, or --helm FILE";
    for command in ["check", "try"] {
        let ran = without_helm(&files, &[command, "charts"]);
        assert_eq!(ran.status.code(), Some(2));
        assert_eq!(text(&ran.stderr), format!("error: charts: {wanted}\n"));
        let ran = without_helm(&files, &[command, "charts", "--format", "json"]);
        let document: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!(document["errors"][0]["message"], wanted);
    }
}

#[test]
fn charts_that_were_left_out_are_counted_when_others_are_judged() {
    let files =
        Files::new(&[("all/a/Chart.yaml", CHART), ("all/b/Chart.yaml", CHART), ("all/x.yaml", PLAIN)]);
    for command in ["check", "try"] {
        let ran = without_helm(&files, &[command, "all"]);
        assert_eq!(ran.status.code(), Some(0));
        assert_eq!(text(&ran.stderr).matches("skipped: needs helm on PATH").count(), 2);
        assert!(text(&ran.stdout).contains("; 2 charts skipped"), "{}", text(&ran.stdout));
        let named = text(&ran.stdout).contains("\nall/b: skipped: needs helm on PATH, or --helm FILE\n");
        assert_eq!(named, command == "try", "{}", text(&ran.stdout));
    }
}

#[test]
fn a_helm_that_is_not_there_was_said_once_per_chart_and_not_by_its_name() {
    let files = Files::new(&[("charts/a/Chart.yaml", CHART), ("charts/b/Chart.yaml", CHART)]);
    for command in ["check", "try"] {
        let ran = without_helm(&files, &[command, "charts", "--helm", "./nohelm"]);
        assert_eq!(ran.status.code(), Some(2));
        assert_eq!(text(&ran.stderr), "error: ./nohelm: no such program\n");
    }
}

#[test]
fn a_library_chart_that_was_named_was_an_error() {
    let files = Files::new(&[("lib/Chart.yaml", &format!("{CHART}type: library\n"))]);
    for command in ["check", "try"] {
        let ran = without_helm(&files, &[command, "lib"]);
        assert_eq!(ran.status.code(), Some(0));
        assert_eq!(text(&ran.stderr), "note: lib: skipped: a library chart renders nothing\n");
        assert!(text(&ran.stdout).contains("; nothing was "), "{}", text(&ran.stdout));
    }
}

#[test]
fn try_said_nothing_about_a_file_without_an_object() {
    let files = Files::new(&[("values.yaml", "replicas: 1\n"), ("good.yaml", SUSPENDED)]);
    let ran = hookward(["try", &files.path("values.yaml")]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("values.yaml: no Kubernetes object in it"), "{}", ran.stderr);
    let ran = hookward(["try", &files.path("values.yaml"), &files.path("good.yaml")]);
    // Folded elsewhere when requests took longer.
    let summary = ran.stdout.split_once(" denied, ").unwrap().1.replace('\n', " ");
    assert!(ran.code == 2 && summary.contains("; 1 could not be read, see above "), "{summary}");
    assert_eq!(hookward_with("", ["try", "-"]).code, 2);
}

#[test]
fn renewing_a_certificate_replaced_the_authority_that_clusters_trust() {
    let files = Files::new(&[]);
    let make = |more: &[&str]| {
        let folder = files.path("tls");
        hookward(["certs", "make", "--dir", &folder, "--name", "localhost"].iter().chain(more))
    };
    let read = |name: &str| std::fs::read_to_string(files.path(name)).unwrap();
    assert_eq!(make(&[]).code, 0);
    let (authority, leaf) = (read("tls/ca.crt"), read("tls/tls.crt"));

    let renewed = make(&["--force"]);
    assert!(
        renewed.code == 0 && renewed.stderr.contains("signed by the authority that was there"),
        "{}",
        renewed.stderr
    );
    assert_eq!(read("tls/ca.crt"), authority);
    assert_ne!(read("tls/tls.crt"), leaf);
    assert!(hookward(["certs", "inspect", &files.path("tls")]).stdout.contains("the authority beside it"));

    let replaced = make(&["--force", "--new-ca"]);
    assert!(
        replaced.code == 0 && replaced.stderr.contains("apply every registered caBundle again"),
        "{}",
        replaced.stderr
    );
    assert_ne!(read("tls/ca.crt"), authority);
    assert_eq!(make(&["--new-ca"]).code, 2, "files are replaced by --force only");
    let help = hookward(["certs", "make", "--help"]).stdout;
    assert!(
        help.contains("unless there is --new-ca too") && help.contains("With --force: replace"),
        "{help}"
    );

    files.write("tls/ca.key", "hello");
    let damaged = make(&["--force"]);
    assert!(damaged.code == 2 && damaged.stderr.contains("--new-ca"), "{}", damaged.stderr);
}

#[test]
fn a_server_was_registered_under_a_host_that_its_certificate_does_not_name() {
    let files = Files::new(&[]);
    let folder = files.path("tls");
    assert_eq!(hookward(["certs", "make", "--dir", &folder, "--name", "hooks.demo.svc", "10.0.0.1"]).code, 0);
    let print = |url: &str| hookward(["serve", "--cert-dir", &folder, "--print-webhooks", "--url", url]);
    let wrong = print("https://10.0.0.2:8443");
    assert!(wrong.code == 2 && wrong.stdout.is_empty(), "{}", wrong.stdout);
    let wanted = "tls/tls.crt: the certificate is not for \"10.0.0.2\", so the API server would refuse it; it is for hooks.demo.svc, 10.0.0.1";
    assert!(wrong.stderr.contains(wanted), "{}", wrong.stderr);
    assert_eq!(print("https://hooks.demo.svc").code, 0);
}

#[test]
fn an_address_that_no_webhook_can_have_was_registered_or_blamed_on_the_certificate() {
    let print = |url: &str| hookward(["serve", "--cert-dir", "tls", "--print-webhooks", "--url", url]);
    for url in ["/foo", "https://a/foo", "https://a:99999", "https://a:abc", "http://a:8443", "https://u@a"] {
        let ran = print(url);
        let said = ran.stderr.lines().next().unwrap();
        let wanted = format!("error: invalid value '{url}' for '--url <URL>': write https://HOST:PORT");
        assert!(ran.code == 2 && ran.stdout.is_empty() && said.starts_with(&wanted), "{said}");
    }
}

#[test]
fn the_other_way_to_a_certificate_was_not_named() {
    for arguments in [&["serve", "--cluster"][..], &["serve", "--print-webhooks", "--url", "https://a"]] {
        let ran = hookward(arguments);
        let names = ["--cert-dir", "--cert-secret"].map(|flag| ran.stderr.contains(flag));
        assert!(ran.code == 2 && names == [true, true], "{}", ran.stderr);
    }
}

#[test]
fn an_exception_that_had_run_out_was_passed_over_in_silence() {
    let policy = "apiVersion: hookward.dev/v1alpha1
kind: HookException
metadata: {name: legacy}
spec: {rules: [job-suspended], namespaces: ['*'], reason: moves soon, expiresAt: '2020-05-01T00:00:00Z'}
";
    let files = Files::new(&[("policy.yaml", policy), ("all/a.yaml", SUSPENDED), ("all/b.yaml", SUSPENDED)]);
    files.write("plain.yaml", PLAIN);
    for (command, code) in [("check", 1), ("try", 0)] {
        let run = |path: &str| hookward([command, "--policy", &files.path("policy.yaml"), &files.path(path)]);
        let ran = run("all");
        assert_eq!((ran.code, &*ran.stderr), (code, "note: HookException legacy ended on 2020-05-01\n"));
        assert_eq!(run("plain.yaml").stderr, "", "it would have covered nothing");
    }
}

#[test]
fn a_profile_given_by_hand_was_overruled_in_silence() {
    let policy =
        "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: a}\nspec: {profile: audit}\n";
    let files = Files::new(&[("policy.yaml", policy), ("plain.yaml", PLAIN)]);
    for command in ["check", "try"] {
        let run = |more: &[&str]| {
            let (policy, plain) = (files.path("policy.yaml"), files.path("plain.yaml"));
            let ran = hookward([command, "--policy", &policy, &plain].iter().chain(more));
            files.relative(&ran.stderr)
        };
        let note =
            "note: --profile strict has no effect: policy.yaml names the profile audit for everything\n";
        assert_eq!(run(&["--profile", "strict"]), note);
        assert_eq!(run(&[]) + &run(&["--profile", "audit"]), "");
    }
}

#[test]
fn policies_and_exceptions_of_a_cluster_could_not_be_checked_with() {
    let exception = |name: &str, status: &str| {
        format!(
            "- apiVersion: hookward.dev/v1alpha1
  kind: HookException
  metadata: {{name: {name}, generation: 1}}
  spec: {{rules: [{name}], namespaces: ['*'], reason: r, expiresAt: '2999-05-01T00:00:00Z', requestedBy: ann}}
  status: {status}
"
        )
    };
    let list = |items: &str| format!("apiVersion: v1\nkind: List\nitems:\n{items}");
    let approved = exception("job-suspended", "{approvedGeneration: 1, approvedBy: bob}");
    let files = Files::new(&[
        ("approved.yaml", &list(&approved)),
        ("asked.yaml", &list(&exception("job-*", "{}"))),
        ("none.yaml", &list("").replace("items:", "items: []")),
    ]);
    let check = |names: &[&str]| {
        let policies = names.iter().flat_map(|name| ["--policy".to_owned(), files.path(name)]);
        hookward_with(
            SUSPENDED,
            ["check".into(), "-".into(), "-n".into(), "a".into()].into_iter().chain(policies),
        )
    };
    assert_eq!((check(&["approved.yaml", "none.yaml"]).code, check(&["none.yaml"]).code), (0, 1));
    let ran = check(&["none.yaml", "asked.yaml"]);
    let note = "note: HookException job-* does not count: nobody has approved it\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (1, note));
}

#[test]
fn an_exception_from_a_rule_that_there_is_not_and_an_empty_file_were_taken_in_silence() {
    let exception = "apiVersion: hookward.dev/v1alpha1
kind: HookException
metadata: {name: legacy}
spec: {rules: [job-suspend], namespaces: ['*'], reason: r, expiresAt: '2999-05-01T00:00:00Z'}
";
    let files =
        Files::new(&[("unknown.yaml", exception), ("empty.yaml", "# nothing\n"), ("a.yaml", SUSPENDED)]);
    for (name, wanted) in [
        (
            "unknown.yaml",
            ":4:16: HookException legacy: there is no rule \"job-suspend\", did you mean \"job-suspended\"?",
        ),
        ("empty.yaml", ":1:1: there is no HookPolicy and no HookException in it"),
    ] {
        for command in ["check", "try"] {
            let ran = hookward([command, "--policy", &files.path(name), &files.path("a.yaml")]);
            assert_eq!(ran.code, 2);
            assert_eq!(files.relative(&ran.stderr), format!("error: {name}{wanted}\n"));
        }
    }
}

#[test]
fn a_mistake_in_a_policy_was_told_without_its_line_and_in_words_of_rust() {
    let head = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: a}\nspec:\n";
    let first = format!("{head}  profile: audit\n---\n");
    for (spec, wanted) in [
        ("  profil: strict\n", ":11:3: unknown field `profil`, expected one of priority, "),
        (
            "  rules:\n    job-suspended:\n      mode: wrn\n",
            ":13:13: rule job-suspended: unknown word `wrn`, expected one of ",
        ),
        (
            "  rules:\n    job-ttl-too-low:\n      options: {leest: 3}\n",
            ":13:7: HookPolicy a: options of rule job-ttl-too-low: unknown field `leest`",
        ),
        ("  priority: abc\n", ":11:13: a whole number is wanted here"),
        ("  rules: {a: b: c}\n", ":11:15: while parsing a flow mapping"),
        ("  profile: strict\n  profile: audit\n", ":12:3: written twice: profile\n"),
        (
            "  {}\n---\nkind: Job\n",
            ":13:7: this is no HookPolicy and no HookException of hookward.dev/v1alpha1\n",
        ),
    ] {
        let files = Files::new(&[("policy.yaml", &format!("{first}{head}{spec}")), ("a.yaml", SUSPENDED)]);
        for command in ["check", "try"] {
            let ran = hookward([command, "--policy", &files.path("policy.yaml"), &files.path("a.yaml")]);
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "nothing was judged");
            let said = files.relative(&ran.stderr);
            assert!(said.starts_with(&format!("error: policy.yaml{wanted}")), "{said}");
            assert!(
                said.lines().count() == 1 && !said.contains("<input>") && !said.contains(" at line "),
                "{said}"
            );
        }
    }
}

#[test]
fn a_template_was_told_from_broken_yaml_by_check_alone() {
    let files = Files::new(&[("a.yaml", "name: {{ .Release.Name }}\nkind: Job\n")]);
    for command in ["check", "try"] {
        let ran = hookward([command, &files.path("a.yaml")]);
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((ran.code, said.contains("give the chart's folder instead")), (2, true), "{said}");
    }
}

#[test]
fn a_file_with_nothing_of_a_release_was_passed_over_in_silence() {
    let ours =
        |kind: &str| format!("apiVersion: hookward.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: x}}\n");
    let policy = format!("# of the team\n{}---\n{}", ours("HookPolicy"), ours("HookException"));
    let files = Files::new(&[
        ("in/policy.yaml", &policy),
        ("in/scenario.yaml", &ours("RolloutScenario")),
        ("in/a.yaml", PLAIN),
    ]);
    for command in ["check", "try"] {
        let said = |path: &str| {
            let ran = hookward([command, &files.path(path)]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            files.relative(&ran.stderr)
        };
        let given = "a HookException is given by --policy; a HookPolicy is given by --policy";
        assert_eq!(
            said("in/policy.yaml"),
            format!("note: in/policy.yaml: nothing of a release in it; {given}\n")
        );
        assert!(
            said("in/scenario.yaml").ends_with("in it; a RolloutScenario is played by hookward rollout\n")
        );
        assert_eq!(said("in"), "", "met in a folder");
    }
}

#[test]
fn an_authority_without_a_certificate_was_blamed_on_the_server() {
    let files = Files::new(&[("a.yaml", "kind: Job\n")]);
    let path = files.path("a.yaml");
    let ran = hookward(["probe", "--connect", "127.0.0.1:1", "--name", "a", "--authority", &path]);
    let wanted = "error: a.yaml: there is no certificate in it; give one in PEM, such as ca.crt\n";
    assert_eq!((ran.code, &*files.relative(&ran.stderr)), (2, wanted));
}

#[test]
fn a_name_to_listen_at_was_refused_without_saying_what_to_write() {
    let ran = hookward(["serve", "--listen", "localhost:8443"]);
    assert!(ran.stderr.contains("write an IP address and a port, as in 127.0.0.1:8443"), "{}", ran.stderr);
}
