//! Accounts, with their keys read.

use std::fmt;

use ring::signature::{KeyPair, RsaKeyPair, RsaPublicKeyComponents};
use rsa::{RsaPublicKey, pkcs8::DecodePublicKey, traits::PublicKeyParts};

use crate::{VonageAccount, pem};

/// An account whose application's key can be used.
pub(crate) struct Account {
    pub(super) settings: VonageAccount,
    /// Checks tokens of the application, if there is one.
    pub(super) application_key: Option<RsaPublicKeyComponents<Vec<u8>>>,
}

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadAccount {
    #[error("the key of the Vonage application is not a PEM of an RSA key of at least 2048 bits")]
    Key,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

/// Reads the keys of all accounts; fails if one has no usable key.
pub(crate) fn read_accounts(accounts: Vec<VonageAccount>) -> Result<Vec<Account>, BadAccount> {
    let read = |settings: VonageAccount| {
        let key = settings.application.as_ref().map(|application| application.key.as_str());
        let application_key = key.map(|pem| public_key(pem).ok_or(BadAccount::Key)).transpose()?;
        Ok(Account { settings, application_key })
    };
    accounts.into_iter().map(read).collect()
}

/// Shorter keys are refused by the verification.
const MODULUS_BYTES_MIN: usize = 256;

fn public_key(text: &str) -> Option<RsaPublicKeyComponents<Vec<u8>>> {
    if let Ok(key) = RsaPublicKey::from_public_key_pem(text) {
        let components = RsaPublicKeyComponents { n: key.n().to_bytes_be(), e: key.e().to_bytes_be() };
        return (key.size() >= MODULUS_BYTES_MIN).then_some(components);
    }
    let key = RsaKeyPair::from_pkcs8(&pem::body(text)?).ok()?;
    Some(RsaPublicKeyComponents::from(key.public_key()))
}

#[cfg(test)]
mod tests {
    use rsa::{RsaPrivateKey, pkcs8::DecodePrivateKey, pkcs8::EncodePublicKey, pkcs8::LineEnding};

    use super::*;
    use crate::demo;

    #[test]
    fn both_halves_of_a_key_check_the_same_tokens() {
        let private = RsaPrivateKey::from_pkcs8_pem(demo::VONAGE_PRIVATE_KEY).unwrap();
        let public = private.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
        let of_private = public_key(demo::VONAGE_PRIVATE_KEY).unwrap();
        let of_public = public_key(&public).unwrap();
        assert_eq!((of_private.n, of_private.e), (of_public.n, of_public.e));
        assert!(public_key("none").is_none());
    }
}
