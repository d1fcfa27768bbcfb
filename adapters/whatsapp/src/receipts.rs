//! Meta's webhooks: the handshake, statuses, inbound messages, preferences. One body may hold many.

use hermes_adapter_sdk::{
    contract::{
        Channel, Entry, ErrorClass, Inbound, InboundKind, Level, Method, Receipt, ReceiptStatus, Received,
        Refusal, Reply, Webhook,
    },
    e164, failure, header, hex,
    host::{self, Hash, LogLevel},
    json, keyword_kind, pick, query_value, receipt, same_bytes,
};
use serde_json::Value;

use crate::codes;

pub(crate) fn read(webhook: &Webhook) -> Result<Received, Refusal> {
    if webhook.method == Method::Get {
        return handshake(&webhook.url);
    }
    verify(webhook)?;
    let body = json(&webhook.body);
    if pick(&body, "/object") != Some("whatsapp_business_account") {
        return Err(Refusal::Malformed);
    }
    let changes = list(&body, "/entry").flat_map(|entry| list(entry, "/changes"));
    let entries = changes.filter_map(|change| change.get("value")).flat_map(entries);
    Ok(Received { entries: entries.collect(), reply: None })
}

/// Meta asks once, when the callback is set up, whether the address is ours.
fn handshake(url: &str) -> Result<Received, Refusal> {
    let value = |name| query_value(url, name).unwrap_or_default();
    let ours = host::secret_equals("verify_token", &value("hub.verify_token"));
    if value("hub.mode") != "subscribe" || !ours {
        return Err(Refusal::BadSignature);
    }
    let reply = Reply { content_type: "text/plain".to_owned(), body: value("hub.challenge") };
    Ok(Received { entries: Vec::new(), reply: Some(reply) })
}

fn verify(webhook: &Webhook) -> Result<(), Refusal> {
    let given =
        header(&webhook.headers, "x-hub-signature-256").and_then(|given| given.strip_prefix("sha256="));
    let expected = hex(&host::hmac(Hash::Sha256, "app_secret", &webhook.body));
    let valid = same_bytes(expected.as_bytes(), given.unwrap_or_default().as_bytes());
    if valid { Ok(()) } else { Err(Refusal::BadSignature) }
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// What one change says. An error without a message concerns the account alone.
fn entries(value: &Value) -> Vec<Entry> {
    let number = pick(value, "/metadata/phone_number_id").map(str::to_owned);
    let ours = pick(value, "/metadata/display_phone_number").map(e164);
    for error in list(value, "/errors") {
        let code = error.get("code").and_then(Value::as_u64).unwrap_or_default();
        host::log(LogLevel::Warn, &format!("Meta reports error {code} for the account"));
    }
    let person = |from: &str, kind| {
        let (to, account) = (ours.clone(), number.clone());
        Entry::Inbound(Inbound { channel: Channel::Whatsapp, from: e164(from), to, account, kind })
    };
    let statuses = list(value, "/statuses").flat_map(|status| {
        let receipt = status_receipt(status).map(|receipt| Receipt { account: number.clone(), ..receipt });
        let stopped = status.pointer("/errors/0/code").and_then(Value::as_u64) == Some(codes::STOPPED);
        let stopped = pick(status, "/recipient_id").filter(|_| stopped);
        receipt.map(Entry::Receipt).into_iter().chain(stopped.map(|from| person(from, InboundKind::OptOut)))
    });
    let spoken = list(value, "/messages").filter_map(|message| Some((message, message_kind(message)?)));
    let chosen = list(value, "/user_preferences").filter_map(|choice| Some((choice, choice_kind(choice)?)));
    let people = spoken.chain(chosen).filter_map(|(said, kind)| {
        let from = pick(said, "/from").or_else(|| pick(said, "/wa_id")).or_else(|| contact(value, said));
        if from.is_none() {
            host::log(LogLevel::Warn, "a message from somebody whose number Meta does not tell");
        }
        Some(person(from?, kind))
    });
    statuses.chain(people).collect()
}

/// The number of a sender whom the message names by user id only.
fn contact<'a>(value: &'a Value, said: &Value) -> Option<&'a str> {
    let user = pick(said, "/from_user_id").or_else(|| pick(said, "/user_id"))?;
    let contact = list(value, "/contacts").find(|contact| pick(contact, "/user_id") == Some(user))?;
    pick(contact, "/wa_id")
}

fn status_receipt(status: &Value) -> Option<Receipt> {
    let reached = match pick(status, "/status")? {
        "sent" => ReceiptStatus::Reached(Level::Sent),
        "delivered" => ReceiptStatus::Reached(Level::Delivered),
        "read" | "played" => ReceiptStatus::Reached(Level::Read),
        "failed" => failed(status),
        _ => return None,
    };
    let reference = pick(status, "/biz_opaque_callback_data").map(str::to_owned);
    let mut receipt = receipt(reference, pick(status, "/id").map(str::to_owned), reached);
    let seconds: Option<u64> = pick(status, "/timestamp").and_then(|at| at.parse().ok());
    receipt.provider_time_ms = seconds.and_then(|seconds| seconds.checked_mul(1_000));
    Some(receipt)
}

fn failed(status: &Value) -> ReceiptStatus {
    let code = status.pointer("/errors/0/code").and_then(Value::as_u64);
    let text = code.map(|code| code.to_string());
    let Some(reading) = code.and_then(codes::reading) else {
        return ReceiptStatus::Failed(failure(ErrorClass::Unknown, text, "failed for an unknown reason"));
    };
    let failure = failure(reading.class, text, reading.detail);
    match reading.class {
        _ if code == Some(131_043) => ReceiptStatus::Expired(failure),
        _ if reading.is_temporary => ReceiptStatus::Failed(failure),
        ErrorClass::RecipientPermanent | ErrorClass::RecipientTemporary | ErrorClass::OptedOut => {
            ReceiptStatus::Undelivered(failure)
        }
        ErrorClass::ContentRejected | ErrorClass::NeedsAlternate => ReceiptStatus::Undelivered(failure),
        ErrorClass::SenderRejected | ErrorClass::Auth | ErrorClass::Funds => ReceiptStatus::Rejected(failure),
        ErrorClass::ProviderFault | ErrorClass::ProviderThrottled => ReceiptStatus::Failed(failure),
        ErrorClass::Network | ErrorClass::Unknown => ReceiptStatus::Failed(failure),
    }
}

/// A text, or a tap on a button whose payload or title is a keyword.
fn message_kind(message: &Value) -> Option<InboundKind> {
    let text = match pick(message, "/type")? {
        "text" => pick(message, "/text/body"),
        "button" => pick(message, "/button/payload").or_else(|| pick(message, "/button/text")),
        "interactive" => pick(message, "/interactive/button_reply/id")
            .or_else(|| pick(message, "/interactive/button_reply/title")),
        _ => None,
    };
    let from = pick(message, "/from").map(e164).unwrap_or_default();
    Some(keyword_kind(&from, text.unwrap_or_default()))
}

fn choice_kind(choice: &Value) -> Option<InboundKind> {
    match pick(choice, "/value")? {
        "stop" => Some(InboundKind::OptOut),
        "resume" | "signup" => Some(InboundKind::OptIn),
        _ => None,
    }
}
