//! Webhooks that a transition owes, and what they say. Never content, never addresses; metadata only once they are told.

mod operational;

use std::{collections::BTreeMap, sync::Arc};

use hermes_domain::{
    cascade::{Attempt, Charge, State, TimelineEntry},
    event::EventKind,
    message::Envelope,
    outcome::Failure,
    plan::Step,
    tenant::Endpoint,
};
use hermes_ports::outbox::OutboxEntry;
use serde::Serialize;

pub use operational::operational_entries;

/// Notifications owed for timeline entries from index `old_len` on, one per entry and endpoint that
/// wants it. `new_state` is the state of the transition that added them.
///
/// Returns an empty list at once when there are no endpoints. An end that no longer fits into the
/// timeline is reported all the same, under the sequence number after the last entry.
pub fn notifications(
    endpoints: &[Arc<Endpoint>],
    envelope: &Envelope,
    old_len: usize,
    new_state: &State,
) -> Vec<OutboxEntry> {
    if endpoints.is_empty() {
        return Vec::new();
    }
    let entries = new_state.timeline.entries();
    let added = entries.iter().enumerate().skip(old_len);
    let mut owed: Vec<_> = added.filter(|(_, entry)| entry.kind.webhook_allowed()).collect();
    let hidden = hidden_end(new_state, old_len);
    owed.extend(hidden.iter().map(|entry| (entries.len(), entry)));
    let mut all = Vec::new();
    for (index, entry) in owed {
        let (event_type, by_default) = (entry.kind.as_str(), entry.kind.webhook_by_default());
        let mut body = None;
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.wants(event_type, by_default)) {
            let body = body.get_or_insert_with(|| body_of(envelope, new_state, index, entry));
            all.push(OutboxEntry {
                endpoint: endpoint.id,
                event: envelope.id.event_id(sequence(index)),
                message: Some(envelope.id),
                event_type,
                body: body.clone(),
                created_at: happened_at(envelope, entry),
            });
        }
    }
    all
}

/// The body of the notification about timeline entry `index` (API contract, section 4), still without metadata.
///
/// # Panics
/// Never: an index beyond the timeline yields the body of the message's present state.
pub fn webhook_body(envelope: &Envelope, state: &State, index: usize) -> String {
    let entries = state.timeline.entries();
    match entries.get(index).or_else(|| entries.last()) {
        Some(entry) => body_of(envelope, state, index, entry),
        None => String::from("{}"), // A state without any entry was never begun.
    }
}

/// The end of a message whose timeline was full when it came.
fn hidden_end(state: &State, old_len: usize) -> Option<TimelineEntry> {
    let entries = state.timeline.entries();
    let last = entries.last().filter(|last| last.kind == EventKind::TimelineTruncated)?;
    let ended_now = state.completed_at.is_some() && state.completed_at == Some(state.updated_at);
    let told = entries.iter().skip(old_len).any(|entry| terminal_kind(state) == Some(entry.kind));
    let kind = terminal_kind(state).filter(|_| ended_now && !told)?;
    Some(TimelineEntry { kind, count: 1, ..*last })
}

fn terminal_kind(state: &State) -> Option<EventKind> {
    use hermes_domain::cascade::Phase;
    match state.phase {
        Phase::Delivered => Some(EventKind::MessageDelivered),
        Phase::SentUnconfirmed => Some(EventKind::MessageSentUnconfirmed),
        Phase::Failed => Some(EventKind::MessageFailed),
        Phase::Expired => Some(EventKind::MessageExpired),
        Phase::Cancelled => Some(EventKind::MessageCancelled),
        Phase::Scheduled { .. } | Phase::Pending | Phase::Submitting { .. } => None,
        Phase::AwaitingReceipt { .. } | Phase::Backoff { .. } => None,
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    message_id: String,
    sequence: u16,
    mode: &'static str,
    status: &'static str,
    status_reason: Option<&'static str>,
    step: Option<u8>,
    channel: Option<&'static str>,
    provider: Option<&'a str>,
    attempt: Option<AttemptBrief>,
    error: Option<ErrorBrief<'a>>,
    cost: Option<Cost>,
    tags: &'a [String],
    /// Null where the message has some: what is stored must not hold it.
    metadata: Option<&'a BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct AttemptBrief {
    id: String,
    number: u16,
    status: &'static str,
}

#[derive(Serialize)]
struct ErrorBrief<'a> {
    class: &'static str,
    provider_code: Option<&'a str>,
    detail: Option<&'a str>,
}

#[derive(Serialize)]
struct Cost {
    amount: String,
    currency: String,
    estimated: bool,
}

fn body_of(envelope: &Envelope, state: &State, index: usize, entry: &TimelineEntry) -> String {
    // An entry about the message as a whole is told with the attempt that was made last.
    let number = entry.attempt.unwrap_or_else(|| state.last_attempt());
    let attempt = state.attempt(number);
    let about = entry.step.or_else(|| attempt.map(|attempt| attempt.step)).unwrap_or(state.step);
    let step = envelope.plan.steps.get(usize::from(about));
    let status = |attempt: &Attempt| entry.status.unwrap_or(attempt.status).as_str();
    let body = Body {
        kind: entry.kind.as_str(),
        timestamp: happened_at(envelope, entry).rfc3339(),
        data: Data {
            message_id: envelope.id.to_string(),
            sequence: sequence(index),
            mode: envelope.mode.as_str(),
            status: state.status().as_str(),
            status_reason: state.reason.as_str(),
            step: step.map(|_| about),
            channel: step.map(|step| step.channel.as_str()),
            provider: attempt.and_then(|attempt| provider(step, attempt)),
            attempt: attempt.map(|attempt| AttemptBrief {
                id: envelope.id.attempt_id(number).to_string(),
                number,
                status: status(attempt),
            }),
            error: attempt.and_then(|attempt| attempt.error.as_ref()).map(error),
            cost: attempt.and_then(|attempt| attempt.charge(envelope)).map(cost),
            tags: &envelope.tags,
            metadata: Some(&envelope.metadata).filter(|metadata| metadata.is_empty()),
        },
    };
    #[expect(clippy::expect_used, reason = "plain structs with text keys: there is no case that fails")]
    serde_json::to_string(&body).expect("plain structs serialise")
}

fn provider<'a>(step: Option<&'a Step>, attempt: &Attempt) -> Option<&'a str> {
    let candidate = step?.candidates.get(usize::from(attempt.candidate))?;
    Some(&candidate.name)
}

fn error(failure: &Failure) -> ErrorBrief<'_> {
    ErrorBrief {
        class: failure.class.as_str(),
        provider_code: failure.code.as_deref(),
        detail: failure.detail.as_deref(),
    }
}

fn cost(Charge { money, estimated }: Charge) -> Cost {
    Cost { amount: money.amount(), currency: money.currency.as_str().to_owned(), estimated }
}

fn happened_at(envelope: &Envelope, entry: &TimelineEntry) -> hermes_domain::UnixMillis {
    envelope.created_at.plus_ms(u64::from(entry.after_ms))
}

fn sequence(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
