//! `POST /v1/suppressions`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_domain::suppression::SuppressionSource;
use hermes_ports::suppressions::Added;

use super::rule::{SuppressionView, Written};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::{Code, Problem},
    reply::Reply,
    schema,
};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    let now = api.now();
    once(&api, keyed, async {
        let written = schema::root(incoming.value, |object, faults| Written::read(object, faults, now))?;
        let rule = written.rule(&api, &caller, SuppressionSource::Api);
        let added = api.ports.suppressions.add(vec![rule.clone()]).await?;
        if let Some(Added::Stands(id)) = added.first() {
            return Err(Problem::new(Code::Conflict, format!("{id} says the same already.")));
        }
        let location = format!("/v1/suppressions/{}", rule.id);
        Ok(Reply::created(&location, &SuppressionView::of(&rule)).version(1))
    })
    .await
}
