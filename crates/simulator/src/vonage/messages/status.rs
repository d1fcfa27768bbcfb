//! Status callbacks, and messages from handsets, each with a token that vouches for its body.

use bytes::Bytes;
use http::{HeaderValue, header};
use serde_json::{Value, json};
use url::Url;

use super::send::Sms;
use crate::{
    VonageApplication,
    clock::{self, UnixMillis},
    receipts::Outgoing,
    script::ReceiptEvent,
    vonage::{
        jwt::CallbackClaims,
        record::{NETWORK, PRICE},
        stable,
    },
};

/// The request that tells about `event`; none to callers that are no application.
pub(super) fn outgoing(sms: &Sms, event: ReceiptEvent, at: UnixMillis) -> Option<Outgoing> {
    let application = sms.login.account.settings.application.as_ref().filter(|_| sms.login.as_application)?;
    let own_url = sms.message.webhook_url.as_ref().or(application.status_url.as_ref());
    let repeats_as = format!("{}/{event:?}", sms.uuid);
    let (url, body) = match event {
        ReceiptEvent::Sent => (own_url?.clone(), priced(sms, "submitted", at)),
        ReceiptEvent::Delivered => (own_url?.clone(), priced(sms, "delivered", at)),
        ReceiptEvent::Undelivered => (own_url?.clone(), rejected(sms, &repeats_as, at)),
        ReceiptEvent::OptedOut => (inbound_url(application, own_url)?, stop(sms, &repeats_as, at)),
        ReceiptEvent::Complained | ReceiptEvent::Suppressed => return None,
    };
    signed(sms, application, url, &body, &repeats_as, at)
}

/// The application's own inbound URL, else the message's without its query: the same connection, no message.
fn inbound_url(application: &VonageApplication, own_url: Option<&Url>) -> Option<Url> {
    application.inbound_url.clone().or_else(|| {
        let mut url = own_url?.clone();
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    })
}

fn status(sms: &Sms, status: &str, at: UnixMillis) -> Value {
    let message = &sms.message;
    let mut body = json!({
        "message_uuid": sms.uuid,
        "to": message.to,
        "from": message.from,
        "timestamp": clock::rfc3339(at),
        "status": status,
        "channel": "sms",
    });
    if let Some(reference) = &message.client_ref {
        body["client_ref"] = reference.as_str().into();
    }
    body
}

/// What was sent costs something, for each part.
fn priced(sms: &Sms, name: &str, at: UnixMillis) -> Value {
    let parts = sms.message.parts;
    let price = f64::from(u32::try_from(parts).unwrap_or(u32::MAX)) * PRICE;
    let mut body = status(sms, name, at);
    body["usage"] = json!({ "currency": "EUR", "price": format!("{price:.4}") });
    body["destination"] = json!({ "network_code": NETWORK });
    body["sms"] = json!({ "count_total": parts.to_string() });
    body
}

fn rejected(sms: &Sms, repeats_as: &str, at: UnixMillis) -> Value {
    let mut body = status(sms, "rejected", at);
    body["error"] = json!({
        "type": "https://developer.vonage.com/api-errors/messages#1190",
        "title": "1190",
        "detail": "Absent Subscriber Permanent",
        "instance": stable::trace_id(repeats_as),
    });
    body
}

/// The recipient answers STOP. That is a message like any other to Vonage.
fn stop(sms: &Sms, repeats_as: &str, at: UnixMillis) -> Value {
    json!({
        "channel": "sms",
        "message_uuid": stable::uuid(repeats_as),
        "to": sms.message.from,
        "from": sms.message.to,
        "timestamp": clock::rfc3339(at),
        "text": "STOP",
        "sms": { "num_messages": "1", "keyword": "STOP" },
        "usage": { "currency": "EUR", "price": "0.0000" },
    })
}

fn signed(
    sms: &Sms,
    application: &VonageApplication,
    url: Url,
    body: &Value,
    repeats_as: &str,
    at: UnixMillis,
) -> Option<Outgoing> {
    let settings = &sms.login.account.settings;
    let body = Bytes::from(body.to_string());
    let claims = CallbackClaims {
        iat: at / 1000,
        jti: &stable::uuid(&format!("{repeats_as}/token")),
        body: &body,
        api_key: &settings.api_key,
        application_id: &application.id,
    };
    let token = claims.sign(&settings.signature_secret);
    let headers = vec![
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).ok()?),
    ];
    Some(Outgoing { url, headers, body })
}
