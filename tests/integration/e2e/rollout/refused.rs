//! What a rollout is refused for, each in one sentence, with exit code 2 and nothing left behind.

use std::{
    ffi::OsString,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tests::{rig::Helm, users::User};

use super::{Rollout, SETTINGS};

fn small(name: &str) -> Rollout {
    Rollout::new(Helm::V4, name, "  - install: {chart: v1.yaml}\n", &[("v1.yaml", SETTINGS)])
}

impl Rollout {
    /// Why it is refused.
    #[track_caller]
    fn refused(&self, kubeconfig: &Path, more: &[&str]) -> String {
        let mut arguments: Vec<OsString> =
            ["hookward", "rollout", "--cluster", "--format=json"].map(Into::into).into();
        arguments.push(self.folder.path().join("rollout.yaml").into());
        arguments.extend(["--kubeconfig".into(), kubeconfig.into()]);
        arguments.extend(["--helm-bin".into(), self.rig.programs().path("helm4").into_os_string()]);
        arguments.extend(more.iter().map(OsString::from));
        let (mut stdin, mut stdout, mut stderr) = (&b""[..], Vec::new(), Vec::new());
        let code = cli::run(arguments, &mut cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr));
        let answer: Value = serde_json::from_slice(&stdout).expect("one document, whatever happens");
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!((code, errors.len()), (2, 1), "{answer}");
        assert!(!self.is_there());
        errors[0]["message"].as_str().unwrap().to_owned()
    }

    /// The kubeconfig of the cluster, somewhere else.
    fn elsewhere(&self, server: &str) -> PathBuf {
        let text = fs::read_to_string(self.rig.kubeconfig()).unwrap();
        let mut config: Value = serde_json::from_str(&text).unwrap();
        config["clusters"][0]["cluster"]["server"] = json!(server);
        let path = self.folder.path().join("kubeconfig");
        fs::write(&path, config.to_string()).unwrap();
        path
    }
}

#[test]
fn a_context_that_does_not_exist() {
    let rollout = small("context");
    let said = rollout.refused(&rollout.rig.kubeconfig(), &["--context=nope"]);
    assert!(said.starts_with("cannot use the kubeconfig: it has no context \"nope\", only \""), "{said}");
}

#[test]
fn a_kubeconfig_that_does_not_exist() {
    let said = small("kubeconfig").refused(Path::new("/no/kubeconfig"), &[]);
    assert_eq!(said, "cannot use the kubeconfig: there is no file /no/kubeconfig");
}

#[test]
fn a_server_that_nobody_is() {
    let rollout = small("unreachable");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let said = rollout.refused(&rollout.elsewhere(&format!("https://127.0.0.1:{port}")), &[]);
    assert_eq!(said, format!("cannot reach the cluster at https://127.0.0.1:{port}: Connection refused"));
}

#[test]
fn a_server_that_says_nothing() {
    let rollout = small("silent");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("https://{}", listener.local_addr().unwrap());
    let said = rollout.refused(&rollout.elsewhere(&server), &[]);
    assert_eq!(said, format!("cannot reach the cluster at {server}: it did not answer within 15 s"));
}

#[test]
fn a_user_who_may_not_look_make_or_delete_namespaces() {
    let rollout = small("rights");
    let user = User::new(rollout.rig, "rollout-rights");
    let may = |verbs: &[&str]| {
        let name = "rollout-rights";
        let kind = |kind: &str| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}});
        let (mut role, mut binding) = (kind("ClusterRole"), kind("ClusterRoleBinding"));
        role["rules"] = json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": verbs}]);
        binding["roleRef"] =
            json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name});
        binding["subjects"] =
            json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user.name()}]);
        rollout.rig.apply(&role.to_string());
        rollout.rig.apply(&binding.to_string());
        // The API server hears of it a moment later.
        rollout.rig.wait_for("the right", super::stop::LIMIT, || {
            let last = verbs.last()?;
            user.kubectl(&["auth", "can-i", last, "namespaces"], "").ok().then_some(())
        });
    };
    let name = &rollout.namespace;
    let forbidden =
        |right: &str| format!("is forbidden: User \"rollout-rights\" cannot {right} resource \"namespaces\"");
    let said = rollout.refused(user.kubeconfig(), &[]);
    assert!(
        said.starts_with(&format!("cannot look for namespace {name:?}: "))
            && said.contains(&forbidden("get")),
        "{said}"
    );
    may(&["get"]);
    let said = rollout.refused(user.kubeconfig(), &[]);
    assert!(said.contains("would be left behind: the cluster does not let you delete namespaces"), "{said}");
    may(&["get", "delete"]);
    let said = rollout.refused(user.kubeconfig(), &[]);
    assert!(
        said.starts_with(&format!("cannot make namespace {name:?}: ")) && said.contains(&forbidden("create")),
        "{said}"
    );
    assert_eq!(said.matches("forbidden").count(), 1, "it is said once: {said}");
}

#[test]
fn a_namespace_that_is_on_its_way_out() {
    let rollout = small("leaving");
    let _ = rollout.rig.kubectl(&["create", "namespace", &rollout.namespace]).expect_ok();
    rollout.hold();
    let _ = rollout.rig.kubectl(&["delete", "namespace", &rollout.namespace, "--wait=false"]).expect_ok();
    let told = [rollout.run(&[]), rollout.run(&["--into-existing-namespace"])];
    rollout.let_go();
    for told in told {
        assert!(
            told.code == 2 && told.stdout.contains("is still being deleted; play when it is gone"),
            "{told:?}"
        );
    }
}
