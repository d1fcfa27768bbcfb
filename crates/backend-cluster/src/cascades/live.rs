//! Lists what lives, by reading live keys only.

use std::collections::BTreeMap;

use async_nats::{Client, jetstream::Message};
use hermes_domain::MessageId;
use hermes_ports::{StoreError, cascade_store::OpenCascade};

use super::{
    bucket::Bucket,
    keys::{self, Kind},
    reader::{Reader, mark},
    value,
};

/// A key that changes before it was read moves behind the mark; whoever changes it twice runs it.
const MARKS: usize = 2;

/// Every live cascade of a bucket, or of one partition in it.
pub(super) async fn scan(
    client: &Client,
    bucket: &Bucket,
    partition: Option<u8>,
) -> Result<Vec<OpenCascade>, StoreError> {
    let mut reader = Reader::open(client, bucket, Kind::Live, partition).await?;
    let mut open = BTreeMap::new();
    for _ in 0..MARKS {
        let mark = mark(client, bucket, Kind::Live, partition).await?;
        loop {
            let read = reader.next().await?;
            take(&read.message, &mut open)?;
            if read.sequence >= mark {
                break;
            }
        }
    }
    Ok(open.into_values().collect())
}

fn take(message: &Message, open: &mut BTreeMap<MessageId, OpenCascade>) -> Result<(), StoreError> {
    let Some(id) = keys::message(&message.subject) else { return Ok(()) };
    if message.payload.is_empty() {
        open.remove(&id); // Deleted while the list was read.
        return Ok(());
    }
    let found = value::decode_live(id, &message.payload);
    open.insert(id, found.ok_or_else(|| StoreError::Damaged { what: format!("live key of {id}") })?);
    Ok(())
}
