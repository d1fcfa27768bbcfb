//! What all tenants sent, and what it cost.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};

use crate::{
    api::Api,
    gate::Operator,
    operation::{Need, Operation},
    problem::Problem,
    query::Query,
    reply,
    router::Routes,
    usage::{Dimension, UsageQuestion, csv, described, read_counts, report},
};

pub(super) fn routes(routes: &mut Routes) {
    let read = Operation::get(
        Need::Viewer,
        "/admin/v1/usage",
        "getUsageOfTenants",
        "Messages, attempts, segments and cost of all tenants",
    );
    let dimensions = "Comma-separated: `day`, `tenant_id`, `mode`, `channel`, `provider`, `country`.";
    routes.add(described(read, dimensions), usage);
}

async fn usage(State(api): State<Arc<Api>>, _: Operator, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let question = UsageQuestion::of(&mut query, Dimension::ALL, api.now());
    query.finish()?;
    let counts = read_counts(&api, None, &question).await?;
    let report = report(&question, &counts);
    Ok(if question.as_csv { csv(&question, &report) } else { reply::ok(&report) })
}
