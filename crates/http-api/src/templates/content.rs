//! The content of one language: its texts are templates, so what they will say is looked at later.

use hermes_domain::content::{Content, EmailBody, Push, Sms, Whatsapp};
use serde_json::Value;

use crate::schema::{Faults, Object, any_object, map, object, text};

/// Longest text of a template, in characters.
pub(super) const SOURCE_CHARS_MAX: usize = 100_000;
/// Longest subject of a template, in characters.
pub(super) const LINE_CHARS_MAX: usize = 2_000;
/// Most entries of `push.data`.
pub(super) const DATA_MAX: usize = 50;
const BLOCKS: [&str; 6] = ["text", "subject", "sms", "email", "push", "whatsapp"];

/// Reads the content of one language.
pub(super) fn content(value: Value, faults: &mut Faults) -> Option<Content> {
    object(|fields, faults| {
        if !BLOCKS.iter().any(|block| fields.names(block)) {
            faults.note::<()>("required", "expected a text or a block for a channel");
        }
        Some(Content {
            text: source(fields, "text", faults),
            subject: line(fields, "subject", faults),
            sms: fields.optional("sms", faults, object(sms)),
            email: fields.optional("email", faults, object(email)),
            push: fields.optional("push", faults, object(push)),
            whatsapp: fields.optional("whatsapp", faults, object(whatsapp)),
        })
    })(value, faults)
}

fn source(fields: &mut Object, name: &'static str, faults: &mut Faults) -> Option<String> {
    fields.optional(name, faults, text(1..=SOURCE_CHARS_MAX))
}

fn line(fields: &mut Object, name: &'static str, faults: &mut Faults) -> Option<String> {
    fields.optional(name, faults, text(1..=LINE_CHARS_MAX))
}

fn sms(fields: &mut Object, faults: &mut Faults) -> Option<Sms> {
    Some(Sms { text: source(fields, "text", faults), media_urls: Vec::new() })
}

fn email(fields: &mut Object, faults: &mut Faults) -> Option<EmailBody> {
    Some(EmailBody {
        subject: line(fields, "subject", faults),
        text: source(fields, "text", faults),
        html: source(fields, "html", faults),
        reply_to: line(fields, "reply_to", faults),
        list_unsubscribe: line(fields, "list_unsubscribe", faults),
        attachments: Vec::new(),
    })
}

fn push(fields: &mut Object, faults: &mut Faults) -> Option<Push> {
    Some(Push {
        title: line(fields, "title", faults),
        body: source(fields, "body", faults),
        data: fields
            .optional("data", faults, map(DATA_MAX, 100, text(0..=LINE_CHARS_MAX)))
            .unwrap_or_default(),
        ..Push::default()
    })
}

fn whatsapp(fields: &mut Object, faults: &mut Faults) -> Option<Whatsapp> {
    Some(Whatsapp {
        text: source(fields, "text", faults),
        template: fields.optional("template", faults, any_object).map(Value::Object),
        ..Whatsapp::default()
    })
}
