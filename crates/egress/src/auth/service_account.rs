//! The key of a Google service account, and the assertions signed with it (RFC 7523).
//!
//! ring signs: its RSA runs in constant time and keeps the parsed key, and it is linked for TLS anyway.
//! The pure Rust implementation behind the common token crates has an open timing advisory for private
//! keys (RUSTSEC-2023-0071).

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hermes_ports::egress::EgressError;
use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};

/// Google accepts an hour at most.
const ASSERTION_LIFETIME: Duration = Duration::from_hours(1);
/// Google's token endpoint. The assertion names it whatever `token_uri` says, as Google's own clients do.
pub(crate) const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// A service account that can sign.
pub(crate) struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    key: KeyPair,
    /// Where it wants its tokens from, if it says so.
    pub(crate) token_uri: Option<String>,
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").finish_non_exhaustive()
    }
}

/// The JSON file that Google hands out.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'static str,
    iat: u64,
    exp: u64,
}

impl ServiceAccount {
    /// Reads a key file.
    ///
    /// # Errors
    /// `Credentials`; nothing of the file is repeated.
    pub(crate) fn read(key_file: &str) -> Result<Self, EgressError> {
        let file: KeyFile = serde_json::from_str(key_file).map_err(|_| unusable("is not a key file"))?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(file.private_key.as_bytes())
            .map_err(|_| unusable("holds no PKCS#8 private key"))?;
        let key = KeyPair::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|_| unusable("holds no RSA key of 2048 to 4096 bits"))?;
        Ok(Self { email: file.client_email, key_id: file.private_key_id, key, token_uri: file.token_uri })
    }

    /// A signed JWT that asks for `scope`.
    ///
    /// # Errors
    /// `Credentials` when signing fails.
    pub(crate) fn assertion(&self, scope: &str, now: SystemTime) -> Result<String, EgressError> {
        let iat = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let exp = iat + ASSERTION_LIFETIME.as_secs();
        let header = Header { alg: "RS256", typ: "JWT", kid: self.key_id.as_deref() };
        let claims = Claims { iss: &self.email, scope, aud: GOOGLE_TOKEN_URI, iat, exp };
        let mut token = encode(&header)?;
        token.push('.');
        token.push_str(&encode(&claims)?);
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| unusable("cannot sign"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

fn encode(part: &impl Serialize) -> Result<String, EgressError> {
    let json = serde_json::to_vec(part).map_err(|_| unusable("cannot be written as JSON"))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

fn unusable(why: &str) -> EgressError {
    EgressError::Credentials(format!("the service account {why}"))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::Value;

    use super::*;

    fn vector() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/service_account.json")).unwrap()
    }

    #[test]
    fn the_assertion_of_the_vector_is_made_byte_for_byte() {
        let vector = vector();
        let account = ServiceAccount::read(&vector["service_account"].to_string()).unwrap();
        let now = UNIX_EPOCH + Duration::from_millis(1_767_323_045_678);
        let scope = "https://www.googleapis.com/auth/firebase.messaging";
        assert_eq!(account.assertion(scope, now).unwrap(), vector["assertion"].as_str().unwrap());
        assert_eq!(account.token_uri.as_deref(), Some(GOOGLE_TOKEN_URI));
        assert_eq!(format!("{account:?}"), "ServiceAccount { .. }");
    }

    #[test]
    fn an_unusable_key_file_is_refused_without_a_word_of_it() {
        let mut broken = vector()["service_account"].clone();
        broken["private_key"] = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n".into();
        for file in ["s3cret", "{\"client_email\":\"s3cret\"}", &broken.to_string()] {
            let refusal = ServiceAccount::read(file).unwrap_err().to_string();
            assert!(!refusal.contains("s3cret") && !refusal.contains("c2VjcmV0"), "{refusal}");
        }
    }
}
