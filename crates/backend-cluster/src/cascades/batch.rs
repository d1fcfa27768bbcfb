//! Several keys of one bucket, written atomically (ADR-50 of NATS, server 2.12).
//!
//! Every message of a batch carries its id and position; the last one commits it and is answered. If
//! one expectation fails nothing is stored, and all of it costs one round trip.

use std::{error::Error, time::Duration};

use async_nats::{
    Client, HeaderMap,
    header::{
        NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL, NATS_BATCH_ID, NATS_BATCH_SEQUENCE,
        NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_TTL,
    },
    jetstream::{ErrorCode, publish::PublishAck, response::Response},
};
use bytes::Bytes;
use hermes_ports::StoreError;

/// Marks a deletion, as key-value clients write it.
const KV_OPERATION: &str = "KV-Operation";
/// How often a batch is begun again when the bucket has too many under way.
const TRIES: u32 = 8;
/// Shortest wait before that; doubles each time.
const BUSY_WAIT: Duration = Duration::from_millis(2);

/// One key to write.
#[derive(Clone, Debug)]
pub(super) struct Put {
    /// Full subject.
    pub(super) subject: String,
    /// New value; empty for a deletion.
    pub(super) value: Bytes,
    /// The sequence that the key's last value must have; zero for none.
    pub(super) expected: Option<u64>,
    /// Forgotten after this time.
    pub(super) ttl: Option<Duration>,
    /// Whether this deletes the key.
    pub(super) deletes: bool,
}

/// Writes all of `puts`, which must not be empty, and returns the sequence of the last one.
///
/// # Errors
/// `Conflict` when an expectation is not met. `Unavailable` otherwise; without an answer from the
/// server it is unknown whether the batch was stored.
pub(super) async fn write(client: &Client, puts: &[Put]) -> Result<u64, StoreError> {
    let mut wait = BUSY_WAIT;
    for _ in 1..TRIES {
        match try_write(client, puts).await? {
            Answer::Stored(sequence) => return Ok(sequence),
            Answer::Busy => tokio::time::sleep(wait).await,
        }
        wait *= 2;
    }
    match try_write(client, puts).await? {
        Answer::Stored(sequence) => Ok(sequence),
        Answer::Busy => Err(unavailable("the bucket has too many batches under way")),
    }
}

enum Answer {
    Stored(u64),
    Busy,
}

async fn try_write(client: &Client, puts: &[Put]) -> Result<Answer, StoreError> {
    let Some((last, first)) = puts.split_last() else { return Err(unavailable("an empty batch")) };
    let id = client.new_inbox();
    let id = id.rsplit('.').next().unwrap_or(&id);
    for (position, put) in (1_u64..).zip(first) {
        let published =
            client.publish_with_headers(put.subject.clone(), headers(put, id, position), put.value.clone());
        published.await.map_err(unavailable)?;
    }
    let mut commit = headers(last, id, puts.len() as u64);
    commit.insert(NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL);
    let answer = client.request_with_headers(last.subject.clone(), commit, last.value.clone());
    let answer = answer.await.map_err(unavailable)?;
    match serde_json::from_slice::<Response<PublishAck>>(&answer.payload).map_err(unavailable)? {
        Response::Ok(stored) => Ok(Answer::Stored(stored.sequence)),
        Response::Err { error } => match error.error_code() {
            ErrorCode::STREAM_WRONG_LAST_SEQUENCE | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT => {
                Err(StoreError::Conflict)
            }
            ErrorCode::ATOMIC_PUBLISH_TOO_MANY_INFLIGHT => Ok(Answer::Busy),
            _ => Err(unavailable(error)),
        },
    }
}

fn headers(put: &Put, batch: &str, position: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_BATCH_ID, batch);
    headers.insert(NATS_BATCH_SEQUENCE, position.to_string());
    if let Some(expected) = put.expected {
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
    }
    if let Some(ttl) = put.ttl {
        headers.insert(NATS_MESSAGE_TTL, ttl.as_secs().max(1).to_string());
    }
    if put.deletes {
        headers.insert(KV_OPERATION, "DEL");
    }
    headers
}

fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable { attempted: "committing a cascade", cause: cause.into() }
}
