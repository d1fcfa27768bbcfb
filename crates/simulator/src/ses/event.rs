//! SES events, as they are published through a configuration set.

use serde_json::{Map, Value, json};

use super::{request::bare_address, send::Email};
use crate::{
    clock::{self, UnixMillis},
    script::ReceiptEvent,
};

const ACCOUNT_ID: &str = "123456789012";

/// The event object: its type, the mail it is about, and the details.
pub(super) fn event(email: &Email, configuration_set: &str, event: ReceiptEvent, at: UnixMillis) -> Value {
    let (event_type, key, details) = details(email, event, at);
    let mut object = Map::new();
    object.insert("eventType".into(), event_type.into());
    object.insert("mail".into(), mail(email, configuration_set));
    object.insert(key.into(), details);
    Value::Object(object)
}

fn details(email: &Email, event: ReceiptEvent, at: UnixMillis) -> (&'static str, &'static str, Value) {
    let region = &email.account.region;
    let timestamp = clock::rfc3339(at);
    match event {
        ReceiptEvent::Sent => ("Send", "send", json!({})),
        ReceiptEvent::Delivered => (
            "Delivery",
            "delivery",
            json!({
                "timestamp": timestamp,
                "processingTimeMillis": at - email.created_at,
                "recipients": email.recipients,
                "smtpResponse": "250 2.0.0 OK",
                "reportingMTA": format!("a1-2.smtp-out.{region}.amazonses.com"),
            }),
        ),
        ReceiptEvent::Undelivered => {
            ("Bounce", "bounce", bounce(email, &timestamp, "NoEmail", "smtp; 550 5.1.1 user unknown"))
        }
        ReceiptEvent::Suppressed => (
            "Bounce",
            "bounce",
            bounce(
                email,
                &timestamp,
                "OnAccountSuppressionList",
                "Amazon SES did not send the message to this address because it is on the suppression list for your \
                 account.",
            ),
        ),
        ReceiptEvent::Complained => (
            "Complaint",
            "complaint",
            json!({
                "complainedRecipients": addresses(email),
                "timestamp": timestamp,
                "feedbackId": feedback_id(email),
                "complaintSubType": null,
                "userAgent": "Amazon SES Mailbox Simulator",
                "complaintFeedbackType": "abuse",
                "arrivalDate": timestamp,
            }),
        ),
        ReceiptEvent::OptedOut => ("Subscription", "subscription", unsubscribed(&timestamp)),
    }
}

fn addresses(email: &Email) -> Value {
    email.recipients.iter().map(|address| json!({ "emailAddress": address })).collect()
}

fn feedback_id(email: &Email) -> String {
    format!("{}-feedback-000000", email.message_id.get(..16).unwrap_or_default())
}

fn bounce(email: &Email, timestamp: &str, sub_type: &str, diagnostic: &str) -> Value {
    let bounced: Value = email
        .recipients
        .iter()
        .map(|address| {
            json!({ "emailAddress": address, "action": "failed", "status": "5.1.1", "diagnosticCode": diagnostic })
        })
        .collect();
    json!({
        "bounceType": "Permanent",
        "bounceSubType": sub_type,
        "bouncedRecipients": bounced,
        "timestamp": timestamp,
        "feedbackId": feedback_id(email),
        "reportingMTA": "dsn; mx.example.net",
    })
}

fn unsubscribed(timestamp: &str) -> Value {
    let preferences = |all: bool, status: &str| {
        json!({
            "unsubscribeAll": all,
            "topicSubscriptionStatus": [{ "topicName": "News", "subscriptionStatus": status }],
        })
    };
    json!({
        "contactList": "Main",
        "timestamp": timestamp,
        "source": "UnsubscribeHeader",
        "newTopicPreferences": preferences(true, "OptOut"),
        "oldTopicPreferences": preferences(false, "OptIn"),
    })
}

fn mail(email: &Email, configuration_set: &str) -> Value {
    let account = &email.account;
    let address = bare_address(&email.from);
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let mut tags = Map::new();
    for (name, value) in [
        ("ses:operation", "SendEmail"),
        ("ses:configuration-set", configuration_set),
        ("ses:source-ip", "192.0.2.10"),
        ("ses:from-domain", domain),
        ("ses:caller-identity", "hermes"),
    ] {
        tags.insert(name.into(), json!([value]));
    }
    for tag in &email.tags {
        tags.insert(tag.name.clone(), json!([tag.value]));
    }
    let to = email.recipients.join(", ");
    json!({
        "timestamp": clock::rfc3339(email.created_at),
        "source": email.from,
        "sourceArn": format!("arn:aws:ses:{}:{ACCOUNT_ID}:identity/{domain}", account.region),
        "sendingAccountId": ACCOUNT_ID,
        "messageId": email.message_id,
        "destination": email.recipients,
        "headersTruncated": false,
        "headers": [
            { "name": "From", "value": email.from },
            { "name": "To", "value": to },
            { "name": "Subject", "value": email.subject },
        ],
        "commonHeaders": {
            "from": [email.from],
            "to": email.recipients,
            "messageId": email.message_id,
            "subject": email.subject,
        },
        "tags": tags,
    })
}
