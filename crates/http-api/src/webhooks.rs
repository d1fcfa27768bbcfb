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

/// What every receiver must know.
const DELIVERY: &str = "\
Deliveries follow Standard Webhooks: verify `webhook-signature` before anything else. Any 2xx is success; redirects \
are not followed; an answer must come within 15 s. Other answers are retried after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, \
14 h, 20 h and 24 h. Events are delivered at least once, and **in no particular order**, not even those of one message: \
deduplicate by `webhook-id`, order by `data.sequence` or `timestamp`. An endpoint that answers 410, or that has not \
answered 2xx for five days of failures, is disabled, and the other endpoints get `webhook.disabled`.";

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
    .details(DELIVERY)
    .reply::<EndpointCreated>(201, "Registered.");
    routes.add(create, create::create);
    let list = Operation::get(Need::Read, "/v1/webhooks", "listWebhooks", "Endpoints, newest first");
    routes.add(list.paged().list::<EndpointView>("A page."), list::list);
    let read = Operation::get(Need::Read, "/v1/webhooks/{id}", "getWebhook", "An endpoint");
    routes.add(read.reply::<EndpointView>(200, "The endpoint."), read::read);
    let update = Operation::patch(Need::Manage, "/v1/webhooks/{id}", "updateWebhook", "Change an endpoint")
        .body("WebhookUpdate", body(&[], true))
        .details(
            "An endpoint that is enabled again, or is given another URL, starts afresh: its earlier failures are \
             forgotten, and what waits for it is delivered at once.",
        )
        .versioned(true)
        .reply::<EndpointView>(200, "Changed.");
    routes.add(update, update::update);
    let delete = Operation::delete(Need::Manage, "/v1/webhooks/{id}", "deleteWebhook", "Remove an endpoint");
    routes.add(delete.versioned(false).plain(204, "Removed.", None), delete::delete);
    deliveries_of(routes);
}

/// What was delivered to an endpoint, and how it is signed.
fn deliveries_of(routes: &mut Routes) {
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
    .details(
        "For 24 hours every delivery carries a signature by the new secret and one by the old one. Rotating again \
         within that time adds a signature; at most five are sent.",
    )
    .reply::<EndpointCreated>(200, "The old secret signs beside the new one for 24 hours.");
    routes.add(rotate, rotate_secret::rotate_secret);
    let redeliver = Operation::post(
        Need::Manage,
        "/v1/webhooks/{id}/redeliver",
        "redeliverWebhooks",
        "Deliver again what has been delivered or given up",
    )
    .details(
        "Name either `since` or `event_id`. `webhook-id` stays the same, so receivers that know an event ignore it. \
         One call makes at most 10,000 deliveries pending, the earliest events first; `next_since` says where to go on.",
    )
    .query("since", "Events since then.", json!({ "type": "string", "format": "date-time" }))
    .query("event_id", "This event, whether or not it has been delivered.", json!({ "type": "string" }))
    .query("dry_run", "Only count them, without a limit.", json!({ "type": "boolean", "default": false }))
    .reply::<redeliver::Redelivery>(200, "How many.");
    routes.add(redeliver, redeliver::redeliver);
}
