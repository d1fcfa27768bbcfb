//! Webhooks: what they say of a message, their spelling, and `X-Hub-Signature-256`.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use ring::hmac;
use url::Url;

use super::{
    Number,
    envelope::{
        Change, Contact, ErrorData, ErrorNews, Inbound, Metadata, News, Preference, Pricing, Profile,
        StatusNews, Text, Value, envelope,
    },
    fault::Known,
    status::Status,
    wamid,
};
use crate::{clock::UnixMillis, receipts::Outgoing};

const SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");
const USER_AGENT: HeaderValue = HeaderValue::from_static("facebookexternalua");
const HELP: &str = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";
/// What every simulated person is called: a name that Meta has to escape.
const NAME: &str = "Zo\u{eb}";

/// A person as webhooks know them.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// None where the number is hidden.
    pub(super) wa_id: Option<String>,
    pub(super) user_id: String,
    name: &'static str,
}

/// A message as its statuses tell of it.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) id: String,
    pub(super) callback_data: Option<String>,
    /// Category of the template; none for free-form messages.
    pub(super) category: Option<String>,
}

impl Person {
    pub(super) fn new(wa_id: Option<String>, user_id: String) -> Self {
        Self { wa_id, user_id, name: NAME }
    }

    fn contact(&self) -> Contact {
        Contact {
            profile: Some(Profile { name: self.name }),
            wa_id: self.wa_id.clone(),
            user_id: Some(self.user_id.clone()),
        }
    }
}

/// A change about a message that was sent. `is_priced` is whether this one carries the price.
pub(super) fn status(
    number: &Number,
    person: &Person,
    subject: &Subject,
    status: Status,
    is_priced: bool,
    at: UnixMillis,
) -> Change {
    let failure = match status {
        Status::Failed(failure) => Some(failure),
        Status::Sent | Status::Delivered | Status::Read => None,
    };
    // A failed message to a number tells nothing more about the person.
    let is_stranger = failure.is_some() && person.wa_id.is_some();
    let news = StatusNews {
        id: subject.id.clone(),
        status: status.name(),
        timestamp: seconds(at).to_string(),
        recipient_id: person.wa_id.clone(),
        recipient_user_id: (!is_stranger).then(|| person.user_id.clone()),
        biz_opaque_callback_data: subject.callback_data.clone(),
        pricing: is_priced.then(|| pricing(subject.category.as_deref())),
        errors: failure.map(error).into_iter().collect(),
    };
    let contact = if is_stranger {
        Contact { profile: None, wa_id: person.wa_id.clone(), user_id: None }
    } else {
        person.contact()
    };
    change(number, contact, News::Statuses(vec![news]), "messages")
}

/// Free-form messages answer the user, and cost nothing.
fn pricing(category: Option<&str>) -> Pricing {
    Pricing {
        billable: category.is_some(),
        pricing_model: "PMP",
        kind: if category.is_some() { "regular" } else { "free_customer_service" },
        category: category.unwrap_or("service").to_owned(),
    }
}

fn error(failure: Known) -> ErrorNews {
    ErrorNews {
        code: failure.code,
        title: failure.title,
        message: failure.title,
        error_data: ErrorData { details: failure.details },
        href: HELP,
    }
}

/// The person writes `text`; `answered` is the message before it.
pub(super) fn inbound(
    number: &Number,
    person: &Person,
    text: &'static str,
    answered: &str,
    at: UnixMillis,
) -> Change {
    let message = Inbound {
        from: person.wa_id.clone(),
        from_user_id: person.user_id.clone(),
        id: wamid::of_answer(person.wa_id.as_deref().unwrap_or(&person.user_id), answered),
        timestamp: seconds(at).to_string(),
        kind: "text",
        text: Text { body: text },
    };
    change(number, person.contact(), News::Messages(vec![message]), "messages")
}

/// The person wants no more marketing from the number.
pub(super) fn stopped(number: &Number, person: &Person, at: UnixMillis) -> Change {
    let preference = Preference {
        wa_id: person.wa_id.clone(),
        user_id: person.user_id.clone(),
        detail: "User requested to stop marketing messages",
        category: "marketing_messages",
        value: "stop",
        timestamp: seconds(at),
    };
    change(number, person.contact(), News::UserPreferences(vec![preference]), "user_preferences")
}

fn change(number: &Number, contact: Contact, news: News, field: &'static str) -> Change {
    let account = &number.account;
    let metadata = Metadata {
        display_phone_number: account.display_phone_number.clone(),
        phone_number_id: account.phone_number_id.clone(),
    };
    let value = Value { messaging_product: "whatsapp", metadata, contacts: vec![contact], news };
    Change { business_account_id: account.business_account_id.clone(), value, field }
}

fn seconds(at: UnixMillis) -> i64 {
    at.div_euclid(1000)
}

/// A signed request with `changes` in one body.
pub(super) fn outgoing(url: &Url, app_secret: &str, changes: Vec<Change>) -> Option<Outgoing> {
    let body = escaped(&serde_json::to_string(&envelope(changes)).ok()?);
    let headers = vec![
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::USER_AGENT, USER_AGENT),
        (SIGNATURE, HeaderValue::try_from(sign(app_secret, body.as_bytes())).ok()?),
    ];
    Some(Outgoing { url: url.clone(), headers, body: Bytes::from(body) })
}

fn sign(app_secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, app_secret.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body)))
}

/// Writes every character beyond ASCII as `\uXXXX`, as Meta does. In JSON such characters are inside texts only.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a text cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
