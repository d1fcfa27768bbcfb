//! A tenant's policy, as operators write it. It is shown as it is stored.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
};

use hermes_domain::{
    address::Channel,
    policy::{
        DayMinute, InvalidDayMinute, MessageRate, Periods, QuietAction, QuietHours, Retention, TenantPolicy,
    },
    timezone,
};
use serde_json::{Value, json};

use crate::{
    messages::{LANES, cascade::CHANNELS},
    schema::{Faults, Object, boolean, choice, country, integer, list, money, object, text, token},
};

/// Most countries, hosts or rates of a policy.
const ENTRIES_MAX: usize = 300;
/// Longest window for equal content (7 days), in seconds.
const DUPLICATE_WINDOW_S_MAX: u32 = 604_800;
/// Longest retention (100 years), in days.
const DAYS_MAX: u32 = 36_500;
/// Receipts are taken for so long after acceptance, in days.
const MESSAGES_DAYS_MIN: u32 = 35;
/// Longest period of a rate (one day), in seconds.
const PERIOD_S_MAX: u32 = 86_400;
const ACTIONS: &[(&str, QuietAction)] = &[("hold", QuietAction::Hold), ("refuse", QuietAction::Refuse)];

/// Reads a policy. What it does not name is allowed. A list of what is allowed cannot be empty: whoever means none would
/// get all.
pub(super) fn policy(value: Value, faults: &mut Faults) -> Option<TenantPolicy> {
    object(|fields, faults| {
        let channels = fields.optional("channels", faults, list(1..=4, choice(CHANNELS)));
        let countries = fields.optional("countries", faults, list(1..=ENTRIES_MAX, country));
        let forbidden_hosts = fields.optional("forbidden_hosts", faults, list(0..=ENTRIES_MAX, host));
        let refuse_shorteners = fields.optional("refuse_shorteners", faults, boolean);
        let quiet_hours = fields.optional("quiet_hours", faults, object(quiet_hours));
        let consent_days_max = fields.optional("consent_days_max", faults, integer(1..=36_500));
        let duplicate_window_s =
            fields.optional("duplicate_window_s", faults, integer(1..=DUPLICATE_WINDOW_S_MAX));
        let messages_per_month = fields.optional("messages_per_month", faults, integer(1..=u32::MAX));
        let spend_per_month = fields.optional(
            "spend_per_month",
            faults,
            object(|fields, faults| money("amount", fields, faults)),
        );
        let require_verified_senders = fields.optional("require_verified_senders", faults, boolean);
        let unregistered =
            fields.optional("unregistered_sender_countries", faults, list(0..=ENTRIES_MAX, country));
        let rates = fields.optional("rates", faults, list(0..=20, rate));
        let retention = fields.optional("retention", faults, object(retention));
        Some(TenantPolicy {
            channels: set(channels),
            countries: set(countries),
            forbidden_hosts: set(forbidden_hosts),
            refuse_shorteners: refuse_shorteners.unwrap_or_default(),
            quiet_hours,
            consent_days_max,
            duplicate_window_s,
            messages_per_month: messages_per_month.and_then(NonZeroU32::new),
            spend_per_month,
            require_verified_senders: require_verified_senders.unwrap_or_default(),
            unregistered_sender_countries: set(unregistered),
            rates: rates.unwrap_or_default(),
            retention,
        })
    })(value, faults)
}

fn set<T: Ord>(entries: Option<Vec<T>>) -> BTreeSet<T> {
    entries.into_iter().flatten().collect()
}

fn host(value: Value, faults: &mut Faults) -> Option<String> {
    let host = token(1..=253)(value, faults)?.to_ascii_lowercase();
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    if !plain || !host.contains('.') || host.starts_with('.') || host.ends_with('.') {
        return faults.note("host", "expected a host name such as bit.ly");
    }
    Some(host)
}

fn day_minute(value: Value, faults: &mut Faults) -> Option<DayMinute> {
    let text = text(1..=5)(value, faults)?;
    text.parse().map_or_else(|error: InvalidDayMinute| faults.note("time_of_day", error.to_string()), Some)
}

fn quiet_hours(fields: &mut Object, faults: &mut Faults) -> Option<QuietHours> {
    let from = fields.required("from", faults, day_minute);
    let until = fields.required("until", faults, day_minute);
    if from.is_some() && from == until {
        // Nobody can tell whether no hour is meant or every hour.
        faults.at_key("until", |faults| faults.note::<()>("range", "expected another time than from"));
    }
    let channels = fields.optional("channels", faults, list(1..=4, choice(CHANNELS)));
    let action = fields.optional("action", faults, choice(ACTIONS));
    let timezone = fields.optional("timezone", faults, |value, faults| {
        let name = token(1..=64)(value, faults)?;
        if timezone::is_known(&name) {
            return Some(name);
        }
        faults.note("timezone", "expected a zone of the IANA database, such as Europe/Copenhagen")
    });
    Some(QuietHours {
        from: from?,
        until: until?,
        channels: set(channels),
        action: action.unwrap_or_default(),
        timezone,
    })
}

fn rate(value: Value, faults: &mut Faults) -> Option<MessageRate> {
    object(|fields, faults| {
        let channel = fields.optional("channel", faults, choice(CHANNELS));
        let lane = fields.optional("lane", faults, choice(LANES));
        let messages = fields.required("messages", faults, integer(1..=u32::MAX));
        let period_s = fields.required("period_s", faults, integer(1..=PERIOD_S_MAX));
        let (messages, period_s) = (NonZeroU32::new(messages?)?, NonZeroU32::new(period_s?)?);
        Some(MessageRate { channel, lane, messages, period_s })
    })(value, faults)
}

fn retention(fields: &mut Object, faults: &mut Faults) -> Option<Retention> {
    let general = periods(fields, faults);
    let per_channel = fields.optional("per_channel", faults, object(per_channel));
    Some(Retention { periods: general?, per_channel: per_channel.unwrap_or_default() })
}

fn per_channel(fields: &mut Object, faults: &mut Faults) -> Option<BTreeMap<Channel, Periods>> {
    let mut all = BTreeMap::new();
    for channel in Channel::ALL {
        let own = fields.optional(channel.as_str(), faults, object(periods));
        all.extend(own.map(|own| (channel, own)));
    }
    Some(all)
}

fn periods(fields: &mut Object, faults: &mut Faults) -> Option<Periods> {
    let content_days = fields.optional("content_days", faults, integer(1..=DAYS_MAX));
    let messages_days = fields.optional("messages_days", faults, integer(MESSAGES_DAYS_MIN..=DAYS_MAX));
    Some(Periods { content_days, messages_days })
}

fn retention_schema() -> Value {
    let periods = json!({
        "content_days": { "type": ["integer", "null"], "minimum": 1, "maximum": DAYS_MAX,
            "description": "Recipient, content, metadata and warnings go so many days after acceptance." },
        "messages_days": { "type": ["integer", "null"], "minimum": MESSAGES_DAYS_MIN, "maximum": DAYS_MAX,
            "description": "The whole message goes so many days after acceptance; receipts may come until then." },
    });
    let of_channel =
        json!({ "type": ["object", "null"], "additionalProperties": false, "properties": periods });
    let mut properties = periods;
    properties["per_channel"] = json!({ "type": ["object", "null"], "additionalProperties": false,
        "description": "Instead of the former, for messages with a step on the channel; the shortest counts.",
        "properties": Channel::ALL.map(|channel| (channel.as_str().to_owned(), of_channel.clone()))
            .into_iter().collect::<serde_json::Map<_, _>>() });
    json!({ "type": ["object", "null"], "additionalProperties": false, "properties": properties,
        "description": "How long messages are kept; what it does not name is kept for ever." })
}

/// What the OpenAPI document says about a policy.
pub(crate) fn policy_schema() -> Value {
    let channels = json!({ "type": ["array", "null"], "minItems": 1, "maxItems": 4,
        "items": { "enum": ["sms", "email", "push", "whatsapp"] } });
    let object = |properties: Value, required: Value| json!({ "type": ["object", "null"], "additionalProperties": false, "properties": properties, "required": required });
    let time = json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" });
    let quiet_hours = object(
        json!({
            "from": time, "until": time, "channels": channels,
            "action": { "enum": ["hold", "refuse", null], "default": "hold" },
            "timezone": { "type": ["string", "null"], "maxLength": 64, "description": "For recipients whose zone and country are unknown; UTC if absent." },
        }),
        json!(["from", "until"]),
    );
    let rate = json!({
        "type": "object", "additionalProperties": false, "required": ["messages", "period_s"],
        "properties": {
            "channel": { "enum": ["sms", "email", "push", "whatsapp", null], "description": "Of messages whose first usable step is on it." },
            "lane": { "enum": ["otp", "transactional", "bulk", null] },
            "messages": { "type": "integer", "minimum": 1, "maximum": u32::MAX },
            "period_s": { "type": "integer", "minimum": 1, "maximum": PERIOD_S_MAX },
        },
    });
    let mut schema = object(
        json!({
            "channels": channels,
            "countries": { "type": ["array", "null"], "minItems": 1, "maxItems": ENTRIES_MAX, "items": { "type": "string", "pattern": "^[A-Z]{2}$" },
                "description": "Countries whose numbers may be written to; absent: all." },
            "forbidden_hosts": { "type": ["array", "null"], "maxItems": ENTRIES_MAX,
                "items": { "type": "string", "minLength": 1, "maxLength": 253, "pattern": "^[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$" } },
            "refuse_shorteners": { "type": ["boolean", "null"] },
            "quiet_hours": quiet_hours,
            "consent_days_max": { "type": ["integer", "null"], "minimum": 1, "maximum": 36_500 },
            "duplicate_window_s": { "type": ["integer", "null"], "minimum": 1, "maximum": DUPLICATE_WINDOW_S_MAX },
            "messages_per_month": { "type": ["integer", "null"], "minimum": 1, "maximum": u32::MAX },
            "spend_per_month": object(
                json!({
                    "amount": { "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,6})?$" },
                    "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
                }),
                json!(["amount", "currency"]),
            ),
            "require_verified_senders": { "type": ["boolean", "null"], "default": false,
                "description": "A sender that a message names must be registered and verified." },
            "unregistered_sender_countries": { "type": ["array", "null"], "maxItems": ENTRIES_MAX,
                "items": { "type": "string", "pattern": "^[A-Z]{2}$" },
                "description": "Where SMS senders need no registration: there the tenant's senders are verified at once." },
            "rates": { "type": ["array", "null"], "maxItems": 20, "items": rate },
            "retention": retention_schema(),
        }),
        json!([]),
    );
    schema["description"] = json!(
        "What the tenant may send, where to, when, and how much of it. What it does not name is allowed. A tenant that may send nothing is suspended instead."
    );
    schema
}
