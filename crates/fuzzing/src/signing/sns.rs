//! Envelopes of SNS, signed with the test key of the published vectors.

use std::sync::LazyLock;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hermes_ports::http::Webhook;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Map, Value};

/// A notification that a body becomes the `Message` of, where it is no envelope itself.
const FIELDS: [(&str, &str); 4] = [
    ("Type", "Notification"),
    ("MessageId", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"),
    ("Timestamp", "2026-01-02T03:04:05.678Z"),
    ("Message", ""),
];
/// What SNS says itself.
const OWN: [(&str, &str); 3] = [
    ("TopicArn", "arn:aws:sns:eu-west-1:123456789012:hermes-ses"),
    ("SignatureVersion", "2"),
    ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789.pem"),
];

struct Identity {
    certificate: String,
    key: RsaKeyPair,
}

static IDENTITY: LazyLock<Identity> = LazyLock::new(|| {
    let vectors: Value = serde_json::from_str(include_str!("../../../../schema/providers/vectors-ses.json"))
        .expect("the vectors are JSON");
    let text = |name: &str| vectors.pointer(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let pem = text("/sns/private_key_pem_test_only");
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64_STANDARD.decode(der).expect("the vectors' key is in PEM");
    let key = RsaKeyPair::from_pkcs8(&der).expect("the vectors' key is an RSA key");
    Identity { certificate: text("/sns/certificate_pem"), key }
});

/// The certificate of the key that signs.
pub(crate) fn certificate() -> &'static str {
    &IDENTITY.certificate
}

/// `None` for an envelope of no known kind.
pub(super) fn signed(webhook: &Webhook) -> Option<Webhook> {
    let mut envelope = envelope(&webhook.body);
    let own = OWN.map(|(name, value)| (name.to_owned(), Value::from(value)));
    envelope.extend(own);
    let names: &[&str] = match envelope.get("Type")?.as_str()? {
        "Notification" => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => {
            &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        }
        _ => return None,
    };
    let fields = names.iter().filter_map(|name| Some((name, envelope.get(*name)?.as_str()?)));
    let text: String = fields.map(|(name, value)| format!("{name}\n{value}\n")).collect();
    let key = &IDENTITY.key;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
    envelope.insert("Signature".to_owned(), BASE64_STANDARD.encode(signature).into());
    let mut signed = webhook.clone();
    // Raw delivery is not signed at all.
    signed.headers.retain(|(name, _)| name != "x-amz-sns-rawdelivery");
    signed.body = Value::from(envelope).to_string().into();
    Some(signed)
}

fn envelope(body: &[u8]) -> Map<String, Value> {
    let written = serde_json::from_slice::<Map<String, Value>>(body).ok();
    written.filter(|fields| fields.contains_key("Type")).unwrap_or_else(|| {
        let mut fields: Map<String, Value> =
            FIELDS.map(|(name, value)| (name.to_owned(), Value::from(value))).into_iter().collect();
        fields.insert("Message".to_owned(), String::from_utf8_lossy(body).into());
        fields
    })
}
