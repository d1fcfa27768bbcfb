//! `GET /admin/v1/actors`.

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::actor::ActorShown;
use crate::{api::Api, gate::Operator, page::List, problem::Problem, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, _: Operator) -> Result<Response, Problem> {
    let actors = api.ports.actors.list().await.into_iter().map(ActorShown::of).collect();
    Ok(reply::ok(&List::whole(actors)))
}
