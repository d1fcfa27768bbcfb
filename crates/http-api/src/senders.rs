//! Tenants' senders: SMS sender ids, mail domains and addresses, WhatsApp numbers.

mod create;
mod delete;
mod list;
mod read;
pub(crate) mod sender;
mod update;
mod verify;

use serde_json::{Value, json};

use crate::{
    operation::{Need, Operation},
    router::Routes,
    schema::SMS_SENDER_PATTERN,
};
use sender::{COUNTRIES_MAX, DESCRIPTION_CHARS_MAX, SenderView};

const RULES: &str = "\
A sender that is registered is used only where it is verified: a message that names it otherwise loses that step, or is \
refused with `sender_unverified` when no step remains. A sender that is not registered is used as ever, unless the \
tenant's policy has `require_verified_senders`. For SMS, `countries` is where the sender is registered; each starts as \
`pending` and is verified by an operator, or at once where the tenant's policy says that no registration is needed.";

fn body() -> Value {
    let text = |least: usize, most: usize| json!({ "type": ["string", "null"], "minLength": least, "maxLength": most });
    let mut identity = text(3, 320);
    identity["description"] = json!("For email: a domain, or one address.");
    let mut sender = text(1, 16);
    sender["pattern"] = json!(SMS_SENDER_PATTERN);
    sender["description"] = json!(
        "For SMS: a name of at most 11 characters, a number in E.164, or a short code of 3 to 8 digits."
    );
    let mut number = text(1, 32);
    number["pattern"] = json!("^[0-9]+$");
    json!({
        "type": "object", "additionalProperties": false, "required": ["channel"],
        "properties": {
            "channel": { "enum": ["sms", "email", "whatsapp"] },
            "description": text(1, DESCRIPTION_CHARS_MAX),
            "sender": sender,
            "countries": countries_schema(),
            "identity": identity,
            "phone_number_id": number,
            "display_number": { "type": ["string", "null"], "pattern": "^\\+[0-9]{7,15}$" },
        },
    })
}

fn countries_schema() -> Value {
    json!({ "type": ["array", "null"], "minItems": 1, "maxItems": COUNTRIES_MAX,
        "items": { "type": "string", "pattern": "^[A-Z]{2}$" } })
}

fn update_body() -> Value {
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "description": { "type": ["string", "null"], "minLength": 1, "maxLength": DESCRIPTION_CHARS_MAX },
            "countries": countries_schema(),
        },
    })
}

pub(crate) fn routes(routes: &mut Routes) {
    let create = Operation::post(Need::Manage, "/v1/senders", "createSender", "Register a sender")
        .body("SenderRequest", body())
        .details(RULES)
        .reply::<SenderView>(201, "Registered.");
    routes.add(create, create::create);
    let list = Operation::get(Need::Read, "/v1/senders", "listSenders", "Senders, newest first");
    routes.add(list.paged().list::<SenderView>("A page."), list::list);
    let read = Operation::get(Need::Read, "/v1/senders/{id}", "getSender", "A sender")
        .reply::<SenderView>(200, "The sender.");
    routes.add(read, read::read);
    let update = Operation::patch(
        Need::Manage,
        "/v1/senders/{id}",
        "updateSender",
        "Change the countries or the description of a sender; countries that stay keep their standing",
    )
    .body("SenderUpdate", update_body())
    .versioned(true)
    .reply::<SenderView>(200, "Changed.");
    routes.add(update, update::update);
    let verify = Operation::post(
        Need::Manage,
        "/v1/senders/{id}/verify",
        "verifySender",
        "Look for the DNS records of a mail domain; it is verified once the required ones are there",
    )
    .repeatable()
    .reply::<SenderView>(200, "What was found.");
    routes.add(verify, verify::verify);
    let delete = Operation::delete(Need::Manage, "/v1/senders/{id}", "deleteSender", "Forget a sender");
    routes.add(delete.versioned(false).plain(204, "Forgotten.", None), delete::delete);
}
