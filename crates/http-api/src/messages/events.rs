//! `GET /v1/messages/{id}/events`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use hermes_domain::{
    cascade::{State as CascadeState, TimelineEntry},
    event::EventKind,
    message::Envelope,
    outcome::ErrorClass,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    read::{load, message_id},
    view::ErrorView,
};
use crate::{api::Api, gate::Caller, page::List, problem::Problem, reply};

/// One entry of a timeline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct EventView {
    /// Its id; the same as the `webhook-id` that reports it.
    id: String,
    /// When it happened.
    at: String,
    /// Such as `attempt.submitted`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The step it concerns.
    step: Option<u8>,
    /// Number of the attempt it concerns.
    attempt: Option<u16>,
    /// Name of that attempt's connection.
    provider: Option<String>,
    /// What else is known.
    data: EventData,
}

/// What else is known about an entry.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventData {
    /// Channel of the step.
    channel: Option<&'static str>,
    /// The attempt's status at that moment.
    status: Option<&'static str>,
    /// Why the step failed, where no attempt says so: `opted_out` for a step whose address is suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    /// Why the attempt failed, of `attempt.failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorView>,
    /// How often the same happened in a row: a repetition is counted here instead of listed. 1 where it happened once.
    /// Of `timeline_truncated`: how many entries were left out.
    count: u16,
}

pub(super) async fn events(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let stored = load(&api, &caller, message_id(&id)?).await?;
    let (envelope, state) = (&*stored.envelope, &stored.state);
    let entries = state.timeline.entries().iter().zip(0_u16..);
    let shown = entries.map(|(entry, sequence)| view(envelope, state, entry, sequence)).collect();
    Ok(reply::ok(&List::whole(shown)))
}

fn view(envelope: &Envelope, state: &CascadeState, entry: &TimelineEntry, sequence: u16) -> EventView {
    let step = entry.step.and_then(|step| envelope.plan.steps.get(usize::from(step)));
    let attempt = entry.attempt.and_then(|number| state.attempt(number));
    let candidate = attempt.and_then(|attempt| {
        let step = envelope.plan.steps.get(usize::from(attempt.step))?;
        step.candidates.get(usize::from(attempt.candidate))
    });
    let error =
        attempt.filter(|_| entry.kind == EventKind::AttemptFailed).and_then(|attempt| attempt.error.as_ref());
    EventView {
        id: envelope.id.event_id(sequence).to_string(),
        at: envelope.created_at.plus_ms(u64::from(entry.after_ms)).rfc3339(),
        kind: entry.kind.as_str(),
        step: entry.step,
        attempt: entry.attempt,
        provider: candidate.map(|candidate| candidate.name.clone()),
        data: EventData {
            channel: step.map(|step| step.channel.as_str()),
            status: entry.status.map(|status| status.as_str()),
            class: (entry.kind == EventKind::StepSuppressed).then(|| ErrorClass::OptedOut.as_str()),
            error: error.map(ErrorView::of),
            count: entry.count,
        },
    }
}
