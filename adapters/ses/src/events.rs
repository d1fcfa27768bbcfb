//! SES events, from a configuration set or as an identity's feedback.

use hermes_adapter_sdk::{
    contract::{Channel, Entry, ErrorClass, Failure, InboundKind, Level, ReceiptStatus, Received},
    failure, inbound, json, nothing, pick, receipt, rfc3339_ms,
};
use serde_json::Value;

/// Reads the `Message` of a verified notification. Texts that are no event (SES greets new topics) hold nothing.
pub(crate) fn read(message: &str) -> Received {
    let event = json(message.as_bytes());
    let kind = pick(&event, "/eventType").or_else(|| pick(&event, "/notificationType")).unwrap_or_default();
    if let Some((status, time)) = status(kind, &event) {
        let dead = is_dead_mailbox(&status);
        let mut received = receipt_entry(&event, status, time);
        if dead {
            received.entries.extend(bounced(&event));
        }
        return received;
    }
    match kind {
        "Complaint" if complaint_is_real(&event) => from_recipients(&event, InboundKind::Complaint),
        "Subscription" if unsubscribed(&event) => from_recipients(&event, InboundKind::OptOut),
        // Machines open mail and follow links too: neither proves anything.
        _ => nothing(),
    }
}

fn receipt_entry(event: &Value, status: ReceiptStatus, time: &str) -> Received {
    let reference = pick(event, "/mail/tags/hermes_ref/0").map(str::to_owned);
    let id = pick(event, "/mail/messageId").map(str::to_owned);
    let mut receipt = receipt(reference, id, status);
    receipt.provider_time_ms = pick(event, time).and_then(rfc3339_ms);
    Received { entries: vec![Entry::Receipt(receipt)], reply: None }
}

/// The status that an event reports, and where its time stands.
fn status(kind: &str, event: &Value) -> Option<(ReceiptStatus, &'static str)> {
    let reached = ReceiptStatus::Reached;
    let rejected = |detail| ReceiptStatus::Rejected(failure(ErrorClass::ContentRejected, None, detail));
    Some(match kind {
        "Send" => (reached(Level::Sent), "/mail/timestamp"),
        "Delivery" => (reached(Level::Delivered), "/delivery/timestamp"),
        // SES keeps trying.
        "DeliveryDelay" => (reached(Level::Accepted), "/deliveryDelay/timestamp"),
        "Bounce" => (bounce(event), "/bounce/timestamp"),
        "Reject" => (rejected("a virus was found"), "/mail/timestamp"),
        "Rendering Failure" => (rejected("the template could not be filled in"), "/mail/timestamp"),
        "Complaint" if pick(event, "/complaint/complaintSubType") == Some("OnAccountSuppressionList") => {
            (ReceiptStatus::Undelivered(suppressed()), "/complaint/timestamp")
        }
        _ => return None,
    })
}

fn bounce(event: &Value) -> ReceiptStatus {
    let kind = pick(event, "/bounce/bounceType").unwrap_or_default();
    let failure = bounce_failure(kind, pick(event, "/bounce/bounceSubType").unwrap_or_default());
    match failure.class {
        ErrorClass::OptedOut | ErrorClass::RecipientPermanent | ErrorClass::ContentRejected => {
            ReceiptStatus::Undelivered(failure)
        }
        _ => ReceiptStatus::Failed(failure),
    }
}

/// What a bounce says, by its type and subtype.
pub(crate) fn bounce_failure(kind: &str, subtype: &str) -> Failure {
    let told = |class, detail: &str| -> Failure { failure(class, format!("{kind}/{subtype}"), detail) };
    let is_suppressed =
        matches!(subtype, "Suppressed" | "UnsubscribedRecipient") || subtype.ends_with("SuppressionList");
    match (kind, subtype) {
        ("Permanent", _) if is_suppressed => told(ErrorClass::OptedOut, "the address is suppressed"),
        ("Permanent", _) => told(ErrorClass::RecipientPermanent, "the mailbox does not exist"),
        ("Transient", "MessageTooLarge" | "ContentRejected" | "AttachmentRejected") => {
            told(ErrorClass::ContentRejected, "the mail server refused the content")
        }
        ("Transient", _) => told(ErrorClass::RecipientTemporary, "SES stopped trying"),
        _ => told(ErrorClass::Unknown, "bounced for an unknown reason"),
    }
}

/// SES did not try, for an earlier complaint.
pub(crate) fn suppressed() -> Failure {
    failure(ErrorClass::OptedOut, None, "the address is on the suppression list")
}

fn complaint_is_real(event: &Value) -> bool {
    pick(event, "/complaint/complaintFeedbackType") != Some("not-spam")
}

fn unsubscribed(event: &Value) -> bool {
    let left = |preferences: &str| {
        let preferences = event.pointer(&format!("/subscription/{preferences}"));
        let topics = preferences.and_then(|all| all.get("topicSubscriptionStatus")).and_then(Value::as_array);
        let out = |topic: &&Value| pick(topic, "/subscriptionStatus") == Some("OptOut");
        topics.into_iter().flatten().filter(out).filter_map(|topic| pick(topic, "/topicName")).collect()
    };
    let (new, old): (Vec<&str>, Vec<&str>) = (left("newTopicPreferences"), left("oldTopicPreferences"));
    let all = event.pointer("/subscription/newTopicPreferences/unsubscribeAll").and_then(Value::as_bool);
    all == Some(true) || new.iter().any(|topic| !old.contains(topic))
}

fn is_dead_mailbox(status: &ReceiptStatus) -> bool {
    let permanent = |failure: &Failure| failure.class == ErrorClass::RecipientPermanent;
    matches!(status, ReceiptStatus::Undelivered(failure) if permanent(failure))
}

fn bounced(event: &Value) -> impl Iterator<Item = Entry> {
    let bounced = event.pointer("/bounce/bouncedRecipients").and_then(Value::as_array).into_iter().flatten();
    bounced.filter_map(|recipient| entry(event, pick(recipient, "/emailAddress")?, InboundKind::HardBounce))
}

/// A complaint may list everyone at a domain, so the message's own recipients count.
fn from_recipients(event: &Value, kind: InboundKind) -> Received {
    let addresses = event.pointer("/mail/destination").and_then(Value::as_array).into_iter().flatten();
    let entries = addresses.filter_map(|address| entry(event, address.as_str()?, kind));
    Received { entries: entries.collect(), reply: None }
}

fn entry(event: &Value, from: &str, kind: InboundKind) -> Option<Entry> {
    let to = pick(event, "/mail/source").map(str::to_owned);
    let known = !from.is_empty();
    known.then(|| Entry::Inbound(inbound(Channel::Email, from.to_owned(), to, kind)))
}
