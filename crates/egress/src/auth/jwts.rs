//! Tokens that connections sign themselves, and which are kept.

use std::{
    fmt,
    num::NonZeroUsize,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hermes_domain::ConnectionId;
use hermes_ports::{adapter::ConnectionAccess, egress::EgressError};
use lru::LruCache;
use parking_lot::Mutex;
use reqwest::header::HeaderValue;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Map, Value};

use super::{
    credential,
    jwt::{BadKey, Signer},
    sensitive,
};

/// What a token says, beside when and with which id it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claims<'a> {
    /// Name of the credential that signs.
    pub(crate) key: &'a str,
    pub(crate) claims: &'a [(String, String)],
    pub(crate) valid_for: Duration,
}

/// The newest token of each connection; the least used is dropped when full.
///
/// Signing takes about a millisecond, so a token serves for half its lifetime.
pub(crate) struct Jwts {
    by_connection: Mutex<LruCache<ConnectionId, Kept>>,
}

struct Kept {
    /// The key's text and the claims, to notice a change.
    key: String,
    claims: Vec<(String, String)>,
    authorization: HeaderValue,
    made_at: SystemTime,
}

impl Jwts {
    pub(crate) fn new(connections_max: usize) -> Self {
        let connections_max = NonZeroUsize::new(connections_max).unwrap_or(NonZeroUsize::MIN);
        Self { by_connection: Mutex::new(LruCache::new(connections_max)) }
    }

    /// The value of `Authorization` for a request of `access` at `now`.
    ///
    /// # Errors
    /// `Credentials` when the key is missing or unusable.
    pub(crate) fn authorization(
        &self,
        access: &ConnectionAccess,
        wanted: Claims<'_>,
        now: SystemTime,
    ) -> Result<HeaderValue, EgressError> {
        let key = credential(&access.secrets, wanted.key)?;
        let fits = |kept: &&Kept| {
            let age = now.duration_since(kept.made_at);
            kept.key == key && kept.claims == wanted.claims && age.is_ok_and(|age| age < wanted.valid_for / 2)
        };
        let kept = self
            .by_connection
            .lock()
            .get(&access.connection.id)
            .filter(fits)
            .map(|kept| kept.authorization.clone());
        if let Some(authorization) = kept {
            return Ok(authorization);
        }
        let authorization = sensitive(format!("Bearer {}", sign(key, wanted, now)?), wanted.key)?;
        let made = Kept {
            key: key.to_owned(),
            claims: wanted.claims.to_vec(),
            authorization: authorization.clone(),
            made_at: now,
        };
        self.by_connection.lock().put(access.connection.id, made);
        Ok(authorization)
    }

    /// Drops the token of `connection`.
    pub(crate) fn forget(&self, connection: ConnectionId) {
        self.by_connection.lock().pop(&connection);
    }
}

fn sign(key: &str, wanted: Claims<'_>, now: SystemTime) -> Result<String, EgressError> {
    let unusable =
        |BadKey(why): BadKey| EgressError::Credentials(format!("the credential {} {why}", wanted.key));
    let iat = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut claims: Map<String, Value> =
        wanted.claims.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    claims.insert("iat".into(), iat.into());
    claims.insert("exp".into(), (iat + wanted.valid_for.as_secs()).into());
    claims.insert("jti".into(), token_id()?.into());
    Signer::read(key).map_err(unusable)?.token(None, &claims).map_err(unusable)
}

/// A random UUID (RFC 9562, version 4): providers expect that form.
fn token_id() -> Result<String, EgressError> {
    let mut bytes = [0_u8; 16];
    let failed = |_| EgressError::Credentials("the system gives no random numbers".to_owned());
    SystemRandom::new().fill(&mut bytes).map_err(failed)?;
    let random = (u128::from_be_bytes(bytes) & !(0xF << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
    let mut text = format!("{random:032x}");
    for dash in [20, 16, 12, 8] {
        text.insert(dash, '-');
    }
    Ok(text)
}

impl fmt::Debug for Jwts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwts").field("connections", &self.by_connection.lock().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use hermes_domain::{UnixMillis, address::Channel, connection::Connection, message::Mode};
    use hermes_ports::adapter::Secrets;
    use ring::{
        rsa::KeyPair,
        signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
    };
    use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};

    use super::*;

    const VALID_FOR: Duration = Duration::from_secs(900);

    fn pem() -> String {
        let vector: Value =
            serde_json::from_str(include_str!("../../tests/vectors/service_account.json")).unwrap();
        vector["service_account"]["private_key"].as_str().unwrap().to_owned()
    }

    fn access(key: &str) -> ConnectionAccess {
        let connection = Connection {
            id: ConnectionId::new(UnixMillis(1), 1),
            tenant: None,
            mode: Mode::Live,
            provider: "vonage".into(),
            name: "vonage".into(),
            channel: Channel::Sms,
            config: BTreeMap::new(),
            rate_per_s: None,
            held: false,
            created_at: UnixMillis(1),
        };
        let secrets = Secrets(BTreeMap::from([("private_key".to_owned(), key.to_owned())]));
        ConnectionAccess { connection: Arc::new(connection), secrets: Arc::new(secrets) }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn token(jwts: &Jwts, access: &ConnectionAccess, id: &str, now: u64) -> Result<String, EgressError> {
        let claims = [("application_id".to_owned(), id.to_owned())];
        let wanted = Claims { key: "private_key", claims: &claims, valid_for: VALID_FOR };
        let value = jwts.authorization(access, wanted, at(now))?;
        assert!(value.is_sensitive());
        Ok(value.to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned())
    }

    #[test]
    fn a_token_says_what_was_asked_and_is_signed_with_the_key() {
        let token = token(&Jwts::new(9), &access(&pem()), "app-1", 1_700_000_000).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let part = |index: usize| -> Value {
            let part = signed.split('.').nth(index).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(part(0), serde_json::json!({ "alg": "RS256", "typ": "JWT" }));
        let mut claims = part(1);
        let id = claims.as_object_mut().unwrap().remove("jti").unwrap();
        let id = id.as_str().unwrap();
        assert!(id.len() == 36 && id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]), "{id}");
        let expected =
            serde_json::json!({ "application_id": "app-1", "iat": 1_700_000_000, "exp": 1_700_000_900 });
        assert_eq!(claims, expected);
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem().as_bytes()).unwrap();
        let key = KeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref().to_vec());
        public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    }

    #[test]
    fn a_token_serves_for_half_its_life_and_while_nothing_changes() {
        let (jwts, access) = (Jwts::new(9), access(&pem()));
        let first = token(&jwts, &access, "app-1", 1_000).unwrap();
        assert_eq!(token(&jwts, &access, "app-1", 1_449).unwrap(), first);
        let later = token(&jwts, &access, "app-1", 1_450).unwrap();
        assert_ne!(later, first);
        let set_back = token(&jwts, &access, "app-1", 1_000).unwrap();
        assert_ne!(set_back, later, "a clock set back must not send a token of the future");
        let other = token(&jwts, &access, "app-2", 1_001).unwrap();
        assert_ne!(other, set_back);
        jwts.forget(access.connection.id);
        assert_ne!(token(&jwts, &access, "app-2", 1_001).unwrap(), other);
    }

    #[test]
    fn an_unusable_key_is_named_and_not_shown() {
        for key in ["s3cret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"] {
            let refusal = token(&Jwts::new(9), &access(key), "app-1", 1).unwrap_err().to_string();
            assert!(refusal.contains("private_key") && !refusal.contains("s3cret"), "{refusal}");
            assert!(!refusal.contains("c2VjcmV0"), "{refusal}");
        }
    }
}
