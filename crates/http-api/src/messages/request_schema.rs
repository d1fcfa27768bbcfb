//! What the OpenAPI document says about the body of a send. Tests hold it against what is accepted.

use serde_json::{Value, json};

use super::cascade::{NAME_CHARS_MAX, TIMEOUT_S_MAX};
use crate::{
    operation::reference,
    schema::{LOCALE_PATTERN, SMS_SENDER_PATTERN},
    templates::use_schema,
};

fn text(max: usize) -> Value {
    json!({ "type": ["string", "null"], "minLength": 1, "maxLength": max })
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": required })
}

fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

fn word(words: &[&str]) -> Value {
    let mut all: Vec<Value> = words.iter().map(|word| json!(word)).collect();
    all.push(Value::Null);
    json!({ "enum": all })
}

fn texts(max_items: usize, chars: usize) -> Value {
    json!({ "type": ["array", "null"], "maxItems": max_items, "items": { "type": "string", "minLength": 1, "maxLength": chars } })
}

/// `SendRequest`.
pub(crate) fn send_schema() -> Value {
    let instant = json!({ "type": ["string", "null"], "format": "date-time" });
    let metadata = json!({
        "type": ["object", "null"], "maxProperties": 50,
        "additionalProperties": { "type": "string", "maxLength": 500 },
    });
    let dedupe = object(
        json!({
            "key": { "type": "string", "minLength": 1, "maxLength": 255 },
            "window_s": { "type": ["integer", "null"], "minimum": 1, "maximum": 2_592_000, "default": 3_600 },
        }),
        &["key"],
    );
    let limits = object(
        json!({
            "max_cost": { "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,6})?$", "description": "Most that the message may cost in all, by price lists and as providers tell." },
            "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
        }),
        &["max_cost", "currency"],
    );
    let consent = object(
        json!({
            "obtained_at": { "type": "string", "format": "date-time", "description": "When the recipient agreed to marketing." },
            "source": { "type": ["string", "null"], "minLength": 1, "maxLength": 200, "description": "Where, such as `sign-up form`." },
        }),
        &["obtained_at"],
    );
    let sender = object(
        json!({
            "sms": { "type": ["string", "null"], "pattern": SMS_SENDER_PATTERN,
                "description": "A name of at most 11 characters, a number in E.164, or a short code of 3 to 8 digits." },
            "email": { "type": ["string", "null"], "minLength": 3, "maxLength": 320,
                "description": "An address, or `Name <address>`." },
            "push": text(320), "whatsapp": text(320),
        }),
        &[],
    );
    let mut schema = object(
        json!({
            "to": recipient(),
            "content": nullable(content()),
            "template": use_schema(),
            "cascade": { "oneOf": [reference("Cascade"), { "type": "string", "pattern": "^csc_" }, stored_cascade(), { "type": "null" }],
                "description": "Inline, a stored one by its id (the active version, or the one that is named), or absent: the tenant's default." },
            "sender": nullable(sender),
            "category": word(&["service", "marketing"]), "consent": nullable(consent),
            "lane": word(&["otp", "transactional", "bulk"]),
            "send_at": instant, "expires_at": instant,
            "dedupe": nullable(dedupe), "limits": nullable(limits),
            "tags": texts(10, 128), "metadata": metadata,
        }),
        &["to"],
    );
    // One of the two, as a null counts as missing.
    let text = |name: &str| json!({ "required": [name], "properties": { name: { "type": "object" } } });
    schema["oneOf"] = json!([text("content"), text("template")]);
    schema
}

fn stored_cascade() -> Value {
    let properties = json!({
        "id": { "type": "string", "pattern": "^csc_" },
        "version": { "type": ["integer", "null"], "minimum": 1, "maximum": u32::MAX },
    });
    object(properties, &["id"])
}

fn recipient() -> Value {
    let token = object(
        json!({
            "token": { "type": "string", "minLength": 1, "maxLength": 4_096, "pattern": "^[!-~]+$" },
            "platform": word(&["android", "ios", "web"]),
        }),
        &["token"],
    );
    let phone = json!({ "type": ["string", "null"], "minLength": 1, "maxLength": 64, "description": "E.164, such as +4520123456." });
    object(
        json!({
            "phone": phone, "email": text(320), "whatsapp": phone,
            "push": { "type": ["array", "null"], "maxItems": 50, "items": token, "description": "Tried in order." },
            "locale": { "type": ["string", "null"], "minLength": 2, "maxLength": 35, "pattern": LOCALE_PATTERN,
                "description": "A language tag such as `da-DK`; `da_DK` is the same." },
            "timezone": text(64),
        }),
        &[],
    )
}

fn content() -> Value {
    let url = json!({ "type": "string", "format": "uri", "pattern": "^https://", "maxLength": 2_048 });
    let attachment = object(
        json!({
            "filename": { "type": "string", "minLength": 1, "maxLength": 255,
                "description": "Without folders and control characters." },
            "content_type": { "type": "string", "minLength": 1, "maxLength": 255 },
            "content_base64": { "type": "string" },
            "content_id": text(255),
        }),
        &["filename", "content_type", "content_base64"],
    );
    let sms = object(
        json!({
            "text": text(200_000), "media_urls": { "type": ["array", "null"], "maxItems": 10, "items": url },
        }),
        &[],
    );
    let email = object(
        json!({
            "subject": text(998), "text": text(200_000), "html": text(200_000), "reply_to": text(320),
            "list_unsubscribe": { "type": ["string", "null"], "pattern": "^https://", "maxLength": 2_048 },
            "attachments": { "type": ["array", "null"], "maxItems": 20, "items": attachment },
        }),
        &[],
    );
    let any = json!({ "type": ["object", "null"] });
    let data = json!({
        "type": ["object", "null"], "maxProperties": 100,
        "additionalProperties": { "type": "string", "maxLength": 4_096 },
    });
    let push = object(
        json!({
            "title": text(1_000), "body": text(4_000), "data": data, "android": any, "apns": any, "webpush": any,
        }),
        &[],
    );
    let whatsapp = object(
        json!({
            "text": text(4_096), "media": any, "template": any, "fallback_template": any,
        }),
        &[],
    );
    let mut content = object(
        json!({
            "text": text(200_000), "subject": text(998), "sms": nullable(sms), "email": nullable(email),
            "push": nullable(push), "whatsapp": nullable(whatsapp),
        }),
        &[],
    );
    content["minProperties"] = json!(1);
    content
}

/// `Cascade`.
pub(crate) fn cascade_schema() -> Value {
    let step = object(
        json!({
            "channel": { "enum": ["sms", "email", "push", "whatsapp"] },
            "providers": { "type": ["array", "null"], "minItems": 1, "maxItems": 20,
                "items": { "type": "string", "minLength": 1, "maxLength": NAME_CHARS_MAX } },
            "success_on": word(&["accepted", "sent", "delivered", "read", "acknowledged"]),
            "timeout_s": { "type": ["integer", "null"], "minimum": 1, "maximum": TIMEOUT_S_MAX },
        }),
        &["channel"],
    );
    let policies = ["wait", "resend", "next_provider", "next_channel"];
    object(
        json!({
            "steps": { "type": "array", "minItems": 1, "maxItems": 10, "items": step, "description": "Tried in order, one at a time." },
            "on_late_receipt": word(&["stop_remaining", "record"]),
            "on_unknown_outcome": word(&policies),
            "on_server_error": word(&policies),
        }),
        &["steps"],
    )
}
