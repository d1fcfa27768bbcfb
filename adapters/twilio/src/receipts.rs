//! Status callbacks and inbound messages.

use hermes_adapter_sdk::{
    contract::{
        Channel, Entry, ErrorClass, Failure, InboundKind, Level, ReceiptStatus, Received, Reply, Webhook,
    },
    failure, inbound, keyword_kind, nothing, pick, query_value, receipt,
};
use serde_json::Value;

/// Reads a webhook whose signature is right.
pub(crate) fn read(webhook: &Webhook, fields: &[(String, String)]) -> Received {
    let field = |name: &str| {
        let found = fields.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    };
    let status = field("MessageStatus").or_else(|| field("SmsStatus"));
    if matches!(status, Some("received" | "receiving")) || (status.is_none() && field("From").is_some()) {
        return from_person(field("From"), field("To"), field("OptOutType"), field("Body"));
    }
    let code = field("ErrorCode");
    let Some(status) = status.and_then(|status| receipt_status(status, code)) else { return nothing() };
    let id = field("MessageSid").or_else(|| field("SmsSid")).map(str::to_owned);
    let receipt = receipt(query_value(&webhook.url, "ref"), id, status);
    let mut entries = vec![Entry::Receipt(receipt)];
    if let (Some(STOPPED), Some(to)) = (code, field("To")) {
        let ours = field("From").map(str::to_owned);
        entries.push(Entry::Inbound(inbound(Channel::Sms, to.to_owned(), ours, InboundKind::OptOut)));
    }
    Received { entries, reply: None }
}

/// The recipient sent STOP earlier: Twilio's list knows what ours may have missed.
const STOPPED: &str = "21610";

fn from_person(
    from: Option<&str>,
    to: Option<&str>,
    opt_out_type: Option<&str>,
    body: Option<&str>,
) -> Received {
    let kind = match opt_out_type {
        Some("STOP") => InboundKind::OptOut,
        Some("START") => InboundKind::OptIn,
        Some(_) => InboundKind::Message,
        None => keyword_kind(from.unwrap_or_default(), body.unwrap_or_default()),
    };
    let entry =
        |from: &str| Entry::Inbound(inbound(Channel::Sms, from.to_owned(), to.map(str::to_owned), kind));
    let reply = Reply { content_type: "text/xml".to_owned(), body: "<Response/>".to_owned() };
    Received { entries: from.map(entry).into_iter().collect(), reply: Some(reply) }
}

/// How far a message with this status got. `None` for failures and statuses of tomorrow.
pub(crate) fn level(status: &str) -> Option<Level> {
    match status {
        "accepted" | "scheduled" | "queued" | "sending" => Some(Level::Accepted),
        "sent" => Some(Level::Sent),
        "delivered" | "partially_delivered" => Some(Level::Delivered),
        "read" => Some(Level::Read),
        _ => None,
    }
}

/// Why a message resource has failed, if it has.
pub(crate) fn failure_of(message: &Value) -> Option<Failure> {
    let code = message.pointer("/error_code").and_then(Value::as_u64).map(|code| code.to_string());
    match receipt_status(pick(message, "/status")?, code.as_deref())? {
        ReceiptStatus::Reached(_) => None,
        ReceiptStatus::Undelivered(failure) | ReceiptStatus::Failed(failure) => Some(failure),
        ReceiptStatus::Rejected(failure) | ReceiptStatus::Expired(failure) => Some(failure),
    }
}

fn receipt_status(status: &str, code: Option<&str>) -> Option<ReceiptStatus> {
    if let Some(level) = level(status) {
        return Some(ReceiptStatus::Reached(level));
    }
    let told = |class, detail: &str| failure(class, code.map(str::to_owned), detail);
    if let Some(status) = code.and_then(|code| ended_early(code, &told)) {
        return Some(status);
    }
    match status {
        // Twilio says `undelivered` when the carrier was reached, `failed` when nothing left Twilio.
        "undelivered" => {
            let (class, detail) =
                code.and_then(class).unwrap_or((ErrorClass::RecipientPermanent, "undelivered"));
            Some(ReceiptStatus::Undelivered(told(class, detail)))
        }
        "failed" => {
            let (class, detail) = code.and_then(class).unwrap_or((ErrorClass::ProviderFault, "failed"));
            Some(ReceiptStatus::Failed(told(class, detail)))
        }
        "canceled" => Some(ReceiptStatus::Rejected(told(ErrorClass::Unknown, "cancelled at Twilio"))),
        _ => None,
    }
}

/// Codes that say more than the status.
fn ended_early(code: &str, told: &dyn Fn(ErrorClass, &str) -> Failure) -> Option<ReceiptStatus> {
    Some(match code {
        "30007" => {
            ReceiptStatus::Rejected(told(ErrorClass::ContentRejected, "filtered as spam or against policy"))
        }
        "30034" => ReceiptStatus::Rejected(told(ErrorClass::SenderRejected, "the sender is not registered")),
        STOPPED => ReceiptStatus::Rejected(told(ErrorClass::OptedOut, "the recipient sent STOP")),
        "30036" => ReceiptStatus::Expired(told(ErrorClass::RecipientTemporary, "its validity ran out")),
        _ => return None,
    })
}

fn class(code: &str) -> Option<(ErrorClass, &'static str)> {
    Some(match code {
        "30001" => (ErrorClass::ProviderThrottled, "the sender's queue is full"),
        "30002" => (ErrorClass::Funds, "the account was suspended"),
        "30003" => (ErrorClass::RecipientTemporary, "the handset is unreachable"),
        "30004" => (ErrorClass::OptedOut, "the message was blocked"),
        "30005" => (ErrorClass::RecipientPermanent, "unknown number"),
        "30006" => (ErrorClass::RecipientPermanent, "a landline or an unreachable carrier"),
        "30008" => (ErrorClass::ProviderFault, "unknown carrier error"),
        "30014" => (ErrorClass::RecipientPermanent, "the recipient was refused"),
        "30021" => (ErrorClass::ProviderFault, "Twilio failed"),
        "30022" | "30023" => (ErrorClass::ProviderThrottled, "the carrier's limit is reached"),
        "30410" => (ErrorClass::Unknown, "the carrier did not answer in time"),
        _ => return None,
    })
}
