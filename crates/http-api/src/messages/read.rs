//! `GET /v1/messages/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use hermes_domain::MessageId;
use hermes_ports::cascade_store::StoredCascade;

use super::{redriven_as, view::MessageView};
use crate::{api::Api, gate::Caller, problem::Problem, reply};

pub(super) async fn read(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let stored = load(&api, &caller, message_id(&id)?).await?;
    let redriven_as = redriven_as(&api, &stored).await?;
    Ok(reply::ok(&MessageView::of(&stored).redriven_as(redriven_as)))
}

/// An id from a path; anything else names nothing.
pub(super) fn message_id(text: &str) -> Result<MessageId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// A message, if it is the caller's.
pub(super) async fn load(api: &Api, caller: &Caller, id: MessageId) -> Result<StoredCascade, Problem> {
    api.ports.store.load(caller.scope(), id).await?.ok_or_else(Problem::not_found)
}
