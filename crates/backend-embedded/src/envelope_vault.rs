//! Sealing messages that are kept elsewhere, under the data keys that are here.

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::{UnixMillis, message::Envelope, recipient_address::RecipientAddress};
use hermes_ports::{EnvelopeVault, StoreError};
use hermes_sealing::{
    DataKey, KeyId, RecipientHash,
    sealed_envelope::{EnvelopeError, StoredEnvelope, Unsealed, without_personal},
};

use crate::{
    backend::EmbeddedBackend,
    columns::damaged,
    term,
    vault::read_envelope,
    writer::{Change, WriteTx},
};

#[async_trait]
impl EnvelopeVault for EmbeddedBackend {
    fn fingerprint(&self) -> [u8; 16] {
        self.vault().key().fingerprint()
    }

    async fn seal(&self, envelope: &Envelope) -> Result<Bytes, StoreError> {
        let unwritable = |_: EnvelopeError| damaged(format!("envelope of {}", envelope.id));
        let unsealed = Unsealed::of(envelope).map_err(unwritable)?;
        let addresses = RecipientAddress::all_of(&envelope.to);
        let hash =
            |address: &RecipientAddress| term::recipient(self.vault().key(), envelope.scope(), address);
        let keys = self.keys_for(addresses.iter().map(hash).collect()).await?;
        unsealed.seal(&keys).map(Bytes::from).map_err(unwritable)
    }

    async fn unseal(&self, stored: &[u8]) -> Result<Envelope, StoreError> {
        let ids = StoredEnvelope::keys_of(stored).into_iter().collect();
        read_envelope(stored, &self.known_keys(ids).await?)
    }

    fn bare(&self, envelope: &Envelope, erased_at: UnixMillis) -> Result<Bytes, StoreError> {
        let bare = without_personal(envelope, erased_at);
        bare.map(Bytes::from).map_err(|_| damaged(format!("envelope of {}", envelope.id)))
    }

    fn is_plain(&self, stored: &[u8]) -> bool {
        StoredEnvelope::is_plain(stored)
    }
}

impl EmbeddedBackend {
    /// The keys of these recipients. Those who were written to lately cost no transaction.
    async fn keys_for(&self, recipients: Vec<RecipientHash>) -> Result<Vec<(KeyId, DataKey)>, StoreError> {
        let known: Option<Vec<_>> = recipients.iter().map(|one| self.vault().of_recipient(*one)).collect();
        if let Some(known) = known.filter(|known| !known.is_empty()) {
            return Ok(known);
        }
        let give = move |tx: &mut WriteTx<'_>| -> Change<Vec<(KeyId, DataKey)>> {
            if recipients.is_empty() {
                return tx.keys.anonymous().map(|key| Ok(vec![key]));
            }
            let keys = recipients.iter().map(|recipient| tx.keys.of(tx.db, *recipient));
            keys.collect::<rusqlite::Result<_>>().map(Ok)
        };
        self.writer().write("giving out data keys", give).await
    }
}
