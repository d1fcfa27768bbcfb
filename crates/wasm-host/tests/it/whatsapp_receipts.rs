//! Meta's webhooks, by its own vectors and beyond.

use hermes_domain::{
    UnixMillis,
    address::Channel,
    outcome::{ErrorClass, Level, Receipt, ReceiptStatus},
};
use hermes_ports::{
    adapter::{
        AdapterHost, ConnectionAccess, Inbound, InboundKind, ReceiveResult, ReceivedEntry, WebhookRefusal,
    },
    http::{Method, Webhook},
};
use serde_json::{Value, json};

use crate::support::{access, done, hex, hmac_sha256, host, only_entry, post, short_status};

const URL: &str = "https://hermes.example.com/receipts/whatsapp/prv_1";
const SECRET: &str = "hermes-test-app-secret";
const NUMBER: &str = "106540352242922";

fn connection() -> ConnectionAccess {
    let secrets = [("access_token", "EAAG"), ("app_secret", SECRET), ("verify_token", "hermes-verify")];
    access("whatsapp", json!({ "phone_number_id": NUMBER }), &secrets)
}

fn receive(webhook: &Webhook) -> ReceiveResult {
    done(host().receive(&connection(), webhook).unwrap())
}

fn signed(value: Value) -> ReceiveResult {
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [
        { "field": "messages", "value": value }] }] });
    let body = body.to_string();
    let signature = format!("sha256={}", hex(&hmac_sha256(SECRET, body.as_bytes())));
    receive(&post(URL, &[("x-hub-signature-256", &signature)], body))
}

fn metadata() -> Value {
    json!({ "display_phone_number": "+1 555-078-3881", "phone_number_id": NUMBER })
}

fn receipt_of(entry: ReceivedEntry) -> (Option<String>, Receipt) {
    match entry {
        ReceivedEntry::Receipt { reference, receipt, account } => {
            assert_eq!(account.as_deref(), Some(NUMBER));
            (reference, receipt)
        }
        other @ ReceivedEntry::Inbound(_) => panic!("{other:?}"),
    }
}

#[test]
fn every_published_webhook_is_taken_and_no_changed_one() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../schema/providers/vectors-whatsapp.json")).unwrap();
    let webhooks = vectors["webhooks"].as_array().unwrap();
    assert!(webhooks.len() >= 2);
    for vector in webhooks {
        let (name, body) = (&vector["name"], vector["raw_body"].as_str().unwrap());
        let signature =
            vector["signature"].as_str().or_else(|| vector["x_hub_signature_256"].as_str()).unwrap();
        let webhook = post(URL, &[("x-hub-signature-256", signature)], body);
        assert!(!receive(&webhook).unwrap().entries.is_empty(), "{name}");
        let changed = Webhook { body: body.replace("1767323", "1767324").into(), ..webhook.clone() };
        assert_eq!(receive(&changed), Err(WebhookRefusal::BadSignature), "{name}");
        for headers in
            [vec![], vec![("x-hub-signature-256", "sha256=00")], vec![("x-hub-signature", signature)]]
        {
            assert_eq!(receive(&post(URL, &headers, body)), Err(WebhookRefusal::BadSignature), "{name}");
        }
    }
}

#[test]
fn the_handshake_answers_whoever_knows_the_token() {
    let get =
        |query: &str| receive(&Webhook { method: Method::Get, ..post(&format!("{URL}?{query}"), &[], "") });
    let good = get("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=hermes-verify").unwrap();
    assert_eq!(good.reply, Some(("text/plain".to_owned(), "1158201444".to_owned())));
    for query in [
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong",
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=hermes-verify",
        "hub.challenge=1",
        "",
    ] {
        assert_eq!(get(query), Err(WebhookRefusal::BadSignature), "{query}");
    }
}

#[test]
fn every_status_and_code_is_read() {
    use ErrorClass::{
        Auth, NeedsAlternate, OptedOut, ProviderFault, ProviderThrottled, RecipientPermanent,
        RecipientTemporary, SenderRejected, Unknown,
    };
    let read = |status: &str, code: Option<u64>| {
        let errors: Vec<Value> = code.iter().map(|code| json!({ "code": code, "title": "t" })).collect();
        let status = json!({ "id": "W", "status": status, "timestamp": "1767323045", "recipient_id": "16505551234",
            "biz_opaque_callback_data": "msg_1.1", "errors": errors });
        let received = signed(json!({ "metadata": metadata(), "statuses": [status] })).unwrap();
        received.entries.into_iter().next().map(|entry| receipt_of(entry).1.status)
    };
    for (status, code, expected) in [
        ("sent", None, ("sent", None)),
        ("delivered", None, ("delivered", None)),
        ("read", None, ("read", None)),
        ("played", None, ("read", None)),
        ("failed", Some(131_026), ("undelivered", Some(RecipientPermanent))),
        ("failed", Some(131_049), ("undelivered", Some(RecipientTemporary))),
        ("failed", Some(131_050), ("undelivered", Some(OptedOut))),
        ("failed", Some(131_047), ("undelivered", Some(NeedsAlternate))),
        ("failed", Some(131_016), ("failed", Some(ProviderFault))),
        ("failed", Some(130_429), ("failed", Some(ProviderThrottled))),
        ("failed", Some(131_045), ("rejected", Some(SenderRejected))),
        ("failed", Some(131_031), ("rejected", Some(Auth))),
        ("failed", Some(131_043), ("expired", Some(RecipientTemporary))),
        ("failed", Some(999_999), ("failed", Some(Unknown))),
        ("failed", None, ("failed", Some(Unknown))),
        ("deleted", None, ("nothing", None)),
    ] {
        assert_eq!(short_status(read(status, code)), expected, "{status} {code:?}");
    }
}

#[test]
fn one_body_may_hold_many() {
    let status = |id: &str, status: &str, reference: &str| json!({ "id": id, "status": status, "timestamp": "1767323045", "biz_opaque_callback_data": reference });
    let received = signed(json!({ "metadata": metadata(),
        "statuses": [status("W1", "sent", "msg_1.1"), status("W2", "delivered", "msg_2.1"), { "id": "W3" }],
        "messages": [{ "from": "16505551234", "id": "W4", "type": "text", "text": { "body": "Stop" } }],
        "errors": [{ "code": 130_429 }] }));
    let mut entries = received.unwrap().entries;
    let ReceivedEntry::Inbound(stop) = entries.pop().unwrap() else { panic!() };
    assert_eq!(stop.kind, InboundKind::OptOut);
    let receipts: Vec<_> = entries.into_iter().map(receipt_of).collect();
    let seen: Vec<_> = receipts
        .iter()
        .map(|(reference, receipt)| (reference.as_deref(), receipt.provider_message_id.as_deref()))
        .collect();
    assert_eq!(seen, [(Some("msg_1.1"), Some("W1")), (Some("msg_2.1"), Some("W2"))]);
    assert_eq!(receipts[0].1.provider_time, Some(UnixMillis(1_767_323_045_000)));
    assert_eq!(receipts[1].1.status, ReceiptStatus::Reached(Level::Delivered));
}

#[test]
fn people_write_tap_and_choose() {
    let kind = |value: Value| match only_entry(signed(value)) {
        ReceivedEntry::Inbound(inbound) => {
            let expected = Inbound {
                channel: Channel::Whatsapp,
                from: "+16505551234".to_owned(),
                to: Some("+15550783881".to_owned()),
                account: Some(NUMBER.to_owned()),
                kind: inbound.kind,
            };
            assert_eq!(inbound, expected);
            inbound.kind
        }
        other @ ReceivedEntry::Receipt { .. } => panic!("{other:?}"),
    };
    let message = |rest: Value| {
        let mut message = json!({ "from": "16505551234", "id": "W", "timestamp": "1" });
        message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({ "metadata": metadata(), "messages": [message] })
    };
    let choice = |value: &str| {
        json!({ "metadata": metadata(), "user_preferences": [{ "wa_id": "16505551234", "value": value,
            "category": "marketing_messages" }] })
    };
    for (value, expected) in [
        (message(json!({ "type": "text", "text": { "body": " unsubscribe " } })), InboundKind::OptOut),
        (message(json!({ "type": "text", "text": { "body": "START" } })), InboundKind::OptIn),
        (message(json!({ "type": "text", "text": { "body": "Baja" } })), InboundKind::OptOut),
        (message(json!({ "type": "text", "text": { "body": "non-stop flight?" } })), InboundKind::Message),
        (
            message(json!({ "type": "button", "button": { "text": "No thanks", "payload": "STOP" } })),
            InboundKind::OptOut,
        ),
        (
            message(
                json!({ "type": "interactive", "interactive": { "button_reply": { "id": "STOP", "title": "x" } } }),
            ),
            InboundKind::OptOut,
        ),
        (message(json!({ "type": "image", "image": { "id": "1" } })), InboundKind::Message),
        (choice("stop"), InboundKind::OptOut),
        (choice("resume"), InboundKind::OptIn),
    ] {
        assert_eq!(kind(value.clone()), expected, "{value}");
    }
    assert_eq!(signed(json!({ "metadata": metadata() })).unwrap().entries, []);
    let body = r#"{"object":"page"}"#;
    let signature = format!("sha256={}", hex(&hmac_sha256(SECRET, body.as_bytes())));
    let foreign = post(URL, &[("x-hub-signature-256", &signature)], body);
    assert_eq!(receive(&foreign), Err(WebhookRefusal::Malformed));
}

#[test]
fn a_refusal_for_marketing_withdraws_consent_too() {
    let status = json!({ "id": "W", "status": "failed", "timestamp": "1767323045", "recipient_id": "16505551234",
        "biz_opaque_callback_data": "msg_1.1", "errors": [{ "code": 131_050, "title": "t" }] });
    let entries = signed(json!({ "metadata": metadata(), "statuses": [status] })).unwrap().entries;
    let [ReceivedEntry::Receipt { .. }, ReceivedEntry::Inbound(inbound)] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!((inbound.from.as_str(), inbound.kind), ("+16505551234", InboundKind::OptOut));
}

#[test]
fn a_sender_known_by_user_id_is_found_among_the_contacts() {
    let stop = |contacts: Value| {
        let message =
            json!({ "from_user_id": "US.1", "id": "W", "type": "text", "text": { "body": "STOP" } });
        signed(json!({ "metadata": metadata(), "contacts": contacts, "messages": [message] }))
            .unwrap()
            .entries
    };
    let known =
        json!([{ "wa_id": "4520000001", "user_id": "DK.2" }, { "wa_id": "16505551234", "user_id": "US.1" }]);
    let entries = stop(known);
    let [ReceivedEntry::Inbound(inbound)] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((inbound.from.as_str(), inbound.kind), ("+16505551234", InboundKind::OptOut));
    assert_eq!(stop(json!([{ "wa_id": "4520000001", "user_id": "DK.2" }])), Vec::new());
}
