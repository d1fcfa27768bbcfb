//! Taking one message, alone or from a batch: `Ok` means that it is durable.

use std::sync::Arc;

use hermes_domain::{
    MessageId, UnixMillis, cascade::REDRIVABLE_MS, message::Envelope, money::Money, tenant::TenantScope,
};
use hermes_ports::{
    idempotency::{Claim, ClaimResult},
    kill_point,
    message_intake::SubmitError,
};
use hermes_telemetry::{TraceContext, continued};
use serde_json::Value;
use tracing::{Instrument as _, Span, info_span};

use super::{
    MessageAccepted,
    examine::{Draft, Look, Moment, examine, reexamine},
    layers::{
        dedup::{self, Reserved},
        dnc, tenant,
    },
};
use crate::{
    api::Api,
    gate::Caller,
    idempotency::{self, KEPT_MS, Keyed},
    problem::{Code, Problem},
    quotas,
    rate::Spent,
};

/// A message to be taken.
pub(crate) struct Acceptance<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) wanted: Wanted,
    pub(crate) keyed: Option<Keyed>,
    /// The trace that the request belongs to.
    pub(crate) trace: Option<TraceContext>,
}

/// What is to become a message.
pub(crate) enum Wanted {
    /// This request.
    Request(Value),
    /// Once more what this message said, as it reached nobody.
    Redrive(Arc<Envelope>),
}

/// A message that was taken, now or earlier.
pub(crate) struct Accepted {
    pub(crate) reply: MessageAccepted,
    /// Its id.
    pub(crate) message: MessageId,
    /// The same request had been served before.
    pub(crate) replayed: bool,
}

/// Takes a message.
pub(crate) async fn accept(api: &Api, acceptance: Acceptance<'_>) -> Result<Accepted, Problem> {
    let Acceptance { caller, wanted, keyed, trace } = acceptance;
    tenant::check(caller)?;
    let _running = match &keyed {
        Some(keyed) => Some(api.in_progress.start(keyed.scope, keyed.key.as_str())?),
        None => None,
    };
    let reserved = match &keyed {
        Some(keyed) => match earlier(api, caller, keyed).await? {
            Earlier::Accepted(accepted) => return Ok(*accepted),
            Earlier::Reserved(id) => Some(id),
            Earlier::Nothing => None,
        },
        None => None,
    };
    let now = api.now();
    let id = reserved.unwrap_or_else(|| api.ports.mint.message_at(now));
    let span = info_span!("message.accept", message.id = %id, tenant.id = %caller.tenant.id);
    let span = continued(span, trace.as_ref());
    let trace = TraceContext::of_span(&span).or(trace);
    take(api, caller, wanted, keyed, (id, now, trace)).instrument(span).await
}

async fn take(
    api: &Api,
    caller: &Caller,
    wanted: Wanted,
    keyed: Option<Keyed>,
    (id, now, trace): (MessageId, UnixMillis, Option<TraceContext>),
) -> Result<Accepted, Problem> {
    quotas::check(api, caller, now).await?;
    let moment = Moment::at(api, now, seed_of(id)).await;
    let mut draft = match wanted {
        Wanted::Request(body) => examine(api, caller, body, &moment, Look::ForOne),
        Wanted::Redrive(earlier) => reexamine(api, caller, &earlier, &moment),
    }
    .map_err(first)?;
    dnc::check(api, caller, &mut draft).await?;
    let share = quotas::take(api, caller, expected_cost(&draft), now).await?;
    let room = api.message_rates.take(caller, &draft.submission, now)?;
    let reserve = |(same, window_s)| api.dedupe.reserve(caller.scope(), same, id, now, now.plus_s(window_s));
    let windows = dedup::windows(&caller.tenant.policy, &draft.submission);
    // A redrive says the same to the same recipient on purpose, and has a key of its own against a second one.
    let windows = if draft.redrive_of.is_some() { Vec::new() } else { windows };
    let reserved = windows.into_iter().map(reserve).collect::<Result<Vec<_>, _>>()?;
    let envelope = Arc::new(envelope(caller, draft, (id, now), trace));
    let claim = keyed.as_ref().map(|keyed| claim(keyed, &envelope));
    match api.ports.intake.submit(Arc::clone(&envelope), claim).await {
        Ok(()) => {}
        Err(SubmitError::ClaimTaken) => return taken_meanwhile(api, caller, keyed.as_ref()).await,
        Err(SubmitError::Overloaded { under_way_max, retry_after_s }) => {
            let detail = "The tenant has too many messages under way.";
            let name = format!("under_way.{}", envelope.lane.as_str());
            let spent = Spent { name, quota: under_way_max.into(), window_s: None };
            let problem = Problem::new(Code::RateLimited, detail).retry_after(retry_after_s.max(1));
            return Err(problem.for_lack_of(spent));
        }
        Err(SubmitError::Away { retry_after_s }) => {
            let detail = "The tenant's messages are not taken at the moment; try again.";
            return Err(Problem::new(Code::Overloaded, detail).retry_after(retry_after_s.max(1)));
        }
        Err(SubmitError::Store(cause)) => return Err(cause.into()),
    }
    reserved.into_iter().for_each(Reserved::keep);
    room.keep();
    share.keep();
    kill_point::pass("accept.after");
    Span::current().record("message.durable", true);
    Ok(Accepted { reply: MessageAccepted::of(&envelope), message: envelope.id, replayed: false })
}

/// What the message costs if its first step's first connection carries it.
fn expected_cost(draft: &Draft) -> Option<Money> {
    draft.plan.steps.first()?.candidates.first()?.price
}

/// Chance of a message: its id is made of it.
const fn seed_of(id: MessageId) -> u64 {
    let bits = id.as_u128();
    bits as u64 ^ (bits >> 64) as u64
}

fn first(refusals: Vec<Problem>) -> Problem {
    let fallback = || Problem::new(Code::Internal, "The request was refused without a reason.");
    refusals.into_iter().next().unwrap_or_else(fallback)
}

fn envelope(
    caller: &Caller,
    Draft { submission, plan, warnings, send_at, held_for, expires_at, redrive_of }: Draft,
    (id, now): (MessageId, UnixMillis),
    trace: Option<TraceContext>,
) -> Envelope {
    Envelope {
        v: Envelope::VERSION,
        id,
        tenant: caller.tenant.id,
        mode: caller.mode,
        country: submission.countries.any().cloned(),
        to: submission.to,
        content: submission.content,
        template: submission.template,
        plan,
        cascade: submission.cascade_use,
        sender: submission.sender,
        lane: submission.lane,
        send_at,
        held_for,
        max_cost: submission.max_cost,
        expires_at,
        created_at: now,
        tags: submission.tags,
        metadata: submission.metadata,
        warnings,
        traceparent: trace.map(|trace| trace.to_string()),
        redrive_of,
        erased_at: None,
    }
}

fn claim(keyed: &Keyed, envelope: &Envelope) -> Claim {
    let TenantScope { tenant, mode } = keyed.scope;
    let start = envelope.send_at.unwrap_or(envelope.created_at).max(envelope.created_at);
    // A redrive's key must outlive the time in which the message could be redriven again.
    let kept_ms = if envelope.redrive_of.is_some() { REDRIVABLE_MS + KEPT_MS } else { KEPT_MS };
    Claim {
        tenant,
        mode,
        key: keyed.key.as_str().to_owned(),
        fingerprint: keyed.fingerprint,
        result: ClaimResult::Message(envelope.id),
        expires_at: start.plus_ms(kept_ms),
    }
}

/// What a key has led to before.
enum Earlier {
    Nothing,
    /// The claim is durable but its message is not (a crash came between): the id is used again.
    Reserved(MessageId),
    Accepted(Box<Accepted>),
}

async fn earlier(api: &Api, caller: &Caller, keyed: &Keyed) -> Result<Earlier, Problem> {
    let Some(claim) = idempotency::find(api, keyed).await? else { return Ok(Earlier::Nothing) };
    let ClaimResult::Message(id) = claim.result else { return Ok(Earlier::Nothing) };
    match api.ports.store.load(caller.scope(), id).await? {
        Some(stored) => {
            let reply = MessageAccepted::of(&stored.envelope);
            Ok(Earlier::Accepted(Box::new(Accepted { reply, message: id, replayed: true })))
        }
        None => Ok(Earlier::Reserved(id)),
    }
}

/// Another process served the same key between our look and our commit.
async fn taken_meanwhile(api: &Api, caller: &Caller, keyed: Option<&Keyed>) -> Result<Accepted, Problem> {
    if let Some(keyed) = keyed
        && let Earlier::Accepted(accepted) = earlier(api, caller, keyed).await?
    {
        return Ok(*accepted);
    }
    Err(Problem::new(
        Code::IdempotencyInProgress,
        "The first request with this Idempotency-Key is still running.",
    ))
}
