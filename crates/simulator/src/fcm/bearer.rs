//! Access tokens: handed out, recognised, expired and revoked, without remembering any.

use std::sync::atomic::{AtomicU32, Ordering};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header};
use ring::hmac;

use super::fault::{self, Fault};
use crate::{clock::UnixMillis, inbound::header_text};

const PREFIX: &str = "ya29.c.";
/// How long a token is valid, in seconds.
pub(super) const LIFETIME_S: i64 = 3599;

/// A token holds its expiry, generation and project, and a MAC over them.
#[derive(Debug)]
pub(super) struct Tokens {
    key: hmac::Key,
    generation: AtomicU32,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>()),
            generation: AtomicU32::new(0),
        }
    }

    pub(super) fn revoke(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn issue(&self, project: &str, now: UnixMillis) -> String {
        let mut claims = Vec::with_capacity(12 + project.len());
        claims.extend((now + LIFETIME_S * 1000).to_be_bytes());
        claims.extend(self.generation.load(Ordering::Relaxed).to_be_bytes());
        claims.extend(project.as_bytes());
        let mac = hmac::sign(&self.key, &claims);
        claims.extend(mac.as_ref());
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(claims))
    }

    /// Whether the request may send for `project`.
    pub(super) fn check(&self, headers: &HeaderMap, project: &str, now: UnixMillis) -> Result<(), Fault> {
        let authorization = header_text(headers, header::AUTHORIZATION)
            .ok_or_else(|| fault::unauthenticated("CREDENTIALS_MISSING"))?;
        let unknown = || fault::unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED");
        let token = authorization.strip_prefix("Bearer ").and_then(|token| token.strip_prefix(PREFIX));
        let bytes = token.and_then(|token| URL_SAFE_NO_PAD.decode(token).ok()).ok_or_else(unknown)?;
        let (claims, mac) = bytes.split_last_chunk::<32>().ok_or_else(unknown)?;
        hmac::verify(&self.key, claims, mac).map_err(|_| unknown())?;
        let (expires_at, rest) = claims.split_first_chunk::<8>().ok_or_else(unknown)?;
        let (generation, issued_for) = rest.split_first_chunk::<4>().ok_or_else(unknown)?;
        let is_current = u32::from_be_bytes(*generation) == self.generation.load(Ordering::Relaxed);
        if !is_current || i64::from_be_bytes(*expires_at) <= now {
            return Err(fault::unauthenticated("ACCESS_TOKEN_EXPIRED"));
        }
        if issued_for == project.as_bytes() { Ok(()) } else { Err(fault::other_project(project)) }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_opens_one_project_for_an_hour() {
        let tokens = Tokens::new();
        let headers = |token: &str| {
            let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
            HeaderMap::from_iter([(header::AUTHORIZATION, value)])
        };
        let token = tokens.issue("p", 0);
        tokens.check(&headers(&token), "p", 3_598_999).unwrap();
        assert_eq!(tokens.check(&headers(&token), "q", 0), Err(fault::other_project("q")));
        let expired = Err(fault::unauthenticated("ACCESS_TOKEN_EXPIRED"));
        assert_eq!(tokens.check(&headers(&token), "p", 3_599_000), expired);
        let unknown = Err(fault::unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED"));
        assert_eq!(tokens.check(&headers(&token[..token.len() - 4]), "p", 0), unknown);
        assert_eq!(tokens.check(&headers(&Tokens::new().issue("p", 0)), "p", 0), unknown);
        assert_eq!(
            tokens.check(&HeaderMap::new(), "p", 0),
            Err(fault::unauthenticated("CREDENTIALS_MISSING"))
        );
        tokens.revoke();
        assert_eq!(tokens.check(&headers(&token), "p", 0), expired);
    }
}
