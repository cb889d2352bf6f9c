//! From a verdict to an answer; the one place that logs and counts a decision.

use std::time::Instant;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hooks::Object;
use policies::{Judged, Mode, Verdict, evaluate::Fixes};

use crate::{
    app::App,
    metrics::{Decision, Operation, Path},
    release_gate::Unreadable,
    wire::{self, AuditAnnotations, Patch, Request, Response, Status},
    wording,
};

/// One answer in the making: everything that is known before the judgement.
pub(crate) struct Answer<'a> {
    app: &'a App,
    path: Path,
    operation: Operation,
    request: &'a Request<'a>,
    generation: u64,
    arrived: Instant,
}

impl<'a> Answer<'a> {
    pub(crate) const fn new(
        app: &'a App,
        path: Path,
        operation: Operation,
        request: &'a Request<'a>,
        generation: u64,
        arrived: Instant,
    ) -> Self {
        Self { app, path, operation, request, generation, arrived }
    }

    /// Allows what is not ours to judge.
    pub(crate) fn skip(self) -> Vec<u8> {
        let response = self.allowed();
        self.send(Decision::Skipped, &response)
    }

    /// Allows an update that makes an ordinary object of a hook.
    pub(crate) fn stripped(self) -> Vec<u8> {
        tracing::info!(
            namespace = self.request.namespace().unwrap_or(""),
            kind = self.request.kind.kind.as_str(),
            name = self.name(),
            "the hook annotation was taken away"
        );
        let response = self.allowed();
        self.send(Decision::Allowed, &response)
    }

    /// Allows an object and changes it; allowed also when it will be refused as soon as it is validated.
    pub(crate) fn repair(self, fixes: &Fixes) -> Vec<u8> {
        let mut response = self.allowed();
        if fixes.operations.is_empty() {
            return self.send(Decision::Allowed, &response);
        }
        for rule in &fixes.rules {
            self.app.metrics.fixed(rule);
        }
        let patch = serde_json::to_vec(&fixes.operations).expect("operations are plain JSON");
        response.patch = Some(Patch { patch: STANDARD.encode(patch), patch_type: "JSONPatch" });
        response.audit_annotations = Some(AuditAnnotations {
            rules: fixes.rules.join(","),
            mode: "fix",
            generation: self.generation.to_string(),
            exceptions: String::new(),
        });
        self.send(Decision::Patched, &response)
    }

    /// Answers as the verdict about one object says.
    pub(crate) fn judged(self, object: Object<'_>, verdict: &Verdict) -> Vec<u8> {
        self.verdict(None, verdict, None, |_| object.to_string())
    }

    /// Answers as the verdict about a release says; `subject` names the object of a finding, and each document that could not be
    /// read is a warning.
    pub(crate) fn judged_release(
        self,
        header: &str,
        verdict: &Verdict,
        unreadable: &Unreadable,
        subject: impl Fn(&Judged) -> String,
    ) -> Vec<u8> {
        self.app.metrics.unreadable_documents.inc_by(unreadable.count as u64);
        self.verdict(Some(header), verdict, Some(unreadable), subject)
    }

    /// Allows a release record that cannot be decoded: blocking it would block Helm for a mistake that is not the user's.
    pub(crate) fn undecodable(self, error: &dyn std::error::Error) -> Vec<u8> {
        self.app.metrics.undecodable_records.inc();
        let mut response = self.allowed();
        let warning = format!("hookward: this release was not judged, its record cannot be decoded: {error}");
        response.warnings = vec![wording::clean(&warning, 256)];
        self.send(Decision::Undecodable, &response)
    }

    fn verdict(
        self,
        header: Option<&str>,
        verdict: &Verdict,
        unreadable: Option<&Unreadable>,
        subject: impl Fn(&Judged) -> String,
    ) -> Vec<u8> {
        for judged in &verdict.findings {
            self.app.metrics.found(judged.rule.id, judged.mode);
            if judged.excepted.is_some() {
                self.app.metrics.excepted(judged.rule.id);
            }
        }
        let of = |mode| verdict.of(mode).map(|judged| (subject(judged), judged));
        let mut response = self.allowed();
        let unread = unreadable.into_iter().flat_map(Unreadable::sentences);
        response.warnings = wording::warnings(unread, of(Mode::Warn));
        response.audit_annotations = self.annotations(verdict);
        if !verdict.is_allowed() {
            response.allowed = false;
            let message = wording::denial(header, of(Mode::Deny));
            response.status = Some(Status { code: 403, reason: "Forbidden", message });
        }
        let decision = match (response.allowed, response.warnings.is_empty()) {
            (false, _) => Decision::Denied,
            (true, false) => Decision::Warned,
            (true, true) => Decision::Allowed,
        };
        self.send(decision, &response)
    }

    fn annotations(&self, verdict: &Verdict) -> Option<AuditAnnotations> {
        let mode = verdict.worst()?.name();
        let exceptions = verdict.findings.iter().filter_map(|judged| judged.excepted.as_ref());
        Some(AuditAnnotations {
            rules: distinct(verdict.findings.iter().map(|judged| judged.rule.id)),
            mode,
            generation: self.generation.to_string(),
            exceptions: distinct(exceptions.map(|excepted| excepted.by.as_str())),
        })
    }

    fn allowed(&self) -> Response<'a> {
        Response {
            uid: self.request.uid.as_str(),
            allowed: true,
            status: None,
            warnings: Vec::new(),
            audit_annotations: None,
            patch: None,
        }
    }

    fn name(&self) -> &'a str {
        self.request.name.as_ref().map_or("", wire::Text::as_str)
    }

    fn send(&self, decision: Decision, response: &Response<'_>) -> Vec<u8> {
        let bytes = wire::write(response);
        let took = self.arrived.elapsed();
        self.app.metrics.answered(self.path, self.operation, decision, took);
        let rules = response.audit_annotations.as_ref().map_or("", |annotations| annotations.rules.as_str());
        /// One line for each decision, with the same fields at either level.
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    path = self.path.name(),
                    operation = self.operation.name(),
                    decision = decision.name(),
                    rules,
                    uid = self.request.uid.as_str(),
                    kind = self.request.kind.kind.as_str(),
                    namespace = self.request.namespace().unwrap_or(""),
                    name = self.name(),
                    user = self.request.user_info.as_ref().map_or("", |user| user.username.as_str()),
                    dry_run = self.request.dry_run.unwrap_or(false),
                    generation = self.generation,
                    microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                    "decision"
                )
            };
        }
        match decision {
            Decision::Denied | Decision::Warned | Decision::Patched | Decision::Undecodable => log!(info),
            Decision::Allowed | Decision::Skipped => log!(debug),
        }
        bytes
    }
}

/// Each text once, in their order, with commas.
fn distinct<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut once: Vec<&str> = Vec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once.join(",")
}
