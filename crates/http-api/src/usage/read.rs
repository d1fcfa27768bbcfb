//! `GET /v1/usage`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};

use super::{Dimension, Further, UsageQuestion, csv, read_counts, report};
use crate::{api::Api, gate::Caller, problem::Problem, query::Query, reply};

const DIMENSIONS: &[Dimension] =
    &[Dimension::Day, Dimension::Channel, Dimension::Provider, Dimension::Country];

pub(super) async fn read(State(api): State<Arc<Api>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let question = UsageQuestion::of(&mut query, DIMENSIONS, api.now());
    query.finish()?;
    let counts = read_counts(&api, Some(caller.scope()), question.days).await?;
    let report = report(&question, &counts);
    if !question.as_csv {
        return Ok(reply::ok(&report));
    }
    let groups: Vec<_> = report.data.iter().collect();
    Ok(csv(&question, &groups, Further::default()))
}
