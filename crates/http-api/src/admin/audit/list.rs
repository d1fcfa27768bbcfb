//! `GET /admin/v1/audit`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use hermes_ports::audit::AuditQuery;

use super::entry::EntryView;
use crate::{api::Api, gate::Operator, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, _: Operator, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    let wanted = AuditQuery {
        actor: query.text("actor"),
        action: query.text("action"),
        target: query.text("target"),
        since: query.instant("since"),
        before: page.before.map(|before| u64::try_from(before).unwrap_or(u64::MAX)),
        limit: page.limit,
    };
    query.finish()?;
    let found = api.ports.audit.list(wanted).await?;
    Ok(reply::ok(&page.list(found, |entry| entry.sequence.into(), EntryView::of)))
}
