//! Content as tenants write it.

use std::collections::BTreeMap;

use hermes_domain::content::{Attachment, Content, EmailBody, Push, Sms, Whatsapp};
use serde_json::Value;

use crate::schema::{Faults, Object, any_object, list, map, object, text, web_url};

/// Longest text or HTML, in characters; the body limit is usually met first.
const TEXT_CHARS_MAX: usize = 200_000;
/// Longest subject, in characters (RFC 5322: a line has at most 998).
const SUBJECT_CHARS_MAX: usize = 998;
const ATTACHMENTS_MAX: usize = 20;
const BLOCKS: [&str; 6] = ["text", "subject", "sms", "email", "push", "whatsapp"];

/// Reads `content`.
pub(super) fn content(value: Value, faults: &mut Faults) -> Option<Content> {
    object(|object, faults| {
        if !BLOCKS.iter().any(|block| object.names(block)) {
            faults.note::<()>("required", "expected a text or a block for a channel");
        }
        Some(Content {
            text: object.optional("text", faults, text(1..=TEXT_CHARS_MAX)),
            subject: object.optional("subject", faults, text(1..=SUBJECT_CHARS_MAX)),
            sms: object.optional("sms", faults, crate::schema::object(sms)),
            email: object.optional("email", faults, crate::schema::object(email)),
            push: object.optional("push", faults, crate::schema::object(push)),
            whatsapp: object.optional("whatsapp", faults, crate::schema::object(whatsapp)),
        })
    })(value, faults)
}

fn sms(object: &mut Object, faults: &mut Faults) -> Option<Sms> {
    Some(Sms {
        text: object.optional("text", faults, text(1..=TEXT_CHARS_MAX)),
        media_urls: object.optional("media_urls", faults, list(0..=10, web_url(false))).unwrap_or_default(),
    })
}

fn email(object: &mut Object, faults: &mut Faults) -> Option<EmailBody> {
    Some(EmailBody {
        subject: object.optional("subject", faults, text(1..=SUBJECT_CHARS_MAX)),
        text: object.optional("text", faults, text(1..=TEXT_CHARS_MAX)),
        html: object.optional("html", faults, text(1..=TEXT_CHARS_MAX)),
        reply_to: object.optional("reply_to", faults, text(1..=320)),
        list_unsubscribe: object.optional("list_unsubscribe", faults, web_url(false)),
        attachments: object
            .optional("attachments", faults, list(0..=ATTACHMENTS_MAX, attachment))
            .unwrap_or_default(),
    })
}

fn attachment(value: Value, faults: &mut Faults) -> Option<Attachment> {
    object(|object, faults| {
        let filename = object.required("filename", faults, text(1..=255));
        let content_type = object.required("content_type", faults, text(1..=255));
        let content_base64 =
            object.required("content_base64", faults, text(0..=crate::body::ATTACHMENTS_MAX));
        let content_id = object.optional("content_id", faults, text(1..=255));
        let (filename, content_type) = (filename?, content_type?);
        Some(Attachment { filename, content_type, content_base64: content_base64?, content_id })
    })(value, faults)
}

fn push(object: &mut Object, faults: &mut Faults) -> Option<Push> {
    let data: Option<BTreeMap<String, String>> =
        object.optional("data", faults, map(100, 100, text(0..=4_096)));
    Some(Push {
        title: object.optional("title", faults, text(1..=1_000)),
        body: object.optional("body", faults, text(1..=4_000)),
        data: data.unwrap_or_default(),
        android: object.optional("android", faults, any_object).unwrap_or_default(),
        apns: object.optional("apns", faults, any_object).unwrap_or_default(),
        webpush: object.optional("webpush", faults, any_object).unwrap_or_default(),
    })
}

fn whatsapp(object: &mut Object, faults: &mut Faults) -> Option<Whatsapp> {
    Some(Whatsapp {
        text: object.optional("text", faults, text(1..=4_096)),
        media: object.optional("media", faults, any_object).map(Value::Object),
        template: object.optional("template", faults, any_object).map(Value::Object),
        fallback_template: object.optional("fallback_template", faults, any_object).map(Value::Object),
    })
}
