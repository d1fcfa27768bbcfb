//! `POST /admin/v1/providers/{id}/sync_suppressions`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use hermes_ports::provider_lists::{NotSynced, SyncCounts};
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::find;
use crate::{
    api::Api,
    gate::Operator,
    problem::{Code, Problem},
    reply,
};

/// What one synchronisation of a provider's suppression list did. It ends after 20 s at the latest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderListSync)]
pub(super) struct SyncView {
    /// Addresses that were read from the list.
    read: u64,
    /// Those that became suppressions.
    added: u64,
    /// Changes that were written to the list.
    pushed: u64,
    /// Calls that failed.
    failed: u64,
    /// Whether there is more to read or to write; what follows by itself, or by asking again.
    more: bool,
}

pub(super) async fn sync(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let stored = find(&api, &id)?;
    let done = api.ports.lists.sync(stored.access.connection.id).await;
    let SyncCounts { read, added, pushed, failed, more } = done.map_err(problem)?;
    Ok(reply::ok(&SyncView { read, added, pushed, failed, more }))
}

fn problem(cause: NotSynced) -> Problem {
    match cause {
        NotSynced::NotFollowed => Problem::new(
            Code::Conflict,
            "The connection keeps no list in step: its `config` does not say `sync_suppressions`, it is shared by \
             tenants, or its provider has no list.",
        ),
        NotSynced::Busy => Problem::new(Code::Conflict, "The list is being synchronised already."),
        NotSynced::Store => Problem::new(Code::Overloaded, "The store is away for a moment; try again."),
    }
}
