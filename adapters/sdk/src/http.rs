//! Requests and responses.

use form_urlencoded::Serializer;
use serde_json::Value;

use crate::{
    contract::{Auth, Effect, HttpRequest, HttpResponse, Method},
    host, time,
};

/// The connection's `base_url` without a final slash, if it has one.
pub fn base_url() -> Option<String> {
    host::get_config("base_url").map(|url| url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty())
}

/// A `GET` that changes nothing.
pub fn get(url: String, auth: Auth) -> HttpRequest {
    let headers = vec![("Accept".to_owned(), "application/json".to_owned())];
    HttpRequest { method: Method::Get, url, headers, body: Vec::new(), auth, effect: Effect::Safe }
}

/// A `DELETE`, which may be repeated.
pub fn delete(url: String, auth: Auth) -> HttpRequest {
    HttpRequest { method: Method::Delete, ..get(url, auth) }
}

/// A `PUT` of JSON, which may be repeated.
pub fn put_json(url: String, body: &Value, auth: Auth) -> HttpRequest {
    HttpRequest { method: Method::Put, ..post_json(url, body, auth, Effect::Safe) }
}

/// A `POST` of form fields, in their order.
pub fn post_form(url: String, fields: &[(&str, &str)], auth: Auth, effect: Effect) -> HttpRequest {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    post(url, "application/x-www-form-urlencoded", body.into_bytes(), auth, effect)
}

/// A `POST` of JSON.
pub fn post_json(url: String, body: &Value, auth: Auth, effect: Effect) -> HttpRequest {
    // Room from the start: growing step by step would need twice the memory for an attachment.
    let mut bytes = Vec::with_capacity(text_bytes(body));
    let _ = serde_json::to_writer(&mut bytes, body); // Writing to memory cannot fail.
    post(url, "application/json", bytes, auth, effect)
}

/// About as long as `value` is as text, if it holds little to escape.
fn text_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 4,
        Value::Array(values) => values.iter().map(|value| text_bytes(value) + 1).sum::<usize>() + 2,
        Value::Object(map) => {
            map.iter().map(|(name, value)| name.len() + text_bytes(value) + 6).sum::<usize>() + 2
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 24,
    }
}

fn post(url: String, content_type: &str, body: Vec<u8>, auth: Auth, effect: Effect) -> HttpRequest {
    let headers = [("Content-Type", content_type), ("Accept", "application/json")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    HttpRequest { method: Method::Post, url, headers, body, auth, effect }
}

/// The first header called `name` (lower case).
pub fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// How long the answer asks to wait: `Retry-After` in seconds, or as a date read against `Date`.
pub fn retry_after_ms(response: &HttpResponse) -> Option<u64> {
    let value = header(&response.headers, "retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return seconds.checked_mul(1_000);
    }
    let until = time::http_date_ms(value)?;
    let now = time::http_date_ms(header(&response.headers, "date")?)?;
    Some(until.saturating_sub(now))
}
