//! `POST /v1/cascades/{id}/versions`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_directory::CascadeTemplate;
use serde_json::Value;

use super::{
    super::stored::{as_written, find},
    VersionView,
};
use crate::{
    api::Api,
    body,
    etag::Precondition,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::{Code, Problem},
    reply::Reply,
    schema::{Faults, boolean},
};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let precondition = Precondition::of(&incoming.parts.headers)?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let stored = find(&api, &caller, &id)?;
        precondition.at(stored.version)?;
        let (cascade, activate) = version(&api, &caller, incoming.value)?;
        let now = api.now();
        let (mut next, number) = CascadeTemplate::clone(&stored.value).with_version(cascade, now)?;
        if activate {
            next = next.activated(number, now)?;
        }
        let made = next.version(number).ok_or_else(Problem::not_found)?;
        let view = VersionView::of(&next, made);
        let location = format!("/v1/cascades/{}/versions/{number}", next.id);
        // Whatever was read is what is changed: somebody else's version must not be lost.
        let version = api.directory().update_cascade(next, Some(stored.version)).await?;
        Ok(Reply::created(&location, &view).version(version))
    })
    .await
}

/// The cascade as it was written, and whether to activate it.
fn version(api: &Api, caller: &Caller, body: Value) -> Result<(Value, bool), Problem> {
    let mut faults = Faults::default();
    let Value::Object(mut fields) = body else {
        let refused: Option<(Value, bool)> = faults.note("type", "expected an object");
        return faults.finish(refused, Code::SchemaInvalid);
    };
    let activate = fields.remove("activate").filter(|value| !value.is_null());
    let activate = activate.map(|value| faults.at_key("activate", |faults| boolean(value, faults)));
    let cascade = as_written(api, caller, fields, &mut faults);
    faults.finish(cascade.zip(activate.unwrap_or(Some(false))), Code::SchemaInvalid)
}
