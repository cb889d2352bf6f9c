//! `plan`: what is played, what is said of it, and which exit code that is.

use serde_json::{Value, json};

use super::{Files, PLAIN, Ran, SUSPENDED, charts, hookward, hookward_with, stored_release};

mod stored;
mod taken;
mod told;

/// A release with a migration before, and a test.
const SHOP: &str = "# Source: shop/templates/migrate.yaml
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: 'pre-install,pre-upgrade'}}
spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never}}}
---
# Source: shop/templates/test.yaml
apiVersion: v1
kind: Pod
metadata: {name: reachable, annotations: {helm.sh/hook: test}}
spec: {restartPolicy: Never}
---
# Source: shop/templates/settings.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
";

/// Plans what stands on the standard input.
#[track_caller]
fn plan(text: &str, flags: &[&str]) -> Value {
    let ran = ran(text, flags);
    assert_eq!((ran.code, &*ran.stderr), (0, ""), "{}", ran.stdout);
    ran.json()
}

fn ran(text: &str, flags: &[&str]) -> Ran {
    hookward_with(text, ["plan", "-", "--format", "json"].iter().chain(flags))
}

/// `verb result` of every step about an object.
fn steps(action: &Value, name: &str) -> Vec<String> {
    let steps = action["steps"].as_array().unwrap().iter();
    let about = steps.filter(|step| step["object"]["name"] == name);
    about
        .map(|step| format!("{} {}", step["verb"].as_str().unwrap(), step["result"].as_str().unwrap()))
        .collect()
}

fn words<'v>(list: &'v Value, field: &str) -> Vec<&'v str> {
    list.as_array().unwrap().iter().map(|one| one[field].as_str().unwrap()).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn nothing_is_missing_and_nothing_is_new() {
    let document = plan(SHOP, &["--release", "shop", "-n", "demo"]);
    assert_eq!(keys(&document), ["actions", "errors", "helm", "namespace", "release", "version"]);
    assert_eq!(
        [&document["version"], &document["helm"], &document["release"], &document["namespace"]],
        [&json!(1), &json!("4.2.4"), &json!("shop"), &json!("demo")]
    );
    let action = &document["actions"][1];
    assert_eq!(keys(action), ["action", "error", "exit", "history", "leftovers", "revision", "steps"]);
    let first = json!({
        "at": 0.0, "event": "pre-upgrade", "verb": "delete", "result": "ok", "message": null,
        "object": {"apiVersion": "batch/v1", "kind": "Job", "namespace": "demo", "name": "migrate"},
    });
    assert_eq!(action["steps"][0], first);
    assert_eq!(
        action["history"],
        json!([
            {"revision": 1, "status": "superseded"}, {"revision": 2, "status": "deployed"},
        ])
    );
    assert_eq!(action["leftovers"], json!([first["object"]]));
    let manifest = action["steps"].as_array().unwrap().last().unwrap();
    assert_eq!([&manifest["object"], &manifest["event"]], [&Value::Null, &Value::Null]);
}

#[test]
fn the_document_is_one_line_with_fields_in_their_order() {
    let ran = ran(SHOP, &[]);
    assert_eq!(ran.stdout.lines().count(), 1);
    let head = r#"{"version":1,"helm":"4.2.4","release":"release","namespace":"default","actions":[{"action":"install","revision":1,"exit":0,"error":null,"steps":[{"at":0.0,"event":"pre-install","verb":"delete","object":{"apiVersion":"batch/v1","kind":"Job","namespace":"default","name":"migrate"},"result":"absent","message":null},"#;
    assert!(ran.stdout.starts_with(head), "{}", ran.stdout);
    assert!(ran.stdout.trim_end().ends_with(r#""errors":[]}"#));
}

#[test]
fn the_published_schema_describes_it() {
    let schema = cli::output::plan_v1::schema().to_value();
    let names = |pointer: &str| keys(schema.pointer(pointer).unwrap());
    let document = plan(SHOP, &[]);
    assert_eq!(names("/properties"), keys(&document));
    assert_eq!(names("/$defs/Played/properties"), keys(&document["actions"][0]));
    assert_eq!(names("/$defs/Step/properties"), keys(&document["actions"][0]["steps"][0]));
}

#[test]
fn an_install_and_an_upgrade_are_what_is_planned_when_nothing_is_said() {
    let document = plan(SHOP, &[]);
    assert_eq!(words(&document["actions"], "action"), ["install", "upgrade"]);
    assert_eq!(steps(&document["actions"][0], "migrate"), ["delete absent", "apply ok", "wait ok"]);
}

#[test]
fn an_upgrade_finds_the_revision_before_deployed_whatever_is_asked_of_its_hooks() {
    let document = plan(SHOP, &["--action", "upgrade", "--outcome", "Job/migrate=fail"]);
    assert_eq!(words(&document["actions"], "action"), ["upgrade"]);
    let upgrade = &document["actions"][0];
    assert_eq!([&upgrade["revision"], &upgrade["exit"]], [&json!(2), &json!(1)]);
    assert!(upgrade["error"].as_str().unwrap().starts_with("UPGRADE FAILED: pre-upgrade hooks failed: "));
    assert_eq!(words(&upgrade["history"], "status"), ["deployed", "failed"]);
    assert_eq!(steps(upgrade, "migrate"), ["delete ok", "apply ok", "wait failed"]);
}

#[test]
fn a_revision_before_that_could_not_have_been_deployed_is_taken_to_be() {
    let stuck = SHOP.replace("backoffLimit: 0", "suspend: true");
    let ran = ran(&stuck, &["--action", "upgrade"]);
    assert!(ran.stderr.starts_with("note: the revision before is taken to be deployed"), "{}", ran.stderr);
    let upgrade = &ran.json()["actions"][0];
    assert_eq!(words(&upgrade["history"], "status"), ["deployed", "failed"]);
}

#[test]
fn the_revision_before_may_be_another() {
    let files = Files::new(&[("one.yaml", &SHOP.replace("pre-install", "pre-rollback")), ("two.yaml", SHOP)]);
    let (one, two) = (files.path("one.yaml"), files.path("two.yaml"));
    let play = |actions: &[&str]| {
        let flags = ["plan", &two, "--previous", &one, "--format", "json"];
        let actions = actions.iter().flat_map(|action| ["--action", action]);
        let ran = hookward(flags.into_iter().chain(actions));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.json()["actions"].clone()
    };
    let upgraded = play(&[]);
    assert_eq!(steps(&upgraded[0], "migrate"), [""; 0], "the revision before has no pre-install hook");
    assert_eq!(steps(&upgraded[1], "migrate"), ["delete absent", "apply ok", "wait ok"]);
    let back = play(&["rollback"]);
    assert_eq!(back[0]["revision"], 3);
    assert_eq!(
        back[0]["steps"][0]["event"], "pre-rollback",
        "hooks are those of the revision that is gone back to"
    );
    let installed = play(&["install"]);
    assert_eq!(steps(&installed[0], "migrate").len(), 3, "an install alone is of the newest");
}

#[test]
fn a_test_and_an_uninstall_are_about_what_is_deployed() {
    let document =
        plan(SHOP, &["--action", "test", "--action", "uninstall", "--outcome", "Pod/reachable=fail"]);
    let [test, uninstall] = &document["actions"].as_array().unwrap()[..] else { panic!("two actions") };
    assert_eq!([&test["revision"], &test["exit"]], [&json!(1), &json!(1)]);
    assert_eq!(steps(test, "reachable"), ["delete absent", "apply ok", "wait failed"]);
    assert_eq!(uninstall["history"], json!([]));
    assert_eq!(words(&uninstall["leftovers"], "name"), ["migrate", "reachable"]);
}

#[test]
fn each_tool_has_its_own_way() {
    let verbs = |tool: &str| {
        let document = plan(SHOP, &["--helm", tool, "--action", "install"]);
        (document["helm"].as_str().unwrap().to_owned(), steps(&document["actions"][0], "migrate"))
    };
    assert_eq!(
        verbs("3"),
        ("3.21.4".into(), ["delete absent", "create ok", "wait ok"].map(Into::into).to_vec())
    );
    assert_eq!(verbs("4").1[1], "apply ok");
    assert_eq!((verbs("argocd").0, verbs("flux").0), ("argocd".into(), "flux".into()));
}

#[test]
fn a_hook_that_hangs_takes_the_whole_timeout() {
    let flags = ["--action", "install", "--outcome", "Job/migrate=hang", "--timeout", "90s"];
    let document = plan(SHOP, &flags);
    let wait = &document["actions"][0]["steps"][2];
    assert_eq!([&wait["at"], &wait["result"]], [&json!(90.0), &json!("timeout")]);
    let slow = plan(SHOP, &["--action", "install", "--outcome", "Job/migrate=40s"]);
    assert_eq!(slow["actions"][0]["steps"][2]["at"], 40.0);
}

#[test]
fn helms_flags_are_helms() {
    let hooks = |flags: &[&str]| {
        let document = plan(SHOP, &[&["--action", "upgrade"], flags].concat());
        let upgrade = &document["actions"][0];
        (steps(upgrade, "migrate").len(), words(&upgrade["history"], "status").join(" "))
    };
    assert_eq!(hooks(&["--no-hooks"]), (0, "superseded deployed".into()));
    for word in ["--atomic", "--rollback-on-failure"] {
        assert_eq!(hooks(&[word, "--outcome", "Job/migrate=fail"]), (3, "superseded failed deployed".into()));
    }
    let kept = plan(SHOP, &["--action", "uninstall", "--keep-history", "--wait=legacy"]);
    assert_eq!(words(&kept["actions"][0]["history"], "status"), ["uninstalled"]);
    assert_eq!(plan(SHOP, &["--wait", "--wait-for-jobs"])["actions"][0]["exit"], 0);
    let unfiltered = plan(SHOP, &["--action", "test", "--filter", "!name=reachable"]);
    assert_eq!(unfiltered["actions"][0]["steps"], json!([]));
}

#[test]
fn time_may_pass_between_actions() {
    let brief = SHOP.replace("backoffLimit: 0", "ttlSecondsAfterFinished: 300");
    let deleted = |flags: &[&str]| steps(&plan(&brief, flags)["actions"][1], "migrate")[0].clone();
    assert_eq!((deleted(&[]), deleted(&["--after", "1h"])), ("delete ok".into(), "delete absent".into()));
}

#[test]
fn an_outcome_of_nothing_is_a_slip() {
    for (outcome, said) in
        [("Job/migrat=fail", "did you mean \"Job/migrate\"?"), ("ConfigMap/settings=fail", "has no pods")]
    {
        let ran = ran(SHOP, &["--outcome", outcome]);
        assert_eq!((ran.code, ran.errors()[0].2.contains(said)), (2, true), "{}", ran.stdout);
        assert!(ran.stderr.contains(said) && ran.json()["actions"] == json!([]));
    }
}

#[test]
fn a_bad_flag_leaves_a_document_with_the_reason() {
    for flags in [["--helm", "5"], ["--outcome", "migrate"], ["--timeout", "soon"], ["--action", "explode"]] {
        let ran = ran(SHOP, &flags);
        assert_eq!((ran.code, ran.errors().len()), (2, 1), "{flags:?}");
        assert_eq!(ran.json()["actions"], json!([]));
    }
    assert!(ran(SHOP, &["--helm", "helm3"]).stderr.contains("say 3, 4, argocd or flux"));
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    let ran = ran(&format!("{SHOP}---\na: b: c\n"), &[]);
    assert_eq!(ran.code, 2);
    let errors = ran.errors();
    assert_eq!((&*errors[0].0, errors[0].1), ("-", Some(18)));
    let document = ran.json();
    assert_eq!([&document["helm"], &document["actions"]], [&json!("4.2.4"), &json!([])]);
    assert_eq!(hookward(["plan", "missing.yaml"]).code, 2);
    assert_eq!(hookward(["plan"]).code, 2);
}

#[test]
fn an_annotation_that_is_no_outcome_is_said() {
    let odd = SHOP.replace(
        "{spec: {restart",
        "{metadata: {annotations: {hookward.dev/outcome: explode}}, spec: {restart",
    );
    let ran = ran(&odd, &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.errors()[0].2.contains("\"explode\" is no outcome"), "{}", ran.stdout);
}

#[test]
fn fail_on_makes_findings_count() {
    let code = |flags: &[&str]| ran(SUSPENDED, flags).code;
    assert_eq!((code(&[]), code(&["--fail-on", "deny"]), code(&["--fail-on", "never"])), (0, 1, 0));
    assert_eq!(code(&["--fail-on", "deny", "--profile", "audit"]), 0);
    assert_eq!(ran(PLAIN, &["--fail-on", "audit"]).code, 0);
}

#[test]
fn a_rule_that_objects_stands_beside_the_step_but_not_in_the_contract() {
    let path = crate::architecture::root().join("examples/data-loss.yaml").display().to_string();
    let text = hookward(["plan", &path]).stdout;
    assert!(text.contains("hook-data-kind-recreated"), "{text}");
    let json = hookward(["plan", &path, "--format", "json"]).stdout;
    assert!(!json.contains("hook-data-kind-recreated"), "{json}");
}

#[test]
fn our_own_documents_are_no_part_of_a_release() {
    let policy = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: x}\nspec: {}\n";
    let document = plan(&format!("{SHOP}---\n{policy}"), &["--action", "install"]);
    assert_eq!(document["actions"][0]["exit"], 0);
    let alone = ran(policy, &[]);
    assert_eq!(
        (alone.code, alone.errors()[0].2.contains("nothing of a release")),
        (2, true),
        "{}",
        alone.stdout
    );
}

#[test]
fn files_and_folders_are_taken_together() {
    let (migrate, rest) = SHOP.split_once("---\n").unwrap();
    let files = Files::new(&[("a/migrate.yaml", migrate), ("a/rest.yaml", rest), ("b.yaml", PLAIN)]);
    let ran = hookward([
        "plan",
        &files.path("a"),
        &files.path("b.yaml"),
        "--format",
        "json",
        "--action",
        "install",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(steps(&ran.json()["actions"][0], "migrate").len(), 3);
}

#[test]
fn several_formats_are_written_at_once() {
    let files = Files::new(&[("shop.yaml", SHOP)]);
    let (page, report) = (files.path("plan.html"), files.path("plan.json"));
    let ran = hookward([
        "plan",
        &files.path("shop.yaml"),
        "--format",
        "text",
        "--format",
        "html",
        "-o",
        &page,
        "--format",
        "json",
        "-o",
        &report,
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("Job/migrate"), "{}", ran.stdout);
    let written: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(
        (written["release"].as_str(), std::fs::metadata(page).unwrap().len() > 0),
        (Some("shop"), true)
    );
}

#[test]
fn a_chart_is_rendered_as_for_what_is_planned() {
    let files = charts::chart(&format!("---\n{SHOP}"), "", 0);
    let play = |actions: &[&str]| {
        let (path, helm) = (files.path("shop"), files.path("helm"));
        let flags = ["plan", &path, "--helm-bin", &helm, "--set", "a=b", "-n", "demo", "--format", "json"];
        let actions = actions.iter().flat_map(|action| ["--action", action]);
        let ran = hookward(flags.into_iter().chain(actions));
        assert_eq!((ran.code, ran.json()["release"].as_str()), (0, Some("shop")), "{}", ran.stderr);
        std::fs::read_to_string(files.path("args")).unwrap()
    };
    let installed = play(&["install"]);
    assert!(installed.contains("--include-crds") && !installed.contains("--is-upgrade"), "{installed}");
    let upgraded = play(&["upgrade"]);
    for part in ["--namespace demo", "--set a=b", "--is-upgrade", "-- shop "] {
        assert!(upgraded.contains(part), "{part} in {upgraded}");
    }
}

#[test]
fn a_chart_needs_a_helm() {
    let files = charts::chart("", "", 0);
    let ran =
        hookward(["plan", &files.path("shop"), "--helm-bin", &files.path("no-helm"), "--format", "json"]);
    assert_eq!((ran.code, &*ran.errors()[0].2), (2, "no such program"));
}

#[test]
fn what_stands_in_crds_is_made_first_and_never_deleted() {
    let crd = "# Source: shop/crds/widget.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, names: {kind: Widget, plural: widgets}, scope: Namespaced, versions: [{name: v1, served: true}]}
";
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, annotations: {helm.sh/hook: pre-install}}\n";
    let files = charts::chart(&format!("---\n{crd}---\n{widget}"), "", 0);
    let ran = hookward([
        "plan",
        &files.path("shop"),
        "--helm-bin",
        &files.path("helm"),
        "--format",
        "json",
        "--action",
        "install",
    ]);
    assert_eq!(steps(&ran.json()["actions"][0], "w"), ["delete absent", "apply ok"], "{}", ran.stdout);
}

#[test]
fn a_stored_release_is_one_too() {
    let ran = ran(&stored_release::stored(3), &["--action", "upgrade"]);
    let note = "note: revision 3 is stored as pending-upgrade and taken to be deployed; as long as it is pending-upgrade, Helm refuses to upgrade it\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (0, note));
    let document = ran.json();
    assert_eq!([&document["release"], &document["namespace"]], [&json!("shop"), &json!("demo")]);
    assert_eq!(document["actions"][0]["steps"][0]["object"]["name"], "migrate");
}

#[test]
fn names_that_helm_refuses_were_planned_with() {
    for flags in [["--namespace", "A B"], ["--release", "A\"<b>"]] {
        let ran = ran(SHOP, &flags);
        assert!(ran.code == 2 && ran.stderr.contains(flags[0]), "{}", ran.stderr);
    }
}
