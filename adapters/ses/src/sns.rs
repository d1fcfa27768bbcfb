//! SNS envelopes and their authenticity.

use base64::{Engine, prelude::BASE64_STANDARD};
use hermes_adapter_sdk::{
    base_url,
    host::{self, RsaHash},
    pick,
};
use serde_json::Value;

/// What kind of envelope it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

/// A complete envelope, not yet verified.
pub(crate) struct Envelope {
    pub(crate) kind: Kind,
    json: Value,
}

impl Envelope {
    /// Reads an envelope; `None` when a field that its kind needs is missing.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let json: Value = serde_json::from_slice(body).ok()?;
        let kind = match pick(&json, "/Type")? {
            "Notification" => Kind::Notification,
            "SubscriptionConfirmation" => Kind::SubscriptionConfirmation,
            "UnsubscribeConfirmation" => Kind::UnsubscribeConfirmation,
            _ => return None,
        };
        let envelope = Self { kind, json };
        let rest = ["SignatureVersion", "Signature", "SigningCertURL"];
        let signed = envelope.signed_fields().iter().filter(|name| **name != "Subject");
        signed.chain(&rest).all(|name| envelope.get(name).is_some()).then_some(envelope)
    }

    /// A field's text.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.json.get(name).and_then(Value::as_str)
    }

    /// Whether the topic is one of the connection's. Anyone can own a topic, so without a list nothing
    /// is accepted, unless certificates come from the connection's own `base_url`.
    pub(crate) fn topic_is_ours(&self) -> bool {
        let topic = self.get("TopicArn").unwrap_or_default();
        match host::get_config("sns_topic_arns").filter(|topics| !topics.is_empty()) {
            Some(topics) => match serde_json::from_str::<Vec<String>>(&topics) {
                Ok(list) => list.iter().any(|ours| ours == topic),
                Err(_) => topics.split([',', ' ']).any(|ours| ours == topic),
            },
            None => self.get("SigningCertURL").is_some_and(on_base_url),
        }
    }

    /// Where the certificate is, if it may be fetched from there.
    pub(crate) fn certificate_url(&self) -> Option<&str> {
        let allowed = |url: &&str| on_base_url(url) || (on_sns(url) && path(url).ends_with(".pem"));
        self.get("SigningCertURL").filter(allowed)
    }

    /// Where a subscription is confirmed, if it may be visited.
    pub(crate) fn subscribe_url(&self) -> Option<&str> {
        self.get("SubscribeURL").filter(|url| on_base_url(url) || on_sns(url))
    }

    /// Whether the signature is right by this certificate.
    pub(crate) fn is_signed_by(&self, certificate_pem: &str) -> bool {
        let hash = match self.get("SignatureVersion") {
            Some("1") => RsaHash::Sha1,
            Some("2") => RsaHash::Sha256,
            Some(_) | None => return false,
        };
        let signature = BASE64_STANDARD.decode(self.get("Signature").unwrap_or_default());
        let text = self.string_to_sign();
        signature.is_ok_and(|signature| host::verify_rsa(hash, certificate_pem, text.as_bytes(), &signature))
    }

    fn string_to_sign(&self) -> String {
        let present = self.signed_fields().iter().filter_map(|name| Some((name, self.get(name)?)));
        present.flat_map(|(name, value)| [name, "\n", value, "\n"]).collect()
    }

    fn signed_fields(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Notification => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
            Kind::SubscriptionConfirmation | Kind::UnsubscribeConfirmation => {
                &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
            }
        }
    }
}

/// `https://sns.<region>.amazonaws.com[.cn]/…`: no user, no port, exactly this shape of host.
fn on_sns(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://sns.") else { return false };
    let Some((host, _)) = rest.split_once('/') else { return false };
    let region = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com");
    let plain = |region: &str| region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    region.is_some_and(|region| region.len() >= 3 && plain(region))
}

/// On the origin of the connection's `base_url`, which only an operator can set.
fn on_base_url(url: &str) -> bool {
    let Some(base) = base_url() else { return false };
    let origin_end =
        base.find("://").and_then(|at| base.get(at + 3..)?.find('/').map(|slash| at + 3 + slash));
    let origin = base.get(..origin_end.unwrap_or(base.len())).unwrap_or_default();
    url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'))
}

fn path(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
