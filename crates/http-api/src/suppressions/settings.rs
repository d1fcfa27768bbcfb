//! `GET` and `PUT /v1/suppressions/settings`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_domain::suppression::OptOutScope;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::Api,
    body,
    gate::Caller,
    problem::Problem,
    reply,
    schema::{self, choice},
};

const SCOPES: &[(&str, OptOutScope)] =
    &[(OptOutScope::Sender.as_str(), OptOutScope::Sender), (OptOutScope::All.as_str(), OptOutScope::All)];

/// How opt-outs are taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SuppressionSettings)]
pub(super) struct SettingsView {
    /// `sender`: a STOP silences the number that it was sent to. `all`: every sender of the tenant.
    opt_out_scope: &'static str,
}

pub(super) async fn read(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    let scope = api.ports.suppressions.opt_out_scope(caller.tenant.id, caller.mode).await?;
    Ok(reply::ok(&SettingsView { opt_out_scope: scope.as_str() }))
}

pub(super) async fn write(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let scope = schema::root(incoming.value, |object, faults| {
        object.required("opt_out_scope", faults, choice(SCOPES))
    })?;
    api.ports.suppressions.set_opt_out_scope(caller.tenant.id, caller.mode, scope).await?;
    Ok(reply::ok(&SettingsView { opt_out_scope: scope.as_str() }))
}
