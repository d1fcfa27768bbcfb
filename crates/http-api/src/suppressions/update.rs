//! `PATCH /v1/suppressions/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_ports::{StoreError, suppressions::SuppressionChange};

use super::rule::{SuppressionView, find, note};
use crate::{
    api::Api,
    body, etag,
    gate::Caller,
    problem::{Code, Problem},
    reply,
    schema::{self, ahead},
};

pub(super) async fn update(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id).await?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let now = api.now();
    let change = schema::root(incoming.value, |object, faults| {
        let note = object.nullable("note", faults, note);
        let expires_at = object.nullable("expires_at", faults, ahead(now));
        Some(SuppressionChange { note, expires_at })
    })?;
    let expected = etag::required_if_match(&incoming.parts.headers, stored.version)?;
    let changed = api.ports.suppressions.update(caller.scope(), stored.rule.id, expected, change).await;
    let changed = changed.map_err(other_version)?.ok_or_else(Problem::not_found)?;
    Ok(reply::ok_version(&SuppressionView::of(&changed.rule), changed.version))
}

/// What the store says when the rule is not at the version that the client saw.
pub(super) fn other_version(failure: StoreError) -> Problem {
    match failure {
        StoreError::Conflict => {
            Problem::new(Code::VersionConflict, "Somebody else changed it; read it again.")
        }
        other => other.into(),
    }
}
