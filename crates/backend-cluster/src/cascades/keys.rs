//! Names of keys.

use hermes_domain::MessageId;

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Envelope,
    State,
    Live,
}

impl Kind {
    const fn letter(self) -> char {
        match self {
            Self::Envelope => 'e',
            Self::State => 's',
            Self::Live => 'l',
        }
    }
}

/// The key of one message.
pub(super) fn key(kind: Kind, id: MessageId) -> String {
    format!("{}.{}.{id}", kind.letter(), id.partition())
}

/// The pattern of every key of a kind, in one partition or all.
pub(super) fn pattern(kind: Kind, partition: Option<u8>) -> String {
    let letter = kind.letter();
    partition.map_or_else(|| format!("{letter}.>"), |partition| format!("{letter}.{partition}.>"))
}

/// The key that marks the end of a list of keys; within the pattern of that list.
pub(super) fn mark(kind: Kind, partition: Option<u8>) -> String {
    pattern(kind, partition).replace('>', "end")
}

/// The message that a subject ends with.
pub(super) fn message(subject: &str) -> Option<MessageId> {
    subject.rsplit('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hermes_domain::UnixMillis;

    #[test]
    fn a_key_names_its_message() {
        let id = MessageId::mint(UnixMillis(1_767_323_045_678), 200, 1, 1);
        let key = key(Kind::State, id);
        assert_eq!(key, format!("s.200.{id}"));
        assert_eq!(message(&format!("$KV.bucket.{key}")), Some(id));
        assert_eq!(message("$KV.bucket.s.200.nonsense"), None);
        assert_eq!(pattern(Kind::Live, Some(200)), "l.200.>");
        assert_eq!(mark(Kind::Live, Some(200)), "l.200.end");
        assert_eq!(message("$KV.bucket.l.200.end"), None);
    }
}
