//! What FCM refuses in a well-formed request, and what is kept of it.

use serde_json::{Map, Value};

use super::{
    fault::{self, Fault},
    schema::duration_s,
};
use crate::reference::Reference;

const PAYLOAD_BYTES_MAX: usize = 4096;
const TOPIC_PAYLOAD_BYTES_MAX: usize = 2048;
const TTL_MAX_S: f64 = 28.0 * 24.0 * 3600.0;
const LABEL_MAX: usize = 50;
const TOKEN_BYTES_MAX: usize = 4096;
/// The data key that carries our reference.
const REFERENCE_KEY: &str = "hermes_ref";

/// Where a message goes.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A registration token or installation id.
    Device(String),
    /// A topic or condition.
    Topic(String),
}

impl Target {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Device(text) | Self::Topic(text) => text,
        }
    }
}

/// A request in proto3 JSON, read by either spelling of its names.
#[derive(Clone, Copy)]
pub(super) struct Message<'a>(&'a Map<String, Value>);

impl<'a> Message<'a> {
    /// The message in a request; `None` without one.
    pub(super) fn of(request: &'a Map<String, Value>) -> Option<Self> {
        request.get("message")?.as_object().map(Self)
    }

    pub(super) fn reference(self) -> Option<Reference> {
        Reference::parse(self.data().get(REFERENCE_KEY)?.as_str()?)
    }

    fn data(self) -> &'a Map<String, Value> {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.0.get("data").and_then(Value::as_object).unwrap_or(&NONE)
    }

    /// The one target, or the fault of having none or several.
    pub(super) fn target(self) -> Result<Target, Fault> {
        let mut targets = ["fid", "token", "topic", "condition"]
            .into_iter()
            .filter_map(|name| Some((name, self.0.get(name)?.as_str()?)));
        let Some((name, text)) = targets.next() else {
            return Err(fault::invalid_argument("Recipient of the message is not set."));
        };
        if let Some((second, _)) = targets.next() {
            return Err(fault::unreadable(format!(
                "Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set '{second}'"
            )));
        }
        match name {
            "fid" | "token" if is_token(text) => Ok(Target::Device(text.to_owned())),
            "fid" | "token" => Err(fault::invalid_token()),
            "topic" if !is_label(text, usize::MAX) => Err(fault::invalid_argument("Invalid topic name")),
            _ => Ok(Target::Topic(text.to_owned())),
        }
    }

    /// The first fault.
    pub(super) fn check(self, target: &Target) -> Result<(), Fault> {
        let reserved = |key: &&String| {
            matches!(key.as_str(), "from" | "message_type")
                || key.starts_with("google.")
                || key.starts_with("gcm.notification.")
        };
        let android = object(self.0, "android");
        if let Some(key) = self
            .data()
            .keys()
            .chain(android.and_then(|a| object(a, "data")).into_iter().flat_map(Map::keys))
            .find(reserved)
        {
            return Err(fault::invalid_argument(format!("Invalid data payload key: {key}")));
        }
        if android.is_some() && (self.0.contains_key("android_v2") || self.0.contains_key("androidV2")) {
            return Err(fault::invalid_argument("android and android_v2 must not both be set"));
        }
        if let Some(ttl) = android.and_then(|android| android.get("ttl")?.as_str())
            && !duration_s(ttl).is_some_and(|seconds| (0.0..=TTL_MAX_S).contains(&seconds))
        {
            return Err(fault::invalid_argument("Invalid value for ttl: it must be within 0 and 4 weeks"));
        }
        self.check_labels()?;
        let room = match target {
            Target::Device(_) => PAYLOAD_BYTES_MAX,
            Target::Topic(_) => TOPIC_PAYLOAD_BYTES_MAX,
        };
        if self.payload_bytes() > room {
            return Err(fault::invalid_argument("Message is too big"));
        }
        Ok(())
    }

    fn check_labels(self) -> Result<(), Fault> {
        let scopes =
            [Some(self.0), object(self.0, "android"), object(self.0, "apns"), object(self.0, "webpush")];
        let options =
            scopes.into_iter().flatten().filter_map(|scope| either(scope, "fcm_options", "fcmOptions"));
        let labels = options
            .filter_map(Value::as_object)
            .filter_map(|options| either(options, "analytics_label", "analyticsLabel")?.as_str());
        for label in labels {
            if !is_label(label, LABEL_MAX) {
                return Err(fault::invalid_argument("Invalid analytics label"));
            }
        }
        Ok(())
    }

    /// Keys and values of `data`, and the texts of `notification`.
    fn payload_bytes(self) -> usize {
        let text = |value: &Value| value.as_str().map_or(0, str::len);
        let sum = |object: &Map<String, Value>| {
            object.iter().map(|(key, value)| key.len() + text(value)).sum::<usize>()
        };
        sum(self.data()) + object(self.0, "notification").map_or(0, sum)
    }
}

fn object<'a>(parent: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    parent.get(name)?.as_object()
}

fn either<'a>(parent: &'a Map<String, Value>, snake: &str, camel: &str) -> Option<&'a Value> {
    parent.get(snake).or_else(|| parent.get(camel))
}

/// Whether nothing shall be delivered.
pub(super) fn validates_only(request: &Map<String, Value>) -> bool {
    either(request, "validate_only", "validateOnly").is_some_and(|value| *value == true || *value == "true")
}

/// The characters that tokens have; their lengths are not promised.
fn is_token(text: &str) -> bool {
    (1..=TOKEN_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:.%~=".contains(&byte))
}

fn is_label(text: &str, length_max: usize) -> bool {
    (1..=length_max).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fault(message: Value) -> Option<String> {
        let request = json!({ "message": message });
        let message = Message::of(request.as_object().unwrap()).unwrap();
        let result = message.target().and_then(|target| message.check(&target));
        result.err().map(|fault| fault.message().to_owned())
    }

    #[test]
    fn meaning_is_checked_beyond_shape() {
        for (message, expected) in [
            (json!({}), "Recipient of the message is not set."),
            (
                json!({ "token": "not a token" }),
                "The registration token is not a valid FCM registration token",
            ),
            (json!({ "token": "t", "data": { "google.x": "1" } }), "Invalid data payload key: google.x"),
            (
                json!({ "token": "t", "android": { "ttl": "2419201s" } }),
                "Invalid value for ttl: it must be within 0 and 4 weeks",
            ),
            (json!({ "token": "t", "fcmOptions": { "analyticsLabel": "a b" } }), "Invalid analytics label"),
            (json!({ "token": "t", "data": { "k": "x".repeat(4096) } }), "Message is too big"),
            (json!({ "topic": "news", "data": { "k": "x".repeat(2048) } }), "Message is too big"),
        ] {
            assert_eq!(fault(message), Some(expected.to_owned()));
        }
        let several = fault(json!({ "token": "t", "topic": "news" })).unwrap();
        assert!(several.contains("oneof field 'target' is already set"));
        assert_eq!(
            fault(json!({ "token": "dUmmyT0ken:APA91bExample", "data": { "k": "x".repeat(4095) } })),
            None
        );
    }
}
