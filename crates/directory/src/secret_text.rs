//! Secrets that people copy: random text without characters that need escaping.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use hermes_sealing::SealError;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 32 characters of 62 carry 190 bits.
const KEY_CHARS: usize = 32;
/// Characters of a key that lists show.
const HINT_CHARS: usize = 4;
/// Standard Webhooks asks for 24 to 64 bytes.
const SIGNING_SECRET_BYTES: usize = 32;

/// What a webhook's secret begins with.
pub(crate) const SIGNING_SECRET_PREFIX: &str = "whsec_";

/// `prefix` followed by 32 random letters and digits.
pub(crate) fn api_key(prefix: &str) -> Result<String, SealError> {
    let mut text = String::with_capacity(prefix.len() + KEY_CHARS);
    text.push_str(prefix);
    let mut random = [0; 2 * KEY_CHARS];
    let end = text.capacity();
    while text.len() < end {
        getrandom::fill(&mut random).map_err(|_| SealError::NoRandomness)?;
        // Bytes at or above 248 = 4 × 62 would favour the first letters.
        let fair = random.iter().filter(|byte| **byte < 248);
        text.extend(fair.take(end - text.len()).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])));
    }
    Ok(text)
}

/// What people recognise a key by: its prefix and its last four characters. 28 remain, which carry 166 bits.
pub(crate) fn hint(prefix: &str, key: &str) -> String {
    let shown = key.get(key.len().saturating_sub(HINT_CHARS)..).unwrap_or_default();
    format!("{prefix}…{shown}")
}

/// A new signing secret, `whsec_<base64>`.
pub(crate) fn signing_secret() -> Result<String, SealError> {
    let mut random = [0; SIGNING_SECRET_BYTES];
    getrandom::fill(&mut random).map_err(|_| SealError::NoRandomness)?;
    Ok(format!("{SIGNING_SECRET_PREFIX}{}", STANDARD.encode(random)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_prefix_length_and_alphabet() {
        let (one, other) = (api_key("hk_live_").unwrap(), api_key("hk_live_").unwrap());
        assert_eq!(one.len(), "hk_live_".len() + KEY_CHARS);
        assert!(one["hk_live_".len()..].bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(one, other);
    }

    #[test]
    fn signing_secrets_are_base64_of_32_bytes() {
        let secret = signing_secret().unwrap();
        let encoded = secret.strip_prefix(SIGNING_SECRET_PREFIX).unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap().len(), SIGNING_SECRET_BYTES);
    }
}
