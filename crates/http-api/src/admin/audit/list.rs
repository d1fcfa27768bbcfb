//! `GET /admin/v1/audit`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use hermes_ports::audit::{ActorKind, AuditQuery};

use super::entry::EntryView;
use crate::{api::Api, audit, gate::Operator, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, _: Operator, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    let wanted = AuditQuery {
        actor_kind: query.read("actor_kind", "operator or tenant", ActorKind::parse),
        tenant: query.parse("tenant", "an id such as tnt_…"),
        ..audit::wanted(&mut query, page)
    };
    query.finish()?;
    let found = api.ports.audit.list(wanted).await?;
    Ok(reply::ok(&page.list(found, |entry| entry.sequence.into(), EntryView::of)))
}
