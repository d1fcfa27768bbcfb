//! What tenants sent, what it cost and what they pay; and where it would have cost less.

mod comparison;
mod report;
mod savings;

use hermes_domain::{
    TenantId,
    message::Mode,
    pricing::Period,
    tenant::TenantScope,
    usage::{UsageCounts, UsageKey},
};
use serde_json::json;

use crate::{
    api::Api,
    operation::{Need, Operation},
    problem::Problem,
    query::Query,
    router::Routes,
    usage::{described, read_counts, with_days},
};
use comparison::SavingsReport;
use report::TenantUsageReport;

pub(super) fn routes(routes: &mut Routes) {
    let read = Operation::get(
        Need::Viewer,
        "/admin/v1/usage",
        "getUsageOfTenants",
        "Messages, attempts, segments, cost, price and margin of tenants",
    )
    .query("tenant_id", "Only this tenant's.", json!({ "type": "string" }))
    .query("mode", "Only this mode's; both if absent.", json!({ "enum": ["live", "test"] }));
    let dimensions = "Comma-separated: `day`, `tenant_id`, `mode`, `channel`, `provider`, `country`.";
    routes.add(described::<TenantUsageReport>(read, dimensions), report::read);
    let savings = Operation::get(
        Need::Viewer,
        "/admin/v1/usage/savings",
        "getSavings",
        "What live messages cost by channel, country and connection, and what other connections and recorded offers would \
         have cost",
    );
    let most = json!({ "type": "integer", "minimum": 1, "maximum": 1_000, "default": 100 });
    let savings = with_days(savings)
        .query("tenant_id", "Only of this tenant's messages.", json!({ "type": "string" }))
        .query("limit", "Most entries.", most);
    routes.add(savings.reply::<SavingsReport>(200, "The report."), savings::read);
}

/// Whose counts are asked for.
#[derive(Debug, Clone, Copy)]
struct Whose {
    tenant: Option<TenantId>,
    mode: Option<Mode>,
}

/// Takes a tenant's id out of a query.
fn tenant_of(query: &mut Query<'_>) -> Option<TenantId> {
    query.parse("tenant_id", "an id of a tenant")
}

/// Reads counts.
async fn counts(api: &Api, whose: Whose, days: Period) -> Result<Vec<(UsageKey, UsageCounts)>, Problem> {
    let Some(tenant) = whose.tenant else {
        let mut all = read_counts(api, None, days).await?;
        all.retain(|(key, _)| whose.mode.is_none_or(|mode| key.scope.mode == mode));
        return Ok(all);
    };
    let mut all = Vec::new();
    for mode in [Mode::Live, Mode::Test].into_iter().filter(|mode| whose.mode.is_none_or(|of| of == *mode)) {
        all.extend(read_counts(api, Some(TenantScope::new(tenant, mode)), days).await?);
    }
    Ok(all)
}
