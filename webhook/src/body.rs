//! The body of a request: JSON, whole, in time, and no larger than the memory that is left.

use std::sync::Arc;

use axum::{body::Body, extract::Request};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{app::Limits, budget::Budget, refusal::Refusal};

/// What a body takes before its first byte, for the request around it; in KiB.
const FIRST: usize = 16;
/// What it takes from then on whenever more has come; in KiB.
const STEP: usize = 64;
/// The least memory that is asked of the system for a body in several pieces, in bytes; then twice what has come, since a size that is
/// announced need not be true.
const PIECE: usize = 64 << 10;

/// A body, and the memory that is reserved for it as long as it lives.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) bytes: Bytes,
    _reserved: Reserved,
}

/// The memory that the bodies of one connection may take together. In the extensions of its requests, where there can be many.
#[derive(Debug, Clone)]
pub(crate) struct Share(Arc<Semaphore>);

impl Share {
    /// Room for `kib` KiB.
    pub(crate) fn new(kib: usize) -> Self {
        Self(Arc::new(Semaphore::new(kib.min(Semaphore::MAX_PERMITS))))
    }
}

/// What a body of `bytes` takes at most, in KiB.
pub(crate) const fn kib(bytes: usize) -> usize {
    bytes / 1024 + FIRST + STEP
}

/// Reads the body. Memory is reserved as it arrives, so that what is only announced takes nothing from others.
pub(crate) async fn read(request: Request<Body>, limits: &Limits) -> Result<Whole, Refusal> {
    let headers = request.headers();
    if !is_json(headers) {
        return Err(Refusal::ContentType);
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Refusal::ContentEncoding);
    }
    let expected = length(headers);
    if expected.is_some_and(|expected| expected > limits.max_body) {
        return Err(Refusal::BodyTooLarge { limit: limits.max_body });
    }
    let reserved = Reserved::new(request.extensions().get().cloned(), &limits.budget);
    let arriving = collect(request.into_body(), expected, limits.max_body, reserved);
    timeout(limits.body_timeout, arriving).await.unwrap_or(Err(Refusal::BodyTimeout))
}

async fn collect(
    mut body: Body,
    expected: Option<usize>,
    limit: usize,
    mut reserved: Reserved,
) -> Result<Whole, Refusal> {
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    reserved.cover(0).await?;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::BodyTruncated)?.into_data() else { continue };
        let length = first.len() + rest.len() + data.len();
        if length > limit {
            return Err(Refusal::BodyTooLarge { limit });
        }
        reserved.cover(length).await?;
        if first.is_empty() && rest.is_empty() {
            // Most bodies come in one piece, which then is not copied.
            first = data;
            continue;
        }
        if rest.capacity() < length {
            let capacity = PIECE.max(length * 2).min(expected.unwrap_or(limit));
            rest.reserve(capacity.max(length) - rest.len());
        }
        rest.extend_from_slice(&std::mem::take(&mut first));
        rest.extend_from_slice(&data);
    }
    let bytes = if rest.is_empty() { first } else { rest.freeze() };
    Ok(Whole { bytes, _reserved: reserved })
}

/// Memory for one body, first of its connection's share, then of everybody's.
#[derive(Debug)]
struct Reserved {
    share: Option<Share>,
    all: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    kib: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Reserved {
    fn new(share: Option<Share>, budget: &Budget) -> Self {
        let (all, waiting) = (Arc::clone(&budget.bodies), Arc::clone(&budget.waiting));
        Self { share, all, waiting, kib: 0, permits: Vec::new() }
    }

    /// Waits until there is memory for `bytes`; not when too many wait already, since what waits fills the buffers of its connection.
    async fn cover(&mut self, bytes: usize) -> Result<(), Refusal> {
        let wanted = FIRST.max(bytes.div_ceil(1024));
        if wanted <= self.kib {
            return Ok(());
        }
        let step = if self.kib == 0 { wanted } else { (wanted - self.kib).max(STEP) };
        let permits = u32::try_from(step).unwrap_or(u32::MAX);
        if let Some(Share(share)) = &self.share {
            self.permits.push(acquire(share, permits, &self.waiting).await?);
        }
        self.permits.push(acquire(&self.all, permits, &self.waiting).await?);
        self.kib += step;
        Ok(())
    }
}

async fn acquire(
    memory: &Arc<Semaphore>,
    permits: u32,
    waiting: &Semaphore,
) -> Result<OwnedSemaphorePermit, Refusal> {
    if let Ok(permit) = Arc::clone(memory).try_acquire_many_owned(permits) {
        return Ok(permit);
    }
    let _waits = waiting.try_acquire().map_err(|_| Refusal::Overloaded)?;
    Arc::clone(memory).acquire_many_owned(permits).await.map_err(|_| Refusal::Overloaded)
}

/// `application/json`, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    media_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
