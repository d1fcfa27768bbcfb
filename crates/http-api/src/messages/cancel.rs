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
    body,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::{Code, Problem},
    reply::Reply,
    schema,
};

pub(super) async fn cancel(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::optional_json(&api, request).await?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    schema::root(incoming.value, |_, _| Some(()))?;
    let id = message_id(&id)?;
    once(&api, keyed, async {
        load(&api, &caller, id).await?;
        match deliver(&api, id, Event::Cancel).await? {
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
