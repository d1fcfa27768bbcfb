//! The `message` object.

use hermes_adapter_sdk::{
    contract::{ErrorClass, Outcome, PushContent, SendCall},
    refused_with, sanitized,
};
use serde_json::{Map, Value, json};

/// Four weeks, the longest FCM keeps a message.
const TTL_S_MAX: u32 = 2_419_200;

/// Longest label for Google's statistics.
const LABEL_CHARS_MAX: usize = 50;

/// The message, with what the tenant wrote for a platform taking precedence over our defaults.
pub(crate) fn build(call: &SendCall, token: &str, content: &PushContent) -> Result<Value, Outcome> {
    let mut message = Map::new();
    message.insert("token".to_owned(), token.into());
    if let Some(notification) = notification(content) {
        message.insert("notification".to_owned(), notification);
    }
    message.insert("data".to_owned(), data(call, content)?);
    if let Some(tag) = call.tags.iter().find(|tag| !tag.is_empty()) {
        let label = sanitized(tag, LABEL_CHARS_MAX);
        message.insert("fcm_options".to_owned(), json!({ "analytics_label": label }));
    }
    let silent = !message.contains_key("notification");
    for (name, defaults, own) in [
        ("android", android(call, silent), &content.android),
        ("apns", apns(call, silent), &content.apns),
        ("webpush", webpush(call), &content.webpush),
    ] {
        message.insert(name.to_owned(), merged(defaults, own.as_deref())?);
    }
    Ok(Value::Object(message))
}

fn notification(content: &PushContent) -> Option<Value> {
    let pairs = [("title", &content.title), ("body", &content.body)];
    let given = pairs.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?.into())));
    let notification: Map<String, Value> = given.collect();
    (!notification.is_empty()).then_some(Value::Object(notification))
}

/// The tenant's data with our reference, so that an app can acknowledge the message.
fn data(call: &SendCall, content: &PushContent) -> Result<Value, Outcome> {
    let reserved = |name: &str| {
        matches!(name, "from" | "message_type" | "hermes_ref" | "ack_url")
            || name.starts_with("google.")
            || name.starts_with("gcm.notification.")
    };
    if content.data.iter().any(|(name, _)| reserved(name)) {
        return Err(refused_with(ErrorClass::ContentRejected, "a data key is reserved"));
    }
    let own = content.data.iter().map(|(name, text)| (name.clone(), Value::from(text.clone())));
    let mut data: Map<String, Value> = own.collect();
    data.insert("hermes_ref".to_owned(), call.reference.clone().into());
    if let Some(url) = &call.ack_url {
        data.insert("ack_url".to_owned(), url.clone().into());
    }
    Ok(Value::Object(data))
}

/// One notification per message: a repeated submission replaces the first on the device. A tag does
/// that without using up one of the four collapse keys an app may have pending.
fn message_id(call: &SendCall) -> &str {
    call.reference.split('.').next().unwrap_or_default()
}

fn android(call: &SendCall, silent: bool) -> Value {
    let ttl = format!("{}s", call.valid_for_s.min(TTL_S_MAX));
    if silent {
        json!({ "ttl": ttl })
    } else {
        json!({ "ttl": ttl, "notification": { "tag": message_id(call) } })
    }
}

fn apns(call: &SendCall, silent: bool) -> Value {
    let mut headers = json!({
        "apns-expiration": (call.expires_at_ms / 1_000).to_string(),
        "apns-collapse-id": message_id(call),
    });
    if let (true, Some(headers)) = (silent, headers.as_object_mut()) {
        headers.insert("apns-priority".to_owned(), "5".into());
    }
    json!({ "headers": headers })
}

fn webpush(call: &SendCall) -> Value {
    json!({ "headers": { "TTL": call.valid_for_s.min(TTL_S_MAX).to_string(), "Topic": message_id(call) } })
}

fn merged(defaults: Value, own: Option<&str>) -> Result<Value, Outcome> {
    let Some(own) = own else { return Ok(defaults) };
    let own = serde_json::from_str(own);
    let own = own.map_err(|_| refused_with(ErrorClass::ContentRejected, "a platform block is not JSON"))?;
    Ok(overlaid(defaults, own))
}

fn overlaid(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Object(mut base), Value::Object(over)) => {
            for (name, value) in over {
                let merged = match base.remove(&name) {
                    Some(inner) => overlaid(inner, value),
                    None => value,
                };
                base.insert(name, merged);
            }
            Value::Object(base)
        }
        (_, over) => over,
    }
}
