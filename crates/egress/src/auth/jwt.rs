//! JSON Web Tokens signed with RSA and SHA-256 (RFC 7519, RS256).
//!
//! ring signs: its RSA runs in constant time and keeps the parsed key, and it is linked for TLS anyway.
//! The pure Rust implementation behind the common token crates has an open timing advisory for private
//! keys (RUSTSEC-2023-0071).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde::Serialize;

/// Why a key cannot be used, as the end of a sentence about it; nothing of the key is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadKey(pub(crate) &'static str);

/// A private key that signs tokens.
pub(crate) struct Signer(KeyPair);

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

impl Signer {
    /// Reads a key in PEM.
    ///
    /// # Errors
    /// When it is no PKCS #8 RSA key of 2048 to 4096 bits.
    pub(crate) fn read(pem: &str) -> Result<Self, BadKey> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| BadKey("holds no PKCS#8 private key"))?;
        let key = KeyPair::from_pkcs8(der.secret_pkcs8_der());
        key.map(Self).map_err(|_| BadKey("holds no RSA key of 2048 to 4096 bits"))
    }

    /// A signed token; `key_id` goes into its header.
    ///
    /// # Errors
    /// When signing fails.
    pub(crate) fn token(&self, key_id: Option<&str>, claims: &impl Serialize) -> Result<String, BadKey> {
        let mut token = encode(&Header { alg: "RS256", typ: "JWT", kid: key_id })?;
        token.push('.');
        token.push_str(&encode(claims)?);
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| BadKey("cannot sign"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

fn encode(part: &impl Serialize) -> Result<String, BadKey> {
    let json = serde_json::to_vec(part).map_err(|_| BadKey("signs what cannot be written as JSON"))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}
