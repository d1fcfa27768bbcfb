//! `POST /v1/webhooks/{id}/redeliver?since=` or `?event_id=`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use hermes_domain::{EndpointId, EventId};
use hermes_ports::outbox::{Redelivered, Selection};

use super::endpoint::find;
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::{Code, Problem},
    query::Query,
    reply::Reply,
    schema,
};

/// Deliveries that one call makes pending. More are asked for in steps.
const REDELIVERED_MAX: usize = 10_000;

/// What was asked for and how much it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Redelivery {
    /// Deliveries that are pending again, or would be if no call had a limit.
    count: u64,
    /// Whether they were only counted.
    dry_run: bool,
    /// The `since` of the next call, when there are more than one call takes; null otherwise.
    next_since: Option<String>,
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
    let selection = selection(&mut query);
    let dry_run = query.parse("dry_run", "true or false").unwrap_or(false);
    query.finish()?;
    let Some(selection) = selection else {
        return Err(Problem::new(Code::ParameterInvalid, "Name either `since` or `event_id`."));
    };
    // What is asked for stands in the query here, so it belongs to the fingerprint.
    let meaning = match selection {
        Selection::Since(since) => json!({ "since": since.0, "dry_run": dry_run }),
        Selection::Event(event) => json!({ "event_id": event.to_string(), "dry_run": dry_run }),
    };
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &meaning)?;
    once(&api, keyed, async {
        let stored = find(&api, &caller, &id)?;
        let Redelivered { count, next_since } = run(&api, stored.endpoint.id, selection, dry_run).await?;
        if count == 0 && matches!(selection, Selection::Event(_)) {
            return Err(Problem::not_found());
        }
        let next_since = next_since.map(hermes_domain::UnixMillis::rfc3339);
        Ok(Reply::ok(&Redelivery { count, dry_run, next_since }))
    })
    .await
}

/// What the query names; `None` when it names both or neither, or says something that cannot be read.
fn selection(query: &mut Query<'_>) -> Option<Selection> {
    let since = query.instant("since");
    let event: Option<EventId> = query.parse("event_id", "an id such as evt_…");
    match (since, event) {
        (Some(since), None) => Some(Selection::Since(since)),
        (None, Some(event)) => Some(Selection::Event(event)),
        (None, None) | (Some(_), Some(_)) => None,
    }
}

async fn run(
    api: &Api,
    endpoint: EndpointId,
    selection: Selection,
    dry_run: bool,
) -> Result<Redelivered, Problem> {
    let outbox = &api.ports.outbox;
    if dry_run {
        let count = outbox.redeliverable(endpoint, selection).await?;
        return Ok(Redelivered { count, next_since: None });
    }
    let redelivered = outbox.redeliver(endpoint, selection, REDELIVERED_MAX).await?;
    api.ports.notifier.look(endpoint);
    Ok(redelivered)
}
