//! `POST /v1/routes`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_directory::StoredRoute;
use hermes_domain::tenant::TenantScope;

use super::route::{RouteView, Wanted, wanted};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::Problem,
    reply::Reply,
};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let Wanted { name, position, rule } = wanted(incoming.value)?;
        let now = api.now();
        let TenantScope { tenant, mode } = caller.scope();
        let id = api.ports.mint.route();
        let route = StoredRoute { id, tenant, mode, name, position, rule, created_at: now, updated_at: now };
        let view = RouteView::of(&api, &route);
        let location = format!("/v1/routes/{}", route.id);
        let version = api.directory().create_route(route).await?;
        Ok(Reply::created(&location, &view).version(version))
    })
    .await
}
