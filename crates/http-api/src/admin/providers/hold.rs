//! `POST /admin/v1/providers/{id}/hold` and `/release`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};

use super::connection::{ConnectionView, find};
use crate::{
    api::Api,
    gate::Operator,
    idempotency::{OPERATOR, bodiless, once},
    problem::Problem,
    reply::Reply,
};

pub(super) async fn hold(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    set(&api, &id, request, true).await
}

pub(super) async fn release(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    set(&api, &id, request, false).await
}

async fn set(api: &Api, id: &str, request: Request, held: bool) -> Result<Response, Problem> {
    let keyed = bodiless(api, OPERATOR, request).await?;
    once(api, keyed, async {
        let stored = find(api, id)?;
        let version = api.directory().set_held(stored.access.connection.id, held).await?;
        Ok(Reply::ok(&ConnectionView::of(api, &find(api, id)?)).version(version))
    })
    .await
}
