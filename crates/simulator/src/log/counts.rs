//! How often each reference was received, small enough for two million of them.

use std::collections::HashMap;

use ulid::Ulid;

/// Most references counted; about 50 bytes each.
const REFERENCES_MAX: usize = 2_000_000;

/// Submissions with one reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) received: u32,
    /// Those that the provider took over.
    pub(crate) processed: u32,
}

/// Counts per reference. A message reference (`msg_<ULID>.<attempt>`) takes 18 bytes as a key, others their
/// text.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    messages: HashMap<MessageKey, Count>,
    others: HashMap<Box<str>, Count>,
    without_room: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct MessageKey {
    ulid: [u8; 16],
    attempt: u16,
}

const MESSAGE_PREFIX: &str = "msg_";

impl MessageKey {
    fn parse(reference: &str) -> Option<Self> {
        let (ulid, attempt) = reference.strip_prefix(MESSAGE_PREFIX)?.split_once('.')?;
        let key = Self { ulid: ulid.parse::<Ulid>().ok()?.to_bytes(), attempt: attempt.parse().ok()? };
        // Another spelling of the same key (lower case, leading zeros) keeps its own text.
        (key.to_string() == reference).then_some(key)
    }
}

impl std::fmt::Display for MessageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{MESSAGE_PREFIX}{}.{}", Ulid::from_bytes(self.ulid), self.attempt)
    }
}

impl Counts {
    pub(crate) fn add(&mut self, reference: &str, processed: bool) {
        let full = self.len() >= REFERENCES_MAX;
        let count = match MessageKey::parse(reference) {
            Some(key) if !full || self.messages.contains_key(&key) => self.messages.entry(key).or_default(),
            None if !full || self.others.contains_key(reference) => {
                self.others.entry(reference.into()).or_default()
            }
            Some(_) | None => {
                self.without_room += 1;
                return;
            }
        };
        count.received += 1;
        count.processed += u32::from(processed);
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len() + self.others.len()
    }

    /// Submissions that were not counted because the table was full.
    pub(crate) fn without_room(&self) -> u64 {
        self.without_room
    }

    pub(crate) fn each(&self, mut visit: impl FnMut(&str, Count)) {
        for (key, count) in &self.messages {
            visit(&key.to_string(), *count);
        }
        for (reference, count) in &self.others {
            visit(reference, *count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_references_come_back_as_they_were() {
        let mut counts = Counts::default();
        let references =
            ["msg_01ARZ3NDEKTSV4RRFFQ69G5FAV.7", "msg_01arz3ndektsv4rrffq69g5fav.7", "msg_x.1", "plain"];
        for reference in references {
            counts.add(reference, true);
            counts.add(reference, false);
        }
        let mut seen = Vec::new();
        counts.each(|reference, count| {
            assert_eq!(count, Count { received: 2, processed: 1 });
            seen.push(reference.to_owned());
        });
        seen.sort();
        let mut expected = references.map(str::to_owned);
        expected.sort();
        assert_eq!(seen, expected);
        assert_eq!(counts.messages.len(), 1);
    }
}
