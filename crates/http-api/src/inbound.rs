//! What people have written to a tenant.

mod list;

use serde_json::json;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};

pub(crate) fn routes(routes: &mut Routes) {
    let list = Operation::get(
        Need::Read,
        "/v1/inbound",
        "listInbound",
        "Messages from people, newest first: who wrote, to which number and what kind, never the text",
    )
    .details("Kept for 30 days and at most 100,000 in each mode; the oldest give way.")
    .query("from", "Only from this number or address.", json!({ "type": "string" }))
    .query("channel", "Only on this channel.", json!({ "enum": ["sms", "email", "push", "whatsapp"] }))
    .query(
        "created_after",
        "Only those that arrived then or later.",
        json!({ "type": "string", "format": "date-time" }),
    )
    .paged()
    .list::<list::InboundView>("A page.");
    routes.add(list, list::list);
}
