//! `POST /v1/ack/{token}`: for apps, which have no API key.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::ack::acknowledge;
use crate::{api::Api, gate, message_store::AcrossTenants, problem::Problem, reply};

/// An acknowledgement. Says nothing about the message: the app is not the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Acknowledged {
    /// Always `acknowledged`.
    status: &'static str,
}

/// Whoever has shown a token: nobody can guess one, and it names its message.
struct TokenHolder;

impl AcrossTenants for TokenHolder {}

pub(super) async fn ack_token(
    State(api): State<Arc<Api>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let id = api.directory().ack_tokens().message(&token).ok_or_else(Problem::not_found)?;
    let stored = api.ports.store.load_any(&TokenHolder, id).await?.ok_or_else(Problem::not_found)?;
    let rate = api.rates.admit(stored.envelope.tenant, api.now());
    if let Some(refused) = gate::limited(&rate) {
        return Ok(refused);
    }
    let outcome =
        acknowledge(&api, &stored).await.map(|_| reply::ok(&Acknowledged { status: "acknowledged" }));
    Ok(gate::announce(outcome.unwrap_or_else(Problem::into_response), &rate))
}
