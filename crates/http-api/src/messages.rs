//! Messages: sending, reading, acting on them.

mod accept;
mod accepted;
mod ack;
mod ack_token;
mod cancel;
pub(crate) mod cascade;
pub(crate) mod confirming;
mod content;
mod deliver;
mod earlier;
mod events;
mod examine;
pub(crate) mod layers;
mod list;
mod read;
mod redrive;
mod request;
mod request_schema;
mod routing;
mod send;
mod template;
mod validate;
pub(crate) mod view;

use serde_json::json;

pub(crate) use accept::{Acceptance, Accepted, Wanted, accept};
pub(crate) use accepted::{ConsideredView, MessageAccepted, PlanWarning};
pub(crate) use deliver::{deliver, deliver_receipt};
pub(crate) use layers::tenant::check as check_tenant;
pub(crate) use redrive::{Redriven, Refusal, redrive, redriven_as, rehearse};
pub(crate) use request::{AHEAD_MS_MAX, LANES};
pub(crate) use request_schema::{cascade_schema, send_schema};
pub(crate) use send::trace;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};

pub(crate) fn routes(routes: &mut Routes) {
    let send = Operation::post(Need::Send, "/v1/messages", "sendMessage", "Accept a message for delivery")
        .body("SendRequest", send_schema())
        .reply::<MessageAccepted>(202, "Durably stored; it will reach a terminal status.");
    routes.add(send, send::send);
    let word = || json!({ "type": "string" });
    let list = Operation::get(
        Need::Read,
        "/v1/messages",
        "listMessages",
        "Messages, newest first; may lag by 2 seconds",
    )
    .query("status", "In this status.", word())
    .query("channel", "With a step on this channel.", word())
    .query("tag", "With this tag.", word())
    .query("to", "To this phone, email or WhatsApp address.", word())
    .query("created_after", "Accepted at or after.", json!({ "type": "string", "format": "date-time" }))
    .query("created_before", "Accepted before.", json!({ "type": "string", "format": "date-time" }))
    .paged()
    .list::<view::MessageView>("A page.");
    routes.add(list, list::list);
    let validate = Operation::post(
        Need::Send,
        "/v1/messages/validate",
        "validateMessage",
        "What sending would do, without sending",
    )
    .body("ValidationRequest", validate::schema())
    .reply::<validate::Validation>(200, "The plan, or every refusal.");
    routes.add(validate, validate::validate);
    let read = Operation::get(Need::Read, "/v1/messages/{id}", "getMessage", "A message as it is now");
    routes.add(read.reply::<view::MessageView>(200, "The message."), read::read);
    let events = Operation::get(
        Need::Read,
        "/v1/messages/{id}/events",
        "getMessageEvents",
        "Its timeline, oldest first",
    );
    routes.add(events.list::<events::EventView>("The timeline."), events::events);
    acting(routes);
}

fn acting(routes: &mut Routes) {
    let cancel = Operation::post(
        Need::Send,
        "/v1/messages/{id}/cancel",
        "cancelMessage",
        "Stop a message: no further attempt starts",
    );
    routes.add(cancel.reply::<view::MessageView>(200, "The message."), cancel::cancel);
    let ack = Operation::post(
        Need::Send,
        "/v1/messages/{id}/ack",
        "acknowledgeMessage",
        "Say that a message has arrived",
    );
    routes.add(ack.reply::<view::MessageView>(200, "The message."), ack::ack);
    let token = Operation::post(
        Need::Open,
        "/v1/ack/{token}",
        "acknowledgeByToken",
        "The same for apps, without a key",
    );
    routes.add(token.reply::<ack_token::Acknowledged>(200, "It is recorded."), ack_token::ack_token);
}
