//! Messages as the API shows them.

use hermes_domain::{
    UnixMillis,
    cascade::{Attempt, Cascade, TimelineEntry},
    message::Envelope,
    money::Money,
    plan::Plan,
};
use hermes_ports::cascade_store::StoredCascade;
use serde_json::{Value, json};

/// A plan: connections by their names.
pub(crate) fn plan(plan: &Plan) -> Value {
    let step = |(index, step): (usize, &hermes_domain::plan::Step)| {
        json!({
            "step": index,
            "channel": step.channel,
            "providers": step.candidates.iter().map(|candidate| candidate.name.as_str()).collect::<Vec<_>>(),
            "success_on": step.success_on,
            "timeout_s": step.timeout_s,
        })
    };
    plan.steps.iter().enumerate().map(step).collect()
}

/// A whole message.
pub(crate) fn message(stored: &StoredCascade) -> Value {
    let (envelope, state) = (&stored.envelope, &stored.state);
    let cascade = Cascade { envelope: envelope.clone(), state: state.clone() };
    let used = state.last_used(envelope);
    let waiting = cascade.waiting_for();
    json!({
        "id": envelope.id,
        "mode": envelope.mode,
        "status": state.status().as_str(),
        "status_reason": state.reason.as_str(),
        "to": envelope.to,
        "sender": envelope.sender,
        "lane": envelope.lane,
        "current_step": state.step,
        "channel": used.map_or_else(|| cascade.channel(), |(step, _)| step.channel),
        "provider": used.map(|(_, candidate)| candidate.name.as_str()),
        "plan": plan(&envelope.plan),
        "warnings": envelope.warnings,
        "attempts": state.attempts.iter().enumerate().map(|(index, one)| attempt(envelope, index, one)).collect::<Vec<_>>(),
        "flags": state.flags.names(),
        "waiting_for": waiting.map(|waiting| json!({ "what": waiting.what, "until": waiting.until.rfc3339(), "then": waiting.then })),
        "cost": cost(&state.attempts),
        "send_at": envelope.send_at.map(UnixMillis::rfc3339),
        "expires_at": envelope.expires_at.rfc3339(),
        "created_at": envelope.created_at.rfc3339(),
        "updated_at": state.updated_at.rfc3339(),
        "completed_at": state.completed_at.map(UnixMillis::rfc3339),
        "confirmed_at": state.confirmed_at.map(UnixMillis::rfc3339),
        "tags": envelope.tags,
        "metadata": envelope.metadata,
    })
}

fn attempt(envelope: &Envelope, index: usize, attempt: &Attempt) -> Value {
    let number = u16::try_from(index + 1).unwrap_or(u16::MAX);
    let step = envelope.plan.steps.get(usize::from(attempt.step));
    let candidate = step.and_then(|step| step.candidates.get(usize::from(attempt.candidate)));
    json!({
        "id": envelope.id.attempt_id(number),
        "number": number,
        "step": attempt.step,
        "channel": step.map(|step| step.channel),
        "provider": candidate.map(|candidate| candidate.name.as_str()),
        "adapter_version": attempt.adapter_version,
        "provider_message_id": attempt.provider_message_id,
        "status": attempt.status.as_str(),
        "outcome_unknown": attempt.outcome_unknown,
        "submitted_at": attempt.submitted_at.rfc3339(),
        "completed_at": attempt.completed_at.map(UnixMillis::rfc3339),
        "segments": attempt.segments,
        "cost": attempt.cost.map(money),
        "error": attempt.error.as_ref().map(|error| json!({
            "class": error.class, "provider_code": error.code, "detail": error.detail,
        })),
    })
}

fn money(cost: Money) -> Value {
    json!({ "amount": cost.amount(), "currency": cost.currency.as_str(), "estimated": false })
}

/// What the attempts cost in all; none when nothing is known or currencies differ.
fn cost(attempts: &[Attempt]) -> Option<Value> {
    let mut costs = attempts.iter().filter_map(|attempt| attempt.cost);
    let first = costs.next()?;
    let sum = costs.try_fold(first, |sum, cost| {
        (cost.currency == sum.currency).then_some(Money { micros: sum.micros + cost.micros, ..sum })
    });
    sum.map(money)
}

/// The timeline, oldest first.
pub(crate) fn timeline(stored: &StoredCascade) -> Vec<Value> {
    let entry = |(index, entry): (usize, &TimelineEntry)| {
        let envelope = &stored.envelope;
        let at = envelope.created_at.plus_ms(entry.after_ms.into());
        let attempt = entry.attempt.and_then(|number| stored.state.attempt(number));
        let step = entry.step.and_then(|step| envelope.plan.steps.get(usize::from(step)));
        let provider =
            attempt.zip(step).and_then(|(attempt, step)| step.candidates.get(usize::from(attempt.candidate)));
        json!({
            "id": envelope.id.event_id(u16::try_from(index).unwrap_or(u16::MAX)),
            "at": at.rfc3339(),
            "type": entry.kind.as_str(),
            "step": entry.step,
            "attempt": entry.attempt,
            "provider": provider.map(|candidate| candidate.name.as_str()),
            "data": { "status": entry.status.map(|status| status.as_str()), "count": entry.count },
        })
    };
    stored.state.timeline.entries().iter().enumerate().map(entry).collect()
}
