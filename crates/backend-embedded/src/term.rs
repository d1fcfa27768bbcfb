//! What messages are looked for by, as 64-bit numbers.
//!
//! Each term hashes its owner with it: two tenants' terms never meet by intent, and should two hashes
//! ever be equal, readers compare what they find with what they wanted.

use hermes_domain::{
    ConnectionId, TenantId,
    cascade::State,
    message::{Envelope, Mode},
    recipient_address::RecipientAddress,
    tenant::TenantScope,
};
use hermes_sealing::{RecipientHash, VaultKey};
use sha2::{Digest, Sha256};

use crate::columns::{id_bytes, mode_number};

/// Every message of a tenant and mode.
pub(crate) fn list(tenant: TenantId, mode: Mode) -> i64 {
    term(b"list", &owner(tenant, mode), "")
}

/// Messages to an address, as earlier builds hashed them: anybody can, so these are replaced when messages are sealed.
pub(crate) fn plain_to(tenant: TenantId, mode: Mode, address: &str) -> i64 {
    term(b"to", &owner(tenant, mode), &address.to_ascii_lowercase())
}

/// Messages with a tag.
pub(crate) fn tag(tenant: TenantId, mode: Mode, tag: &str) -> i64 {
    term(b"tag", &owner(tenant, mode), tag)
}

/// Messages with an attempt that a provider knows by this id.
pub(crate) fn provider_id(connection: ConnectionId, id: &str) -> i64 {
    term(b"provider", &id_bytes!(connection), id)
}

/// How a recipient's data key is found, from which the term of their messages follows ([`DataKey::term`]).
///
/// [`DataKey::term`]: hermes_sealing::DataKey::term
pub(crate) fn recipient(vault: &VaultKey, scope: TenantScope, address: &RecipientAddress) -> RecipientHash {
    vault.recipient(scope, address.kind(), address.normal())
}

/// What an envelope can be found by, whoever it is for.
pub(crate) fn of_envelope(envelope: &Envelope) -> Vec<i64> {
    let (tenant, mode) = (envelope.tenant, envelope.mode);
    let tags = envelope.tags.iter().map(|name| tag(tenant, mode, name));
    std::iter::once(list(tenant, mode)).chain(tags).collect()
}

/// The terms of a plain envelope's addresses.
pub(crate) fn plain_to_all(envelope: &Envelope) -> Vec<i64> {
    let (tenant, mode, to) = (envelope.tenant, envelope.mode, &envelope.to);
    let phones = [&to.phone, &to.whatsapp].into_iter().flatten().map(|phone| phone.as_str());
    let addresses = phones.chain(to.email.as_ref().map(|email| email.as_str()));
    addresses.map(|address| plain_to(tenant, mode, address)).collect()
}

/// What a stored cascade can be found by.
pub(crate) fn of_cascade(envelope: &Envelope, state: &State) -> Vec<i64> {
    let mut terms = of_envelope(envelope);
    terms.extend(state.provider_ids(envelope).iter().map(|(connection, id)| provider_id(*connection, id)));
    terms
}

fn owner(tenant: TenantId, mode: Mode) -> [u8; 17] {
    let mut owner = [0; 17];
    owner[..16].copy_from_slice(&id_bytes!(tenant));
    owner[16] = u8::from(mode_number(mode) == 1);
    owner
}

/// Lengths in front keep (kind, owner, text) apart. The result is persisted: never change it.
fn term(kind: &[u8], owner: &[u8], text: &str) -> i64 {
    let mut hash = Sha256::new();
    for part in [kind, owner, text.as_bytes()] {
        hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persisted_term_never_changes() {
        let tenant = TenantId::from_u128(7);
        assert_eq!(list(tenant, Mode::Live), LIST);
        assert_eq!(
            plain_to(tenant, Mode::Test, "A@Example.dk"),
            plain_to(tenant, Mode::Test, "a@example.dk")
        );
        assert_ne!(plain_to(tenant, Mode::Test, "x"), tag(tenant, Mode::Test, "x"));
        assert_ne!(tag(tenant, Mode::Test, "x"), tag(tenant, Mode::Live, "x"));
    }

    /// Computed apart from this code.
    const LIST: i64 = -7_777_882_674_616_112_863;
}
