//! Identifiers: a prefix that says what is named, and a ULID.
//!
//! A message id also carries where the message lives: the bits after the ULID's time hold the
//! partition and a sequence number, so storage key and owner follow from the id alone.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use ulid::Ulid;

use crate::UnixMillis;

/// A text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of the form {prefix}_<ULID>")]
pub struct InvalidId {
    /// The prefix that was expected, without its underscore.
    pub prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Made at `at` from 80 random bits (the upper 48 bits of `random` are ignored).
            pub const fn new(at: UnixMillis, random: u128) -> Self {
                Self(Ulid::from_parts(at.0, random).0)
            }

            /// From the ULID's 128 bits.
            pub const fn from_u128(bits: u128) -> Self {
                Self(bits)
            }

            /// The ULID's 128 bits.
            pub const fn as_u128(self) -> u128 {
                self.0
            }

            /// When the id was made.
            pub const fn at(self) -> UnixMillis {
                UnixMillis((self.0 >> 80) as u64)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = [0; ulid::ULID_LEN];
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(Ulid(self.0).array_to_str(&mut buffer))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let ulid = text.strip_prefix(concat!($prefix, "_"));
                let parsed = ulid.filter(|ulid| ulid.len() == ulid::ULID_LEN).and_then(|ulid| Ulid::from_str(ulid).ok());
                parsed.map(|ulid| Self(ulid.0)).ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.to_be_bytes().serialize(serializer) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    <[u8; 16]>::deserialize(deserializer).map(|bytes| Self(u128::from_be_bytes(bytes)))
                }
            }
        }
    };
}

id!(/// A message and the cascade that carries it.
    MessageId, "msg");
id!(/// One submission of a message to one provider.
    AttemptId, "att");
id!(/// A stored cascade that messages may name.
    CascadeTemplateId, "csc");
id!(/// A tenant's rule for routing.
    RouteId, "rte");
id!(/// A message template.
    TemplateId, "tpl");
id!(/// A tenant.
    TenantId, "tnt");
id!(/// An API key (not its secret).
    KeyId, "key");
id!(/// A connection to a provider: credentials, configuration, limits.
    ConnectionId, "prv");
id!(/// A tenant's webhook endpoint.
    EndpointId, "whk");
id!(/// One entry of a timeline, and the webhook that reports it.
    EventId, "evt");
id!(/// Messages that were handed over together.
    BatchId, "bat");
id!(/// One HTTP request.
    RequestId, "req");
id!(/// A sender that a tenant has registered.
    SenderId, "snd");
id!(/// What a tenant pays from some day on.
    RateCardId, "rtc");
id!(/// An offer of a carrier or an aggregator.
    QuoteId, "qte");
id!(/// One message that a person has sent.
    InboundId, "inb");
id!(/// A rule that an address must not be written to.
    SuppressionId, "sup");

/// How many partitions messages are spread over. Fixed: it is part of every stored id.
pub const PARTITIONS: usize = 256;

/// Bits of the sequence number inside a message id.
const SEQUENCE_BITS: u32 = 14;
/// Random bits at the end of a message id.
const TAIL_BITS: u32 = 80 - 8 - SEQUENCE_BITS;
/// 2025-01-01T00:00:00Z: storage keys count milliseconds from here, so that they fit 63 bits until 2094.
const KEY_EPOCH_MS: u64 = 1_735_689_600_000;

impl MessageId {
    /// Mints an id in `partition`. `sequence` (its low 14 bits) must differ between two ids of one
    /// millisecond and partition; `random` fills the rest.
    pub const fn mint(at: UnixMillis, partition: u8, sequence: u16, random: u64) -> Self {
        let sequence = sequence as u128 & ((1 << SEQUENCE_BITS) - 1);
        let tail = random as u128 & ((1 << TAIL_BITS) - 1);
        let low = ((partition as u128) << (TAIL_BITS + SEQUENCE_BITS)) | (sequence << TAIL_BITS) | tail;
        Self::new(at, low)
    }

    /// The partition that owns this message.
    pub const fn partition(self) -> u8 {
        (self.0 >> (TAIL_BITS + SEQUENCE_BITS)) as u8
    }

    /// An integer key in order of arrival: milliseconds, partition, sequence. Positive.
    ///
    /// Integer keys that grow keep a B-tree's writes on its last pages.
    pub const fn storage_key(self) -> i64 {
        let ms = self.at().0.saturating_sub(KEY_EPOCH_MS);
        let low = (self.0 >> TAIL_BITS) as u64 & ((1 << (8 + SEQUENCE_BITS)) - 1);
        ((ms << (8 + SEQUENCE_BITS)) | low) as i64 & i64::MAX
    }

    /// The id of attempt `number` of this message: derived, so it needs no storage.
    pub const fn attempt_id(self, number: u16) -> AttemptId {
        AttemptId((self.0 & !0xffff) | number as u128)
    }

    /// The id of timeline entry `sequence`: derived, hence the same at every retry of its webhook.
    pub const fn event_id(self, sequence: u16) -> EventId {
        EventId((self.0 & !0xffff) | sequence as u128)
    }
}

/// What a provider gives back with a receipt: `<message id>.<attempt>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct AttemptRef {
    /// The message.
    pub message: MessageId,
    /// The attempt's number within the message, from 1.
    pub attempt: u16,
}

impl fmt::Display for AttemptRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.message, self.attempt)
    }
}

impl FromStr for AttemptRef {
    type Err = InvalidId;

    /// Accepts `-` in place of `.`: some providers allow no dot in a reference.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { prefix: MessageId::PREFIX };
        let (message, attempt) = text.rsplit_once(['.', '-']).ok_or_else(|| invalid.clone())?;
        Ok(Self { message: message.parse()?, attempt: attempt.parse().map_err(|_| invalid)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_carries_partition_and_arrival_order() {
        let at = UnixMillis(1_767_323_045_678);
        let id = MessageId::mint(at, 0xA7, 513, u64::MAX);
        assert_eq!((id.partition(), id.at()), (0xA7, at));
        assert!(MessageId::mint(at, 0xA7, 514, 0).storage_key() > id.storage_key());
        assert!(MessageId::mint(at.plus_ms(1), 0, 0, 0).storage_key() > id.storage_key());
        assert!(MessageId::mint(UnixMillis(u64::MAX), 255, u16::MAX, 0).storage_key() > 0);
    }

    #[test]
    fn text_round_trips_and_other_kinds_are_refused() {
        let id = MessageId::mint(UnixMillis(1_767_323_045_678), 7, 1, 42);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().parse::<TenantId>().is_err());
        assert!("msg_".parse::<MessageId>().is_err());
        let reference = AttemptRef { message: id, attempt: 3 };
        assert_eq!(reference.to_string().parse(), Ok(reference));
        assert_eq!(format!("{id}-3").parse(), Ok(reference));
        assert!(format!("{id}.x").parse::<AttemptRef>().is_err());
    }

    #[test]
    fn both_encodings_of_an_id_round_trip() {
        let id = TenantId::new(UnixMillis(5), 99);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<TenantId>(&json).unwrap(), id);
        let binary = postcard::to_stdvec(&id).unwrap();
        assert_eq!((binary.len(), postcard::from_bytes::<TenantId>(&binary).unwrap()), (16, id));
    }
}
