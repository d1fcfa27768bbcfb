//! `POST /v1/messages/{id}/ack`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::{
    cascade::{AttemptStatus, Event},
    outcome::Level,
};
use hermes_ports::{cascade_inbox::Delivered, cascade_store::StoredCascade};

use super::{
    deliver::deliver,
    read::{load, message_id},
    view::MessageView,
};
use crate::{
    api::Api,
    gate::Caller,
    idempotency::{bodiless, once},
    problem::{Code, Problem},
    reply::Reply,
};

pub(super) async fn ack(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let keyed = bodiless(&api, caller.scope(), request).await?;
    let id = message_id(&id)?;
    once(&api, keyed, async {
        let stored = acknowledge(&api, &load(&api, &caller, id).await?).await?;
        Ok(Reply::ok(&MessageView::of(&stored)))
    })
    .await
}

/// Acknowledges a message and returns it. Doing so again changes nothing.
pub(super) async fn acknowledge(api: &Api, message: &StoredCascade) -> Result<StoredCascade, Problem> {
    let delivered = deliver(api, message, Event::Acknowledge).await?;
    let envelope = &message.envelope;
    let stored = api.ports.store.load(envelope.scope(), envelope.id).await?.ok_or_else(Problem::not_found)?;
    let acknowledged = AttemptStatus::Reached(Level::Acknowledged);
    let known = stored.state.attempts.iter().any(|attempt| attempt.status == acknowledged);
    match delivered {
        Delivered::Applied => Ok(stored),
        Delivered::Ignored(_) if known => Ok(stored),
        Delivered::Ignored(_) => {
            Err(Problem::new(Code::Conflict, "No attempt of the message can have arrived."))
        }
    }
}
