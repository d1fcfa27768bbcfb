//! `POST /v1/templates`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_domain::template::TemplateBody;
use serde_json::Value;

use super::{
    body::{body, check},
    view::TemplateView,
};
use crate::{
    api::Api,
    body as request_body,
    gate::Caller,
    idempotency::{Keyed, once},
    messages::cascade::NAME_CHARS_MAX,
    problem::Problem,
    reply::Reply,
    schema::{self, text},
};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = request_body::json(&api, request, request_body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let (name, body) = named(incoming.value)?;
        let id = api.ports.mint.template();
        let entry = api.directory().create_template(caller.scope(), (id, name), body, api.now()).await?;
        let location = format!("/v1/templates/{id}");
        Ok(Reply::created(&location, &TemplateView::of(&entry)?).version(entry.version))
    })
    .await
}

/// Name and first version, checked.
pub(super) fn named(value: Value) -> Result<(String, TemplateBody), Problem> {
    let (name, body) = schema::root(value, |fields, faults| {
        let name = fields.required("name", faults, text(1..=NAME_CHARS_MAX));
        let body = body(fields, faults);
        Some((name?, body?))
    })?;
    Ok((name, check(body)?))
}
