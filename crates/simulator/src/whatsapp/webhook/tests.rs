//! The published vectors, made again from what they tell.

use serde_json::Value as Json;

use super::*;
use crate::{WhatsAppAccount, demo, whatsapp::fault::UNDELIVERABLE};

const VECTORS: &str = include_str!("../../../../../schema/providers/vectors-whatsapp.json");
const SENT_AT: UnixMillis = 1_767_323_045_000;
const ANSWERED_AT: UnixMillis = 1_767_323_100_000;

fn number() -> Number {
    let account = WhatsAppAccount {
        phone_number_id: "106540352242922".into(),
        business_account_id: "102290129340398".into(),
        display_phone_number: "15550783881".into(),
        ..demo::whatsapp()
    };
    Number { account, app: None }
}

fn person(name: &'static str) -> Person {
    Person { name, ..Person::new(Some("16505551234".into()), "US.13491208655302741918".into()) }
}

fn message_status(given: Status, is_priced: bool) -> Change {
    let subject = Subject {
        id: "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNEQTA2RjdGMEY4RTRGAA==".into(),
        callback_data: Some("01JQZ8Y4M0T3Z5K7N9P1R3S5V7".into()),
        category: Some("utility".into()),
    };
    status(&number(), &person("Alice"), &subject, given, is_priced, SENT_AT)
}

/// The vector knows the person, which Meta does not tell with a failure.
fn failed() -> Change {
    let mut change = message_status(Status::Failed(UNDELIVERABLE), false);
    assert_eq!(
        serde_json::to_value(&change.value.contacts).unwrap(),
        serde_json::json!([{ "wa_id": "16505551234" }])
    );
    change.value.contacts = vec![person("Alice").contact()];
    change
}

fn inbound_stop() -> Change {
    let mut change = inbound(&number(), &person("Zo\u{eb}"), "STOP \u{2014} ol\u{e9}", "", ANSWERED_AT);
    if let News::Messages(messages) = &mut change.value.news {
        messages[0].id = "wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=".into();
    }
    change
}

#[test]
fn bodies_and_signatures_are_the_published_ones() {
    let vectors: Json = serde_json::from_str(VECTORS).unwrap();
    let url = Url::parse("https://hermes.example.com/hook").unwrap();
    let mut seen = 0;
    for vector in vectors["webhooks"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let change = match name {
            "sent" => message_status(Status::Sent, true),
            "delivered" => message_status(Status::Delivered, true),
            "read" => message_status(Status::Read, false),
            "failed" => failed(),
            "inbound_stop" => inbound_stop(),
            "prefs_stop" => stopped(&number(), &person("Alice"), ANSWERED_AT),
            other => panic!("{other} is a new vector"),
        };
        let made = outgoing(&url, vectors["app_secret"].as_str().unwrap(), vec![change]).unwrap();
        assert_eq!(made.body, vector["raw_body"].as_str().unwrap(), "{name}");
        let signature = made.headers.iter().find(|(header, _)| header == SIGNATURE).unwrap();
        assert_eq!(signature.1, vector["x_hub_signature_256"].as_str().unwrap(), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn beyond_ascii_everything_is_escaped() {
    assert_eq!(escaped(r#"{"a":"é👍\n"}"#), r#"{"a":"\u00e9\ud83d\udc4d\n"}"#);
}

#[test]
fn every_level_of_a_body_may_repeat() {
    let statuses = (0..5).map(|_| message_status(Status::Sent, true));
    let changes: Vec<_> = statuses.chain([inbound_stop()]).collect();
    let body = serde_json::to_value(envelope(changes)).unwrap();
    let count = |pointer: &str| body.pointer(pointer).map_or(0, |list| list.as_array().unwrap().len());
    assert_eq!([count("/entry"), count("/entry/0/changes"), count("/entry/1/changes")], [2, 2, 2]);
    assert_eq!(count("/entry/0/changes/0/value/statuses"), 2);
    assert_eq!(count("/entry/0/changes/0/value/contacts"), 2);
    assert_eq!(count("/entry/1/changes/0/value/statuses"), 1);
    assert_eq!(count("/entry/1/changes/1/value/messages"), 1);
}
