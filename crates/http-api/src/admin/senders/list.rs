//! `GET /admin/v1/senders`.

use std::{cmp::Reverse, sync::Arc};

use axum::{extract::State, http::Uri, response::Response};
use hermes_domain::{TenantId, sender::Sender};

use super::{TenantSender, update::STANDINGS};
use crate::{api::Api, gate::Operator, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, _: Operator, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    let status = query.read("status", "pending, verified or rejected", |text| {
        STANDINGS.iter().find(|(name, _)| *name == text).map(|(_, standing)| *standing)
    });
    let tenant: Option<TenantId> = query.parse("tenant_id", "an id of a tenant");
    query.finish()?;
    let wanted = |sender: &Sender| {
        status.is_none_or(|status| sender.status() == status)
            && tenant.is_none_or(|tenant| sender.tenant == tenant)
    };
    let mut all: Vec<_> = api
        .directory()
        .read(|snapshot| snapshot.senders().filter(|stored| wanted(&stored.value)).cloned().collect());
    all.sort_by_key(|stored| Reverse(stored.value.id));
    let shown =
        page.of_all(all, |stored| stored.value.id.as_u128(), |stored| TenantSender::of(&api, &stored.value));
    Ok(reply::ok(&shown))
}
