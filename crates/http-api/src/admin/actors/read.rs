//! `GET /admin/v1/actors/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::actor::ActorShown;
use crate::{api::Api, gate::Operator, problem::Problem, reply};

pub(super) async fn read(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let actor = api.ports.actors.get(&id).await.ok_or_else(Problem::not_found)?;
    Ok(reply::ok(&ActorShown::of(actor)))
}
