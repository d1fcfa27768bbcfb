//! `GET /admin/v1/adapters`.

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::adapter::AdapterView;
use crate::{api::Api, gate::Operator, page::List, problem::Problem, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, _: Operator) -> Result<Response, Problem> {
    let versions = api.ports.adapters.list().into_iter().map(AdapterView::of).collect();
    Ok(reply::ok(&List::whole(versions)))
}
