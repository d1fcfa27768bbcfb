//! `/v1/recipients`: what is kept about a person.

mod erase;
mod waiting_lines;

use serde_json::{Value, json};

use crate::{
    operation::{Need, Operation},
    router::Routes,
};

fn erase_body() -> Value {
    let text = |max: u32, description: &str| json!({ "type": ["string", "null"], "minLength": 1, "maxLength": max, "description": description });
    json!({
        "type": "object", "additionalProperties": false,
        "description": "At least one address.",
        "properties": {
            "phone": text(16, "A phone number in E.164, for SMS and WhatsApp."),
            "whatsapp": text(16, "The same as `phone`."),
            "email": text(254, "An email address, in upper or lower case."),
            "push_token": text(4_096, "A push token, exactly as it was sent to."),
        },
    })
}

pub(crate) fn routes(routes: &mut Routes) {
    let erase = Operation::post(
        Need::Manage,
        "/v1/recipients/erase",
        "eraseRecipient",
        "Make everything that is kept about a recipient unreadable, for good. Messages under way are cancelled first. \
         Every message to one of the addresses loses its recipient, content, metadata and warnings, also where it was \
         sent to further addresses; statuses, attempts, costs and tags stay. Suppressions go on working without naming \
         the address. May be repeated: what is gone stays gone",
    )
    .repeatable()
    .body("EraseRequest", erase_body())
    .reply::<erase::ErasureView>(200, "It is on record and done; a crash does not undo it.");
    routes.add(erase, erase::erase);
}
