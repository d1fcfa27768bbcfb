//! `/v1/audit`: what a tenant's keys have changed.

mod entry;
mod list;

use hermes_ports::audit::AuditQuery;
use serde_json::json;

use crate::{
    operation::{Need, Operation},
    page::Page,
    query::Query,
    router::Routes,
};
use entry::ChangeView;

/// The filters that lists of operators and of tenants have in common.
pub(crate) fn described(operation: Operation, target: &str) -> Operation {
    let text = || json!({ "type": "string" });
    operation
        .query("actor", "By this key.", text())
        .query("action", "Only this operation.", text())
        .query("target", target, text())
        .query("since", "At or after.", json!({ "type": "string", "format": "date-time" }))
        .paged()
}

/// What those filters say.
pub(crate) fn wanted(query: &mut Query<'_>, page: Page) -> AuditQuery {
    AuditQuery {
        actor: query.text("actor"),
        action: query.text("action"),
        target: query.text("target"),
        since: query.instant("since"),
        before: page.before.map(|before| u64::try_from(before).unwrap_or(u64::MAX)),
        limit: page.limit,
        ..AuditQuery::default()
    }
}

pub(crate) fn routes(routes: &mut Routes) {
    let list = Operation::get(
        Need::Manage,
        "/v1/audit",
        "listChanges",
        "What the tenant's keys changed, newest first",
    )
    .details(
        "Every change of this mode, once as an intent and once as its outcome. Sending, cancelling and \
             acknowledging messages and batches is not among them, nor is what operators do.",
    );
    let list = described(list, "To this: an id, or a path such as `webhooks/whk_…`.");
    routes.add(list.list::<ChangeView>("A page."), list::list);
}
