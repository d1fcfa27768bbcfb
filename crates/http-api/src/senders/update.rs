//! `PATCH /v1/senders/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::sender::{Identity, Sender};

use super::sender::{self, SenderView, find, standings};
use crate::{
    api::Api,
    body, etag,
    gate::Caller,
    problem::{Code, Fault, Problem},
    reply, schema,
};

pub(super) async fn update(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let (description, countries) = schema::root(incoming.value, |fields, faults| {
        Some((sender::description(fields, faults), sender::countries(fields, faults)))
    })?;
    let expected = etag::required_if_match(&incoming.parts.headers, stored.version)?;
    let mut next = Sender { updated_at: api.now(), ..Sender::clone(&stored.value) };
    next.description = description.unwrap_or(next.description);
    if let Some(wanted) = countries {
        let Identity::Sms { countries, .. } = &mut next.identity else { return Err(not_for_sms()) };
        *countries = standings(&caller.tenant.policy, wanted, countries);
    }
    let view = SenderView::of(&api, &next);
    // What was read is what is changed: somebody else's change meanwhile, such as an operator's, is not undone.
    let version = api.directory().update_sender(next, expected.or(Some(stored.version))).await?;
    Ok(reply::ok_version(&view, version))
}

fn not_for_sms() -> Problem {
    let fault = Fault::new("/countries", "not_for_sms", "only SMS senders have countries");
    Problem::new(Code::SchemaInvalid, "The sender is not for SMS.").with_faults(vec![fault])
}
