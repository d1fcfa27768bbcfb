//! The body of a send request, read with every fault.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hermes_domain::{
    UnixMillis,
    address::{Channel, Email, Phone, PushToken, Recipient},
    content::{Attachment, Content, EmailBody, Push, Sms, Whatsapp},
    message::Lane,
    outcome::Level,
    plan::{OnLateReceipt, OnServerError, OnUnknownOutcome, STEPS_MAX},
};
use serde_json::{Map, Value};

use crate::{check::Check, problem::Problem};

/// Longest text of a message, in characters.
const TEXT_MAX: usize = 100_000;
/// Longest `timeout_s`: three days.
const TIMEOUT_S_MAX: u32 = 259_200;

/// A step as the tenant wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepSpec {
    pub(crate) channel: Channel,
    pub(crate) providers: Vec<String>,
    pub(crate) success_on: Option<Level>,
    pub(crate) timeout_s: Option<u32>,
}

/// A cascade as the tenant wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CascadeSpec {
    pub(crate) steps: Vec<StepSpec>,
    pub(crate) on_late_receipt: OnLateReceipt,
    pub(crate) on_unknown_outcome: OnUnknownOutcome,
    pub(crate) on_server_error: OnServerError,
}

/// Where a message's cascade comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CascadeChoice {
    /// In the request.
    Inline(CascadeSpec),
    /// Stored, by id.
    Stored(String),
    /// The tenant's default.
    Default,
}

/// A send request.
#[derive(Debug)]
pub(crate) struct SendRequest {
    pub(crate) to: Recipient,
    pub(crate) content: Content,
    pub(crate) cascade: CascadeChoice,
    pub(crate) sender: BTreeMap<Channel, String>,
    pub(crate) lane: Lane,
    pub(crate) send_at: Option<UnixMillis>,
    pub(crate) expires_at: Option<UnixMillis>,
    pub(crate) tags: Vec<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Reads a send request.
pub(crate) fn send_request(body: &Value) -> Result<SendRequest, Problem> {
    let mut check = Check::default();
    let request = read(&mut check, body);
    check.finish()?;
    request.ok_or_else(|| Problem::schema(Vec::new()))
}

const FIELDS: [&str; 9] =
    ["to", "content", "cascade", "sender", "lane", "send_at", "expires_at", "tags", "metadata"];

fn read(check: &mut Check, body: &Value) -> Option<SendRequest> {
    let map = check.object(body, "", &FIELDS)?;
    let to = match map.get("to") {
        Some(value) => recipient(check, value),
        None => missing(check, "/to"),
    };
    let content = match map.get("content") {
        Some(value) => content(check, value),
        None => missing(check, "/content"),
    };
    let cascade = match map.get("cascade") {
        None | Some(Value::Null) => Some(CascadeChoice::Default),
        Some(Value::String(id)) => Some(CascadeChoice::Stored(id.clone())),
        Some(inline) => cascade(check, inline, "/cascade").map(CascadeChoice::Inline),
    };
    let sender = sender(check, map);
    let lane = check.word(map, "", "lane", "otp, transactional, bulk").unwrap_or_default();
    let (send_at, expires_at) = (instant(check, map, "send_at"), instant(check, map, "expires_at"));
    let tags = check.texts(map, "", "tags", 10, 128);
    let metadata = check.text_map(map, "", "metadata", 50, 500);
    Some(SendRequest {
        to: to?,
        content: content?,
        cascade: cascade?,
        sender,
        lane,
        send_at,
        expires_at,
        tags,
        metadata,
    })
}

fn missing<T>(check: &mut Check, pointer: &str) -> Option<T> {
    check.fault(pointer, "required", "this field is required");
    None
}

fn instant(check: &mut Check, map: &Map<String, Value>, key: &str) -> Option<UnixMillis> {
    let text = check.text(map, "", key, 64)?;
    let at = UnixMillis::parse_rfc3339(&text);
    if at.is_none() {
        check.fault(
            &format!("/{key}"),
            "format",
            "expected an RFC 3339 time such as 2026-01-02T03:04:05.678Z",
        );
    }
    at
}

fn recipient(check: &mut Check, value: &Value) -> Option<Recipient> {
    let map = check.object(value, "/to", &["phone", "email", "whatsapp", "push", "locale", "timezone"])?;
    let phone = |check: &mut Check, key: &str| {
        let text = check.text(map, "/to", key, 32)?;
        let parsed = Phone::parse(&text);
        parsed
            .map_err(|error| check.fault(&format!("/to/{key}"), "recipient_invalid", error.to_string()))
            .ok()
    };
    let (sms, whatsapp) = (phone(check, "phone"), phone(check, "whatsapp"));
    let email = check.text(map, "/to", "email", 254).and_then(|text| {
        Email::parse(&text)
            .map_err(|error| check.fault("/to/email", "recipient_invalid", error.to_string()))
            .ok()
    });
    let mut push = Vec::new();
    for (index, value) in check.list(map, "/to", "push", 20).iter().enumerate() {
        let at = format!("/to/push/{index}");
        let Some(entry) = check.object(value, &at, &["token", "platform"]) else { continue };
        let platform = check.word(entry, &at, "platform", "android, ios, web");
        match check
            .text(entry, &at, "token", 4_096)
            .filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            Some(token) => push.push(PushToken { token, platform }),
            None => check.fault(&format!("{at}/token"), "recipient_invalid", "expected a registration token"),
        }
    }
    if map.is_empty() {
        check.fault("/to", "recipient_invalid", "name at least one address");
    }
    let (locale, timezone) = (check.text(map, "/to", "locale", 35), check.text(map, "/to", "timezone", 64));
    Some(Recipient { phone: sms, email, whatsapp, push, locale, timezone })
}

fn content(check: &mut Check, value: &Value) -> Option<Content> {
    let map = check.object(value, "/content", &["text", "subject", "sms", "email", "push", "whatsapp"])?;
    if map.is_empty() {
        check.fault("/content", "required", "say something: a text or a block for a channel");
    }
    let subject = line(check, map, "/content", "subject");
    Some(Content {
        text: check.text(map, "/content", "text", TEXT_MAX),
        subject,
        sms: block(map, "sms").and_then(|value| sms(check, value)),
        email: block(map, "email").and_then(|value| email(check, value)),
        push: block(map, "push").and_then(|value| push(check, value)),
        whatsapp: block(map, "whatsapp").and_then(|value| whatsapp(check, value)),
    })
}

fn block<'v>(map: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    map.get(key).filter(|value| !value.is_null())
}

/// A text that ends up in a header: one line.
fn line(check: &mut Check, map: &Map<String, Value>, pointer: &str, key: &str) -> Option<String> {
    let text = check.text(map, pointer, key, 998)?;
    if text.chars().any(char::is_control) {
        check.fault(&format!("{pointer}/{key}"), "format", "expected a single line");
        return None;
    }
    Some(text)
}

fn https(check: &mut Check, pointer: &str, url: &str) -> bool {
    let fit =
        url.starts_with("https://") && url.len() <= 2_048 && url.bytes().all(|byte| byte.is_ascii_graphic());
    if !fit {
        check.fault(pointer, "format", "expected an https URL");
    }
    fit
}

fn sms(check: &mut Check, value: &Value) -> Option<Sms> {
    let map = check.object(value, "/content/sms", &["text", "media_urls"])?;
    let text = check.text(map, "/content/sms", "text", 1_600);
    let mut media_urls = check.texts(map, "/content/sms", "media_urls", 10, 2_048);
    media_urls.retain(|url| https(check, "/content/sms/media_urls", url));
    Some(Sms { text, media_urls })
}

fn email(check: &mut Check, value: &Value) -> Option<EmailBody> {
    let at = "/content/email";
    let map = check.object(
        value,
        at,
        &["subject", "text", "html", "reply_to", "list_unsubscribe", "attachments"],
    )?;
    let reply_to = check.text(map, at, "reply_to", 254);
    if reply_to.as_deref().is_some_and(|address| Email::parse(address).is_err()) {
        check.fault("/content/email/reply_to", "format", "expected an email address");
    }
    let list_unsubscribe = check.text(map, at, "list_unsubscribe", 900);
    if let Some(url) = &list_unsubscribe {
        https(check, "/content/email/list_unsubscribe", url);
    }
    let list = check.list(map, at, "attachments", 20);
    let attachments =
        list.iter().enumerate().filter_map(|(index, value)| attachment(check, value, index)).collect();
    Some(EmailBody {
        subject: line(check, map, at, "subject"),
        text: check.text(map, at, "text", TEXT_MAX),
        html: check.text(map, at, "html", TEXT_MAX),
        reply_to,
        list_unsubscribe,
        attachments,
    })
}

fn attachment(check: &mut Check, value: &Value, index: usize) -> Option<Attachment> {
    let at = format!("/content/email/attachments/{index}");
    let map = check.object(value, &at, &["filename", "content_type", "content_base64", "content_id"])?;
    let content_base64 = check.text(map, &at, "content_base64", 10 << 20);
    if content_base64.as_ref().is_some_and(|content| STANDARD.decode(content).is_err()) {
        check.fault(&format!("{at}/content_base64"), "format", "expected standard base64");
    }
    let (filename, content_type) = (line(check, map, &at, "filename"), line(check, map, &at, "content_type"));
    if filename.is_none() || content_type.is_none() || content_base64.is_none() {
        check.fault(&at, "required", "filename, content_type and content_base64 are required");
    }
    let content_id = line(check, map, &at, "content_id");
    Some(Attachment {
        filename: filename?,
        content_type: content_type?,
        content_base64: content_base64?,
        content_id,
    })
}

fn push(check: &mut Check, value: &Value) -> Option<Push> {
    let at = "/content/push";
    let map = check.object(value, at, &["title", "body", "data", "android", "apns", "webpush"])?;
    let passed_on = |check: &mut Check, key: &str| match map.get(key) {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(object)) => object.clone(),
        Some(_) => {
            check.fault(&format!("{at}/{key}"), "type", "expected an object");
            Map::new()
        }
    };
    let (android, apns, webpush) =
        (passed_on(check, "android"), passed_on(check, "apns"), passed_on(check, "webpush"));
    let data = check.text_map(map, at, "data", 50, 4_096);
    let (title, body) = (check.text(map, at, "title", 1_024), check.text(map, at, "body", 4_096));
    Some(Push { title, body, data, android, apns, webpush })
}

fn whatsapp(check: &mut Check, value: &Value) -> Option<Whatsapp> {
    let at = "/content/whatsapp";
    let map = check.object(value, at, &["text", "media", "template", "fallback_template"])?;
    let object = |key: &str| block(map, key).filter(|value| value.is_object()).cloned();
    let text = check.text(map, at, "text", 4_096);
    Some(Whatsapp {
        text,
        media: object("media"),
        template: object("template"),
        fallback_template: object("fallback_template"),
    })
}

fn sender(check: &mut Check, map: &Map<String, Value>) -> BTreeMap<Channel, String> {
    let Some(value) = block(map, "sender") else { return BTreeMap::new() };
    let Some(senders) = check.object(value, "/sender", &["sms", "email", "whatsapp"]) else {
        return BTreeMap::new();
    };
    let channels = [Channel::Sms, Channel::Email, Channel::Whatsapp];
    channels
        .into_iter()
        .filter_map(|channel| Some((channel, line(check, senders, "/sender", channel.as_str())?)))
        .collect()
}

/// Reads a cascade at `pointer`.
pub(crate) fn cascade(check: &mut Check, value: &Value, pointer: &str) -> Option<CascadeSpec> {
    let map = check.object(
        value,
        pointer,
        &["steps", "on_late_receipt", "on_unknown_outcome", "on_server_error"],
    )?;
    let list = check.list(map, pointer, "steps", STEPS_MAX);
    if list.is_empty() {
        check.fault(&format!("{pointer}/steps"), "required", "a cascade has 1 to 10 steps");
    }
    let steps = list
        .iter()
        .enumerate()
        .filter_map(|(index, value)| step(check, value, &format!("{pointer}/steps/{index}")))
        .collect();
    let unknown = "wait, resend, next_provider, next_channel";
    Some(CascadeSpec {
        steps,
        on_late_receipt: check
            .word(map, pointer, "on_late_receipt", "stop_remaining, record")
            .unwrap_or_default(),
        on_unknown_outcome: check.word(map, pointer, "on_unknown_outcome", unknown).unwrap_or_default(),
        on_server_error: check.word(map, pointer, "on_server_error", unknown).unwrap_or_default(),
    })
}

fn step(check: &mut Check, value: &Value, pointer: &str) -> Option<StepSpec> {
    let map = check.object(value, pointer, &["channel", "providers", "success_on", "timeout_s"])?;
    let channel = check.word(map, pointer, "channel", "sms, email, push, whatsapp");
    if !map.contains_key("channel") {
        check.fault(&format!("{pointer}/channel"), "required", "this field is required");
    }
    let providers = check.texts(map, pointer, "providers", 10, 64);
    let success_on = check.word(map, pointer, "success_on", "accepted, sent, delivered, read, acknowledged");
    let timeout_s = check.number(map, pointer, "timeout_s", (1, TIMEOUT_S_MAX));
    Some(StepSpec { channel: channel?, providers, success_on, timeout_s })
}
