//! `GET /v1/webhooks/{id}/deliveries`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::Uri,
    response::Response,
};
use hermes_domain::EventId;
use hermes_ports::outbox::{Delivery, DeliveryStatus};
use serde::Serialize;
use utoipa::ToSchema;

use super::endpoint::find;
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

/// A notification and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub(super) struct DeliveryView {
    /// The event's id, sent as `webhook-id`.
    event_id: String,
    /// Such as `message.delivered`.
    event_type: String,
    /// About which message; null for an event about the service.
    message_id: Option<String>,
    /// `pending`, `delivered` or `failed`.
    status: &'static str,
    /// Tries so far.
    attempts: u16,
    /// When it is tried next; null once it is settled.
    next_attempt_at: Option<String>,
    /// Status code of the last answer.
    last_status: Option<u16>,
    /// What went wrong last.
    last_error: Option<String>,
    /// When the event happened.
    created_at: String,
}

pub(super) async fn deliveries(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id)?;
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let before = page.before.map(EventId::from_u128);
    let found = api.ports.outbox.list(stored.endpoint.id, before, page.limit + 1).await?;
    Ok(reply::ok(&page.list(found, |delivery| delivery.event.as_u128(), view)))
}

fn view(delivery: Delivery) -> DeliveryView {
    let pending = delivery.status == DeliveryStatus::Pending;
    DeliveryView {
        event_id: delivery.event.to_string(),
        event_type: delivery.event_type,
        message_id: delivery.message.map(|message| message.to_string()),
        status: match delivery.status {
            DeliveryStatus::Pending => "pending",
            DeliveryStatus::Delivered => "delivered",
            DeliveryStatus::Failed => "failed",
        },
        attempts: delivery.attempts,
        next_attempt_at: pending.then(|| delivery.next_at.rfc3339()),
        last_status: delivery.last_status,
        last_error: delivery.last_error,
        created_at: delivery.created_at.rfc3339(),
    }
}
