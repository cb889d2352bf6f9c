//! Requests of the hook's pods that were refused, and whether they would be now.

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::{Api, api::PostParams};

use super::{
    super::{causes, evidence::Refusal},
    Look,
    logs::Raw,
};

/// The most that are asked about.
const MOST: usize = 5;

pub(super) async fn refused(look: &mut Look<'_>, logs: &[Raw]) -> Vec<Refusal> {
    let mut found: Vec<Refusal> = Vec::new();
    for refusal in logs.iter().flat_map(|log| causes::refusals(&log.text)) {
        if !found.contains(&refusal) && found.len() < MOST {
            found.push(refusal);
        }
    }
    for refusal in &mut found {
        refusal.is_allowed_now = is_allowed(look, refusal).await;
    }
    found
}

/// Whether the API server would allow it now; nothing where that may not be asked.
async fn is_allowed(look: &Look<'_>, refusal: &Refusal) -> Option<bool> {
    let Refusal { user, verb, resource, group, namespace, .. } = refusal;
    let (resource, subresource) =
        resource.split_once('/').map_or((resource.as_str(), None), |(one, two)| (one, Some(two.to_owned())));
    let account = user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let groups = account.map(|(namespace, _)| {
        let all = ["system:authenticated".to_owned(), "system:serviceaccounts".to_owned()];
        all.into_iter().chain([format!("system:serviceaccounts:{namespace}")]).collect()
    });
    let attributes = ResourceAttributes {
        group: Some(group.clone()),
        namespace: namespace.clone(),
        resource: Some(resource.to_owned()),
        subresource,
        verb: Some(verb.clone()),
        ..ResourceAttributes::default()
    };
    let spec = SubjectAccessReviewSpec {
        groups,
        resource_attributes: Some(attributes),
        user: Some(user.clone()),
        ..SubjectAccessReviewSpec::default()
    };
    let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
    let api = Api::<SubjectAccessReview>::all(look.client.clone());
    let answer = api.create(&PostParams::default(), &review).await.ok()?;
    answer.status.map(|status| status.allowed)
}
