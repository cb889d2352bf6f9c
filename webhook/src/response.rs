//! From a verdict to an answer; the one place that logs and counts a decision.

use std::time::Instant;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hooks::Object;
use json_patch::PatchOperation;
use policies::{
    Judged, Membership, Mode, Occasion, Verdict,
    decision::{self, Identity, Told},
    evaluate::Fixes,
};

use crate::{
    app::App,
    metrics::{Decision, Operation, Path},
    release_gate::Unreadable,
    review::now,
    wire::{self, AuditAnnotations, Patch, Request, Response, Status},
    wording,
};

/// Findings in one record of a decision; an Event has room for less.
const TOLD: usize = 20;

/// What is wrong with an object of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The field, as a JSON pointer; empty for the whole object.
    pub(crate) pointer: String,
    pub(crate) message: String,
    /// Whether somebody else may do it; otherwise nobody may.
    pub(crate) is_forbidden: bool,
}

/// One answer in the making: everything that is known before the judgement.
pub(crate) struct Answer<'a> {
    app: &'a App,
    path: Path,
    operation: Operation,
    request: &'a Request<'a>,
    generation: u64,
    arrived: Instant,
    membership: Option<Membership>,
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
        Self { app, path, operation, request, generation, arrived, membership: None }
    }

    /// The same about an object that belongs to this release.
    pub(crate) fn of(self, membership: Option<Membership>) -> Self {
        Self { membership, ..self }
    }

    /// Whether nothing will be stored.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.request.is_dry_run()
    }

    /// Allows what is not ours to judge.
    pub(crate) fn skip(self) -> Vec<u8> {
        let response = self.allowed();
        self.send(Decision::Skipped, &response)
    }

    /// Allows an update that makes an ordinary object of a hook.
    pub(crate) fn stripped(self, object: Object<'_>) -> Vec<u8> {
        tracing::info!(
            namespace = self.request.namespace().unwrap_or(""),
            kind = self.request.kind.kind.as_str(),
            name = self.name(),
            "the hook annotation was taken away"
        );
        self.record(Occasion::AnnotationRemoved, identity(self.request, Some(object)), Vec::new(), true);
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
        response.patch = Some(patch(&fixes.operations));
        response.audit_annotations = Some(AuditAnnotations {
            rules: fixes.rules.join(","),
            mode: "fix",
            generation: self.generation.to_string(),
            exceptions: String::new(),
        });
        self.send(Decision::Patched, &response)
    }

    /// Allows an object of ours, changed by `operations` if there are any, and says `warnings`.
    pub(crate) fn accepted(self, operations: &[PatchOperation], warnings: &[String]) -> Vec<u8> {
        let mut response = self.allowed();
        response.patch = (!operations.is_empty()).then(|| patch(operations));
        response.warnings = wording::sentences(warnings);
        let decision = match (operations.is_empty(), warnings.is_empty()) {
            (false, _) => Decision::Patched,
            (true, false) => Decision::Warned,
            (true, true) => Decision::Allowed,
        };
        self.send(decision, &response)
    }

    /// Refuses an object of ours.
    pub(crate) fn refused(self, wrong: &Wrong) -> Vec<u8> {
        let mut response = self.allowed();
        response.allowed = false;
        let (code, reason) = if wrong.is_forbidden { (403, "Forbidden") } else { (422, "Invalid") };
        let kind = self.request.kind.kind.as_str();
        let place = if wrong.pointer.is_empty() { String::new() } else { format!(" {}", wrong.pointer) };
        let message = format!("{kind} {:?}{place}: {}", self.name(), wrong.message);
        response.status = Some(Status { code, reason, message: wording::clean(&message, 1024) });
        self.send(Decision::Denied, &response)
    }

    /// Answers as the verdict about one object says.
    pub(crate) fn judged(self, object: Object<'_>, verdict: &Verdict) -> Vec<u8> {
        let subject = |_: &Judged| object.to_string();
        self.tell(Occasion::Hook, || identity(self.request, Some(object)), verdict, subject);
        self.verdict(None, verdict, None, subject)
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
        self.tell(Occasion::Release, || identity(self.request, None), verdict, &subject);
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
            // The header names the release already.
            let release = self.membership.as_ref().filter(|_| header.is_none());
            let message = wording::denial(header, of(Mode::Deny), release);
            response.status = Some(Status { code: 403, reason: "Forbidden", message });
        }
        let decision = match (response.allowed, response.warnings.is_empty()) {
            (false, _) => Decision::Denied,
            (true, false) => Decision::Warned,
            (true, true) => Decision::Allowed,
        };
        self.send(decision, &response)
    }

    /// Tells those who keep what happened, if there was anything to deny or to warn of, and somebody who keeps it.
    fn tell(
        &self,
        occasion: Occasion,
        object: impl FnOnce() -> Identity,
        verdict: &Verdict,
        subject: impl Fn(&Judged) -> String,
    ) {
        if self.app.surroundings.is_none() || verdict.worst() < Some(Mode::Warn) {
            return;
        }
        let told = verdict.findings.iter().filter(|judged| judged.mode >= Mode::Warn).take(TOLD);
        let told = told.map(|judged| Told {
            rule: judged.rule.id,
            mode: judged.mode,
            message: wording::line(&subject(judged), judged),
        });
        self.record(occasion, object(), told.collect(), verdict.is_allowed());
    }

    fn record(&self, occasion: Occasion, object: Identity, findings: Vec<Told>, allowed: bool) {
        if let Some(surroundings) = self.app.surroundings.as_ref().filter(|_| !self.is_dry_run()) {
            let membership = self.membership.clone();
            surroundings.record(decision::Decision {
                at: now(),
                occasion,
                object,
                allowed,
                findings,
                membership,
            });
        }
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
        let release = self.membership.as_ref().map_or("", |membership| membership.release.as_str());
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
                    release,
                    user = self.request.user(),
                    dry_run = self.is_dry_run(),
                    generation = self.generation,
                    microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                    "decision"
                )
            };
        }
        match decision {
            Decision::Denied | Decision::Warned | Decision::Patched | Decision::Undecodable => log!(info),
            // What is only looked at is told nowhere else by the name of its object.
            Decision::Allowed if !rules.is_empty() => log!(info),
            Decision::Allowed | Decision::Skipped => log!(debug),
        }
        bytes
    }
}

fn patch(operations: &[PatchOperation]) -> Patch {
    let patch = serde_json::to_vec(operations).expect("operations are plain JSON");
    Patch { patch: STANDARD.encode(patch), patch_type: "JSONPatch" }
}

/// Which object a request is about. A name that the API server has not made yet is its beginning.
fn identity(request: &Request<'_>, object: Option<Object<'_>>) -> Identity {
    let kind = &request.kind;
    let group = kind.group.as_str();
    let slash = if group.is_empty() { "" } else { "/" };
    let name = request.name.as_ref().map(wire::Text::as_str).filter(|name| !name.is_empty());
    let written = object.and_then(|object| object.name().or_else(|| object.generate_name()));
    let uid = object.and_then(|object| object.metadata()?.str_at("uid"));
    Identity {
        api_version: format!("{group}{slash}{}", kind.version.as_str()),
        kind: kind.kind.as_str().to_owned(),
        // Of a Namespace the API server says that it is in itself; an Event there would have nowhere to go.
        namespace: request.governing_namespace().map(str::to_owned),
        name: written.or(name).unwrap_or_default().to_owned(),
        // The API server has made one up before it asks, and a CREATE that is refused leaves nothing with it.
        uid: uid.filter(|_| request.operation.as_str() == "UPDATE").map(str::to_owned),
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
