use serde_json::{Value, json};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;
use crate::demo;

fn request() -> Value {
    json!({
        "FromEmailAddress": "Hermes <no-reply@example.com>",
        "Destination": { "ToAddresses": ["alice@example.net"] },
        "Content": { "Simple": {
            "Subject": { "Data": "Hi", "Charset": "UTF-8" },
            "Body": { "Text": { "Data": "Hello" } },
            "Headers": [{ "Name": "List-Unsubscribe", "Value": "<https://example.com/u>" }],
        }},
        "EmailTags": [{ "Name": "hermes_ref", "Value": "msg_1-1" }],
        "ConfigurationSetName": "hermes",
    })
}

fn check_with(change: impl FnOnce(&mut Value), account: &SesAccount) -> Result<(), Fault> {
    let mut value = request();
    change(&mut value);
    let topics = Topics::default();
    topics.bind("hermes", demo::SES_TOPIC_ARN);
    check(&serde_json::from_value(value).unwrap(), account, &topics)
}

fn fault(change: impl FnOnce(&mut Value)) -> (u16, &'static str) {
    let fault = check_with(change, &demo::ses()).unwrap_err();
    (fault.status.as_u16(), fault.code)
}

#[test]
fn a_good_request_passes() {
    check_with(|_| {}, &demo::ses()).unwrap();
    let raw = |value: &mut Value| value["Content"] = json!({ "Raw": { "Data": "RnJvbTogYUBiLmMNCg0KaGk=" } });
    check_with(raw, &demo::ses()).unwrap();
    let template = |value: &mut Value| {
        value["Content"] = json!({ "Template": { "TemplateName": "receipt", "TemplateData": "{\"n\":1}" } });
    };
    check_with(template, &demo::ses()).unwrap();
}

#[test]
fn each_fault_is_refused_with_its_code() {
    let bad = (400, "BadRequestException");
    assert_eq!(fault(|v| v["Content"] = Value::Null), bad);
    assert_eq!(fault(|v| v["Content"]["Raw"] = json!({ "Data": "aGk=" })), bad);
    assert_eq!(fault(|v| v["Content"]["Simple"]["Subject"] = Value::Null), bad);
    assert_eq!(fault(|v| v["Content"]["Simple"]["Body"] = json!({})), bad);
    assert_eq!(fault(|v| v["Content"]["Simple"]["Headers"][0]["Name"] = json!("a:b")), bad);
    assert_eq!(fault(|v| v["Destination"] = json!({})), bad);
    assert_eq!(fault(|v| v["Destination"]["CcAddresses"] = json!(vec!["a@b.c"; 50])), bad);
    assert_eq!(fault(|v| v["Destination"]["ToAddresses"][0] = json!("nobody")), bad);
    assert_eq!(fault(|v| v["Destination"]["ToAddresses"][0] = json!("søren@example.dk")), bad);
    assert_eq!(fault(|v| v["FromEmailAddress"] = json!("Sørens post <a@b.c>")), bad);
    assert_eq!(fault(|v| v["EmailTags"][0]["Value"] = json!("msg_1.1")), bad);
    assert_eq!(fault(|v| v["ConfigurationSetName"] = json!("other")), (404, "NotFoundException"));
    let attachment = |content: &'static str| {
        move |v: &mut Value| {
            v["Content"]["Simple"]["Attachments"] = json!([{ "FileName": "a.txt", "RawContent": content }]);
        }
    };
    assert_eq!(fault(attachment("not base64!")), (400, "SerializationException"));
    check_with(attachment("aGk="), &demo::ses()).unwrap();
    let template = |v: &mut Value| v["Content"] = json!({ "Template": { "TemplateName": "gone" } });
    assert_eq!(fault(template), (404, "NotFoundException"));
}

#[test]
fn an_unverified_sender_is_named() {
    let account = SesAccount { identities: vec!["example.org".into()], ..demo::ses() };
    let fault = check_with(|_| {}, &account).unwrap_err();
    assert_eq!((fault.status.as_u16(), fault.code), (400, "MessageRejected"));
    assert!(fault.message.ends_with("in region EU-WEST-1: no-reply@example.com"));
    check_with(|v| v["FromEmailAddress"] = json!("a@mail.example.org"), &account).unwrap();
}

#[test]
fn a_mime_message_is_read_as_closely_as_a_simple_one() {
    let raw = |mail: &str| {
        let data = STANDARD.encode(mail);
        move |value: &mut Value| value["Content"] = json!({ "Raw": { "Data": data } })
    };
    let mut account = demo::ses();
    account.identities = vec!["example.com".to_owned()];
    let fault = |mail: &str| {
        let fault = check_with(raw(mail), &account).unwrap_err();
        (fault.status.as_u16(), fault.code)
    };
    check_with(raw("From: A <a@example.com>\r\nTo: b@example.net\r\n\r\nhi\r\n"), &account).unwrap();
    assert_eq!(fault("To: b@example.net\r\n\r\nhi\r\n"), (400, "BadRequestException"));
    assert_eq!(fault("From: a@other.example\r\n\r\nhi\r\n"), (400, "MessageRejected"));
    assert_eq!(fault("From: a@example.com\r\nTo: b@dot..example\r\n\r\nhi"), (400, "BadRequestException"));
    let long = format!("From: a@example.com\r\n\r\n{}\r\n", "x".repeat(999));
    assert_eq!(fault(&long), (400, "MessageRejected"));
}
