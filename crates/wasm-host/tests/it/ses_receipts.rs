//! SNS envelopes with the published vectors, and the event table.

use base64::{Engine, prelude::BASE64_STANDARD};
use hermes_domain::{
    UnixMillis,
    address::Channel,
    outcome::{ErrorClass, Level, ReceiptStatus},
};
use hermes_ports::{
    adapter::{
        AdapterHost, AdapterStep, ConnectionAccess, Inbound, InboundKind, ReceiveResult, ReceivedEntry,
        WebhookRefusal,
    },
    http::{AuthScheme, HttpResponse, Method, RequestEffect, Webhook},
};
use ring::{rand::SystemRandom, signature};
use serde_json::{Value, json};

use crate::support::{access, asked, done, host, only_entry, post, response};

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:hermes-ses";
const SOURCE: &str = "no-reply@example.com";
const PROVIDER_ID: &str = "0102018f00000000-11111111-2222-3333-4444-555555555555-000000";

fn vectors() -> Value {
    let text = include_str!("../../../../schema/providers/vectors-ses.json");
    serde_json::from_str::<Value>(text).unwrap()["sns"].clone()
}

fn certificate() -> HttpResponse {
    response(200, &[], vectors()["certificate_pem"].as_str().unwrap())
}

fn connection(config: Value) -> ConnectionAccess {
    access("ses", config, &[("access_key_id", "AKIDEXAMPLE"), ("secret_access_key", "secret")])
}

fn subscribed() -> ConnectionAccess {
    connection(json!({ "region": "eu-west-1", "sns_topic_arns": ["arn:aws:sns:eu-west-1:1:other", TOPIC] }))
}

fn webhook(envelope: &Value) -> Webhook {
    let headers = [("content-type", "text/plain; charset=UTF-8"), ("x-amz-sns-message-type", "Notification")];
    post("https://hermes.example.com/receipts/ses/prv_1", &headers, envelope.to_string())
}

/// Receives an envelope, serving `certificate` if it is asked for.
fn receive(access: &ConnectionAccess, envelope: &Value, certificate: &HttpResponse) -> ReceiveResult {
    let webhook = webhook(envelope);
    match host().receive(access, &webhook).unwrap() {
        AdapterStep::Done(result) => result,
        AdapterStep::Request(request, pending) => {
            assert_eq!(request.url, envelope["SigningCertURL"].as_str().unwrap());
            assert_eq!((request.method, request.effect), (Method::Get, RequestEffect::Safe));
            assert_eq!(request.auth, AuthScheme::None);
            done(host().resume_receive(access, &webhook, pending, certificate).unwrap())
        }
    }
}

fn vector(name: &str) -> Value {
    let messages = vectors()["messages"].clone();
    let found = messages.as_array().unwrap().iter().find(|message| message["name"] == name);
    found.unwrap()["message"].clone()
}

#[test]
fn every_vector_is_taken_or_refused_as_published() {
    let messages = vectors()["messages"].clone();
    let notifications =
        messages.as_array().unwrap().iter().filter(|it| it["message"]["Type"] == "Notification");
    let mut seen = 0;
    for message in notifications {
        let result = receive(&subscribed(), &message["message"], &certificate());
        if message["valid"] == true {
            let ReceivedEntry::Receipt { receipt, reference, .. } = only_entry(result) else {
                panic!("{message}")
            };
            assert_eq!(receipt.status, ReceiptStatus::Reached(Level::Delivered));
            assert_eq!((receipt.provider_message_id.as_deref(), reference), (Some(PROVIDER_ID), None));
        } else {
            assert_eq!(result, Err(WebhookRefusal::BadSignature), "{}", message["name"]);
        }
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn a_subscription_is_confirmed_after_its_signature_was_verified() {
    let envelope = vector("confirm_v2");
    let webhook = webhook(&envelope);
    let (_, pending) = asked(host().receive(&subscribed(), &webhook).unwrap());
    let step = host().resume_receive(&subscribed(), &webhook, pending.clone(), &certificate()).unwrap();
    let (request, confirming) = asked(step);
    assert_eq!(request.url, envelope["SubscribeURL"].as_str().unwrap());
    assert_eq!((request.effect, confirming.submitted, confirming.round), (RequestEffect::Safe, false, 2));
    let confirmed = response(200, &[], "<ConfirmSubscriptionResponse/>");
    let result =
        done(host().resume_receive(&subscribed(), &webhook, confirming.clone(), &confirmed).unwrap());
    assert_eq!(result.map(|received| received.entries), Ok(Vec::new()));
    let failed =
        done(host().resume_receive(&subscribed(), &webhook, confirming, &response(403, &[], "")).unwrap());
    assert_eq!(failed, Err(WebhookRefusal::SendAgain), "SNS would take 4xx for final");
    // A forged one is not visited.
    let forged = response(200, &[], "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----");
    let refused = done(host().resume_receive(&subscribed(), &webhook, pending, &forged).unwrap());
    assert_eq!(refused, Err(WebhookRefusal::BadSignature));
}

#[test]
fn certificates_come_only_from_sns_or_the_connections_own_host() {
    let mut envelope = vector("notif_v2");
    for url in [
        "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.txt",
        "https://sns.eu-west-1.amazonaws.com/x?y=.pem",
        "https://sns.a.amazonaws.com/x.pem",
        "https://sns.eu.west.amazonaws.com/x.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com.cn.evil.example/x.pem",
        "http://127.0.0.1:8090/cert.pem",
        "file:///x.pem",
    ] {
        envelope["SigningCertURL"] = url.into();
        assert_eq!(
            receive(&subscribed(), &envelope, &certificate()),
            Err(WebhookRefusal::BadSignature),
            "{url}"
        );
    }
    envelope["SigningCertURL"] = "https://sns.cn-north-1.amazonaws.com.cn/x.pem".into();
    assert!(receive(&subscribed(), &envelope, &certificate()).is_ok());

    let simulated = connection(json!({ "base_url": "http://127.0.0.1:8090/ses" }));
    for (url, taken) in [
        ("http://127.0.0.1:8090/cert.pem", true),
        ("http://127.0.0.1:80901/cert.pem", false),
        ("http://127.0.0.1:8090@evil.example/cert.pem", false),
        ("https://127.0.0.1:8090/cert.pem", false),
    ] {
        envelope["SigningCertURL"] = url.into();
        assert_eq!(receive(&simulated, &envelope, &certificate()).is_ok(), taken, "{url}");
    }
}

/// Whoever can reach the address of the callbacks could make faults otherwise.
#[test]
fn a_certificate_that_no_client_could_ask_for_is_no_fault() {
    let mut envelope = vector("notif_v2");
    let long = "x".repeat(9_000);
    for path in ["a b", "\u{e6}", "a\nb", "a\\b", &long] {
        envelope["SigningCertURL"] = format!("https://sns.eu-west-1.amazonaws.com/{path}.pem").into();
        let result = receive(&subscribed(), &envelope, &certificate());
        assert_eq!(result, Err(WebhookRefusal::Malformed), "{path}");
    }
}

#[test]
fn topics_raw_delivery_and_bad_certificates_are_refused() {
    let envelope = vector("notif_v2");
    for config in [
        json!({}),
        json!({ "sns_topic_arns": [] }),
        json!({ "sns_topic_arns": ["arn:aws:sns:eu-west-1:1:x"] }),
    ] {
        assert_eq!(
            receive(&connection(config), &envelope, &certificate()),
            Err(WebhookRefusal::BadSignature)
        );
    }
    let mut raw = webhook(&envelope);
    raw.headers.push(("x-amz-sns-rawdelivery".to_owned(), "true".to_owned()));
    assert_eq!(done(host().receive(&subscribed(), &raw).unwrap()), Err(WebhookRefusal::BadSignature));
    let wrong = response(200, &[], "no certificate");
    assert_eq!(receive(&subscribed(), &envelope, &wrong), Err(WebhookRefusal::BadSignature));
    for absent in [response(404, &[], ""), response(503, &[], "")] {
        assert_eq!(receive(&subscribed(), &envelope, &absent), Err(WebhookRefusal::SendAgain));
    }
    for missing in ["Signature", "SigningCertURL", "TopicArn", "Message", "Type"] {
        let mut envelope = envelope.clone();
        envelope.as_object_mut().unwrap().remove(missing);
        assert_eq!(
            receive(&subscribed(), &envelope, &certificate()),
            Err(WebhookRefusal::Malformed),
            "{missing}"
        );
    }
}

/// An envelope of our own, signed with the vectors' test key.
fn signed(event: &Value) -> Value {
    let mut envelope = vector("notif_v2_nosubject");
    envelope["Message"] = event.to_string().into();
    let fields = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"];
    let text: String =
        fields.iter().map(|name| format!("{name}\n{}\n", envelope[name].as_str().unwrap())).collect();
    let pem = vectors()["private_key_pem_test_only"].as_str().unwrap().to_owned();
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = signature::RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(der).unwrap()).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    envelope["Signature"] = BASE64_STANDARD.encode(signature).into();
    envelope
}

fn event(kind: &str, name: &str, detail: Value) -> Value {
    json!({ "eventType": kind, name: detail, "mail": {
        "timestamp": "2026-01-02T03:04:05.000Z", "messageId": PROVIDER_ID, "source": SOURCE, "destination": ["alice@example.net"],
        "tags": { "ses:operation": ["SendEmail"], "hermes_ref": ["msg_01KDYYXGFEMXQKR0ZC0000001A-1"] } } })
}

fn received(event: &Value) -> Vec<ReceivedEntry> {
    receive(&subscribed(), &signed(event), &certificate()).unwrap().entries
}

#[test]
fn every_event_of_the_table_has_its_status() {
    use ErrorClass::{ContentRejected, OptedOut, RecipientPermanent, RecipientTemporary, Unknown};
    let at = "2026-01-02T03:04:07.133Z";
    let bounce = |kind: &str, subtype: &str| {
        event("Bounce", "bounce", json!({ "bounceType": kind, "bounceSubType": subtype, "timestamp": at }))
    };
    let suppressed = json!({ "complaintSubType": "OnAccountSuppressionList", "timestamp": at });
    for (event, kind, class) in [
        (bounce("Permanent", "General"), "undelivered", RecipientPermanent),
        (bounce("Permanent", "NoEmail"), "undelivered", RecipientPermanent),
        (bounce("Permanent", "Suppressed"), "undelivered", OptedOut),
        (bounce("Permanent", "OnAccountSuppressionList"), "undelivered", OptedOut),
        (bounce("Transient", "MessageTooLarge"), "undelivered", ContentRejected),
        (bounce("Transient", "ContentRejected"), "undelivered", ContentRejected),
        (bounce("Transient", "AttachmentRejected"), "undelivered", ContentRejected),
        (bounce("Transient", "General"), "failed", RecipientTemporary),
        (bounce("Transient", "MailboxFull"), "failed", RecipientTemporary),
        (bounce("Undetermined", "Undetermined"), "failed", Unknown),
        (event("Reject", "reject", json!({ "reason": "Bad content" })), "rejected", ContentRejected),
        (event("Rendering Failure", "failure", json!({})), "rejected", ContentRejected),
        (event("Complaint", "complaint", suppressed), "undelivered", OptedOut),
    ] {
        let entries = received(&event);
        let [ReceivedEntry::Receipt { receipt, .. }] = entries.as_slice() else { panic!("{event}") };
        let (told, failure) = match &receipt.status {
            ReceiptStatus::Undelivered(failure) => ("undelivered", failure),
            ReceiptStatus::Failed(failure) => ("failed", failure),
            ReceiptStatus::Rejected(failure) => ("rejected", failure),
            other @ (ReceiptStatus::Reached(_) | ReceiptStatus::Expired(_)) => {
                panic!("{other:?} for {event}")
            }
        };
        assert_eq!((told, failure.class), (kind, class), "{event}");
    }
    for (event, level, time) in [
        (event("Send", "send", json!({})), Level::Sent, 1_767_323_045_000),
        (event("Delivery", "delivery", json!({ "timestamp": at })), Level::Delivered, 1_767_323_047_133),
        (
            event("DeliveryDelay", "deliveryDelay", json!({ "timestamp": at })),
            Level::Accepted,
            1_767_323_047_133,
        ),
    ] {
        let entries = received(&event);
        let [ReceivedEntry::Receipt { receipt, reference, .. }] = entries.as_slice() else {
            panic!("{event}")
        };
        assert_eq!(receipt.status, ReceiptStatus::Reached(level), "{event}");
        assert_eq!(receipt.provider_time, Some(UnixMillis(time)));
        assert_eq!(reference.as_deref(), Some("msg_01KDYYXGFEMXQKR0ZC0000001A-1"));
    }
}

#[test]
fn complaints_and_unsubscriptions_withdraw_consent_and_opens_prove_nothing() {
    let says = |kind| {
        let (from, to) = ("alice@example.net".to_owned(), Some(SOURCE.to_owned()));
        ReceivedEntry::Inbound(Inbound { channel: Channel::Email, from, to, account: None, kind })
    };
    let preferences = |all: bool, status: &str| {
        json!({ "newTopicPreferences": { "unsubscribeAll": all,
            "topicSubscriptionStatus": [{ "topicName": "News", "subscriptionStatus": status }] } })
    };
    for (event, expected) in [
        (
            event("Complaint", "complaint", json!({ "complaintFeedbackType": "abuse" })),
            Some(InboundKind::Complaint),
        ),
        (event("Complaint", "complaint", json!({ "complaintFeedbackType": "not-spam" })), None),
        (event("Subscription", "subscription", preferences(true, "OptIn")), Some(InboundKind::OptOut)),
        (event("Subscription", "subscription", preferences(false, "OptOut")), Some(InboundKind::OptOut)),
        (event("Subscription", "subscription", preferences(false, "OptIn")), None),
        // One topic more, while another was left long ago.
        (
            event(
                "Subscription",
                "subscription",
                json!({
                    "newTopicPreferences": { "unsubscribeAll": false, "topicSubscriptionStatus": [
                        { "topicName": "Old", "subscriptionStatus": "OptOut" }, { "topicName": "News", "subscriptionStatus": "OptIn" }] },
                    "oldTopicPreferences": { "topicSubscriptionStatus": [{ "topicName": "Old", "subscriptionStatus": "OptOut" }] },
                }),
            ),
            None,
        ),
        (event("Open", "open", json!({})), None),
        (event("Click", "click", json!({ "linkTags": null })), None),
        (event("Levitation", "levitation", json!({})), None),
        (json!("Successfully validated SNS topic for Amazon SES event publishing."), None),
    ] {
        let expected: Vec<ReceivedEntry> = expected.map(says).into_iter().collect();
        assert_eq!(received(&event), expected, "{event}");
    }
}

#[test]
fn identity_feedback_has_no_reference_but_a_provider_id() {
    let mut feedback = event("Delivery", "delivery", json!({}));
    let object = feedback.as_object_mut().unwrap();
    let kind = object.remove("eventType").unwrap();
    object.insert("notificationType".to_owned(), kind);
    feedback["mail"].as_object_mut().unwrap().remove("tags");
    let entries = received(&feedback);
    let [ReceivedEntry::Receipt { receipt, reference: None, .. }] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(receipt.provider_message_id.as_deref(), Some(PROVIDER_ID));
}

#[test]
fn a_dead_mailbox_is_told_apart_from_a_full_one() {
    let bounce = |kind: &str, subtype: &str| {
        let bounced = json!([{ "emailAddress": "alice@example.net", "action": "failed" }]);
        let bounce = json!({ "bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": bounced });
        let entries = received(&event("Bounce", "bounce", bounce));
        let kinds = entries.into_iter().filter_map(|entry| match entry {
            ReceivedEntry::Inbound(inbound) => Some((inbound.from, inbound.kind)),
            ReceivedEntry::Receipt { .. } => None,
        });
        kinds.collect::<Vec<_>>()
    };
    let dead = [("alice@example.net".to_owned(), InboundKind::HardBounce)];
    assert_eq!(bounce("Permanent", "General"), dead);
    assert_eq!(bounce("Permanent", "OnAccountSuppressionList"), []);
    assert_eq!(bounce("Transient", "MailboxFull"), []);
}
