//! `POST /admin/v1/providers/{id}/check`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use hermes_domain::outcome::{Failure, Outcome};
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::find;
use crate::{api::Api, gate::Operator, problem::Problem, reply};

/// What a provider says about our credentials.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderCheck)]
pub(super) struct CheckView {
    /// Whether they work.
    ok: bool,
    /// `accepted`, `rejected`, `throttled`, `not_sent`, `server_error`, `unknown` or `adapter_fault`.
    outcome: &'static str,
    /// Why they do not.
    error: Option<CheckError>,
}

/// Why credentials do not work.
#[derive(Debug, Serialize, ToSchema)]
struct CheckError {
    /// Hermes' reading of it.
    class: &'static str,
    /// The provider's own code.
    provider_code: Option<String>,
    /// Words.
    detail: Option<String>,
}

pub(super) async fn check(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let stored = find(&api, &id)?;
    let outcome =
        api.ports.gateway.check(stored.access.connection.id).await.ok_or_else(Problem::not_found)?;
    let (outcome, failure) = match outcome {
        Outcome::Accepted(_) => ("accepted", None),
        Outcome::Rejected(failure) => ("rejected", Some(failure)),
        Outcome::Throttled { failure, .. } => ("throttled", Some(failure)),
        Outcome::NotSent(failure) => ("not_sent", Some(failure)),
        Outcome::ServerError(failure) => ("server_error", Some(failure)),
        Outcome::Unknown(failure) => ("unknown", Some(failure)),
        Outcome::AdapterFault(failure) => ("adapter_fault", Some(failure)),
    };
    Ok(reply::ok(&CheckView { ok: failure.is_none(), outcome, error: failure.map(error) }))
}

fn error(failure: Failure) -> CheckError {
    CheckError { class: failure.class.as_str(), provider_code: failure.code, detail: failure.detail }
}
