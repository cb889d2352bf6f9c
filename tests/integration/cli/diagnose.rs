//! `diagnose` without a cluster: why it could not look, in one sentence.

use std::net::TcpListener;

use super::{Files, Ran, hookward};

/// A kubeconfig for a server.
fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
clusters: [{{name: a, cluster: {{server: \"{server}\"}}}}]
contexts: [{{name: a, context: {{cluster: a, user: u}}}}]
current-context: a
users: [{{name: u, user: {{token: s3cr3t}}}}]
"
    )
}

/// Asks with these arguments; the names of files are relative to the folder.
fn ask(files: &Files, arguments: &[&str]) -> Ran {
    let words = ["diagnose", "shop", "--kubeconfig"].into_iter().chain(arguments.iter().copied());
    let mut ran = hookward(words);
    ran.stderr = files.relative(&ran.stderr);
    ran
}

#[test]
fn a_cluster_that_cannot_be_reached_was_told_in_three_sentences_and_a_piece_of_the_file() {
    let files = Files::new(&[
        ("broken", "users:\n- user: {token: s3cr3t}\n  name: [\n"),
        ("other", &kubeconfig("http://127.0.0.1:1").replace("current-context: a", "")),
    ]);
    let [broken, other, none] = ["broken", "other", "none"].map(|name| files.path(name));
    for (arguments, said) in [
        (&[none.as_str()][..], "there is no file none"),
        (&[&broken], "broken is no kubeconfig: see line 3, column 9"),
        (&[&other], "it has no current context, and none is given"),
        (&[&other, "--context", "b"], "it has no context \"b\", only \"a\""),
    ] {
        let ran = ask(&files, arguments);
        let wanted = format!("error: cannot use the kubeconfig: {said}\n");
        assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.as_str()), (2, wanted.as_str(), ""));
    }
}

#[test]
fn a_server_that_is_not_there_is_told_in_one_sentence() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let files = Files::new(&[("config", &kubeconfig(&server))]);
    let ran = ask(&files, &[&files.path("config"), "-n", "demo", "--format", "json"]);
    let said =
        "cannot read the releases of namespace \"demo\": the API server gave no answer: connection refused";
    assert_eq!((ran.code, ran.stderr), (2, format!("error: {said}\n")));
    let wanted = format!(
        "{{\"version\":1,\"release\":null,\"errors\":[{{\"message\":{}}}]}}\n",
        serde_json::json!(said)
    );
    assert_eq!(ran.stdout, wanted);
}

#[test]
fn a_name_that_no_release_has_was_asked_of_the_cluster() {
    for (arguments, said) in [
        (&["Shop_1"][..], "invalid value 'Shop_1' for '<RELEASE>': Helm would refuse this name: "),
        (
            &["shop", "-n", "a b"],
            "invalid value 'a b' for '--namespace <NAME>': no namespace has such a name: ",
        ),
        (
            &["shop", "--revision", "v2"],
            "invalid value 'v2' for '--revision <NUMBER>': write the number of a revision",
        ),
        (
            &["shop", "--log-lines", "x"],
            "invalid value 'x' for '--log-lines <NUMBER>': write a whole number from 0 ",
        ),
        (
            &["shop", "--namspace", "a"],
            "unexpected argument '--namspace' found\n\n  tip: a similar argument exists: '--namespace'",
        ),
    ] {
        let ran = hookward(["diagnose"].iter().chain(arguments));
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.starts_with(&format!("error: {said}")), "{}", ran.stderr);
    }
}

#[test]
fn a_policy_that_could_not_be_read_was_told_without_its_place() {
    let files = Files::new(&[(
        "bad",
        "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: a}\nspec: {rules: {nope: {mode: deny}}}\n",
    )]);
    let (bad, none) = (files.path("bad"), files.path("none"));
    for (policy, said) in
        [(&bad, "bad:4:16: HookPolicy a: there is no rule \"nope\""), (&none, "none: no such file")]
    {
        let mut ran = ask(&files, &["kc", "--policy", policy.as_str(), "--format", "json"]);
        ran.stdout = files.relative(&ran.stdout);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((ran.code, ran.stderr), (2, format!("error: {said}\n")));
        assert_eq!(json["errors"], serde_json::json!([{"message": said}]));
    }
}
