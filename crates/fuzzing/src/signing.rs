//! Signs webhooks as providers do, so that what is behind the signature is reached.
//!
//! What a provider adds itself, such as a time or the address of a certificate, replaces what the input says.

mod sns;

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use hermes_ports::http::{Method, Webhook};
use ring::{digest, hmac};
use serde_json::{Value, json};

use crate::{connection::Seat, framing::RECEIVED_AT};

pub(crate) use sns::certificate;

/// How a provider signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// It sends no webhooks.
    Nothing,
    /// An HMAC over the URL and the sorted form.
    Twilio,
    /// A token that holds the body's hash.
    VonageToken,
    /// A parameter with an HMAC over all others.
    VonageParameters,
    /// An HMAC over the body, with a key for each kind of callback.
    Messente,
    /// An RSA signature within the envelope.
    Sns,
    /// An HMAC over the body; a shared word for the handshake.
    Meta,
}

/// The webhook as the provider of this connection would send it; `None` where it would send none such.
pub(crate) fn signed(seat: &Seat, webhook: &Webhook) -> Option<Webhook> {
    let secret = |name: &str| seat.access.secrets.get(name).unwrap_or_default().to_owned();
    match seat.scheme {
        Scheme::Nothing => None,
        Scheme::Twilio => Some(twilio(&secret, webhook)),
        Scheme::VonageToken => Some(vonage_token(&secret("signature_secret"), webhook)),
        Scheme::VonageParameters => vonage_parameters(&secret("signature_secret"), webhook),
        Scheme::Messente => {
            let from_person = parsed(&webhook.body).get("msg_id").is_some();
            let key = secret(if from_person { "inbound_secret" } else { "password" });
            Some(with_header(webhook, "x-messente-signature", hex::encode(sha256_mac(&key, &webhook.body))))
        }
        Scheme::Sns => sns::signed(webhook),
        Scheme::Meta => Some(meta(&secret, webhook)),
    }
}

const SETTINGS: &str = "x-twilio-webhooks-signature-settings";

fn twilio(secret: &dyn Fn(&str) -> String, webhook: &Webhook) -> Webhook {
    let mut signed = webhook.clone();
    signed.url = without(&webhook.url, &["bodySHA256"]);
    let mut text = signed.url.clone();
    if header(webhook, "content-type").is_some_and(|kind| kind.contains("json")) {
        let pair = ("bodySHA256", hex::encode(digest::digest(&digest::SHA256, &webhook.body)));
        signed.url = with_pair(&signed.url, pair.0, &pair.1);
        text.clone_from(&signed.url);
    } else if webhook.method != Method::Get {
        let mut fields = pairs(&webhook.body);
        fields.sort();
        fields.dedup();
        fields.iter().for_each(|(name, value)| text.extend([name.as_str(), value]));
    }
    // A provider that is set to a shared key says so; the input chooses.
    let (algorithm, key) = if header(webhook, SETTINGS).is_some() {
        signed = with_header(&signed, SETTINGS, "key=1,algorithm=HMAC_SHA256".to_owned());
        (hmac::HMAC_SHA256, secret("webhook_shared_key"))
    } else {
        (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret("auth_token"))
    };
    let signature = BASE64_STANDARD.encode(mac(algorithm, &key, text.as_bytes()));
    with_header(&signed, "x-twilio-signature", signature)
}

fn vonage_token(secret: &str, webhook: &Webhook) -> Webhook {
    let hash = hex::encode(digest::digest(&digest::SHA256, &webhook.body));
    let claims = json!({ "iat": now_s(), "jti": "1", "iss": "Vonage", "payload_hash": hash });
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sha256_mac(secret, signed.as_bytes()));
    with_header(webhook, "authorization", format!("Bearer {signed}.{signature}"))
}

/// Of a GET the query is signed, but for our own `ref`; of a POST the form, or the fields of a JSON object.
fn vonage_parameters(secret: &str, webhook: &Webhook) -> Option<Webhook> {
    let mut signed = webhook.clone();
    let now = now_s().to_string();
    if webhook.method == Method::Get {
        let url = with_pair(&without(&webhook.url, &["sig", "timestamp"]), "timestamp", &now);
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let signature =
            parameters_mac(secret, pairs(query.as_bytes()).into_iter().filter(|it| it.0 != "ref"));
        signed.url = with_pair(&url, "sig", &signature);
    } else if header(webhook, "content-type").is_some_and(|kind| kind.contains("json")) {
        let mut body = parsed(&webhook.body);
        let fields = body.as_object_mut()?;
        fields.insert("timestamp".to_owned(), now.into());
        fields.remove("sig");
        // As it will be read: printing a number may change it.
        let read = parsed(Value::from(fields.clone()).to_string().as_bytes());
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let pairs = read.as_object()?.iter().map(|(name, value)| (name.clone(), text(value)));
        fields.insert("sig".to_owned(), parameters_mac(secret, pairs).into());
        signed.body = body.to_string().into();
    } else {
        let form = format!("?{}", String::from_utf8_lossy(&webhook.body));
        let form = with_pair(&without(&form, &["sig", "timestamp"]), "timestamp", &now);
        let form = form.trim_start_matches('?').to_owned();
        let signature = parameters_mac(secret, pairs(form.as_bytes()).into_iter());
        signed.body = format!("{form}&sig={signature}").into();
    }
    Some(signed)
}

fn parameters_mac(secret: &str, parameters: impl Iterator<Item = (String, String)>) -> String {
    let mut sorted: Vec<_> = parameters.collect();
    sorted.sort();
    let part = |(name, value): (String, String)| format!("&{name}={}", value.replace(['&', '='], "_"));
    let text: String = sorted.into_iter().map(part).collect();
    hex::encode(sha256_mac(secret, text.as_bytes()))
}

fn meta(secret: &dyn Fn(&str) -> String, webhook: &Webhook) -> Webhook {
    if webhook.method != Method::Get {
        let signature = hex::encode(sha256_mac(&secret("app_secret"), &webhook.body));
        return with_header(webhook, "x-hub-signature-256", format!("sha256={signature}"));
    }
    let url = without(&webhook.url, &["hub.mode", "hub.verify_token"]);
    let url = with_pair(&url, "hub.verify_token", &secret("verify_token"));
    Webhook { url: with_pair(&url, "hub.mode", "subscribe"), ..webhook.clone() }
}

const fn now_s() -> u64 {
    RECEIVED_AT.0 / 1_000
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

fn header<'a>(webhook: &'a Webhook, name: &str) -> Option<&'a str> {
    webhook.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn with_header(webhook: &Webhook, name: &str, value: String) -> Webhook {
    let mut signed = webhook.clone();
    signed.headers.retain(|(key, _)| key != name);
    signed.headers.push((name.to_owned(), value));
    signed
}

/// The URL without these parameters, and without a fragment, which no client sends.
fn without(url: &str, names: &[&str]) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let Some((start, query)) = url.split_once('?') else { return url.to_owned() };
    let is_kept = |part: &&str| {
        form_urlencoded::parse(part.as_bytes()).next().is_none_or(|(name, _)| !names.contains(&&*name))
    };
    format!("{start}?{}", query.split('&').filter(is_kept).collect::<Vec<_>>().join("&"))
}

fn with_pair(url: &str, name: &str, value: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}{name}={value}")
}

fn mac(algorithm: hmac::Algorithm, key: &str, data: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), data)
}

fn sha256_mac(key: &str, data: &[u8]) -> hmac::Tag {
    mac(hmac::HMAC_SHA256, key, data)
}
