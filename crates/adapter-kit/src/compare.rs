//! Holds a request against the recorded one, and says where they differ.

use hermes_ports::http::{AuthScheme, HttpRequest, Method, RequestEffect};
use serde_json::Value;

use crate::fixture::{Body, RequestSpec, form_pairs};

/// Longest value shown, in characters.
const SHOWN_CHARS_MAX: usize = 160;

/// Lines that say how `actual` differs from the recorded request; `place` begins each.
pub(crate) fn request(
    place: &str,
    wanted: &RequestSpec,
    effect: RequestEffect,
    actual: &HttpRequest,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut unequal = |what: &str, wanted: &str, actual: &str| {
        if wanted != actual {
            lines.push(format!("{place}.{what}: expected {}, got {}", shown(wanted), shown(actual)));
        }
    };
    let effect = wanted.effect.map_or(effect, RequestEffect::from);
    unequal("method", Method::from(wanted.method).as_str(), actual.method.as_str());
    unequal("url", &wanted.url, &actual.url);
    unequal("effect", effect_word(effect), effect_word(actual.effect));
    let auth = AuthScheme::from(wanted.auth.clone());
    unequal("auth", &format!("{:?}", ordered(auth)), &format!("{:?}", ordered(actual.auth.clone())));
    for (name, value) in &wanted.headers {
        let given = actual.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let given = given.map_or("no such header", |(_, value)| value.as_str());
        unequal(&format!("headers.{name}"), value, given);
    }
    lines.extend(body(&format!("{place}.body"), wanted.body.as_ref(), &actual.body));
    lines
}

/// Claims are a set.
fn ordered(auth: AuthScheme) -> AuthScheme {
    match auth {
        AuthScheme::Jwt { key, mut claims, valid_for_s } => {
            claims.sort();
            AuthScheme::Jwt { key, claims, valid_for_s }
        }
        other => other,
    }
}

const fn effect_word(effect: RequestEffect) -> &'static str {
    match effect {
        RequestEffect::Safe => "safe",
        RequestEffect::Submits => "submits",
    }
}

fn body(place: &str, wanted: Option<&Body>, actual: &[u8]) -> Vec<String> {
    match wanted {
        Some(Body::Json(wanted)) => match serde_json::from_slice(actual) {
            Ok(actual) => json(place, wanted, &actual),
            Err(_) => {
                vec![format!("{place}: expected JSON, got {}", shown(&String::from_utf8_lossy(actual)))]
            }
        },
        Some(Body::Form(fields)) => {
            let mut actual: Vec<(String, String)> = form_urlencoded::parse(actual).into_owned().collect();
            let mut wanted = form_pairs(fields);
            actual.sort();
            wanted.sort();
            pairs(place, &wanted, &actual)
        }
        Some(Body::Text(_) | Body::Base64(_)) | None => {
            let wanted = wanted.map(Body::bytes).unwrap_or_default();
            let (wanted_text, actual_text) =
                (String::from_utf8_lossy(&wanted), String::from_utf8_lossy(actual));
            let told = || format!("{place}: expected {}, got {}", shown(&wanted_text), shown(&actual_text));
            (wanted != actual).then(told).into_iter().collect()
        }
    }
}

fn pairs(place: &str, wanted: &[(String, String)], actual: &[(String, String)]) -> Vec<String> {
    let without = |of: &[(String, String)], not: &[(String, String)], what: &str| {
        let mut rest = not.to_vec();
        let mut lines = Vec::new();
        for pair in of {
            match rest.iter().position(|other| other == pair) {
                Some(at) => drop(rest.swap_remove(at)),
                None => lines.push(format!("{place}: {what} {}={}", pair.0, shown(&pair.1))),
            }
        }
        lines
    };
    let mut lines = without(wanted, actual, "missing");
    lines.extend(without(actual, wanted, "not expected"));
    lines
}

/// Every place where two values differ, deepest first.
fn json(place: &str, wanted: &Value, actual: &Value) -> Vec<String> {
    match (wanted, actual) {
        (Value::Object(wanted), Value::Object(actual)) => {
            let mut lines = Vec::new();
            for (name, value) in wanted {
                match actual.get(name) {
                    Some(other) => lines.extend(json(&format!("{place}/{name}"), value, other)),
                    None => {
                        lines
                            .push(format!("{place}/{name}: missing, expected {}", shown(&value.to_string())));
                    }
                }
            }
            let extra = actual.iter().filter(|(name, _)| !wanted.contains_key(*name));
            lines.extend(extra.map(|(name, value)| {
                format!("{place}/{name}: not expected, got {}", shown(&value.to_string()))
            }));
            lines
        }
        (Value::Array(wanted), Value::Array(actual)) if wanted.len() == actual.len() => {
            let both = wanted.iter().zip(actual).enumerate();
            both.flat_map(|(index, (one, other))| json(&format!("{place}/{index}"), one, other)).collect()
        }
        _ if wanted == actual => Vec::new(),
        _ => vec![format!(
            "{place}: expected {}, got {}",
            shown(&wanted.to_string()),
            shown(&actual.to_string())
        )],
    }
}

/// A text that fits a line.
pub(crate) fn shown(text: &str) -> String {
    let text = text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "nothing".to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn spec(value: Value) -> RequestSpec {
        serde_json::from_value(value).unwrap()
    }

    fn differences(wanted: Value, body: &str) -> Vec<String> {
        let headers = vec![("Content-Type".to_owned(), "text/plain".to_owned())];
        let actual = HttpRequest {
            method: Method::Post,
            url: "https://a.example/x".to_owned(),
            headers,
            body: Bytes::copy_from_slice(body.as_bytes()),
            auth: AuthScheme::Bearer { token: "api_token".to_owned() },
            effect: RequestEffect::Submits,
        };
        request("request 1", &spec(wanted), RequestEffect::Submits, &actual)
    }

    fn with(body: Value) -> Value {
        json!({ "method": "POST", "url": "https://a.example/x", "auth": { "bearer": "api_token" }, "body": body })
    }

    #[test]
    fn json_is_compared_as_a_value_and_differences_name_their_place() {
        let wanted = with(json!({ "json": { "a": [1, { "b": "x" }], "c": true } }));
        assert_eq!(differences(wanted.clone(), r#"{ "c":true, "a":[1,{"b":"x"}] }"#), [""; 0]);
        assert_eq!(
            differences(wanted.clone(), r#"{"a":[1,{"b":"y","d":null}]}"#),
            [
                r#"request 1.body/a/1/b: expected "x", got "y""#,
                "request 1.body/a/1/d: not expected, got null",
                "request 1.body/c: missing, expected true",
            ]
        );
        assert_eq!(differences(wanted, "<html>"), ["request 1.body: expected JSON, got <html>"]);
    }

    #[test]
    fn forms_are_compared_as_sorted_pairs() {
        let wanted = with(json!({ "form": { "To": "+45", "MediaUrl": ["b", "a"] } }));
        assert_eq!(differences(wanted.clone(), "MediaUrl=a&To=%2B45&MediaUrl=b"), [""; 0]);
        assert_eq!(
            differences(wanted, "MediaUrl=a&MediaUrl=a&To=45"),
            [
                "request 1.body: missing MediaUrl=b",
                "request 1.body: missing To=+45",
                "request 1.body: not expected MediaUrl=a",
                "request 1.body: not expected To=45",
            ]
        );
    }

    #[test]
    fn everything_else_is_compared_too() {
        let wanted = json!({ "url": "https://b.example/x", "headers": { "content-type": "x", "accept": "y" },
            "auth": "none", "effect": "safe" });
        let lines = differences(wanted, "body");
        for (line, begins) in lines.iter().zip([
            "request 1.method: expected GET, got POST",
            "request 1.url: expected https://b.example/x, got https://a.example/x",
            "request 1.effect: expected safe, got submits",
            "request 1.auth: expected None, got Bearer",
            "request 1.headers.accept: expected y, got no such header",
            "request 1.headers.content-type: expected x, got text/plain",
            "request 1.body: expected nothing, got body",
        ]) {
            assert!(line.starts_with(begins), "{line}");
        }
        assert_eq!(lines.len(), 7);
    }
}
