//! Tokens that let an app acknowledge a message without an API key.
//!
//! A token is the message's id with a keyed hash of it: nothing is stored, nobody can guess one, and
//! one for a message says nothing about others.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hermes_domain::MessageId;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const ID_BYTES: usize = 16;
/// 128 bits of the hash are kept.
const PROOF_BYTES: usize = 16;

/// Makes and checks acknowledgement tokens.
#[derive(Clone)]
pub struct AckTokens(Hmac<Sha256>);

impl AckTokens {
    /// Tokens under a key derived from `hash_key`.
    pub(crate) fn new(hash_key: &[u8; 32]) -> Self {
        let derived = keyed(hash_key).chain_update(b"hermes ack token").finalize().into_bytes();
        Self(keyed(&derived))
    }

    /// The token of a message: 43 characters that are safe in a URL.
    pub fn token(&self, message: MessageId) -> String {
        let mut bytes = [0; ID_BYTES + PROOF_BYTES];
        bytes[..ID_BYTES].copy_from_slice(&message.as_u128().to_be_bytes());
        bytes[ID_BYTES..].copy_from_slice(&self.proof(message));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The message that a token was made for; `None` when it is not one of ours.
    pub fn message(&self, token: &str) -> Option<MessageId> {
        let bytes: [u8; ID_BYTES + PROOF_BYTES] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (id, proof) = bytes.split_at(ID_BYTES);
        let message = MessageId::from_u128(u128::from_be_bytes(id.try_into().ok()?));
        bool::from(self.proof(message).ct_eq(proof)).then_some(message)
    }

    fn proof(&self, message: MessageId) -> [u8; PROOF_BYTES] {
        let hash = self.0.clone().chain_update(message.as_u128().to_be_bytes()).finalize().into_bytes();
        let mut proof = [0; PROOF_BYTES];
        proof.copy_from_slice(&hash[..PROOF_BYTES]);
        proof
    }
}

impl fmt::Debug for AckTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AckTokens(…)")
    }
}

/// An HMAC under `key`.
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hermes_domain::UnixMillis;

    #[test]
    fn a_token_leads_back_to_its_message_and_cannot_be_altered() {
        let tokens = AckTokens::new(&[7; 32]);
        let message = MessageId::mint(UnixMillis(1_767_323_045_678), 3, 4, 5);
        let token = tokens.token(message);
        assert_eq!((token.len(), tokens.message(&token)), (43, Some(message)));
        assert_eq!(AckTokens::new(&[8; 32]).message(&token), None);
        for index in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(tokens.message(std::str::from_utf8(&altered).unwrap()), None, "{index}");
        }
        assert_eq!(tokens.message("short"), None);
    }
}
