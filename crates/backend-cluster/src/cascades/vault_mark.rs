//! Whose data keys the envelopes in the buckets are sealed under.
//!
//! Ids of data keys mean nothing in another vault: it would take one key for another, and show messages as erased that are
//! not. So the first vault leaves its mark, and every other one is refused.

use async_nats::Client;
use bytes::Bytes;
use hermes_ports::StoreError;

use super::{
    batch::{self, Put},
    bucket::Bucket,
    options::OpenError,
};

const KEY: &str = "vault";

/// Leaves the mark of a vault, or finds it.
///
/// # Errors
/// `OtherVault`, `Vault`.
pub(super) async fn claim(client: &Client, bucket: &Bucket, fingerprint: [u8; 16]) -> Result<(), OpenError> {
    let put = Put {
        subject: bucket.subject(KEY),
        value: Bytes::copy_from_slice(&fingerprint),
        expected: Some(0),
        ttl: None,
        deletes: false,
    };
    match batch::write(client, &[put]).await {
        Ok(_) => return Ok(()),
        Err(StoreError::Conflict) => {} // There is one.
        Err(failure) => return Err(OpenError::Vault(failure)),
    }
    let found = bucket.get(KEY).await.map_err(OpenError::Vault)?;
    let is_ours = found.is_some_and(|found| found.value[..] == fingerprint);
    if is_ours { Ok(()) } else { Err(OpenError::OtherVault) }
}
