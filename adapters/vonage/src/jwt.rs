//! The token that signs callbacks of the Messages API.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hermes_adapter_sdk::{
    contract::{Refusal, Webhook},
    header, hex,
    host::{self, Hash},
    json, pick, same_bytes,
};
use serde_json::Value;

/// How old a token may be, in seconds. Vonage names no end.
const AGE_S_MAX: u64 = 300;
/// How far Vonage's clock may be ahead of ours, in seconds.
const SKEW_S: u64 = 60;

/// Checks the token and that it was made for this body.
///
/// A token may be seen twice: what it brings is applied once whoever repeats it.
///
/// # Errors
/// `SendAgain` when there is none: after an internal fault Vonage sends unsigned once, then signed.
pub(crate) fn verify(webhook: &Webhook) -> Result<(), Refusal> {
    let authorization = header(&webhook.headers, "authorization").ok_or(Refusal::SendAgain)?;
    let token = authorization.strip_prefix("Bearer ").ok_or(Refusal::BadSignature)?;
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::BadSignature)?;
    let (head, claims) = signed.split_once('.').ok_or(Refusal::BadSignature)?;
    let signature = decode(signature)?;
    if !same_bytes(&host::hmac(Hash::Sha256, "signature_secret", signed.as_bytes()), &signature) {
        return Err(Refusal::BadSignature);
    }
    let (head, claims) = (json(&decode(head)?), json(&decode(claims)?));
    let hash = hex(&host::sha256(&webhook.body));
    let holds = pick(&head, "/alg") == Some("HS256")
        && pick(&head, "/typ").is_none_or(|kind| kind == "JWT")
        && pick(&claims, "/iss") == Some("Vonage")
        && pick(&claims, "/payload_hash").is_some_and(|told| told.eq_ignore_ascii_case(&hash))
        && is_recent(&claims, webhook.received_at_ms / 1_000);
    if holds { Ok(()) } else { Err(Refusal::BadSignature) }
}

fn is_recent(claims: &Value, now_s: u64) -> bool {
    let issued_at = claims.get("iat").and_then(Value::as_u64);
    issued_at.is_some_and(|at| at <= now_s + SKEW_S && now_s <= at + AGE_S_MAX)
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::BadSignature)
}
