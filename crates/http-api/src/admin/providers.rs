//! Provider connections.

mod check;
mod connection;
mod create;
mod delete;
mod fields;
mod health;
mod hold;
mod list;
mod read;
mod request;
mod sync_suppressions;
mod update;

use serde_json::{Value, json};

use crate::{
    operation::{Need, Operation},
    router::Routes,
};
use connection::ConnectionView;

fn body(required: &[&str], update: bool) -> Value {
    let money = json!({
        "type": "object", "additionalProperties": false, "required": ["amount", "currency"],
        "properties": {
            "country": { "type": ["string", "null"], "pattern": "^[A-Z]{2}$" },
            "amount": { "type": "string" }, "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
        },
    });
    let mut properties = json!({
        "name": { "type": "string", "minLength": 1, "maxLength": 100 },
        "credentials": { "type": "object", "description": "Write-only; texts, or objects such as a service account.",
            "additionalProperties": { "type": ["string", "object"] } },
        "config": { "type": "object", "additionalProperties": true },
        "rate_per_s": { "type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000 },
        "cost": { "type": ["array", "null"], "maxItems": 300, "items": money },
        "countries": { "type": ["array", "null"], "maxItems": 300, "items": { "type": "string", "pattern": "^[A-Z]{2}$" } },
    });
    if !update {
        properties["tenant_id"] = json!({ "type": ["string", "null"], "description": "Null: every tenant." });
        properties["mode"] = json!({ "enum": ["live", "test", null], "default": "live" });
        properties["provider"] = json!({ "type": "string" });
        properties["channel"] = json!({ "enum": ["sms", "email", "push", "whatsapp"] });
    }
    json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": required })
}

pub(super) fn routes(routes: &mut Routes) {
    let create =
        Operation::post(Need::Admin, "/admin/v1/providers", "createProvider", "Connect a provider's account")
            .body("ProviderRequest", body(&["provider", "name", "channel"], false))
            .reply::<ConnectionView>(201, "Connected. Credentials are encrypted and never shown.");
    routes.add(create, create::create);
    let list =
        Operation::get(Need::Viewer, "/admin/v1/providers", "listProviders", "Connections, newest first");
    routes.add(list.paged().list::<ConnectionView>("A page."), list::list);
    let read = Operation::get(Need::Viewer, "/admin/v1/providers/{id}", "getProvider", "A connection");
    routes.add(read.reply::<ConnectionView>(200, "The connection."), read::read);
    let update =
        Operation::patch(Need::Admin, "/admin/v1/providers/{id}", "updateProvider", "Change a connection")
            .body("ProviderUpdate", body(&[], true))
            .versioned(false)
            .reply::<ConnectionView>(200, "Changed.");
    routes.add(update, update::update);
    let delete =
        Operation::delete(Need::Admin, "/admin/v1/providers/{id}", "deleteProvider", "Remove a connection");
    routes.add(delete.plain(204, "Removed.", None), delete::delete);
    let check = Operation::post(
        Need::Operator,
        "/admin/v1/providers/{id}/check",
        "checkProvider",
        "Prove the credentials without delivering anything",
    )
    .repeatable();
    routes.add(check.reply::<check::CheckView>(200, "What the provider said."), check::check);
    let sync = Operation::post(
        Need::Operator,
        "/admin/v1/providers/{id}/sync_suppressions",
        "syncProviderSuppressions",
        "Keep the provider's suppression list in step now",
    )
    .repeatable();
    routes.add(sync.reply::<sync_suppressions::SyncView>(200, "What was done."), sync_suppressions::sync);
    let health = Operation::get(
        Need::Viewer,
        "/admin/v1/providers/{id}/health",
        "getProviderHealth",
        "Breaker, windows, success rate, latency",
    );
    routes.add(health.reply::<health::HealthView>(200, "Its health."), health::health);
    let hold = Operation::post(
        Need::Operator,
        "/admin/v1/providers/{id}/hold",
        "holdProvider",
        "Start no attempts until released",
    );
    routes.add(hold.reply::<ConnectionView>(200, "Held."), hold::hold);
    let release = Operation::post(
        Need::Operator,
        "/admin/v1/providers/{id}/release",
        "releaseProvider",
        "Start attempts again",
    );
    routes.add(release.reply::<ConnectionView>(200, "Released."), hold::release);
}
