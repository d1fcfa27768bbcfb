//! Tenants' webhook endpoints.

mod create;
mod delete;
mod deliveries;
mod endpoint;
mod list;
mod read;
mod redeliver;
mod rotate_secret;
mod update;

use serde_json::{Value, json};

use crate::{
    operation::{Need, Operation},
    router::Routes,
};
use endpoint::{EndpointCreated, EndpointView, event_type_names};

fn body(required: &[&str], update: bool) -> Value {
    let mut properties = json!({
        "url": { "type": "string", "format": "uri", "maxLength": 2_048 },
        "event_types": { "type": ["array", "null"], "items": { "enum": event_type_names() },
            "description": "Absent or empty: the ends of messages, late receipts and operational events." },
        "description": { "type": ["string", "null"], "minLength": 1, "maxLength": 500 },
    });
    if update {
        properties["disabled"] = json!({ "type": "boolean" });
    }
    json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": required })
}

pub(crate) fn routes(routes: &mut Routes) {
    let create = Operation::post(
        Need::Manage,
        "/v1/webhooks",
        "createWebhook",
        "Register an endpoint; its secret is shown once",
    )
    .body("WebhookRequest", body(&["url"], false))
    .reply::<EndpointCreated>(201, "Registered.");
    routes.add(create, create::create);
    let list = Operation::get(Need::Read, "/v1/webhooks", "listWebhooks", "Endpoints, newest first");
    routes.add(list.paged().list::<EndpointView>("A page."), list::list);
    let read = Operation::get(Need::Read, "/v1/webhooks/{id}", "getWebhook", "An endpoint");
    routes.add(read.reply::<EndpointView>(200, "The endpoint."), read::read);
    let update = Operation::patch(Need::Manage, "/v1/webhooks/{id}", "updateWebhook", "Change an endpoint")
        .body("WebhookUpdate", body(&[], true))
        .versioned(true)
        .reply::<EndpointView>(200, "Changed.");
    routes.add(update, update::update);
    let delete = Operation::delete(Need::Manage, "/v1/webhooks/{id}", "deleteWebhook", "Remove an endpoint");
    routes.add(delete.versioned(false).plain(204, "Removed.", None), delete::delete);
    let deliveries = Operation::get(
        Need::Read,
        "/v1/webhooks/{id}/deliveries",
        "listDeliveries",
        "Deliveries, newest first",
    );
    routes.add(deliveries.paged().list::<deliveries::DeliveryView>("A page."), deliveries::deliveries);
    let rotate = Operation::post(
        Need::Manage,
        "/v1/webhooks/{id}/rotate_secret",
        "rotateWebhookSecret",
        "Give an endpoint a new secret",
    )
    .reply::<EndpointCreated>(200, "The old secret signs beside the new one for 24 hours.");
    routes.add(rotate, rotate_secret::rotate_secret);
    let redeliver = Operation::post(
        Need::Manage,
        "/v1/webhooks/{id}/redeliver",
        "redeliverWebhooks",
        "Deliver again what has been delivered or given up",
    )
    .query("since", "Events since then.", json!({ "type": "string", "format": "date-time" }))
    .query("dry_run", "Only count them.", json!({ "type": "boolean", "default": false }))
    .reply::<redeliver::Redelivery>(200, "How many.");
    routes.add(redeliver, redeliver::redeliver);
}
