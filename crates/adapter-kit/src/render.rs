//! What an adapter said, as an object with every field and in the words of the contract.

use hermes_domain::{
    money::Money,
    outcome::{ErrorClass, Failure, Outcome, ReceiptStatus},
};
use hermes_ports::adapter::{Inbound, InboundKind, ReceiveResult, Received, ReceivedEntry, WebhookRefusal};
use serde_json::{Value, json};

use crate::bench::End;

/// Everything at once.
pub(crate) fn end(end: &End) -> Value {
    match end {
        End::Outcome(told) => outcome(told),
        End::CannotTell => json!({ "kind": "cannot-tell" }),
        End::Webhook(result) => webhook(result),
    }
}

/// An outcome.
pub(crate) fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Accepted(told) => json!({
            "kind": "accepted",
            "provider_id": told.provider_message_id,
            "level": told.level.map(|level| level.as_str()),
            "segments": told.segments,
            "cost": cost(told.cost),
        }),
        Outcome::Rejected(told) => failed("rejected", told, None),
        Outcome::Throttled { retry_after_ms, failure } => failed("throttled", failure, *retry_after_ms),
        Outcome::NotSent(told) => failed("not-sent", told, None),
        Outcome::ServerError(told) => failed("server-error", told, None),
        Outcome::Unknown(told) => failed("unknown", told, None),
        Outcome::AdapterFault(told) => failed("adapter-fault", told, None),
    }
}

/// One entry of a webhook.
pub(crate) fn entry(entry: &ReceivedEntry) -> Value {
    match entry {
        ReceivedEntry::Receipt { reference, account, receipt } => {
            let (status, failure) = match &receipt.status {
                ReceiptStatus::Reached(level) => (level.as_str(), None),
                ReceiptStatus::Undelivered(failure) => ("undelivered", Some(failure)),
                ReceiptStatus::Failed(failure) => ("failed", Some(failure)),
                ReceiptStatus::Rejected(failure) => ("rejected", Some(failure)),
                ReceiptStatus::Expired(failure) => ("expired", Some(failure)),
            };
            json!({
                "status": status,
                "reference": reference,
                "account": account,
                "provider_id": receipt.provider_message_id,
                "part": receipt.part,
                "class": failure.map(|failure| class(failure.class)),
                "code": failure.and_then(|failure| failure.code.clone()),
                "detail": failure.and_then(|failure| failure.detail.clone()),
                "time_ms": receipt.provider_time.map(|at| at.0),
                "segments": receipt.segments,
                "cost": cost(receipt.cost),
            })
        }
        ReceivedEntry::Inbound(Inbound { channel, from, to, account, kind }) => json!({
            "inbound": inbound(*kind),
            "channel": channel.as_str(),
            "from": from,
            "to": to,
            "account": account,
        }),
    }
}

/// The answer to a webhook; null for an empty one.
pub(crate) fn reply(received: &Received) -> Value {
    let reply = received.reply.as_ref();
    reply.map_or(Value::Null, |(content_type, body)| json!({ "content_type": content_type, "body": body }))
}

/// Why a webhook was not taken.
pub(crate) const fn refusal(refusal: WebhookRefusal) -> &'static str {
    match refusal {
        WebhookRefusal::BadSignature => "bad-signature",
        WebhookRefusal::Malformed => "malformed",
        WebhookRefusal::SendAgain => "send-again",
    }
}

fn webhook(result: &ReceiveResult) -> Value {
    match result {
        Ok(received) => {
            json!({ "receipts": received.entries.iter().map(entry).collect::<Vec<_>>(), "reply": reply(received) })
        }
        Err(why) => json!({ "refused": refusal(*why) }),
    }
}

fn failed(kind: &str, failure: &Failure, retry_after_ms: Option<u64>) -> Value {
    json!({
        "kind": kind,
        "class": class(failure.class),
        "code": failure.code,
        "detail": failure.detail,
        "retry_after_ms": retry_after_ms,
    })
}

fn class(class: ErrorClass) -> String {
    // `as_str` is the API's, which knows no alternates.
    if class == ErrorClass::NeedsAlternate {
        return "needs-alternate".to_owned();
    }
    class.as_str().replace('_', "-")
}

const fn inbound(kind: InboundKind) -> &'static str {
    match kind {
        InboundKind::OptOut => "opt-out",
        InboundKind::Complaint => "complaint",
        InboundKind::HardBounce => "hard-bounce",
        InboundKind::OptIn => "opt-in",
        InboundKind::Message => "message",
    }
}

fn cost(money: Option<Money>) -> Option<String> {
    money.map(|money| money.to_string())
}
