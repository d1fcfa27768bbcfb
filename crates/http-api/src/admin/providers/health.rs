//! `GET /admin/v1/providers/{id}/health`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use hermes_domain::{UnixMillis, breaker::BreakerState};
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::find;
use crate::{api::Api, gate::Operator, problem::Problem, reply};

/// A connection's health.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderHealth)]
pub(super) struct HealthView {
    /// Which connection.
    connection: String,
    /// `closed`, `open` or `half_open`.
    breaker: &'static str,
    /// Held by an operator.
    held: bool,
    /// Closed by throttling until then.
    throttled_until: Option<String>,
    /// Calls that run now.
    in_flight: u32,
    /// Attempts that wait for a permit.
    waiting: u32,
    /// Calls of the last one to two minutes.
    calls: u64,
    /// Messages accepted so long ago that their receipts should have come.
    receipts_due: u64,
    /// Receipts that came, at most as many as are due.
    receipts_came: u64,
    /// Share of the last calls that the provider processed, 0–1.
    success_rate: Option<f64>,
    /// Median latency of the last calls.
    latency_p50_ms: Option<u64>,
    /// 99th percentile of the last calls.
    latency_p99_ms: Option<u64>,
    /// Build of the adapter that new calls use.
    adapter_version: Option<String>,
}

pub(super) async fn health(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let stored = find(&api, &id)?;
    let health =
        api.ports.gateway.health(stored.access.connection.id).await.ok_or_else(Problem::not_found)?;
    Ok(reply::ok(&HealthView {
        connection: health.connection.to_string(),
        breaker: match health.breaker {
            BreakerState::Closed => "closed",
            BreakerState::Open => "open",
            BreakerState::HalfOpen => "half_open",
        },
        held: health.held || stored.access.connection.held,
        throttled_until: health.throttled_until.map(UnixMillis::rfc3339),
        in_flight: health.in_flight,
        waiting: health.waiting,
        calls: health.calls,
        receipts_due: health.receipts_due,
        receipts_came: health.receipts_came,
        success_rate: health.success_rate,
        latency_p50_ms: health.latency_p50_ms,
        latency_p99_ms: health.latency_p99_ms,
        adapter_version: health.adapter_version.map(|version| version.to_string()),
    }))
}
