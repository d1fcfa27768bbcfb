//! `PUT /v1/templates/{id}`: makes a version that is active at once.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_directory::{Activate, TemplateChange};

use super::{
    create::named,
    view::{TemplateView, find},
};
use crate::{api::Api, body, etag, gate::Caller, problem::Problem, reply};

pub(super) async fn replace(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let (name, body) = named(incoming.value)?;
    let expected = etag::required_if_match(&incoming.parts.headers, stored.version)?;
    let change = TemplateChange { name: Some(name), body: Some(body), activate: Activate::Newest };
    let id = stored.template.id;
    let entry = api.directory().change_template(caller.scope(), id, change, expected, api.now()).await?;
    Ok(reply::ok_version(&TemplateView::of(&entry)?, entry.version))
}
