//! The older SMS API: a form, and an answer that is always 200.

use hermes_adapter_sdk::{
    by_status,
    contract::{Acceptance, Effect, ErrorClass, HttpRequest, HttpResponse, Outcome, SendCall, Throttling},
    failure, json, pick, post_form, refused,
};
use serde_json::Value;

use crate::{Sms, account_auth, codes, gsm7, url};

const BASE: &str = "https://rest.nexmo.com";
const PATH: &str = "/sms/json";
/// Validity that the API takes, in milliseconds.
const TTL_MS: std::ops::RangeInclusive<u64> = 20_000..=604_800_000;
/// Longest callback address, in characters.
const CALLBACK_CHARS_MAX: usize = 100;
/// Least pause after a throttled request: Vonage counts by the second.
const PAUSE_MS: u64 = 1_000;

pub(crate) fn request(sms: &Sms<'_>, call: &SendCall) -> Result<HttpRequest, Outcome> {
    let ttl = (u64::from(call.valid_for_s) * 1_000).clamp(*TTL_MS.start(), *TTL_MS.end()).to_string();
    let kind = if gsm7::fits(sms.text) { "text" } else { "unicode" };
    let mut fields = vec![
        ("from", sms.from),
        ("to", sms.to),
        ("text", sms.text),
        ("type", kind),
        ("ttl", &ttl),
        ("client-ref", &call.reference),
    ];
    // The reference comes back as `client-ref`, so the address can do without it.
    let short = call.callback_url.split('?').next().unwrap_or_default();
    let callback =
        [call.callback_url.as_str(), short].into_iter().find(|url| url.len() <= CALLBACK_CHARS_MAX);
    fields.extend(callback.map(|url| ("callback", url)));
    Ok(post_form(url(BASE, PATH), &fields, account_auth()?, Effect::Submits))
}

/// Each part is answered on its own. Once one was taken the text must not be sent again: accepted then, and it
/// counts as delivered only if all parts are.
pub(crate) fn outcome(response: &HttpResponse) -> Outcome {
    let answer = json(&response.body);
    let Some(parts) =
        answer.pointer("/messages").and_then(Value::as_array).filter(|_| response.status == 200)
    else {
        return http_refusal(response);
    };
    if let Some(taken) = parts.iter().find(|part| pick(part, "/status") == Some("0")) {
        return Outcome::Accepted(Acceptance {
            provider_message_id: pick(taken, "/message-id").map(str::to_owned),
            level: None,
            segments: u16::try_from(parts.len()).ok(),
            cost: None,
        });
    }
    parts.first().map_or_else(|| Outcome::Unknown(refused("the answer names no message")), refusal)
}

fn http_refusal(response: &HttpResponse) -> Outcome {
    match response.status {
        200..=299 => Outcome::Unknown(refused("the answer cannot be read")),
        420 => throttled("http_420"),
        _ => by_status(response),
    }
}

fn refusal(part: &Value) -> Outcome {
    let status = pick(part, "/status").unwrap_or_default();
    let text = pick(part, "/error-text").unwrap_or_default();
    let (class, detail) =
        codes::sms_answer(status, text).unwrap_or((ErrorClass::Unknown, "refused for an unknown reason"));
    let told = failure(class, status.to_owned(), detail);
    match class {
        ErrorClass::ProviderThrottled => throttled(status),
        ErrorClass::ProviderFault => Outcome::ServerError(told),
        _ => Outcome::Rejected(told),
    }
}

fn throttled(code: &str) -> Outcome {
    Outcome::Throttled(Throttling {
        retry_after_ms: Some(PAUSE_MS),
        failure: failure(ErrorClass::ProviderThrottled, code.to_owned(), "too many requests"),
    })
}

/// A message without recipient: whoever is known is told what is missing, and nothing can be delivered.
pub(crate) fn check() -> Result<HttpRequest, Outcome> {
    Ok(post_form(url(BASE, PATH), &[("type", "text")], account_auth()?, Effect::Safe))
}

pub(crate) fn checked(response: &HttpResponse) -> Outcome {
    let answer = json(&response.body);
    match (response.status, pick(&answer, "/messages/0/status")) {
        (200, Some("2" | "3")) => hermes_adapter_sdk::accepted(None, None),
        (200, Some(_)) => outcome(response),
        _ => http_refusal(response),
    }
}
