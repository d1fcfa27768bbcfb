//! `PATCH /v1/webhooks/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};

use hermes_domain::tenant::DisableReason;

use super::endpoint::{self, EndpointView, find};
use crate::{
    api::Api,
    body, etag,
    gate::Caller,
    problem::Problem,
    reply,
    schema::{self, boolean},
};

pub(super) async fn update(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let private = api.limits.private_webhooks;
    let (url, event_types, description, disabled) = schema::root(incoming.value, |object, faults| {
        let url = object.omittable("url", faults, endpoint::address(private));
        let event_types = endpoint::event_types(object, faults);
        let description = endpoint::description(object, faults);
        let disabled = object.omittable("disabled", faults, boolean);
        Some((url, event_types, description, disabled))
    })?;
    let expected = etag::required_if_match(&incoming.parts.headers, stored.version)?;
    let current = &stored.endpoint;
    let enables = disabled == Some(false) && current.disabled;
    if enables || url.as_ref().is_some_and(|url| *url != current.url) {
        // First: a crash in between leaves it as it was, but for failures that are forgotten too early.
        api.ports.outbox.restart(current.id).await?;
    }
    let changed = api
        .directory()
        .update_endpoint(stored.endpoint.id, expected, |endpoint| {
            endpoint.url = url.unwrap_or_else(|| endpoint.url.clone());
            endpoint.event_types = event_types.unwrap_or_else(|| endpoint.event_types.clone());
            endpoint.description = description.or_else(|| endpoint.description.take());
            match disabled {
                Some(true) => endpoint.disable(DisableReason::Requested),
                Some(false) => endpoint.enable(),
                None => {}
            }
        })
        .await?;
    Ok(reply::ok_version(&EndpointView::of(&changed.endpoint), changed.version))
}
