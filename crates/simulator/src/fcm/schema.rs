//! The shape of a request, by Google's discovery document: field names, types and enum values, as proto3
//! JSON.
//!
//! Names may be `camelCase` or `snake_case`. Every fault is reported at once, in Google's words.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// One thing wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) field: String,
    pub(super) description: String,
}

/// The message types by name.
#[derive(Debug)]
pub(super) struct Schema(HashMap<String, Message>);

/// Fields by both spellings of their name.
#[derive(Debug)]
struct Message(HashMap<String, Field>);

#[derive(Clone, Debug)]
struct Field {
    snake_name: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    String,
    Bool,
    Int32,
    Float,
    Duration,
    DateTime,
    /// Values in upper case; Google takes them in any.
    Enum(Vec<String>),
    Message(String),
    List(Box<Kind>),
    /// An object with free keys and text values.
    TextMap,
    /// An object with free keys and values.
    Struct,
}

#[derive(Deserialize)]
struct Document {
    schemas: HashMap<String, Published>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    #[serde(rename = "type")]
    kind: Option<String>,
    format: Option<String>,
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "enum", default)]
    values: Vec<String>,
    items: Option<Box<Published>>,
    additional_properties: Option<Box<Published>>,
    #[serde(default)]
    properties: HashMap<String, Published>,
}

/// Where the top of a request is.
const ROOT: &str = "SendMessageRequest";

impl Schema {
    /// The published schema, revision 20261023.
    pub(super) fn published() -> Self {
        let document: Document = serde_json::from_str(include_str!("fcm.v1.schemas.json"))
            .expect("the embedded schema is well-formed");
        let message = |published: &Published| {
            let field = |(name, property): (&String, &Published)| {
                let field = Field { snake_name: snake_case(name), kind: kind(property) };
                [(name.clone(), field.clone()), (field.snake_name.clone(), field)]
            };
            Message(published.properties.iter().flat_map(field).collect())
        };
        Self(document.schemas.iter().map(|(name, published)| (name.clone(), message(published))).collect())
    }

    /// Everything wrong with a request; nothing if it is well-formed.
    pub(super) fn check(&self, request: &Map<String, Value>) -> Vec<Violation> {
        let mut violations = Vec::new();
        self.check_message(request, ROOT, "", &mut violations);
        violations
    }

    fn check_message(
        &self,
        object: &Map<String, Value>,
        name: &str,
        path: &str,
        violations: &mut Vec<Violation>,
    ) {
        let Some(message) = self.0.get(name) else { return };
        for (key, value) in object {
            let Some(field) = message.0.get(key) else {
                let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
                let description = format!(
                    "Invalid JSON payload received. Unknown name \"{key}\"{place}: Cannot find field."
                );
                violations.push(Violation { field: path.to_owned(), description });
                continue;
            };
            let path = if path.is_empty() {
                field.snake_name.clone()
            } else {
                format!("{path}.{}", field.snake_name)
            };
            self.check_value(value, &field.kind, &path, violations);
        }
    }

    fn check_value(&self, value: &Value, kind: &Kind, path: &str, violations: &mut Vec<Violation>) {
        if value.is_null() {
            return; // Absent, in proto3 JSON.
        }
        match (kind, value) {
            (Kind::Message(name), Value::Object(object)) => {
                self.check_message(object, name, path, violations);
            }
            (Kind::List(kind), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.check_value(item, kind, &format!("{path}[{index}]"), violations);
                }
            }
            (Kind::TextMap, Value::Object(object)) => {
                for (index, value) in object.values().enumerate() {
                    if !value.is_string() {
                        violations.push(wrong_type(&format!("{path}[{index}].value"), "TYPE_STRING", value));
                    }
                }
            }
            (Kind::Struct, Value::Object(_)) => {}
            _ => {
                if let Some(expected) = scalar_mismatch(kind, value) {
                    violations.push(wrong_type(path, expected, value));
                }
            }
        }
    }
}

/// The type that was expected, if `value` is not of it.
fn scalar_mismatch(kind: &Kind, value: &Value) -> Option<&'static str> {
    let text = value.as_str();
    let (fits, expected) = match kind {
        Kind::String => (text.is_some(), "TYPE_STRING"),
        Kind::Bool => (value.is_boolean() || matches!(text, Some("true" | "false")), "TYPE_BOOL"),
        Kind::Int32 => {
            let number = value.as_i64().or_else(|| text?.parse().ok());
            (number.is_some_and(|number| i32::try_from(number).is_ok()), "TYPE_INT32")
        }
        Kind::Float => {
            (value.is_number() || text.is_some_and(|text| text.parse::<f32>().is_ok()), "TYPE_FLOAT")
        }
        Kind::Duration => (
            text.is_some_and(|text| duration_s(text).is_some()),
            "type.googleapis.com/google.protobuf.Duration",
        ),
        Kind::DateTime => (
            text.is_some_and(|text| crate::clock::parse_rfc3339(text).is_some()),
            "type.googleapis.com/google.protobuf.Timestamp",
        ),
        Kind::Enum(values) => (
            text.is_some_and(|text| values.iter().any(|value| value.eq_ignore_ascii_case(text))),
            "TYPE_ENUM",
        ),
        Kind::Message(_) | Kind::List(_) | Kind::TextMap | Kind::Struct => (false, "TYPE_MESSAGE"),
    };
    (!fits).then_some(expected)
}

fn wrong_type(path: &str, expected: &str, value: &Value) -> Violation {
    let description = format!("Invalid value at '{path}' ({expected}), {value}");
    Violation { field: path.to_owned(), description }
}

/// Seconds of a proto3 JSON duration such as `3.5s`.
pub(super) fn duration_s(text: &str) -> Option<f64> {
    let number = text.strip_suffix('s')?;
    let digits = number.strip_prefix('-').unwrap_or(number);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then(|| number.parse().ok()).flatten()
}

fn kind(published: &Published) -> Kind {
    if let Some(name) = &published.reference {
        return Kind::Message(name.clone());
    }
    if !published.values.is_empty() {
        return Kind::Enum(published.values.clone());
    }
    match (published.kind.as_deref(), published.format.as_deref()) {
        (Some("string"), Some("google-duration")) => Kind::Duration,
        (Some("string"), Some("google-datetime")) => Kind::DateTime,
        (Some("boolean"), _) => Kind::Bool,
        (Some("integer"), _) => Kind::Int32,
        (Some("number"), _) => Kind::Float,
        (Some("array"), _) => Kind::List(Box::new(published.items.as_deref().map_or(Kind::Struct, kind))),
        (Some("object"), _) => match &published.additional_properties {
            Some(values) if values.kind.as_deref() == Some("string") => Kind::TextMap,
            Some(_) | None => Kind::Struct,
        },
        _ => Kind::String,
    }
}

fn snake_case(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 4);
    for character in camel.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(message: Value) -> Vec<String> {
        let request = json!({ "message": message });
        let violations = Schema::published().check(request.as_object().unwrap());
        violations.into_iter().map(|violation| violation.description).collect()
    }

    #[test]
    fn both_spellings_and_every_scalar_are_accepted() {
        let message = json!({
            "token": "t", "data": { "k": "v" }, "fcmOptions": { "analytics_label": "a" },
            "android": { "collapse_key": "c", "priority": "high", "ttl": "3600s", "direct_boot_ok": true,
                "notification": { "notification_count": 3, "bodyLocArgs": ["a"], "vibrate_timings": ["0.5s"],
                    "event_time": "2026-01-02T03:04:05Z",
                    "light_settings": { "color": { "red": 0.5 }, "light_on_duration": "1s" } } },
            "apns": { "headers": { "apns-priority": "10" }, "payload": { "aps": { "badge": 1 } } },
            "webpush": { "notification": { "anything": [1, null] } }, "notification": null,
        });
        assert!(faults(message).is_empty());
    }

    #[test]
    fn every_fault_is_named_in_googles_words() {
        let found = faults(json!({
            "tokn": "t", "data": { "k": 12 }, "notification": { "title": 1, "colour": "red" },
            "android": { "ttl": "soon", "priority": "URGENT" }, "apns": "none",
        }));
        for expected in [
            "Invalid JSON payload received. Unknown name \"tokn\" at 'message': Cannot find field.",
            "Invalid value at 'message.data[0].value' (TYPE_STRING), 12",
            "Invalid value at 'message.notification.title' (TYPE_STRING), 1",
            "Invalid JSON payload received. Unknown name \"colour\" at 'message.notification': Cannot find field.",
            "Invalid value at 'message.android.ttl' (type.googleapis.com/google.protobuf.Duration), \"soon\"",
            "Invalid value at 'message.android.priority' (TYPE_ENUM), \"URGENT\"",
            "Invalid value at 'message.apns' (TYPE_MESSAGE), \"none\"",
        ] {
            assert!(found.iter().any(|fault| fault == expected), "{expected}\nin {found:#?}");
        }
        assert_eq!(found.len(), 7);
    }
}
