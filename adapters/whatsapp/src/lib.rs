//! WhatsApp Cloud API: the `messages` edge of a phone number.

mod codes;
mod message;
mod receipts;

use hermes_adapter_sdk::{
    Provider, Submission, accepted, base_url, by_status,
    contract::{
        Auth, Channel, Content, Descriptor, Destination, Effect, ErrorClass, HttpRequest, HttpResponse,
        Idempotency, Level, LookupQuery, Outcome, Received, Refusal, SendCall, Throttling, Webhook,
    },
    credential, failure, get, header, host, json, optional_setting, pick, post_json, refused, refused_with,
    sanitized, setting,
};
use serde_json::Value;

/// The version that requests name unless the connection says otherwise.
const API_VERSION: &str = "v23.0";

struct Whatsapp;

hermes_adapter_sdk::adapter!(Whatsapp);

impl Provider for Whatsapp {
    fn descriptor() -> Descriptor {
        Descriptor {
            name: "whatsapp".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            channels: vec![Channel::Whatsapp],
            credentials: vec![
                credential("access_token", "access token of a system user"),
                credential("app_secret", "app secret: the key of webhook signatures"),
                credential("verify_token", "token that Meta repeats when the callback is set up"),
            ],
            config: vec![
                setting("phone_number_id", "Meta's id of the sending number"),
                optional_setting("api_version", "Graph API version, such as v23.0"),
                optional_setting("message_history", "`true`: ask Meta about overdue messages"),
            ],
            hosts: vec!["graph.facebook.com".to_owned()],
            idempotency: Idempotency::None,
            confirms: vec![(Channel::Whatsapp, Level::Read)],
            default_rate_per_s: 80,
            has_lookup: true,
            account_setting: Some("phone_number_id".to_owned()),
        }
    }

    fn request(call: SendCall) -> Result<Submission, Outcome> {
        let (Destination::Whatsapp(to), Content::Whatsapp(content)) = (&call.to, &call.content) else {
            return Err(refused_with(ErrorClass::Unknown, "this adapter carries WhatsApp only"));
        };
        let body = message::body(to, content, call.alternate, &call.reference)?;
        let request = post_json(number_url("/messages")?, &body, auth(), Effect::Submits);
        Ok(Submission { request, notes: Vec::new() })
    }

    fn outcome(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        let answer = json(&response.body);
        let id = pick(&answer, "/messages/0/id").map(str::to_owned);
        match (response.status, pick(&answer, "/messages/0/message_status")) {
            (200..=299, Some("paused")) => refused_with(ErrorClass::ProviderFault, "the template is paused"),
            (200..=299, _) if id.is_some() => accepted(id, None),
            _ => refusal(response, &answer),
        }
    }

    fn receipts(webhook: &Webhook) -> Result<Received, Refusal> {
        receipts::read(webhook)
    }

    fn check() -> Result<HttpRequest, Outcome> {
        Ok(get(number_url("?fields=id,display_phone_number,verified_name")?, auth()))
    }

    fn checked(response: &HttpResponse) -> Outcome {
        let answer = json(&response.body);
        match (response.status, pick(&answer, "/id")) {
            (200..=299, Some(_)) => accepted(None, None),
            _ => refusal(response, &answer),
        }
    }

    fn lookup(query: LookupQuery) -> Option<Submission> {
        host::get_config("message_history").filter(|wanted| wanted == "true")?;
        let id: String = query.provider_message_id?.chars().filter(|char| !"&#?".contains(*char)).collect();
        let id = id.replace('+', "%2B").replace('=', "%3D");
        let fields = "id,message_id,events{delivery_status,timestamp}";
        let url = number_url(&format!("/message_history?message_id={id}&fields={fields}")).ok()?;
        Some(Submission { request: get(url, auth()), notes: Vec::new() })
    }

    fn found(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        let answer = json(&response.body);
        let events = answer.pointer("/data/0/events/data").and_then(Value::as_array).into_iter().flatten();
        let id = pick(&answer, "/data/0/message_id").map(str::to_owned);
        let level = |event: &Value| match pick(event, "/delivery_status")? {
            "SENT" | "ACCEPTED" => Some(Level::Sent),
            "DELIVERED" => Some(Level::Delivered),
            "READ" => Some(Level::Read),
            _ => None,
        };
        // Failures come without a code here: the webhook, repeated for days, says more.
        match events.filter_map(level).max_by_key(|level| *level as u8) {
            Some(level) if response.status == 200 => accepted(id, Some(level)),
            _ => Outcome::Unknown(refused("Meta tells nothing about it")),
        }
    }
}

fn auth() -> Auth {
    Auth::Bearer("access_token".to_owned())
}

fn number_url(tail: &str) -> Result<String, Outcome> {
    let id = host::get_config("phone_number_id").filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    let id = id.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| refused_with(ErrorClass::Auth, "phone_number_id is missing or malformed"))?;
    let version = host::get_config("api_version").filter(|version| !version.is_empty());
    let version: String = version.unwrap_or_else(|| API_VERSION.to_owned());
    let version = version.split('.').map(|part| sanitized(part, 8)).collect::<Vec<_>>().join(".");
    let base = base_url().unwrap_or_else(|| "https://graph.facebook.com".to_owned());
    Ok(format!("{base}/{version}/{id}{tail}"))
}

/// Meta's code decides; the status varies between versions.
fn refusal(response: &HttpResponse, answer: &Value) -> Outcome {
    let Some(code) = answer.pointer("/error/code").and_then(Value::as_u64) else {
        return by_status(response);
    };
    let transient = answer.pointer("/error/is_transient").and_then(Value::as_bool) == Some(true);
    let Some(reading) = codes::reading(code) else {
        let told = |class, detail: &str| failure(class, code.to_string(), detail);
        return if transient || response.status >= 500 {
            Outcome::ServerError(told(ErrorClass::ProviderFault, "Meta failed"))
        } else {
            Outcome::Rejected(told(ErrorClass::Unknown, "refused for an unknown reason"))
        };
    };
    let told = failure(reading.class, code.to_string(), reading.detail);
    match reading.class {
        ErrorClass::ProviderThrottled => Outcome::Throttled(Throttling {
            retry_after_ms: pause_ms(response).or(reading.pause_ms),
            failure: told,
        }),
        _ if codes::was_turned_away(code) => Outcome::NotSent(told),
        _ if reading.is_temporary => Outcome::ServerError(told),
        _ => Outcome::Rejected(told),
    }
}

/// `estimated_time_to_regain_access`, in minutes, of the usage header.
fn pause_ms(response: &HttpResponse) -> Option<u64> {
    let usage = json(header(&response.headers, "x-business-use-case-usage")?.as_bytes());
    let entries = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    let minutes = entries.filter_map(|entry| entry.get("estimated_time_to_regain_access")?.as_u64()).max()?;
    (minutes > 0).then(|| minutes.saturating_mul(60_000))
}
