//! SNS messages: their envelope, and their signature with the test key.

use std::fmt;

use axum::response::Response;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pkcs8::DecodePrivateKey};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::topics::Subscription;
use crate::{
    SnsSignatureVersion, answer,
    clock::{self, UnixMillis},
    demo, pem,
    receipts::Outgoing,
};

/// Where the simulator serves the certificate of its signing key.
pub(super) const CERTIFICATE_PATH: &str = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";

const KEY_PEM: &str = include_str!("test_key.pem");
const SUBJECT: &str = "Amazon SES Email Event Notification";

/// Signs SNS messages. The key is public: it was made for test vectors and protects nothing.
pub(crate) struct Signer(Key);

enum Key {
    V1(Box<RsaPrivateKey>),
    V2(Box<RsaKeyPair>),
}

/// The key in the binary cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read the signing key: {0}")]
pub(crate) struct BadKey(String);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.version()).finish()
    }
}

impl Signer {
    pub(crate) fn new(version: SnsSignatureVersion) -> Result<Self, BadKey> {
        let key = match version {
            SnsSignatureVersion::V1 => Key::V1(Box::new(
                RsaPrivateKey::from_pkcs8_pem(KEY_PEM).map_err(|cause| BadKey(cause.to_string()))?,
            )),
            SnsSignatureVersion::V2 => {
                let der = pem::body(KEY_PEM).ok_or_else(|| BadKey("not a PEM file".into()))?;
                Key::V2(Box::new(RsaKeyPair::from_pkcs8(&der).map_err(|cause| BadKey(cause.to_string()))?))
            }
        };
        Ok(Self(key))
    }

    fn version(&self) -> &'static str {
        match self.0 {
            Key::V1(_) => "1",
            Key::V2(_) => "2",
        }
    }

    /// A notification for each subscriber. Equal arguments give byte-equal requests.
    pub(super) fn notifications(
        &self,
        base_url: &str,
        topic: &str,
        subscribers: &[Subscription],
        repeats_as: &str,
        message: String,
        at: UnixMillis,
    ) -> Vec<Outgoing> {
        if subscribers.is_empty() {
            return Vec::new();
        }
        let id = uuid_of(repeats_as);
        let mut envelope = json!({
            "Type": "Notification",
            "MessageId": id,
            "TopicArn": topic,
            "Subject": SUBJECT,
            "Message": message,
            "Timestamp": clock::rfc3339(at),
        });
        // The signature does not cover what differs between subscribers.
        self.sign(&mut envelope, base_url);
        let outgoing = |subscription: &Subscription| {
            envelope["UnsubscribeURL"] =
                link(base_url, "Unsubscribe", "SubscriptionArn", &subscription.arn, None).into();
            request(subscription, "Notification", &id, topic, &envelope)
        };
        subscribers.iter().filter_map(outgoing).collect()
    }

    /// The request that asks an endpoint to confirm its subscription.
    pub(crate) fn confirmation(
        &self,
        base_url: &str,
        subscription: &Subscription,
        at: UnixMillis,
    ) -> Option<Outgoing> {
        let topic = &subscription.topic_arn;
        let id = uuid_of(&subscription.token);
        let mut envelope = json!({
            "Type": "SubscriptionConfirmation",
            "MessageId": id,
            "Token": subscription.token,
            "TopicArn": topic,
            "Message": format!(
                "You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the \
                 SubscribeURL included in this message."
            ),
            "SubscribeURL": link(base_url, "ConfirmSubscription", "TopicArn", topic, Some(&subscription.token)),
            "Timestamp": clock::rfc3339(at),
        });
        self.sign(&mut envelope, base_url);
        request(subscription, "SubscriptionConfirmation", &id, topic, &envelope)
    }

    fn sign(&self, envelope: &mut Value, base_url: &str) {
        let signature = self.signature(string_to_sign(envelope).as_bytes());
        envelope["SignatureVersion"] = self.version().into();
        envelope["Signature"] = STANDARD.encode(signature).into();
        envelope["SigningCertURL"] = format!("{base_url}{CERTIFICATE_PATH}").into();
    }

    fn signature(&self, text: &[u8]) -> Vec<u8> {
        match &self.0 {
            Key::V1(key) => key
                .sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(text))
                .expect("a 2048-bit key has room for a SHA-1 digest"),
            Key::V2(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
                    .expect("the buffer has the length of the key, and the system gives random numbers");
                signature
            }
        }
    }
}

/// `key\nvalue\n` for each signed key that is present, in this order.
fn string_to_sign(envelope: &Value) -> String {
    const KEYS: [&str; 8] =
        ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
    let mut text = String::new();
    for key in KEYS {
        if let Some(value) = envelope[key].as_str() {
            text.extend([key, "\n", value, "\n"]);
        }
    }
    text
}

fn link(base_url: &str, action: &str, name: &str, value: &str, token: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("Action", action).append_pair(name, value);
    query.extend_pairs(token.map(|token| ("Token", token)));
    format!("{base_url}/?{}", query.finish())
}

fn request(
    subscription: &Subscription,
    kind: &str,
    id: &str,
    topic: &str,
    envelope: &Value,
) -> Option<Outgoing> {
    let text = |value: &str| HeaderValue::try_from(value).ok();
    let mut headers = vec![
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8")),
        (header::USER_AGENT, HeaderValue::from_static("Amazon Simple Notification Service Agent")),
        (HeaderName::from_static("x-amz-sns-message-type"), text(kind)?),
        (HeaderName::from_static("x-amz-sns-message-id"), text(id)?),
        (HeaderName::from_static("x-amz-sns-topic-arn"), text(topic)?),
    ];
    if kind == "Notification" {
        headers.push((HeaderName::from_static("x-amz-sns-subscription-arn"), text(&subscription.arn)?));
    }
    Some(Outgoing { url: subscription.endpoint.clone(), headers, body: Bytes::from(envelope.to_string()) })
}

/// `GET` of the certificate.
pub(super) async fn certificate() -> Response {
    answer::bytes(StatusCode::OK, "application/x-pem-file", demo::SNS_CERTIFICATE)
}

/// A UUID that is always the same for `text`.
fn uuid_of(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let bytes = hash.as_ref().first_chunk::<16>().expect("SHA-256 has 32 bytes");
    format_uuid(u128::from_be_bytes(*bytes))
}

/// A UUID nobody has seen.
pub(crate) fn random_uuid() -> String {
    format_uuid(rand::random())
}

/// As version 4.
fn format_uuid(bits: u128) -> String {
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both signature versions and the string signed, against vectors that AWS's own JavaScript validator
    /// accepts.
    #[test]
    fn the_vectors_are_reproduced() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../../schema/providers/vectors-ses.json")).unwrap();
        let mut seen = 0;
        for vector in vectors["sns"]["messages"].as_array().unwrap() {
            let message = &vector["message"];
            if vector["valid"] != true {
                continue;
            }
            let version = match message["SignatureVersion"].as_str().unwrap() {
                "1" => SnsSignatureVersion::V1,
                _ => SnsSignatureVersion::V2,
            };
            let text = string_to_sign(message);
            assert_eq!(text, vector["string_to_sign"].as_str().unwrap(), "{}", vector["name"]);
            let signature = STANDARD.encode(Signer::new(version).unwrap().signature(text.as_bytes()));
            assert_eq!(signature, message["Signature"].as_str().unwrap(), "{}", vector["name"]);
            seen += 1;
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn a_uuid_repeats_for_its_text_and_is_version_4() {
        assert_eq!(uuid_of("a"), uuid_of("a"));
        assert_ne!(uuid_of("a"), uuid_of("b"));
        let uuid = uuid_of("a");
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!("89ab".contains(&uuid[19..20]));
    }
}
