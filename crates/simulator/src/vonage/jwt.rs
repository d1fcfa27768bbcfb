//! JSON web tokens: those that applications log in with, and those that callbacks carry.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    hmac,
    signature::RSA_PKCS1_2048_8192_SHA256,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Vonage, account::Account};

/// How far the caller's clock may be ahead, in seconds.
const SKEW_MAX_S: i64 = 60;
/// How long a token may be valid, in seconds.
const LIFETIME_MAX_S: i64 = 24 * 3600;

/// Why a token does not log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It would have, earlier.
    Expired,
    /// It says something wrong, is not readable, or its signature is not the application's.
    Unauthorized,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
}

#[derive(Deserialize)]
struct RequestClaims {
    application_id: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// The account of the application that signed `token`.
pub(super) fn log_in(vonage: &Vonage, token: &str, now_s: i64) -> Result<Arc<Account>, Refused> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Unauthorized)?;
    let (header, claims) = signed.split_once('.').ok_or(Refused::Unauthorized)?;
    let header: Header = decode(header)?;
    if header.alg != "RS256" || header.typ.is_some_and(|typ| typ != "JWT") {
        return Err(Refused::Unauthorized);
    }
    let claims: RequestClaims = decode(claims)?;
    let account = vonage.account_of_application(&claims.application_id).ok_or(Refused::Unauthorized)?;
    let key = account.application_key.as_ref().ok_or(Refused::Unauthorized)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refused::Unauthorized)?;
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .map_err(|_| Refused::Unauthorized)?;
    let lifetime = claims.exp.saturating_sub(claims.iat);
    if claims.jti.is_empty()
        || claims.iat > now_s.saturating_add(SKEW_MAX_S)
        || !(1..=LIFETIME_MAX_S).contains(&lifetime)
    {
        return Err(Refused::Unauthorized);
    }
    if claims.exp <= now_s { Err(Refused::Expired) } else { Ok(account) }
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, Refused> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Unauthorized)?;
    serde_json::from_slice(&json).map_err(|_| Refused::Unauthorized)
}

/// What a callback's token claims.
pub(super) struct CallbackClaims<'a> {
    /// In seconds.
    pub(super) iat: i64,
    pub(super) jti: &'a str,
    /// Byte for byte as it is sent.
    pub(super) body: &'a [u8],
    pub(super) api_key: &'a str,
    pub(super) application_id: &'a str,
}

impl CallbackClaims<'_> {
    /// The token, signed with the bytes of the account's signature secret.
    pub(super) fn sign(&self, signature_secret: &str) -> String {
        // By hand, so that the members keep the order in which Vonage writes them.
        let claims = format!(
            r#"{{"iat":{},"jti":{},"iss":"Vonage","payload_hash":"{}","api_key":{},"application_id":{}}}"#,
            self.iat,
            Value::from(self.jti),
            hex::encode(digest(&SHA256, self.body)),
            Value::from(self.api_key),
            Value::from(self.application_id),
        );
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, signature_secret.as_bytes());
        let signature = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

#[cfg(test)]
mod tests;
