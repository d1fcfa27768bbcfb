//! `POST /v1/messages/{id}/cancel`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::cascade::{Event, StepError};
use hermes_ports::cascade_inbox::Delivered;

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

pub(super) async fn cancel(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let keyed = bodiless(&api, caller.scope(), request).await?;
    let id = message_id(&id)?;
    once(&api, keyed, async {
        let stored = load(&api, &caller, id).await?;
        match deliver(&api, &stored, Event::Cancel).await? {
            // Stale: it was asked for before.
            Delivered::Applied | Delivered::Ignored(StepError::Stale) => {}
            Delivered::Ignored(StepError::Terminal | StepError::Quarantined) => {
                return Err(Problem::new(Code::NotCancellable, "The message has ended."));
            }
        }
        Ok(Reply::ok(&MessageView::of(&load(&api, &caller, id).await?)))
    })
    .await
}
