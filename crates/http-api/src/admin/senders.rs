//! Tenants' senders, as operators see and judge them.

mod list;
mod update;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use hermes_domain::sender::{DKIM_TOKENS, Sender};

use crate::{
    api::Api,
    operation::{Need, Operation},
    router::Routes,
    senders::sender::{COUNTRIES_MAX, SenderView},
};

/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 500;

/// A tenant's sender.
#[derive(Debug, Serialize, ToSchema)]
struct TenantSender {
    /// Whose.
    tenant_id: String,
    /// The sender.
    sender: SenderView,
}

impl TenantSender {
    fn of(api: &Api, sender: &Sender) -> Self {
        Self { tenant_id: sender.tenant.to_string(), sender: SenderView::of(api, sender) }
    }
}

fn body() -> Value {
    let standing = json!({ "enum": ["pending", "verified", "rejected"] });
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "status": { "enum": ["pending", "verified", "rejected", null], "description": "Of a mail identity or a WhatsApp number." },
            "countries": { "type": ["object", "null"], "maxProperties": COUNTRIES_MAX, "additionalProperties": standing,
                "description": "Of an SMS sender: standing by country. Only countries that the sender names." },
            "reason": { "type": ["string", "null"], "minLength": 1, "maxLength": REASON_CHARS_MAX, "description": "Shown to the tenant." },
            "dkim_tokens": { "type": ["array", "null"], "minItems": DKIM_TOKENS, "maxItems": DKIM_TOKENS,
                "items": { "type": "string", "pattern": "^[A-Za-z0-9]{1,63}$" },
                "description": "What Amazon SES has given out for Easy DKIM." },
        },
    })
}

pub(super) fn routes(routes: &mut Routes) {
    let list = Operation::get(
        Need::Viewer,
        "/admin/v1/senders",
        "listTenantSenders",
        "Senders of every tenant, newest first",
    )
    .query("status", "Only those in this standing.", json!({ "enum": ["pending", "verified", "rejected"] }))
    .query("tenant_id", "Only this tenant's.", json!({ "type": "string" }))
    .paged()
    .list::<TenantSender>("A page.");
    routes.add(list, list::list);
    let update = Operation::patch(
        Need::Operator,
        "/admin/v1/senders/{id}",
        "judgeSender",
        "Verify or reject a sender, or tell the DKIM tokens of a mail domain",
    )
    .body("SenderJudgement", body())
    .versioned(false)
    .reply::<TenantSender>(200, "Changed; it counts for the next message.");
    routes.add(update, update::update);
}
