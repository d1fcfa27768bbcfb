//! Status callbacks, and messages from handsets.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use ring::digest::{SHA256, digest};
use url::Url;

use super::{
    message::{Status, status_of},
    send::Sms,
    signature,
};
use crate::{
    clock::{self, UnixMillis},
    receipts::Outgoing,
    script::ReceiptEvent,
};

const SIGNATURE: HeaderName = HeaderName::from_static("x-twilio-signature");
const IDEMPOTENCY_TOKEN: HeaderName = HeaderName::from_static("i-twilio-idempotency-token");

type Parameters<'a> = Vec<(&'a str, &'a str)>;

/// The request that tells about `event`; none without a callback URL, or for an event that Twilio has no word
/// for.
pub(super) fn outgoing(sms: &Sms, event: ReceiptEvent, at: UnixMillis) -> Option<Outgoing> {
    match status_of(event) {
        Some(status) => status_callback(sms, status, at),
        None if event == ReceiptEvent::OptedOut => stop(sms),
        None => None,
    }
}

fn status_callback(sms: &Sms, status: Status, at: UnixMillis) -> Option<Outgoing> {
    let callback = sms.callback.as_ref()?;
    let message = &sms.message;
    let error_code = status.error_code.map(|code| code.to_string());
    let carrier_time = matches!(status.name, "delivered" | "undelivered").then(|| clock::carrier_minute(at));
    let mut parameters = vec![
        ("AccountSid", &*message.account_sid),
        ("ApiVersion", "2010-04-01"),
        ("MessageSid", &*message.sid),
        ("MessageStatus", status.name),
        ("SmsSid", &*message.sid),
        ("SmsStatus", status.name),
        ("To", &*message.to),
    ];
    parameters.extend(error_code.as_deref().map(|code| ("ErrorCode", code)));
    parameters.extend(message.from.as_deref().map(|from| ("From", from)));
    parameters.extend(message.messaging_service_sid.as_deref().map(|sid| ("MessagingServiceSid", sid)));
    parameters.extend(carrier_time.as_deref().map(|time| ("RawDlrDoneDate", time)));
    signed(sms, &callback.text, callback.url.clone(), parameters)
}

/// The recipient answers STOP, which Advanced Opt-Out recognises.
fn stop(sms: &Sms) -> Option<Outgoing> {
    let (text, url) = inbound_url(sms)?;
    let message = &sms.message;
    // The handset's message is another message; its id is made from ours so that a repeat is the same one.
    let sid = format!("SM{}", &hex::encode(digest(&SHA256, message.sid.as_bytes()))[..32]);
    let sender = message.from.as_deref().unwrap_or("+15005550006");
    let mut parameters = vec![
        ("AccountSid", &*message.account_sid),
        ("ApiVersion", "2010-04-01"),
        ("Body", "STOP"),
        ("From", &*message.to),
        ("FromCity", ""),
        ("MessageSid", &*sid),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("OptOutType", "STOP"),
        ("SmsMessageSid", &*sid),
        ("SmsSid", &*sid),
        ("SmsStatus", "received"),
        ("To", sender),
    ];
    parameters.extend(message.messaging_service_sid.as_deref().map(|sid| ("MessagingServiceSid", sid)));
    signed(sms, &text, url, parameters)
}

/// The account's own inbound URL, else the callback's without its query: the same connection, no message.
fn inbound_url(sms: &Sms) -> Option<(String, Url)> {
    let text = match &sms.account.inbound_url {
        Some(text) => text.clone(),
        None => sms.callback.as_ref()?.text.split(['?', '#']).next()?.to_owned(),
    };
    let url = Url::parse(&text).ok()?;
    Some((text, url))
}

fn signed(sms: &Sms, text: &str, url: Url, parameters: Parameters<'_>) -> Option<Outgoing> {
    let signature = signature::sign(&sms.account.auth_token, text, parameters.iter().copied());
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters).finish();
    let token = hex::encode(&digest(&SHA256, body.as_bytes()).as_ref()[..16]);
    let headers = vec![
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8")),
        (header::USER_AGENT, HeaderValue::from_static("TwilioProxy/1.1")),
        (SIGNATURE, HeaderValue::try_from(signature).ok()?),
        (IDEMPOTENCY_TOKEN, HeaderValue::try_from(token).ok()?),
    ];
    Some(Outgoing { url, headers, body: Bytes::from(body) })
}
