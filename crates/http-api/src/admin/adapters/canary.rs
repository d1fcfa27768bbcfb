//! `POST /admin/v1/adapters/{name}/canary`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::cascade::AdapterVersion;
use tracing::info;

use super::adapter::AdapterView;
use crate::{
    api::Api,
    body,
    gate::Operator,
    problem::Problem,
    reply,
    schema::{self, id, integer},
};

pub(super) async fn canary(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let (version, share_percent): (AdapterVersion, u32) = schema::root(incoming.value, |object, faults| {
        let version = object.required("version", faults, id);
        let share = object.required("share_percent", faults, integer(0..=100));
        version.zip(share)
    })?;
    let share_percent = u8::try_from(share_percent).unwrap_or(100);
    let info = api.ports.adapters.canary(&name, version, share_percent)?;
    info!(adapter.name = name, adapter.version = %version, share_percent, "an adapter is observed");
    Ok(reply::ok(&AdapterView::of(info)))
}
