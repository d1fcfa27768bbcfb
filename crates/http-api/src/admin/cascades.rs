//! `GET /admin/v1/cascades/{message_id}`: what a message waits for, and why.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::{
    MessageId,
    cascade::{Attempt, Phase, State as CascadeState},
    message::Envelope,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    api::Api,
    audited,
    gate::Operator,
    messages::view::{AttemptView, WaitingView, attempts, recipient, waiting_for},
    messages::{ConsideredView, redriven_as},
    operation::{Need, Operation},
    problem::Problem,
    query::Query,
    reply,
    router::Routes,
};

/// How the audit log calls showing a recipient.
const REVEAL: &str = "revealRecipient";

pub(super) fn routes(routes: &mut Routes) {
    let operation = Operation::get(
        Need::Viewer,
        "/admin/v1/cascades/{id}",
        "explainCascade",
        "What a message waits for, and why",
    );
    let operation = operation
        .query(
            "reveal",
            "`true`: with the message's addresses. Needs the role `admin`, and goes into the audit log as \
             `revealRecipient`.",
            json!({ "type": "boolean", "default": false }),
        )
        .reply::<CascadeExplained>(200, "The explanation.");
    routes.add(operation, explain);
}

/// Where a message stands, without its content and addresses.
#[derive(Debug, Serialize, ToSchema)]
struct CascadeExplained {
    /// Which message.
    message_id: String,
    /// Whose.
    tenant_id: String,
    /// `live` or `test`.
    mode: &'static str,
    /// Its status.
    status: &'static str,
    /// Its phase.
    phase: &'static str,
    /// What happens next; null once it has ended.
    waiting_for: Option<WaitingView>,
    /// Index of the current step.
    step: u8,
    /// The current step's connections, in the order of preference, with what speaks for or against each.
    candidates: Vec<CandidateView>,
    /// Every connection that routing considered for the current step, with the reason; empty where there was one only.
    considered: Vec<ConsideredView>,
    /// Every attempt.
    attempts: Vec<AttemptView>,
    /// The tenant asked to cancel it.
    cancel_requested: bool,
    /// The message that was given up and whose place this one takes.
    redrive_of: Option<String>,
    /// The message that takes the place of this one, which was given up.
    redriven_as: Option<String>,
    /// The recipient as the tenant gave it, only with `reveal=true`; null once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    to: Option<Value>,
}

/// A connection that the current step may use.
#[derive(Debug, Serialize, ToSchema)]
struct CandidateView {
    /// Its name.
    name: String,
    /// Its id.
    connection: String,
    /// Attempts through it within this step.
    attempts: usize,
    /// Why it was or was not chosen, in words.
    because: String,
}

async fn explain(
    State(api): State<Arc<Api>>,
    operator: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let mut query = Query::of(&parts.uri);
    let reveal = query.parse("reveal", "true or false").unwrap_or(false);
    query.finish()?;
    let view = explained(&api, operator, &id, reveal);
    if reveal { audited::revealed(&api, operator, REVEAL, &parts, view).await } else { view.await }
}

async fn explained(api: &Api, operator: Operator, id: &str, reveal: bool) -> Result<Response, Problem> {
    let id: MessageId = id.parse().map_err(|_| Problem::not_found())?;
    let stored = api.ports.store.load_any(&operator, id).await?.ok_or_else(Problem::not_found)?;
    let (envelope, state) = (&*stored.envelope, &stored.state);
    Ok(reply::ok(&CascadeExplained {
        message_id: id.to_string(),
        tenant_id: envelope.tenant.to_string(),
        mode: envelope.mode.as_str(),
        status: state.status().as_str(),
        phase: phase(state.phase),
        waiting_for: waiting_for(&stored),
        step: state.step,
        candidates: candidates(api, envelope, state),
        considered: state.current_step(envelope).considered.iter().map(ConsideredView::of).collect(),
        attempts: attempts(envelope, state),
        cancel_requested: state.cancel_requested,
        redrive_of: envelope.redrive_of.map(|id| id.to_string()),
        redriven_as: redriven_as(api, &stored).await?.map(|id| id.to_string()),
        to: reveal.then(|| recipient(envelope)).flatten(),
    }))
}

fn candidates(api: &Api, envelope: &Envelope, state: &CascadeState) -> Vec<CandidateView> {
    let in_step = |attempt: &&Attempt| attempt.step == state.step;
    let candidates = state.current_step(envelope).candidates.iter().zip(0_u8..);
    candidates
        .map(|(candidate, index)| {
            let mut through =
                state.attempts.iter().filter(in_step).filter(|attempt| attempt.candidate == index);
            let (count, last) = (through.clone().count(), through.next_back());
            CandidateView {
                name: candidate.name.clone(),
                connection: candidate.connection.to_string(),
                attempts: count,
                because: because(api, index, candidate.connection, last),
            }
        })
        .collect()
}

fn because(api: &Api, index: u8, connection: hermes_domain::ConnectionId, last: Option<&Attempt>) -> String {
    let place = if index == 0 {
        "first choice of the plan".to_owned()
    } else {
        format!("choice {} of the plan", index + 1)
    };
    let fate = match last {
        Some(attempt) => match &attempt.error {
            Some(error) => {
                format!("its last attempt: {} ({})", attempt.status.as_str(), error.class.as_str())
            }
            None => format!("its last attempt: {}", attempt.status.as_str()),
        },
        None => "not tried in this step".to_owned(),
    };
    let now = match api.directory().access(connection) {
        None => "; it has been removed",
        Some(access) if access.connection.held => "; it is held by an operator",
        Some(_) => "",
    };
    format!("{place}; {fate}{now}")
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Scheduled { .. } => "scheduled",
        Phase::Pending => "pending",
        Phase::Submitting { .. } => "submitting",
        Phase::AwaitingReceipt { .. } => "awaiting_receipt",
        Phase::Backoff { .. } => "backoff",
        Phase::Delivered => "delivered",
        Phase::SentUnconfirmed => "sent_unconfirmed",
        Phase::Failed => "failed",
        Phase::Expired => "expired",
        Phase::Cancelled => "cancelled",
    }
}
