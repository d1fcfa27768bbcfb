//! Delivery reports and inbound texts, both signed over the raw body.

use hermes_adapter_sdk::{
    contract::{
        Channel, Entry, ErrorClass, Failure, Level, Price, ReceiptStatus, Received, Refusal, Webhook,
    },
    failure, header, hex,
    host::{self, Hash},
    inbound, json, keyword_kind, nothing, pick, query_value, receipt, rfc3339_ms, same_bytes,
};
use serde_json::Value;

use crate::codes;

pub(crate) fn read(webhook: &Webhook) -> Result<Received, Refusal> {
    let body = json(&webhook.body);
    // Which key signs depends on what it is; the signature then vouches for that too.
    let from_person = body.get("msg_id").is_some();
    verify(webhook, if from_person { "inbound_secret" } else { "password" })?;
    if from_person {
        return Ok(inbound_text(&body));
    }
    if !body.is_object() {
        return Err(Refusal::Malformed);
    }
    let status = match status(&body) {
        Some(Ok(level)) => ReceiptStatus::Reached(level),
        Some(Err(end)) => end,
        None => return Ok(nothing()),
    };
    let id = pick(&body, "/omnimessage_id").map(str::to_owned);
    let mut receipt = receipt(query_value(&webhook.url, "ref"), id, status);
    // Without a zone: UTC.
    receipt.provider_time_ms = pick(&body, "/timestamp").and_then(|at| rfc3339_ms(&format!("{at}Z")));
    receipt.segments = segments(&body);
    receipt.cost = cost(&body);
    Ok(Received { entries: vec![Entry::Receipt(receipt)], reply: None })
}

fn verify(webhook: &Webhook, key: &str) -> Result<(), Refusal> {
    let given = header(&webhook.headers, "x-messente-signature").unwrap_or_default().to_ascii_lowercase();
    let expected = hex(&host::hmac(Hash::Sha256, key, &webhook.body));
    if same_bytes(expected.as_bytes(), given.as_bytes()) { Ok(()) } else { Err(Refusal::BadSignature) }
}

fn inbound_text(body: &Value) -> Received {
    let (text, to) = (pick(body, "/text").unwrap_or_default(), pick(body, "/recipient").map(str::to_owned));
    let entry = |from: &str| {
        let kind = keyword_kind(from, text);
        Entry::Inbound(inbound(Channel::Sms, from.to_owned(), to.clone(), kind))
    };
    Received { entries: pick(body, "/sender").map(entry).into_iter().collect(), reply: None }
}

/// How far a message got, or how it ended. `None` while nothing is known.
pub(crate) fn status(report: &Value) -> Option<Result<Level, ReceiptStatus>> {
    let code = report.get("err").and_then(Value::as_u64).filter(|code| *code != 0);
    let reading = code.and_then(codes::report);
    let told = |status: fn(Failure) -> ReceiptStatus, default: (ErrorClass, &'static str)| {
        let (class, detail) = reading.unwrap_or(default);
        Some(Err(status(failure(class, code.map(|code| code.to_string()), detail))))
    };
    match pick(report, "/status")? {
        "ACK" | "ACCEPTD" => Some(Ok(Level::Sent)),
        "DELIVRD" => Some(Ok(Level::Delivered)),
        "SEEN" => Some(Ok(Level::Read)),
        "UNDELIV" | "FAILED" if code == Some(codes::EXPIRED) => {
            told(ReceiptStatus::Expired, (ErrorClass::RecipientTemporary, "its validity ran out"))
        }
        "UNDELIV" if code == Some(999) => {
            told(ReceiptStatus::Failed, (ErrorClass::RecipientTemporary, "temporary error"))
        }
        "UNDELIV" => {
            told(ReceiptStatus::Undelivered, (ErrorClass::RecipientPermanent, "could not be delivered"))
        }
        "FAILED" => told(ReceiptStatus::Failed, (ErrorClass::RecipientTemporary, "failed")),
        "EXPIRED" => told(ReceiptStatus::Expired, (ErrorClass::RecipientTemporary, "its validity ran out")),
        "REJECTD" | "NACK" => told(ReceiptStatus::Rejected, (ErrorClass::Unknown, "refused")),
        "DELETED" => told(ReceiptStatus::Rejected, (ErrorClass::Unknown, "deleted by the operator")),
        _ => None,
    }
}

/// The failure of a status that is one.
pub(crate) fn failure_of(status: ReceiptStatus) -> Failure {
    match status {
        ReceiptStatus::Undelivered(failure) | ReceiptStatus::Failed(failure) => failure,
        ReceiptStatus::Rejected(failure) | ReceiptStatus::Expired(failure) => failure,
        ReceiptStatus::Reached(_) => hermes_adapter_sdk::refused("it did not fail"),
    }
}

pub(crate) fn segments(report: &Value) -> Option<u16> {
    report.pointer("/price_info/parts_count").and_then(Value::as_u64).and_then(|count| count.try_into().ok())
}

/// Messente bills in euro.
pub(crate) fn cost(report: &Value) -> Option<Price> {
    let amount = pick(report, "/price_info/total_price")?.to_owned();
    Some(Price { amount, currency: "EUR".to_owned() })
}
