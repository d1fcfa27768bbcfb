use serde_json::json;

use super::*;
use crate::demo;

fn body(changes: &Value) -> Body {
    let mut body = json!({
        "message_type": "text", "channel": "sms", "to": "4520123456", "from": "AcmeInc", "text": "hi",
    });
    let Value::Object(body) = &mut body else { unreachable!() };
    for (name, value) in changes.as_object().unwrap() {
        body.insert(name.clone(), value.clone());
    }
    body.clone()
}

fn faults(changes: &Value, account: &VonageAccount) -> Vec<(&'static str, &'static str)> {
    let invalid = check(&body(changes), account).err().unwrap_or_default();
    invalid.iter().map(|parameter| (parameter.name, parameter.reason)).collect()
}

#[test]
fn every_invalid_parameter_is_named() {
    const REQUIRED: &str = "is required.";
    const INVALID: &str = "invalid value";
    for (changes, name, reason) in [
        (json!({ "message_type": null }), "message_type", REQUIRED),
        (json!({ "message_type": "image" }), "message_type", INVALID),
        (json!({ "channel": null }), "channel", REQUIRED),
        (json!({ "channel": "whatsapp" }), "channel", INVALID),
        (json!({ "to": null }), "to", REQUIRED),
        (json!({ "to": "+4520123456" }), "to", INVALID),
        (json!({ "to": "452012" }), "to", INVALID),
        (json!({ "to": 4520123456u64 }), "to", INVALID),
        (json!({ "to": ["4520123456"] }), "to", INVALID),
        (json!({ "from": null }), "from", REQUIRED),
        (json!({ "from": "twelve letters" }), "from", INVALID),
        (json!({ "text": null }), "text", REQUIRED),
        (json!({ "text": "" }), "text", INVALID),
        (json!({ "text": "x".repeat(1001) }), "text", INVALID),
        (json!({ "text": { "body": "hi" } }), "text", INVALID),
        (json!({ "client_ref": "r".repeat(101) }), "client_ref", INVALID),
        (json!({ "client_ref": 7 }), "client_ref", INVALID),
        (json!({ "ttl": 0 }), "ttl", INVALID),
        (json!({ "ttl": 604_801 }), "ttl", INVALID),
        (json!({ "ttl": "3600" }), "ttl", INVALID),
        (json!({ "ttl": 0.5 }), "ttl", INVALID),
        (json!({ "webhook_url": "h/r" }), "webhook_url", INVALID),
        (json!({ "webhook_url": "ftp://h/r" }), "webhook_url", INVALID),
        (json!({ "webhook_version": "v2" }), "webhook_version", INVALID),
        (json!({ "webhook_version": "v0.1" }), "webhook_version", INVALID),
        (json!({ "failover": [] }), "failover", INVALID),
        (json!({ "sms": "auto" }), "sms", INVALID),
        (json!({ "sms": { "encoding_type": "gsm" } }), "sms.encoding_type", INVALID),
        (json!({ "sms": { "encoding_type": 7 } }), "sms.encoding_type", INVALID),
        (json!({ "sms": { "entity_id": 7 } }), "sms.entity_id", INVALID),
        (json!({ "sms": { "content_id": 7 } }), "sms.content_id", INVALID),
    ] {
        assert_eq!(faults(&changes, &demo::vonage()), [(name, reason)], "{changes:.80}");
    }
    let two = faults(&json!({ "to": "x", "ttl": -1 }), &demo::vonage());
    assert_eq!(two, [("to", INVALID), ("ttl", INVALID)]);
    let account = VonageAccount { senders: vec!["Other".into()], ..demo::vonage() };
    assert_eq!(faults(&json!({}), &account), [("from", INVALID)]);
}

#[test]
fn what_is_at_the_limits_is_accepted() {
    let changes = json!({
        "text": "x".repeat(1000), "client_ref": "r".repeat(100), "ttl": 604_800, "webhook_version": "v1",
        "webhook_url": format!("https://h/{}", "x".repeat(200)), "unknown": true,
        "sms": { "encoding_type": "auto", "entity_id": "1", "content_id": "2" },
    });
    let message = check(&body(&changes), &demo::vonage()).unwrap();
    assert_eq!((message.parts, message.webhook_url.is_some()), (7, true));
}

#[test]
fn parts_follow_the_encoding_asked_for() {
    let parts = |encoding: &str| {
        let changes = json!({ "text": "ш".repeat(71), "sms": { "encoding_type": encoding } });
        check(&body(&changes), &demo::vonage()).unwrap().parts
    };
    assert_eq!([parts("auto"), parts("unicode"), parts("text")], [2, 2, 1]);
}

#[test]
fn the_reference_is_the_clients_or_in_the_callback() {
    let found = |changes: Value| reference(&body(&changes)).map(|reference| reference.as_str().to_owned());
    let url = "https://h/r?x=1&ref=msg_1.2";
    assert_eq!(found(json!({ "webhook_url": url })).as_deref(), Some("msg_1.2"));
    assert_eq!(found(json!({ "webhook_url": url, "client_ref": "msg_1.3" })).as_deref(), Some("msg_1.3"));
    assert_eq!(found(json!({})), None);
}
