//! `POST /v1/webhooks`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_domain::tenant::Endpoint;

use super::endpoint::{self, EndpointCreated};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::{Code, Problem},
    reply::Reply,
    schema,
};

/// Most endpoints of a tenant in one mode: every notification goes to each of them.
const ENDPOINTS_MAX: usize = 50;

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let private = api.limits.private_webhooks;
        let (url, event_types, description) = schema::root(incoming.value, |object, faults| {
            let url = object.required("url", faults, endpoint::address(private));
            let event_types = endpoint::event_types(object, faults).unwrap_or_default();
            let description = endpoint::description(object, faults);
            Some((url?, event_types, description))
        })?;
        if api.directory().endpoints_for(caller.tenant.id, caller.mode).len() >= ENDPOINTS_MAX {
            let detail = format!("A tenant has at most {ENDPOINTS_MAX} webhooks.");
            return Err(Problem::new(Code::Conflict, detail));
        }
        let endpoint = Endpoint {
            id: api.ports.mint.endpoint(),
            tenant: caller.tenant.id,
            mode: caller.mode,
            url,
            event_types,
            description,
            disabled: false,
            disabled_reason: None,
            created_at: api.now(),
        };
        let (version, secret) = api.directory().create_endpoint(endpoint.clone()).await?;
        let location = format!("/v1/webhooks/{}", endpoint.id);
        let created = EndpointCreated::of(&endpoint, secret);
        Ok(Reply::created(&location, &created).version(version).with_secrets(&["secret"]))
    })
    .await
}
