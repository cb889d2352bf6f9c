//! What every policy says of the registration: rules that nobody is asked about are not in force, whatever the policy says.

use kube::{
    Client,
    api::{DynamicObject, ListParams},
};
use serde_json::json;

use super::{Drift, Registered};
use crate::{
    client,
    resource::Kind,
    status::{Condition, Wanted, desk, now},
};

/// The condition on each policy.
const CONDITION: &str = "Registered";
/// Who writes it: nobody else does, so that it stands beside the other conditions.
const FIELD_MANAGER: &str = "hookward-registration";

/// What the condition should say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    is_registered: bool,
    message: String,
}

impl Verdict {
    /// What is to be said of what was seen; of the differences only those count that have `settled`.
    pub(super) fn of(seen: &Registered, settled: &[Drift]) -> Option<Self> {
        if seen.drift.is_empty() {
            let is_seen = seen.bundle.is_some();
            let message = "the webhooks are registered as they were installed".to_owned();
            return is_seen.then_some(Self { is_registered: true, message });
        }
        let sentence = |drift: &Drift| format!("{}: {drift}", drift.configuration.kind());
        let message = settled.iter().map(sentence).collect::<Vec<_>>().join("; ");
        (!settled.is_empty()).then_some(Self { is_registered: false, message })
    }

    /// Writes it to every policy that does not say so already.
    ///
    /// # Errors
    /// When the policies cannot be listed, or one cannot be written; one that is gone is none.
    pub(super) async fn write(&self, client: &Client) -> Result<(), kube::Error> {
        let policies = Kind::HookPolicy.api(client.clone());
        for policy in policies.list(&ListParams::default()).await?.items {
            match self.write_to(client, &policy).await {
                Err(error) if !client::is_status(&error, 404) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    async fn write_to(&self, client: &Client, policy: &DynamicObject) -> Result<(), kube::Error> {
        let said: Vec<Condition> =
            serde_json::from_value(policy.data["status"]["conditions"].clone()).unwrap_or_default();
        let wanted = Wanted {
            kind: CONDITION,
            status: Some(self.is_registered),
            reason: if self.is_registered { "AsInstalled" } else { "Drift" },
            message: self.message.clone(),
            generation: policy.metadata.generation.unwrap_or_default(),
        };
        let Some(condition) = wanted.change(&said, now()) else { return Ok(()) };
        let name = policy.metadata.name.as_deref().unwrap_or_default();
        let fields = json!({"conditions": [condition]});
        desk::apply(client, Kind::HookPolicy, name, FIELD_MANAGER, &fields).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        registration::{Configuration, DriftKind},
        testing,
    };

    fn drifted() -> Registered {
        let drift = Drift {
            configuration: Configuration::Validating,
            webhook: Some("validate".into()),
            kind: DriftKind::FailurePolicy,
            field: "failurePolicy".into(),
        };
        Registered { drift: vec![drift], ..Registered::default() }
    }

    #[test]
    fn nothing_is_said_before_anything_is_sure() {
        assert_eq!(Verdict::of(&Registered::default(), &[]), None);
        assert_eq!(Verdict::of(&drifted(), &[]), None);
        let message = Verdict::of(&drifted(), &drifted().drift).unwrap().message;
        assert_eq!(
            message,
            "ValidatingWebhookConfiguration: webhook validate: failurePolicy is not what was installed"
        );
    }

    #[tokio::test]
    async fn every_policy_says_it_once() {
        let said = json!({"type": "Registered", "status": "True", "reason": "AsInstalled", "lastTransitionTime": "x",
            "message": "the webhooks are registered as they were installed", "observedGeneration": 1});
        let policy = |name: &str, conditions: &[serde_json::Value]| json!({"metadata": {"name": name, "generation": 1}, "status": {"conditions": conditions}});
        let list = json!({"metadata": {}, "items": [policy("says", &[said]), policy("does-not", &[])]});
        let (client, log) = testing::client(move |asked| match asked.method.as_str() {
            "GET" => (200, list.clone()),
            _ => testing::refusal(404, "NotFound"),
        });
        let seen = Registered { bundle: Some("PEM".into()), ..Registered::default() };
        Verdict::of(&seen, &[]).unwrap().write(&client).await.unwrap();
        let paths: Vec<_> = log.lock().unwrap().iter().map(|asked| asked.path.clone()).collect();
        let base = "/apis/hookward.dev/v1alpha1/hookpolicies";
        assert_eq!(paths, [base.to_owned(), format!("{base}/does-not/status")]);
    }
}
