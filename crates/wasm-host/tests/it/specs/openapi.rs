//! Bodies for Vonage and Messente against their OpenAPI files.

use serde_json::{Map, Value, json};

use super::valid;

const VONAGE_MESSAGES: &str =
    include_str!("../../../../../schema/providers/vonage-messages-v1-sms.openapi.json");
const VONAGE_SMS: &str = include_str!("../../../../../schema/providers/vonage-sms.openapi.json");
const MESSENTE: &str = include_str!("../../../../../schema/providers/messente-omnichannel.openapi.json");

/// A component schema, closed to properties that it does not name.
fn closed(spec: &str, name: &str) -> Value {
    let spec: Value = serde_json::from_str(spec).unwrap();
    let mut schema = spec["components"]["schemas"][name].clone();
    schema["additionalProperties"] = false.into();
    schema["components"] = spec["components"].clone();
    schema
}

/// Checks a body of `POST /v1/messages`.
pub(crate) fn vonage_message(body: &Value) {
    valid(&closed(VONAGE_MESSAGES, "SmsMessage"), body);
}

/// Checks a form of `POST /sms/json`. The account's key travels in a header, which the file does not know.
pub(crate) fn vonage_form(body: &[u8]) {
    let schema = closed(VONAGE_SMS, "NewMessage");
    let mut fields = Map::from_iter([("api_key".to_owned(), json!("abcd1234"))]);
    for (name, text) in form_urlencoded::parse(body).into_owned() {
        let number = schema["properties"][&name]["type"] == "integer";
        let value = if number { text.parse::<i64>().unwrap().into() } else { Value::from(text) };
        assert!(fields.insert(name.clone(), value).is_none(), "{name} is repeated");
    }
    valid(&schema, &Value::Object(fields));
}

/// Checks a body of `POST /v1/omnimessage` whose messages are all SMS.
pub(crate) fn messente_omnimessage(body: &Value) {
    valid(&closed(MESSENTE, "Omnimessage"), body);
    for message in body["messages"].as_array().unwrap() {
        valid(&closed(MESSENTE, "SMS"), message);
    }
}

#[test]
fn the_files_refuse_what_is_wrong() {
    let refused = |check: fn(&Value), value: Value| std::panic::catch_unwind(move || check(&value)).is_err();
    let sms =
        json!({ "message_type": "text", "channel": "sms", "to": "4520123456", "from": "ACME", "text": "x" });
    vonage_message(&sms);
    for (name, value) in [
        ("to", json!("+4520123456")),
        ("ttl", json!("60")),
        ("client-ref", json!("x")),
        ("channel", json!("viber")),
    ] {
        let mut wrong = sms.clone();
        wrong[name] = value;
        assert!(refused(vonage_message, wrong), "{name}");
    }
    let omni = json!({ "to": "+4520123456", "messages": [{ "channel": "sms", "text": "x" }] });
    messente_omnimessage(&omni);
    for pointer in ["/to", "/messages/0/text"] {
        let mut wrong = omni.clone();
        *wrong.pointer_mut(pointer).unwrap() = json!(7);
        assert!(refused(messente_omnimessage, wrong), "{pointer}");
    }
    assert!(std::panic::catch_unwind(|| vonage_form(b"from=ACME&too=4520123456&text=x")).is_err());
}

/// Checks a body of `POST /v1/phonebook/blacklist`.
pub(crate) fn messente_blacklisting(body: &Value) {
    valid(&closed(MESSENTE, "NumberToBlacklist"), body);
}
