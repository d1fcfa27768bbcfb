//! `GET /v1/audit`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use hermes_ports::audit::AuditQuery;

use super::{entry::ChangeView, wanted};
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    let scope = caller.scope();
    let wanted =
        AuditQuery { tenant: Some(scope.tenant), mode: Some(scope.mode), ..wanted(&mut query, page) };
    query.finish()?;
    let found = api.ports.audit.list(wanted).await?;
    Ok(reply::ok(&page.list(found, |entry| entry.sequence.into(), ChangeView::of)))
}
