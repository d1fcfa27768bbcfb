//! `POST /admin/v1/tenants/{id}/suspend` and `/resume`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};

use super::tenant::{TenantView, find};
use crate::{
    api::Api,
    gate::Operator,
    idempotency::{OPERATOR, bodiless, once},
    problem::Problem,
    reply::Reply,
};

pub(super) async fn suspend(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    set(&api, &id, request, true).await
}

pub(super) async fn resume(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    set(&api, &id, request, false).await
}

async fn set(api: &Api, id: &str, request: Request, suspended: bool) -> Result<Response, Problem> {
    let keyed = bodiless(api, OPERATOR, request).await?;
    once(api, keyed, async {
        let stored = find(api, id)?;
        let changed = api.directory().set_suspended(stored.value.id, suspended).await?;
        Ok(Reply::ok(&TenantView::of(&changed.value)).version(changed.version))
    })
    .await
}
