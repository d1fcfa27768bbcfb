//! `POST /v1/templates/{id}/versions/{version}/activate`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_directory::{Activate, TemplateChange};

use super::view::{TemplateView, find};
use crate::{
    api::Api,
    etag::Precondition,
    gate::Caller,
    idempotency::{bodiless, once},
    problem::Problem,
    reply::Reply,
};

pub(super) async fn activate(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path((id, version)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let precondition = Precondition::of(request.headers())?;
    let keyed = bodiless(&api, caller.scope(), request).await?;
    once(&api, keyed, async {
        let stored = find(&api, &caller, &id)?;
        let (id, expected) = (stored.template.id, precondition.at(stored.version)?);
        let number = version.parse().map_err(|_| Problem::not_found())?;
        let change = TemplateChange { activate: Activate::Version(number), ..TemplateChange::default() };
        let entry = api.directory().change_template(caller.scope(), id, change, expected, api.now()).await?;
        Ok(Reply::ok(&TemplateView::of(&entry)?).version(entry.version))
    })
    .await
}
