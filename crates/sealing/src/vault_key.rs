//! The key above all data keys of a store.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hermes_domain::{message::Mode, recipient_address::AddressKind, tenant::TenantScope};

use crate::{DataKey, KeyId, SealError, data_key::mac};

const NONCE_BYTES: usize = 24;

/// Keyed hash of a tenant, a mode and an address: nobody without the vault key can try addresses against it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RecipientHash(pub [u8; 16]);

impl RecipientHash {
    /// Anywhere among all of them.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn random() -> Result<Self, SealError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
        Ok(Self(bytes))
    }
}

/// Made once per store. Kept sealed under the credentials key, which may change; this one never does, or no recipient
/// would be found again.
#[derive(Clone)]
pub struct VaultKey {
    bytes: [u8; 32],
    wrap: XChaCha20Poly1305,
    index: [u8; 32],
    consent: [u8; 32],
}

impl VaultKey {
    /// A new one.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn random() -> Result<Self, SealError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
        Ok(Self::from_bytes(bytes))
    }

    /// As it was opened with the credentials key.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let derive = |purpose: &[u8]| mac(&bytes, &[purpose]);
        Self {
            wrap: XChaCha20Poly1305::new((&derive(b"hermes vault: data keys")).into()),
            index: derive(b"hermes vault: recipients"),
            consent: derive(b"hermes vault: suppressions"),
            bytes,
        }
    }

    /// Tells vaults apart. Persisted: never change it.
    pub fn fingerprint(&self) -> [u8; 16] {
        first_half(mac(&self.bytes, &[b"hermes vault: fingerprint"]))
    }

    /// To be sealed under the credentials key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// How a recipient's data key is found. `normal` is the address in its normal form. Persisted: never change it.
    pub fn recipient(&self, scope: TenantScope, kind: AddressKind, normal: &str) -> RecipientHash {
        RecipientHash(first_half(address_mac(&self.index, scope, kind, normal)))
    }

    /// How a suppression outlives the erasure of whom it is about: unrelated to [`Self::recipient`]. Persisted: never
    /// change it.
    pub fn suppressed(&self, scope: TenantScope, kind: AddressKind, normal: &str) -> [u8; 16] {
        first_half(address_mac(&self.consent, scope, kind, normal))
    }

    /// `nonce (24) | ciphertext and tag (48)`, bound to the id.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn wrap(&self, id: KeyId, key: &DataKey) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        let payload = Payload { msg: &key.0, aad: &id.0.to_be_bytes() };
        let sealed = self.wrap.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Forged)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`Self::wrap`] made for the same id.
    ///
    /// # Errors
    /// `Format`, `Forged`.
    pub fn unwrap(&self, id: KeyId, wrapped: &[u8]) -> Result<DataKey, SealError> {
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_BYTES).ok_or(SealError::Format)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealError::Format)?;
        let payload = Payload { msg: sealed, aad: &id.0.to_be_bytes() };
        let plain = self.wrap.decrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Forged)?;
        plain.try_into().map(DataKey).map_err(|_| SealError::Format)
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(…)")
    }
}

fn address_mac(key: &[u8; 32], scope: TenantScope, kind: AddressKind, normal: &str) -> [u8; 32] {
    let mode = match scope.mode {
        Mode::Live => 0,
        Mode::Test => 1,
    };
    let kind = match kind {
        AddressKind::Phone => 0,
        AddressKind::Email => 1,
        AddressKind::Push => 2,
    };
    // Everything before the text has a fixed length, so that no two addresses run together.
    mac(key, &[&scope.tenant.as_u128().to_be_bytes(), &[mode, kind], normal.as_bytes()])
}

fn first_half(mac: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&mac[..16]);
    half
}

#[cfg(test)]
mod tests {
    use hermes_domain::TenantId;

    use super::*;

    #[test]
    fn a_wrapped_key_opens_only_under_its_id_and_vault() {
        let (vault, key) = (VaultKey::from_bytes([1; 32]), DataKey::random().unwrap());
        let wrapped = vault.wrap(KeyId(7), &key).unwrap();
        assert_eq!(vault.unwrap(KeyId(7), &wrapped), Ok(key.clone()));
        assert_eq!(vault.unwrap(KeyId(8), &wrapped), Err(SealError::Forged));
        assert_eq!(VaultKey::from_bytes([2; 32]).unwrap(KeyId(7), &wrapped), Err(SealError::Forged));
        assert!(!wrapped.windows(32).any(|window| window == key.0));
    }

    #[test]
    fn recipients_of_two_tenants_and_modes_have_nothing_in_common() {
        let vault = VaultKey::from_bytes([1; 32]);
        let hash = |tenant, mode, kind, text| {
            vault.recipient(TenantScope::new(TenantId::from_u128(tenant), mode), kind, text)
        };
        let one = hash(1, Mode::Live, AddressKind::Phone, "+4520123456");
        for other in [
            hash(2, Mode::Live, AddressKind::Phone, "+4520123456"),
            hash(1, Mode::Test, AddressKind::Phone, "+4520123456"),
            hash(1, Mode::Live, AddressKind::Push, "+4520123456"),
        ] {
            assert_ne!(one, other);
        }
        let scope = TenantScope::new(TenantId::from_u128(1), Mode::Live);
        assert_ne!(one.0, vault.suppressed(scope, AddressKind::Phone, "+4520123456"));
    }
}
