//! `POST /v1/templates/{id}/versions`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_directory::{Activate, TemplateChange};

use super::{
    body::{body, check},
    view::{VersionView, find, newest},
};
use crate::{
    api::Api,
    body as request_body,
    etag::Precondition,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::Problem,
    reply::Reply,
    schema::{self, boolean},
};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = request_body::json(&api, request, request_body::ORDINARY_MAX).await?;
    let precondition = Precondition::of(&incoming.parts.headers)?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let stored = find(&api, &caller, &id)?;
        let (id, expected) = (stored.template.id, precondition.at(stored.version)?);
        let (body, activate) = schema::root(incoming.value, |fields, faults| {
            let activate = fields.optional("activate", faults, boolean).unwrap_or_default();
            Some((body(fields, faults)?, activate))
        })?;
        let activate = if activate { Activate::Newest } else { Activate::Unchanged };
        let change = TemplateChange { name: None, body: Some(check(body)?), activate };
        let entry = api.directory().change_template(caller.scope(), id, change, expected, api.now()).await?;
        let number = newest(&entry);
        let location = format!("/v1/templates/{id}/versions/{number}");
        Ok(Reply::created(&location, &VersionView::of(&entry, number)?).version(entry.version))
    })
    .await
}
