//! Sending once more what was given up: a new message, at most one for each that failed.
//!
//! A terminal status is frozen, so the message itself stays as it is. What makes the new one unique is an idempotency
//! key of its own, derived from the id of the first and committed with the new message: whoever comes second, at the
//! same time or after a crash, is told what the first has made.

use std::sync::Arc;

use hermes_domain::{
    MessageId,
    cascade::{NotRedrivable, is_given_up, redrivable},
    message::Envelope,
};
use hermes_ports::{cascade_store::StoredCascade, idempotency::ClaimResult};
use http::Method;
use serde_json::json;

use super::{Acceptance, Wanted, accept, layers::tenant};
use crate::{
    api::Api,
    gate::Caller,
    idempotency::{self, IdempotencyKey, KEPT_MS, Keyed, fingerprint},
    problem::Problem,
};

/// Part of the fingerprint of every redrive.
const PATH: &str = "/admin/v1/redrive";

/// What became of a message that was to be sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redriven {
    /// This new message takes its place.
    Now(MessageId),
    /// This message took its place before.
    Before(MessageId),
}

/// Why nothing takes a message's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Stable: one of [`NotRedrivable`], or a problem's code.
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let faults = problem.faults.iter().map(|fault| format!("; {}", fault.detail));
        Self { code: problem.code.as_str(), detail: problem.detail.clone() + &faults.collect::<String>() }
    }
}

impl From<NotRedrivable> for Refusal {
    fn from(reason: NotRedrivable) -> Self {
        let detail = match reason {
            NotRedrivable::NotGivenUp => "It has not ended, or not as failed or expired.",
            NotRedrivable::Erased => "Its recipient and content were erased, or kept long enough.",
            NotRedrivable::MayHaveArrived => "An attempt may have reached the recipient.",
            NotRedrivable::TooOld => "It ended more than 35 days ago.",
        };
        Self { code: reason.as_str(), detail: detail.to_owned() }
    }
}

/// Sends a message once more. It is read anew: a receipt or an erasure may have come since it was found.
pub(crate) async fn redrive(api: &Api, caller: &Caller, id: MessageId) -> Result<Redriven, Refusal> {
    let stored = api.ports.store.load(caller.scope(), id).await.map_err(Problem::from)?;
    let stored = stored.ok_or_else(Problem::not_found)?;
    if let Some(earlier) = rehearse(api, caller, &stored).await? {
        return Ok(Redriven::Before(earlier));
    }
    let wanted = Wanted::Redrive(Arc::clone(&stored.envelope));
    let keyed = Some(keyed(&stored.envelope));
    let accepted = accept(api, Acceptance { caller, wanted, keyed, trace: None }).await?;
    let made = if accepted.replayed { Redriven::Before } else { Redriven::Now };
    Ok(made(accepted.message))
}

/// Whether a message could be sent once more, as far as that can be told without doing it; the message that took its
/// place, if one did.
pub(crate) async fn rehearse(
    api: &Api,
    caller: &Caller,
    stored: &StoredCascade,
) -> Result<Option<MessageId>, Refusal> {
    if let Some(earlier) = redriven_as(api, stored).await? {
        return Ok(Some(earlier));
    }
    redrivable(&stored.envelope, &stored.state, api.now())?;
    tenant::check(caller)?;
    Ok(None)
}

/// The message that took the place of another one, which was given up.
pub(crate) async fn redriven_as(api: &Api, stored: &StoredCascade) -> Result<Option<MessageId>, Problem> {
    let envelope = &stored.envelope;
    if !is_given_up(stored.state.status()) {
        return Ok(None);
    }
    let Some(claim) = idempotency::find(api, &keyed(envelope)).await? else { return Ok(None) };
    let ClaimResult::Message(id) = claim.result else { return Ok(None) };
    // Where claims and messages live in different servers, a crash may have left the claim alone: then the id is used
    // by the next redrive. Later than that, the message was there and has been kept long enough.
    let is_old = api.now().since(id.at()) >= KEPT_MS;
    let is_there = is_old || api.ports.store.load(envelope.scope(), id).await?.is_some();
    Ok(is_there.then_some(id))
}

fn keyed(envelope: &Envelope) -> Keyed {
    let meaning = json!({ "message_id": envelope.id });
    Keyed {
        scope: envelope.scope(),
        key: IdempotencyKey::redrive(envelope.id),
        fingerprint: fingerprint(&Method::POST, PATH, &meaning),
    }
}
