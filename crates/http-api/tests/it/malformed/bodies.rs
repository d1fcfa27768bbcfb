//! Bodies that are no JSON, no message, or say what cannot be said.

use serde_json::{Value, json};

use super::{CONTENT, Case, MALFORMED, RECIPIENT, SCHEMA, case, message, raw};
use crate::app::{sms, with};

pub(super) fn not_json() -> Vec<Case> {
    let duplicate = r#"{"to": {"phone": "+4520123456", "phone": "+4520123457"}, "content": {"text": "x"}}"#;
    vec![
        case("empty body", raw(""), MALFORMED, &[]),
        case("blank body", raw("  \n"), MALFORMED, &[]),
        case("cut off", raw(r#"{"to": {"phone""#), MALFORMED, &[]),
        case("two values", raw("{} {}"), MALFORMED, &[]),
        case("single quotes", raw("{'to': 1}"), MALFORMED, &[]),
        case("trailing comma", raw(r#"{"to": {},}"#), MALFORMED, &[]),
        case("comment", raw("{} // hi"), MALFORMED, &[]),
        case("duplicate key", raw(duplicate), MALFORMED, &[]),
        case("not UTF-8", raw(b"{\"to\": \"\xff\xfe\"}".to_vec()), MALFORMED, &[]),
        case("lone surrogate", raw(r#"{"content": {"text": "\ud800"}}"#), MALFORMED, &[]),
        case("byte order mark", raw("\u{feff}{}"), MALFORMED, &[]),
        case("number out of range", raw(r#"{"to": 1e999}"#), MALFORMED, &[]),
        case("NaN", raw(r#"{"to": NaN}"#), MALFORMED, &[]),
        case("nested too deeply", raw("[".repeat(100_000)), MALFORMED, &[]),
        case("a NUL byte", raw("\0"), MALFORMED, &[]),
    ]
}

pub(super) fn not_an_object() -> Vec<Case> {
    vec![
        case("a list", raw("[]"), SCHEMA, &[""]),
        case("a text", raw("\"hi\""), SCHEMA, &[""]),
        case("null", raw("null"), SCHEMA, &[""]),
        case("nothing in it", raw("{}"), SCHEMA, &["/to", "/content"]),
    ]
}

pub(super) fn wrong_recipients() -> Vec<Case> {
    let to = |to: Value| message(&with(sms(), "/to", to));
    vec![
        case("recipient is a text", to(json!("+4520123456")), SCHEMA, &["/to"]),
        case("recipient is null", to(Value::Null), SCHEMA, &["/to"]),
        case("phone is a number", to(json!({ "phone": 4_520_123_456_u64 })), SCHEMA, &["/to/phone"]),
        case("unknown address", to(json!({ "phone": "+4520123456", "fax": "1" })), SCHEMA, &["/to/fax"]),
        case("nobody", to(json!({})), RECIPIENT, &["/to"]),
        case("only nulls", to(json!({ "phone": null })), RECIPIENT, &["/to"]),
        case("phone without plus", to(json!({ "phone": "4520123456" })), RECIPIENT, &["/to/phone"]),
        case("phone too short", to(json!({ "phone": "+451" })), RECIPIENT, &["/to/phone"]),
        case("phone of no country", to(json!({ "phone": "+9999999999" })), RECIPIENT, &["/to/phone"]),
        case("phone with blanks", to(json!({ "phone": "+45 20 12 34 56" })), RECIPIENT, &["/to/phone"]),
        case("email without domain", to(json!({ "email": "ada@" })), RECIPIENT, &["/to/email"]),
        case(
            "email with a line break",
            to(json!({ "email": "a@b.dk\r\nBcc: c@d.dk" })),
            RECIPIENT,
            &["/to/email"],
        ),
        case(
            "three bad addresses",
            to(json!({ "phone": "1", "email": "x", "whatsapp": "2" })),
            RECIPIENT,
            &["/to/phone", "/to/email", "/to/whatsapp"],
        ),
        case("token missing", to(json!({ "push": [{ "platform": "ios" }] })), SCHEMA, &["/to/push/0/token"]),
        case(
            "token with a blank",
            to(json!({ "push": [{ "token": "a b" }] })),
            SCHEMA,
            &["/to/push/0/token"],
        ),
        case(
            "platform unknown",
            to(json!({ "push": [{ "token": "a", "platform": "symbian" }] })),
            SCHEMA,
            &["/to/push/0/platform"],
        ),
    ]
}

pub(super) fn wrong_contents() -> Vec<Case> {
    let content = |content: Value| message(&with(sms(), "/content", content));
    vec![
        case("content empty", content(json!({})), SCHEMA, &["/content"]),
        case("text empty", content(json!({ "text": "" })), SCHEMA, &["/content/text"]),
        case("text is a list", content(json!({ "text": ["x"] })), SCHEMA, &["/content/text"]),
        case("text with NUL", content(json!({ "text": "a\0b" })), SCHEMA, &["/content/text"]),
        case("unknown block", content(json!({ "text": "x", "fax": {} })), SCHEMA, &["/content/fax"]),
        case(
            "media over http",
            content(json!({ "sms": { "media_urls": ["http://a.dk/x"] } })),
            SCHEMA,
            &["/content/sms/media_urls/0"],
        ),
        case(
            "push data not text",
            content(json!({ "push": { "data": { "k": 1 } } })),
            SCHEMA,
            &["/content/push/data/k"],
        ),
        case(
            "key with a slash",
            content(json!({ "push": { "data": { "a/b~": 1 } } })),
            SCHEMA,
            &["/content/push/data/a~1b~0"],
        ),
        case(
            "template is a text",
            content(json!({ "whatsapp": { "template": "x" } })),
            SCHEMA,
            &["/content/whatsapp/template"],
        ),
        case(
            "subject over two lines",
            content(json!({ "text": "x", "subject": "a\r\nBcc: b" })),
            CONTENT,
            &["/content/subject"],
        ),
        case("sms too long", content(json!({ "text": "é".repeat(1_601) })), CONTENT, &["/content/text"]),
        case(
            "reply_to is no address",
            content(json!({ "text": "x", "email": { "reply_to": "no" } })),
            CONTENT,
            &["/content/email/reply_to"],
        ),
    ]
}

pub(super) fn wrong_attachments() -> Vec<Case> {
    let content = |content: Value| message(&with(sms(), "/content", content));
    let file = |field: &str, value: Value| {
        let mut file = json!({ "filename": "a.txt", "content_type": "text/plain", "content_base64": "aGk=" });
        file[field] = value;
        json!({ "text": "x", "email": { "attachments": [file] } })
    };
    vec![
        case(
            "attachment is no base64",
            content(file("content_base64", json!("%%"))),
            CONTENT,
            &["/content/email/attachments/0/content_base64"],
        ),
        case(
            "attachment type",
            content(file("content_type", json!("text"))),
            CONTENT,
            &["/content/email/attachments/0/content_type"],
        ),
        case(
            "attachment name",
            content(file("filename", json!("a\nb"))),
            CONTENT,
            &["/content/email/attachments/0/filename"],
        ),
        case(
            "attachment in a folder above",
            content(file("filename", json!("../../etc/passwd"))),
            CONTENT,
            &["/content/email/attachments/0/filename"],
        ),
        case(
            "attachment in a folder of Windows",
            content(file("filename", json!("a\\b.txt"))),
            CONTENT,
            &["/content/email/attachments/0/filename"],
        ),
        case(
            "attachment named for a folder",
            content(file("filename", json!(".."))),
            CONTENT,
            &["/content/email/attachments/0/filename"],
        ),
        case(
            "attachment without name",
            content(file("filename", Value::Null)),
            SCHEMA,
            &["/content/email/attachments/0/filename"],
        ),
    ]
}
