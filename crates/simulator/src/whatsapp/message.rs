//! The body of a send request, checked as Meta checks it.

use serde_json::{Map, Value};

use super::{
    content::{self, FREE_FORM},
    fault::{self, Fault},
    param::Param,
    template, wamid,
};
use crate::{WhatsAppAccount, reference::Reference};

/// Who a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    /// A phone number; `wa_id` is how WhatsApp names it.
    Phone { wa_id: String },
    /// A user who hides the number, by the id that only this business has.
    User { id: String },
}

/// A request without a fault.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) recipient: Recipient,
    /// The recipient as the caller wrote it.
    pub(super) input: String,
    /// Category of the template; none for free-form messages.
    pub(super) category: Option<String>,
    /// Comes back in every status.
    pub(super) callback_data: Option<String>,
}

const FIELDS: [&str; 7] =
    ["messaging_product", "recipient_type", "to", "recipient", "type", "biz_opaque_callback_data", "context"];
const CALLBACK_DATA_CHARS_MAX: usize = 512;

/// Our reference, also in faulty requests.
pub(super) fn reference(body: &Map<String, Value>) -> Option<Reference> {
    body.get("biz_opaque_callback_data")?.as_str().and_then(Reference::parse)
}

/// The recipient as written, also in faulty requests.
pub(super) fn input(body: &Map<String, Value>) -> &str {
    body.get("to").or_else(|| body.get("recipient")).and_then(Value::as_str).unwrap_or_default()
}

/// The first fault, in the order product, fields, recipient, content.
pub(super) fn check(body: &Map<String, Value>, account: &WhatsAppAccount) -> Result<Message, Fault> {
    let request = Param::root(body);
    match request.text("messaging_product", usize::MAX)? {
        Some("whatsapp") => {}
        Some(_) => return Err(fault::invalid_value("Parameter 'messaging_product' must be \"whatsapp\"")),
        None => return Err(required("messaging_product")),
    }
    let known = [&FIELDS[..], &FREE_FORM, &["template", "recipient_identity_key_hash"]].concat();
    request.only(&known)?;
    let recipient = check_recipient(&request)?;
    if recipient == (Recipient::Phone { wa_id: account.display_phone_number.clone() }) {
        return Err(Fault::known(http::StatusCode::BAD_REQUEST, fault::TO_ITSELF));
    }
    let callback_data = request.text("biz_opaque_callback_data", CALLBACK_DATA_CHARS_MAX)?;
    request.text("recipient_identity_key_hash", usize::MAX)?;
    if let Some(context) = request.object("context")? {
        context.only(&["message_id"])?;
        if !wamid::is_one(context.required_text("message_id", usize::MAX)?) {
            return Err(fault::invalid_value("Parameter 'context['message_id']' is not a message id"));
        }
    }
    let kind = request.text("type", usize::MAX)?.unwrap_or("text");
    let category = if kind == "template" {
        Some(template::check(&request.required_object(kind)?, account)?)
    } else {
        content::check(&request, kind)?;
        None
    };
    Ok(Message {
        recipient,
        input: input(body).to_owned(),
        category,
        callback_data: callback_data.map(str::to_owned),
    })
}

fn required(name: &str) -> Fault {
    fault::parameter(format_args!("The parameter {name} is required."))
}

fn check_recipient(request: &Param<'_>) -> Result<Recipient, Fault> {
    if request.one_of("recipient_type", &["individual", "group"])? == Some("group") {
        return Err(fault::invalid_value("Groups are not available on this account"));
    }
    match (request.text("to", usize::MAX)?, request.text("recipient", usize::MAX)?) {
        (Some(to), None) => wa_id(to)
            .map(|wa_id| Recipient::Phone { wa_id })
            .ok_or_else(|| fault::invalid_parameter("Parameter 'to' is not a valid phone number")),
        (None, Some(user)) if is_user(user) => Ok(Recipient::User { id: user.to_owned() }),
        (None, Some(_)) => Err(fault::invalid_parameter("Parameter 'recipient' is not a valid user id")),
        (Some(_), Some(_)) => Err(fault::invalid_value("Only one of 'to' and 'recipient' may be given")),
        (None, None) => Err(required("to")),
    }
}

/// The digits of a number; spaces, hyphens and parentheses are read over, as people write them.
fn wa_id(to: &str) -> Option<String> {
    let number = to.strip_prefix('+').unwrap_or(to);
    let digits: String = number.chars().filter(|character| !" -()".contains(*character)).collect();
    let is_number = (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits)
}

/// A country, a dot and up to 128 letters and digits.
fn is_user(text: &str) -> bool {
    text.split_once('.').is_some_and(|(country, id)| {
        country.len() == 2
            && country.bytes().all(|byte| byte.is_ascii_uppercase())
            && (1..=128).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::demo;

    fn changed(change: impl FnOnce(&mut Value)) -> Result<Message, (u32, String)> {
        let mut body = json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+16505551234",
            "type": "text", "text": { "body": "Hi" }, "biz_opaque_callback_data": "msg_1.1",
        });
        change(&mut body);
        check(body.as_object().unwrap(), &demo::whatsapp())
            .map_err(|fault| (fault.code(), fault.text().to_owned()))
    }

    #[test]
    fn every_fault_has_a_published_code() {
        let with = |name: &'static str, value: Value| changed(move |body| body[name] = value).unwrap_err();
        let without = |name: &'static str| {
            changed(move |body| drop(body.as_object_mut().unwrap().remove(name))).unwrap_err()
        };
        for ((code, text), expected, named) in [
            (without("messaging_product"), 100, "The parameter messaging_product is required."),
            (with("messaging_product", json!("sms")), 131_009, "messaging_product"),
            (without("to"), 100, "The parameter to is required."),
            (with("to", json!("nobody")), 100, "'to'"),
            (with("to", json!("+1")), 100, "'to'"),
            (with("to", json!(16_505_551_234_u64)), 100, "Param to must be a string."),
            (with("to", json!("+1 555 078 3881")), 131_021, "same"),
            (with("recipient", json!("US.1")), 131_009, "Only one"),
            (with("recipient_type", json!("everyone")), 100, "{INDIVIDUAL, GROUP} - got \"everyone\""),
            (with("recipient_type", json!("group")), 131_009, "Groups"),
            (with("type", json!("poem")), 131_051, "poem"),
            (with("type", json!("image")), 131_008, "'image'"),
            (with("biz_opaque_callback_data", json!("x".repeat(513))), 100, "at most 512"),
            (with("context", json!({})), 131_008, "context['message_id']"),
            (with("context", json!({ "message_id": "x" })), 131_009, "context['message_id']"),
            (with("client_ref", json!("x")), 100, "client_ref"),
        ] {
            assert_eq!(code, expected, "{text}");
            assert!(text.contains(named), "{text} does not name {named}");
        }
    }

    #[test]
    fn without_a_type_a_message_is_text() {
        assert!(changed(|body| drop(body.as_object_mut().unwrap().remove("type"))).is_ok());
    }

    #[test]
    fn a_recipient_is_a_number_or_a_user() {
        let phone = |wa_id: &str| Recipient::Phone { wa_id: wa_id.into() };
        assert_eq!(changed(|_| {}).unwrap().recipient, phone("16505551234"));
        let spaced = changed(|body| body["to"] = json!("+1 (650) 555-1234")).unwrap();
        assert_eq!((spaced.recipient, &*spaced.input), (phone("16505551234"), "+1 (650) 555-1234"));
        let hidden = changed(|body| {
            body.as_object_mut().unwrap().remove("to");
            body["recipient"] = json!("US.13491208655302741918");
        });
        assert_eq!(hidden.unwrap().recipient, Recipient::User { id: "US.13491208655302741918".into() });
    }
}
