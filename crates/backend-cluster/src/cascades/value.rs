//! Stored forms of states and live keys.
//!
//! A state: version byte, length of the rest (four bytes, big-endian), the rest as JSON, the encoded
//! state. A live key: version byte, due time (eight bytes), whether an effect is owed (one byte).

use bytes::{BufMut, Bytes, BytesMut};
use hermes_domain::{ConnectionId, EndpointId, EventId, MessageId, UnixMillis, event::EventKind};
use hermes_ports::{
    cascade_store::{Commit, OpenCascade},
    outbox::OutboxEntry,
    receipt_inbox::ParkedId,
};
use serde::{Deserialize, Serialize};

const VERSION: u8 = 1;

/// What is not part of the state but belongs to its commit. Fields may be added, never renamed.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredRest {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outbox: Vec<StoredEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consumed: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    provider_ids: Vec<(ConnectionId, String)>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredEntry {
    endpoint: EndpointId,
    event: EventId,
    #[serde(default)]
    message: Option<MessageId>,
    event_type: String,
    body: String,
    created_at: UnixMillis,
}

/// A rest as ports know it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) outbox: Vec<OutboxEntry>,
    pub(super) consumed: Option<ParkedId>,
    pub(super) provider_ids: Vec<(ConnectionId, String)>,
}

/// The value of a state key.
pub(super) fn encode_state(commit: &Commit) -> Result<Bytes, serde_json::Error> {
    let rest = serde_json::to_vec(&StoredRest::of(commit))?;
    let mut value = BytesMut::with_capacity(5 + rest.len() + commit.state.len());
    value.put_u8(VERSION);
    value.put_u32(u32::try_from(rest.len()).unwrap_or(u32::MAX));
    value.put_slice(&rest);
    value.put_slice(&commit.state);
    Ok(value.freeze())
}

/// The encoded state and the rest; `None` when the value is damaged.
pub(super) fn decode_state(value: &Bytes) -> Option<(Bytes, Rest)> {
    let (&version, after) = value.split_first()?;
    let (length, after) = after.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let rest = after.get(..length).filter(|_| version == VERSION)?;
    let rest: StoredRest = serde_json::from_slice(rest).ok()?;
    Some((value.slice(5 + length..), rest.read()?))
}

/// The value of a live key.
pub(super) fn encode_live(due: UnixMillis, owes_effect: bool) -> Bytes {
    let mut value = BytesMut::with_capacity(10);
    value.put_u8(VERSION);
    value.put_u64(due.0);
    value.put_u8(u8::from(owes_effect));
    value.freeze()
}

/// What a live key says; `None` when it is damaged.
pub(super) fn decode_live(id: MessageId, value: &[u8]) -> Option<OpenCascade> {
    let [VERSION, due @ .., owes] = value else { return None };
    let due = UnixMillis(u64::from_be_bytes(due.try_into().ok()?));
    Some(OpenCascade { id, due, owes_effect: *owes == 1 })
}

impl StoredRest {
    fn of(commit: &Commit) -> Self {
        let entry = |entry: &OutboxEntry| StoredEntry {
            endpoint: entry.endpoint,
            event: entry.event,
            message: entry.message,
            event_type: entry.event_type.to_owned(),
            body: entry.body.clone(),
            created_at: entry.created_at,
        };
        Self {
            outbox: commit.outbox.iter().map(entry).collect(),
            consumed: commit.consumed.map(|parked| parked.0),
            provider_ids: commit.provider_ids.clone(),
        }
    }

    fn read(self) -> Option<Rest> {
        let outbox: Option<Vec<_>> = self.outbox.into_iter().map(StoredEntry::read).collect();
        let consumed = self.consumed.map(ParkedId);
        Some(Rest { outbox: outbox?, consumed, provider_ids: self.provider_ids })
    }
}

impl StoredEntry {
    fn read(self) -> Option<OutboxEntry> {
        let kind = EventKind::ALL.into_iter().find(|kind| kind.as_str() == self.event_type)?;
        Some(OutboxEntry {
            endpoint: self.endpoint,
            event: self.event,
            message: self.message,
            event_type: kind.as_str(),
            body: self.body,
            created_at: self.created_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_live_keys_round_trip() {
        let id = MessageId::mint(UnixMillis(1_767_323_045_678), 7, 1, 1);
        let live = OpenCascade { id, due: UnixMillis(12), owes_effect: true };
        assert_eq!(decode_live(id, &encode_live(live.due, live.owes_effect)), Some(live));
        assert_eq!(decode_live(id, &[2, 0, 0]), None);
        let story = hermes_testkit::Story::of(&hermes_testkit::envelope().build()).accepted_as("SM1");
        let entry = OutboxEntry {
            endpoint: EndpointId::from_u128(1),
            event: id.event_id(1),
            message: Some(id),
            event_type: EventKind::MessageDelivered.as_str(),
            body: "{}".into(),
            created_at: UnixMillis(9),
        };
        let commit = Commit { outbox: vec![entry], consumed: Some(ParkedId(4)), ..story.create() };
        let value = encode_state(&commit).unwrap();
        let rest = Rest {
            outbox: commit.outbox.clone(),
            consumed: commit.consumed,
            provider_ids: commit.provider_ids.clone(),
        };
        assert_eq!(decode_state(&value), Some((commit.state, rest)));
        assert_eq!(decode_state(&Bytes::from_static(&[1, 0, 0, 0, 9, b'{'])), None);
    }
}
