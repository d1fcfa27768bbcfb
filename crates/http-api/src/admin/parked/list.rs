//! `GET /admin/v1/parked`.

use std::{cmp::Reverse, sync::Arc};

use axum::{extract::State, response::Response};
use hermes_ports::actor_tree::ParkedMessage;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{api::Api, gate::Operator, problem::Problem, reply};

/// Most messages shown.
const SHOWN_MAX: usize = 1_000;

/// Parked messages.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ParkedList {
    /// How many there are.
    count: usize,
    /// At most 1,000 of them, the newest message first.
    data: Vec<ParkedView>,
}

/// A parked message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParkedMessage)]
struct ParkedView {
    /// Which.
    message_id: String,
    /// Whose.
    tenant_id: String,
    /// How its actor ended the last time.
    reason: String,
    /// How often it has failed.
    failures: u32,
    /// When it was parked.
    since: String,
}

impl ParkedView {
    fn of(parked: ParkedMessage) -> Self {
        Self {
            message_id: parked.id.to_string(),
            tenant_id: parked.tenant.to_string(),
            reason: parked.reason,
            failures: parked.failures,
            since: parked.since.rfc3339(),
        }
    }
}

pub(super) async fn list(State(api): State<Arc<Api>>, _: Operator) -> Result<Response, Problem> {
    let mut all = api.ports.actors.parked().await;
    all.sort_by_key(|parked| Reverse(parked.id));
    let count = all.len();
    Ok(reply::ok(&ParkedList { count, data: all.into_iter().take(SHOWN_MAX).map(ParkedView::of).collect() }))
}
