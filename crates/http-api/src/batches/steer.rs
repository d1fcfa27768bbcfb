//! `POST /v1/batches/{id}/pause`, `/resume` and `/cancel`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::batch::{BatchCommand, BatchState};

use super::view::{BatchView, find};
use crate::{
    api::Api,
    gate::Caller,
    idempotency::{bodiless, once},
    problem::{Code, Problem},
    reply::Reply,
};

pub(super) async fn pause(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    steer(&api, &caller, &id, request, BatchCommand::Pause).await
}

pub(super) async fn resume(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    steer(&api, &caller, &id, request, BatchCommand::Resume).await
}

pub(super) async fn cancel(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    steer(&api, &caller, &id, request, BatchCommand::Cancel).await
}

async fn steer(
    api: &Arc<Api>,
    caller: &Caller,
    id: &str,
    request: Request,
    command: BatchCommand,
) -> Result<Response, Problem> {
    let keyed = bodiless(api, caller.scope(), request).await?;
    once(api, keyed, async {
        let batch = find(api, caller, id).await?;
        // Between two turns: what is being taken is finished first, and nothing is taken after the answer.
        let _turn = api.batch_turns.of(batch.id).await;
        let batch = find(api, caller, id).await?;
        if command == BatchCommand::Resume && batch.is_abandoned(api.now()) {
            return Err(conflict("The batch was paused for 7 days, and what waited is being dropped."));
        }
        let next = batch.state.after(command);
        let next = next.map_err(|_| conflict(&format!("The batch is {}.", batch.state.as_str())))?;
        if command == BatchCommand::Cancel && batch.state == BatchState::Completed {
            let statuses = api.ports.batches.statuses(batch.scope, batch.id).await?;
            if statuses.iter().all(|(status, _)| status.is_terminal()) {
                return Err(conflict("All its messages have ended."));
            }
        }
        if next != batch.state {
            let change = (batch.state, next);
            api.ports.batches.set_state(batch.scope, batch.id, change, api.now()).await?;
            api.batch_turns.wake();
        }
        Ok(Reply::ok(&BatchView::whole(api, &find(api, caller, id).await?).await?))
    })
    .await
}

fn conflict(detail: &str) -> Problem {
    Problem::new(Code::Conflict, detail)
}
