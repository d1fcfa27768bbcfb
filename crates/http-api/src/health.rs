//! For orchestrators: alive, ready, metrics.

use std::{error::Error, sync::Arc};

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

use crate::{
    api::Api,
    operation::{Need, Operation},
    problem::{Code, Problem},
    reply,
    router::Routes,
};

pub(crate) fn routes(routes: &mut Routes) {
    let alive = Operation::get(Need::Open, "/healthz", "getHealth", "Whether the process is alive");
    routes.add(alive.reply::<Health>(200, "It is."), alive_handler);
    let ready =
        Operation::get(Need::Open, "/readyz", "getReadiness", "Whether the process should get traffic");
    routes.add(ready.reply::<Health>(200, "It should."), ready_handler);
    let metrics = Operation::get(Need::Open, "/metrics", "getMetrics", "Metrics for Prometheus");
    routes.add(metrics.plain(200, "Metrics in text format.", Some("text/plain")), metrics_handler);
}

/// State of the process.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`.
    status: &'static str,
}

async fn alive_handler() -> Response {
    reply::ok(&Health { status: "ok" })
}

async fn ready_handler(State(api): State<Arc<Api>>) -> Result<Response, Problem> {
    if !(api.settings.ready)() {
        return Err(Problem::new(Code::Overloaded, "The process is starting or ending."));
    }
    if let Err(failure) = api.ports.store.ping().await {
        warn!(error = &failure as &dyn Error, "not ready: the store does not answer");
        return Err(Problem::new(Code::Overloaded, "The store does not answer."));
    }
    Ok(reply::ok(&Health { status: "ok" }))
}

async fn metrics_handler(State(api): State<Arc<Api>>) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], (api.settings.metrics)()).into_response()
}
