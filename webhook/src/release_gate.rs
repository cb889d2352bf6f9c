//! The release gate: a whole release is judged before Helm deletes or creates anything of it.
//!
//! Helm stores the record of a revision first, as a Secret with a status that says what it is about to do. Refusing that Secret
//! ends the action with nothing touched and nothing wedged.

use hooks::{
    Events, Interest, Node, Written, json, manifest,
    release::{Limits, Record, Status, secret},
    template_source, yaml,
};
use policies::{Judged, Moment, Namespace, PolicySet, Release, evaluate, finding::Place, release::Dropped};

use crate::{metrics::Operation, refusal::Refusal, response::Answer, review::now, wire::Request};

/// Values and names in all documents of a release together; the largest known charts have a tenth of this.
const NODES: usize = 1_500_000;

/// Judges a release record that is about to be stored. Allowed without a judgement: what is no release record, and what is neither
/// an install nor an upgrade. A record that cannot be decoded is allowed with a warning.
pub(crate) fn judge(
    policies: &PolicySet,
    request: &Request<'_>,
    operation: Operation,
    answer: Answer<'_>,
) -> Result<Vec<u8>, Refusal> {
    let Some(object) = request.object.filter(|_| operation == Operation::Create && !request.is_subresource())
    else {
        return Ok(answer.skip());
    };
    let object = json::object(object.get().as_bytes(), Interest::Everything)
        .map_err(|error| Refusal::Unreadable(format!("its object is {error}")))?;
    let Some(stored) = secret(&object) else {
        return Ok(answer.skip());
    };
    let record = match stored.decode(&Limits::default()) {
        Ok(record) => record,
        Err(error) => return Ok(answer.undecodable(&error)),
    };
    drop(object);
    Ok(match record.status {
        Status::PendingInstall => judge_record(policies, &record, Moment::Install, answer),
        Status::PendingUpgrade => judge_record(policies, &record, Moment::Upgrade, answer),
        _ => answer.skip(),
    })
}

fn judge_record(policies: &PolicySet, record: &Record, moment: Moment, answer: Answer<'_>) -> Vec<u8> {
    let documents = match documents(record) {
        Ok(documents) => documents,
        Err(error) => return answer.undecodable(&error),
    };
    let mut release = Release {
        name: Some(&record.name),
        namespace: Some(record.namespace.as_str()).filter(|namespace| !namespace.is_empty()),
        moment,
        dropped: dropped(record),
        ..Release::default()
    };
    for (index, (path, root)) in documents.iter().enumerate() {
        release.add(index, path, root);
    }
    let policy = policies.policy(release.namespace.map(|name| Namespace { name, labels: None }));
    let verdict = evaluate::release(&policy, &release, now());
    let header = format!(
        "release \"{}\" revision {} is refused, no hook and no object was touched:",
        record.name, record.version
    );
    answer.judged_release(&header, &verdict, |judged| subject(&release, judged))
}

/// What a finding is about: an object, a template, or the release itself.
fn subject(release: &Release<'_>, judged: &Judged) -> String {
    let item = judged.finding.item.and_then(|index| release.items.get(index));
    match (item, &judged.finding.template) {
        (Some(item), _) => item.object.to_string(),
        (None, Some(Place { path, line: Some(line) })) => format!("{path}:{line}"),
        (None, Some(Place { path, line: None })) => path.clone(),
        (None, None) => format!("release \"{}\"", release.name.unwrap_or_default()),
    }
}

/// Why the documents of a record cannot be judged.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// Helm will not be able to build it either.
    #[error("document {number} is not YAML: {error}")]
    Unreadable { number: usize, error: yaml::Error },
    /// More than any chart.
    #[error("it has more than {NODES} values")]
    TooLarge,
}

/// Every document with the path of its template: hooks and ordinary resources.
fn documents(record: &Record) -> Result<Vec<(&str, Node<'_>)>, Error> {
    let hooks = record.hooks.iter().map(|hook| (Some(hook.path.as_str()), hook.manifest.as_str()));
    let mut documents = Vec::new();
    let mut left = NODES;
    for (path, text) in hooks.chain([(None, record.manifest.as_str())]) {
        for document in manifest::split(text) {
            let limits =
                yaml::Limits { nodes: left.min(yaml::Limits::default().nodes), ..yaml::Limits::default() };
            let root = yaml::document(document.text, document.offset, Interest::Judged, &limits)
                .map_err(|error| Error::Unreadable { number: documents.len() + 1, error })?;
            left = left.checked_sub(size(&root)).filter(|left| *left > 0).ok_or(Error::TooLarge)?;
            documents.push((path.or(document.source).unwrap_or(""), root));
        }
    }
    Ok(documents)
}

/// Values in `node`, itself included.
fn size(node: &Node<'_>) -> usize {
    let members: usize = node.members().iter().map(|member| size(&member.node)).sum();
    let items: usize = node.items().iter().map(size).sum();
    1 + members + items
}

/// Hooks that Helm dropped without a word, as far as the chart's own templates show: they are not rendered, so nothing is certain.
fn dropped(record: &Record) -> Vec<Dropped> {
    let written = record.templates.iter().flat_map(|template| {
        template_source::hook_values(&template.text).into_iter().map(move |literal| (template, literal))
    });
    written
        .filter(|(_, literal)| {
            Events::parse(Written { text: literal.value.as_str().into(), is_text: true }).is_dropped()
        })
        .map(|(template, literal)| Dropped {
            place: Some(Place {
                path: format!("{}/{}", record.chart_name, template.name),
                line: Some(literal.line),
            }),
            events: literal.value,
            is_certain: false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hooks::release::encode;
    use serde_json::{Value, json};

    use crate::testing::{answer, app, job, review};

    const SUSPENDED: &str = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations:\n    helm.sh/hook: pre-upgrade\nspec: {suspend: true}\n";

    fn record(status: &str, hook: &str) -> Value {
        json!({
            "name": "shop", "namespace": "shop", "version": 2, "info": {"status": status}, "manifest": "---\nkind: Service\n",
            "chart": {"metadata": {"name": "shop", "version": "1.0.0"}, "templates": []},
            "config": {"password": "hunter2"},
            "hooks": [{"name": "migrate", "kind": "Job", "path": "shop/templates/migrate.yaml", "manifest": hook,
                       "events": ["pre-upgrade"], "last_run": {}}],
        })
    }

    fn stored(data: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": "sh.helm.release.v1.shop.v2"}, "data": {"release": data},
        })
    }

    async fn ask(object: &Value, changes: &Value) -> Value {
        answer(&app(), "/release", &review(object, changes)).await
    }

    async fn gate(status: &str, hook: &str) -> Value {
        ask(&stored(&encode(record(status, hook).to_string().as_bytes())), &json!({})).await
    }

    #[tokio::test]
    async fn a_bad_release_is_refused_before_anything_is_touched() {
        for status in ["pending-install", "pending-upgrade"] {
            let response = gate(status, SUSPENDED).await;
            assert_eq!(response["allowed"], false, "{response}");
            let message = response["status"]["message"].as_str().unwrap();
            let lines: Vec<_> = message.lines().collect();
            assert_eq!(
                lines[0],
                "release \"shop\" revision 2 is refused, no hook and no object was touched:"
            );
            assert!(message.contains("\n`job-suspended`: Job \"migrate\" /spec/suspend: "), "{message}");
            assert!(lines.last().unwrap().starts_with("explain: hookward rules "), "{message}");
            assert!(!response.to_string().contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn nothing_that_takes_back_is_judged() {
        for status in ["pending-rollback", "uninstalling", "deployed", "failed", "superseded", "nonsense"] {
            assert_eq!(
                gate(status, SUSPENDED).await,
                json!({"uid": "6c1d4bd5", "allowed": true}),
                "{status}"
            );
        }
    }

    #[tokio::test]
    async fn other_objects_and_operations_pass() {
        let bad = stored(&encode(record("pending-upgrade", SUSPENDED).to_string().as_bytes()));
        let mut other = bad.clone();
        other["type"] = json!("Opaque");
        for (object, changes) in [
            (&other, json!({})),
            (&job(&json!({"suspend": true})), json!({})),
            (&bad, json!({"operation": "UPDATE"})),
            (&Value::Null, json!({"operation": "DELETE"})),
        ] {
            assert_eq!(ask(object, &changes).await, json!({"uid": "6c1d4bd5", "allowed": true}));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_decoded_passes_with_a_warning_and_a_count() {
        let app = app();
        let bomb = encode(&vec![b' '; 65 << 20]);
        let whole = encode(record("pending-upgrade", SUSPENDED).to_string().as_bytes());
        let damaged = ["", "%%%", "aHVudGVyMg==", &whole[..whole.len() / 2], &bomb];
        for data in damaged {
            let response = answer(&app, "/release", &review(&stored(data), &json!({}))).await;
            assert_eq!(response["allowed"], true);
            let warning = response["warnings"][0].as_str().unwrap();
            assert!(warning.starts_with("hookward: this release was not judged"), "{warning}");
        }
        let metrics = app.metrics.render();
        assert!(metrics.contains(&format!("records_undecodable_total {}", damaged.len())), "{metrics}");
        assert!(metrics.contains(r#"decision="undecodable",operation="create",path="release"} 5"#));
    }

    #[tokio::test]
    async fn a_hook_that_is_not_yaml_is_helms_to_refuse() {
        let response = gate("pending-install", "a: [").await;
        assert_eq!(response["allowed"], true);
        assert!(response["warnings"][0].as_str().unwrap().contains("document 1 is not YAML"), "{response}");
    }

    #[tokio::test]
    async fn records_at_once_are_decoded_one_by_one() {
        let app = app();
        let held = Arc::clone(&app.limits.records).acquire_owned().await.unwrap();
        let waiting = tokio::spawn({
            let app = Arc::clone(&app);
            async move { answer(&app, "/release", &review(&stored(""), &json!({}))).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held);
        assert_eq!(waiting.await.unwrap()["allowed"], true);
    }
}
