//! A send request: its shape. What its addresses and contents are worth, later layers say.

use std::collections::BTreeMap;

use hermes_domain::{
    CascadeTemplateId, UnixMillis,
    address::{Channel, Platform, PushToken},
    message::Lane,
    money::Money,
};
use serde_json::Value;

use super::{
    cascade,
    cascade::CascadeSpec,
    template::{self, ContentChoice},
};
use crate::schema::{
    Faults, Object, choice, id, instant, integer, line, list, locale, mail_sender, map, money, object,
    sms_sender, text, token,
};

/// How far ahead `send_at` may lie, and how long after it a message may live, in milliseconds (90 days).
pub(crate) const AHEAD_MS_MAX: u64 = 90 * 24 * 3_600_000;
/// Default of `dedupe.window_s`.
const DEDUPE_S: u32 = 3_600;
/// Longest `dedupe.window_s` (30 days).
const DEDUPE_S_MAX: u32 = 2_592_000;

pub(crate) const LANES: &[(&str, Lane)] =
    &[("otp", Lane::Otp), ("transactional", Lane::Transactional), ("bulk", Lane::Bulk)];
const CATEGORIES: &[(&str, Category)] = &[("service", Category::Service), ("marketing", Category::Marketing)];
const PLATFORMS: &[(&str, Platform)] =
    &[("android", Platform::Android), ("ios", Platform::Ios), ("web", Platform::Web)];

/// A request to send.
pub(crate) struct SendRequest {
    pub(crate) to: RawRecipient,
    pub(crate) content: ContentChoice,
    pub(crate) cascade: CascadeChoice,
    pub(crate) sender: BTreeMap<Channel, String>,
    pub(crate) lane: Lane,
    pub(crate) category: Option<Category>,
    pub(crate) consent: Option<Consent>,
    pub(crate) send_at: Option<UnixMillis>,
    pub(crate) expires_at: Option<UnixMillis>,
    pub(crate) dedupe: Option<Dedupe>,
    pub(crate) max_cost: Option<Money>,
    pub(crate) tags: Vec<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Addresses as texts. No `Debug`: they are addresses.
#[derive(Default)]
pub(crate) struct RawRecipient {
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) whatsapp: Option<String>,
    pub(crate) push: Vec<PushToken>,
    pub(crate) locale: Option<String>,
    pub(crate) timezone: Option<String>,
}

/// Which cascade to run.
pub(crate) enum CascadeChoice {
    /// The tenant's own.
    Default,
    /// A stored one, in this version or the one that is active.
    Stored(CascadeTemplateId, Option<u32>),
    /// This one.
    Inline(CascadeSpec),
}

/// What the law sees in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    /// The recipient waits for it, or it is about something that the recipient did.
    Service,
    /// It advertises: it needs consent and a way to end it.
    Marketing,
}

/// When and where the recipient agreed to marketing.
#[derive(Debug)]
pub(crate) struct Consent {
    pub(crate) obtained_at: UnixMillis,
}

/// The same key within the window is the same message.
pub(crate) struct Dedupe {
    pub(crate) key: String,
    pub(crate) window_s: u32,
}

/// Reads a send request that arrived at `now`.
pub(crate) fn send_request(now: UnixMillis) -> impl FnOnce(&mut Object, &mut Faults) -> Option<SendRequest> {
    move |fields, faults| {
        let to = fields.required("to", faults, object(recipient));
        let content = template::content_choice(fields, faults);
        let cascade = fields.optional("cascade", faults, cascade_choice);
        let sender = fields.optional("sender", faults, object(sender)).unwrap_or_default();
        let lane = fields.optional("lane", faults, choice(LANES)).unwrap_or_default();
        let category = fields.optional("category", faults, choice(CATEGORIES));
        let consent = fields.optional("consent", faults, object(consent(now)));
        let send_at = fields.optional("send_at", faults, send_at(now));
        let start = send_at.unwrap_or(now).max(now);
        let expires_at = fields.optional("expires_at", faults, expires_at(start));
        let dedupe = fields.optional("dedupe", faults, object(dedupe));
        let max_cost = fields.optional("limits", faults, object(limits));
        let tags = fields.optional("tags", faults, list(0..=10, text(1..=128))).unwrap_or_default();
        let metadata = fields.optional("metadata", faults, map(50, 128, text(0..=500))).unwrap_or_default();
        Some(SendRequest {
            to: to?,
            content: content?,
            cascade: cascade.unwrap_or(CascadeChoice::Default),
            sender,
            lane,
            category,
            consent,
            send_at,
            expires_at,
            dedupe,
            max_cost,
            tags,
            metadata,
        })
    }
}

fn recipient(fields: &mut Object, faults: &mut Faults) -> Option<RawRecipient> {
    Some(RawRecipient {
        phone: fields.optional("phone", faults, text(1..=64)),
        email: fields.optional("email", faults, text(1..=320)),
        whatsapp: fields.optional("whatsapp", faults, text(1..=64)),
        push: fields.optional("push", faults, list(0..=50, push_token)).unwrap_or_default(),
        locale: fields.optional("locale", faults, locale),
        timezone: fields.optional("timezone", faults, token(1..=64)),
    })
}

fn push_token(value: Value, faults: &mut Faults) -> Option<PushToken> {
    object(|fields, faults| {
        let token = fields.required("token", faults, token(1..=4_096));
        let platform = fields.optional("platform", faults, choice(PLATFORMS));
        Some(PushToken { token: token?, platform })
    })(value, faults)
}

fn cascade_choice(value: Value, faults: &mut Faults) -> Option<CascadeChoice> {
    if value.is_string() {
        return id(value, faults).map(|id| CascadeChoice::Stored(id, None));
    }
    if value.get("id").is_some() {
        return object(stored_cascade)(value, faults);
    }
    cascade::cascade(value, faults).map(CascadeChoice::Inline)
}

fn stored_cascade(fields: &mut Object, faults: &mut Faults) -> Option<CascadeChoice> {
    let id = fields.required("id", faults, id);
    let version = fields.optional("version", faults, integer(1..=u32::MAX));
    Some(CascadeChoice::Stored(id?, version))
}

fn sender(fields: &mut Object, faults: &mut Faults) -> Option<BTreeMap<Channel, String>> {
    let mut senders = BTreeMap::new();
    for (name, channel) in cascade::CHANNELS {
        let sender = match channel {
            Channel::Sms => fields.optional(name, faults, sms_sender),
            Channel::Email => fields.optional(name, faults, mail_sender),
            Channel::Push | Channel::Whatsapp => fields.optional(name, faults, line(1..=320)),
        };
        senders.extend(sender.map(|sender| (*channel, sender)));
    }
    Some(senders)
}

fn send_at(now: UnixMillis) -> impl FnOnce(Value, &mut Faults) -> Option<UnixMillis> {
    move |value, faults| {
        let at = instant(value, faults)?;
        if at.since(now) > AHEAD_MS_MAX {
            return faults.note("range", "expected at most 90 days from now");
        }
        Some(at)
    }
}

fn expires_at(start: UnixMillis) -> impl FnOnce(Value, &mut Faults) -> Option<UnixMillis> {
    move |value, faults| {
        let at = instant(value, faults)?;
        if at <= start {
            return faults.note("range", "expected an instant in the future and after send_at");
        }
        if at.since(start) > AHEAD_MS_MAX {
            return faults.note("range", "expected at most 90 days after the message starts");
        }
        Some(at)
    }
}

fn consent(now: UnixMillis) -> impl FnOnce(&mut Object, &mut Faults) -> Option<Consent> {
    move |fields, faults| {
        let obtained_at = fields.required("obtained_at", faults, |value, faults| {
            let at = instant(value, faults)?;
            if at > now { faults.note("range", "expected an instant in the past") } else { Some(at) }
        });
        // For the tenant's own records: it stays with the request and its idempotency key.
        fields.optional("source", faults, text(1..=200));
        Some(Consent { obtained_at: obtained_at? })
    }
}

fn dedupe(fields: &mut Object, faults: &mut Faults) -> Option<Dedupe> {
    let key = fields.required("key", faults, text(1..=255));
    let window_s = fields.optional("window_s", faults, integer(1..=DEDUPE_S_MAX)).unwrap_or(DEDUPE_S);
    Some(Dedupe { key: key?, window_s })
}

/// `limits.max_cost` bounds what the message may cost in all.
fn limits(fields: &mut Object, faults: &mut Faults) -> Option<Money> {
    money("max_cost", fields, faults)
}
