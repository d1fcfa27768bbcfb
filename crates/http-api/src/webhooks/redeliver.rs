//! `POST /v1/webhooks/{id}/redeliver?since=`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::endpoint::find;
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::Problem,
    query::Query,
    reply::Reply,
    schema,
};

/// What was asked for and how much it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Redelivery {
    /// Deliveries that are pending again, or would be.
    count: u64,
    /// Whether they were only counted.
    dry_run: bool,
}

pub(super) async fn redeliver(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::optional_json(&api, request).await?;
    schema::root(incoming.value, |_, _| Some(()))?;
    let mut query = Query::of(&incoming.parts.uri);
    let since = query.instant("since");
    let dry_run = query.parse("dry_run", "true or false").unwrap_or(false);
    if since.is_none() {
        query.fault("since", "expected an RFC 3339 instant");
    }
    query.finish()?;
    let since = since.unwrap_or_default();
    // What is asked for stands in the query here, so it belongs to the fingerprint.
    let meaning = json!({ "since": since.0, "dry_run": dry_run });
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &meaning)?;
    once(&api, keyed, async {
        let stored = find(&api, &caller, &id)?;
        let count = api.ports.outbox.redeliver(stored.endpoint.id, since, dry_run).await?;
        Ok(Reply::ok(&Redelivery { count, dry_run }))
    })
    .await
}
