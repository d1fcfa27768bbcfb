//! The chain: each entry's hash covers all entries before it.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

use super::{AuditEntry, AuditEvent, AuditHead, AuditPhase, AuditRead};
use crate::store_error::StoreError;

/// SHA-256.
pub type AuditHash = [u8; 32];

/// What stands before the first entry.
pub const GENESIS: AuditHash = [0; 32];

/// Entries read at once.
const PAGE: usize = 1_000;
/// Versions of the bytes that are hashed: what operators did, and entries that name an owner or counts too. An entry of
/// before there were those is hashed as it was.
const FORMAT: u8 = 1;
const FORMAT_WITH_OWNER: u8 = 2;

/// The hash of an entry: SHA-256 over the hash before it and what the entry says. Every text is preceded by its length,
/// so that no two entries have the same bytes.
pub fn link(previous: &AuditHash, sequence: u64, event: &AuditEvent) -> AuditHash {
    let mut hash = Sha256::new_with_prefix(previous);
    let is_plain = event.owner.is_none() && event.counts.is_empty();
    hash.update([if is_plain { FORMAT } else { FORMAT_WITH_OWNER }]);
    hash.update(sequence.to_be_bytes());
    hash.update(event.at.0.to_be_bytes());
    for part in [&event.actor, &event.role, &event.action, &event.target, &event.request_id] {
        text(&mut hash, part);
    }
    match event.phase {
        AuditPhase::Intent => hash.update([0]),
        AuditPhase::Outcome { intent, status } => {
            hash.update([1]);
            hash.update(intent.unwrap_or(0).to_be_bytes()); // Entries count from 1.
            hash.update(status.to_be_bytes());
        }
    }
    if !is_plain {
        owner_and_counts(&mut hash, event);
    }
    hash.finalize().into()
}

fn owner_and_counts(hash: &mut Sha256, event: &AuditEvent) {
    match event.owner {
        None => hash.update([0]),
        Some(owner) => {
            hash.update([1]);
            hash.update(owner.tenant.as_u128().to_be_bytes());
            text(hash, owner.mode.as_str());
        }
    }
    for (name, count) in &event.counts {
        text(hash, name);
        hash.update(count.to_be_bytes());
    }
}

fn text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}

/// A hash in hexadecimal, as people read it.
pub fn hex(hash: &AuditHash) -> String {
    hash.iter().fold(String::with_capacity(2 * hash.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // Writing to a string cannot fail.
        text
    })
}

/// What verifying has shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Entries whose chain holds.
    pub entries: u64,
    /// The last of them; `None` when there is none.
    pub head: Option<AuditHead>,
    /// Where the chain breaks first, if it does.
    pub broken: Option<Broken>,
}

/// Where a chain breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Number of the first entry that is not as it was written.
    pub sequence: u64,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// It, or the one before it, does not say what it said when it was written.
    Altered,
    /// It is gone.
    Missing,
    /// It is not the one that the head names as the newest, or there is no head.
    Headless,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Altered => "it does not say what was written",
            Self::Missing => "it is gone",
            Self::Headless => "it is not the newest entry on record",
        })
    }
}

/// Reads the whole log and follows its chain.
///
/// It finds every change, removal and insertion made by somebody who did not write all hashes after it anew, and the
/// removal of the newest entries by somebody who did not change the head too. Against both only a head that was noted
/// elsewhere helps.
///
/// # Errors
/// Those of reading.
pub async fn verify(log: &dyn AuditRead) -> Result<Verdict, StoreError> {
    let mut last = AuditHead { sequence: 0, hash: GENESIS };
    loop {
        for entry in log.after(last.sequence, PAGE).await? {
            if let Some(broken) = broken(last, &entry) {
                return Ok(verdict(last, Some(broken)));
            }
            last = AuditHead { sequence: entry.sequence, hash: entry.hash };
        }
        // Entry and head are written together: a head read after the entries is not behind them.
        let head = log.head().await?;
        let recorded = head.map_or(0, |head| head.sequence);
        if recorded > last.sequence {
            if log.after(last.sequence, 1).await?.is_empty() {
                let broken = Broken { sequence: last.sequence + 1, flaw: Flaw::Missing };
                return Ok(verdict(last, Some(broken)));
            }
            continue; // Appended meanwhile.
        }
        let agreed = recorded == last.sequence && head.is_none_or(|head| head.hash == last.hash);
        let broken = (!agreed).then_some(Broken { sequence: last.sequence, flaw: Flaw::Headless });
        return Ok(verdict(last, broken));
    }
}

fn broken(last: AuditHead, entry: &AuditEntry) -> Option<Broken> {
    let next = last.sequence + 1;
    if entry.sequence != next {
        return Some(Broken { sequence: next, flaw: Flaw::Missing });
    }
    let altered = link(&last.hash, entry.sequence, &entry.event) != entry.hash;
    altered.then_some(Broken { sequence: next, flaw: Flaw::Altered })
}

fn verdict(last: AuditHead, broken: Option<Broken>) -> Verdict {
    Verdict { entries: last.sequence, head: (last.sequence > 0).then_some(last), broken }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditCounts;
    use hermes_domain::{TenantId, UnixMillis, message::Mode, tenant::TenantScope};

    fn event(actor: &str, target: &str) -> AuditEvent {
        AuditEvent {
            at: UnixMillis(5),
            actor: actor.to_owned(),
            role: "admin".to_owned(),
            owner: None,
            action: "createTenant".to_owned(),
            target: target.to_owned(),
            request_id: "req_1".to_owned(),
            counts: AuditCounts::new(),
            phase: AuditPhase::Intent,
        }
    }

    #[test]
    fn everything_that_an_entry_says_is_in_its_hash() {
        let said = event("key_1", "tenants");
        let owner = |tenant, mode| Some(TenantScope::new(TenantId::from_u128(tenant), mode));
        let counts =
            |name: &str, count| AuditEvent { counts: [(name.to_owned(), count)].into(), ..said.clone() };
        let outcome = |intent, status| AuditPhase::Outcome { intent, status };
        let mut hashes = vec![
            link(&GENESIS, 1, &said),
            link(&[1; 32], 1, &said),
            link(&GENESIS, 2, &said),
            link(&GENESIS, 1, &event("key_1t", "enants")),
        ];
        for changed in [
            AuditEvent { at: UnixMillis(6), ..said.clone() },
            AuditEvent { role: "viewer".to_owned(), ..said.clone() },
            AuditEvent { action: "createKey".to_owned(), ..said.clone() },
            AuditEvent { request_id: "req_2".to_owned(), ..said.clone() },
            AuditEvent { phase: outcome(None, 201), ..said.clone() },
            AuditEvent { phase: outcome(Some(1), 201), ..said.clone() },
            AuditEvent { phase: outcome(Some(1), 403), ..said.clone() },
            AuditEvent { owner: owner(1, Mode::Live), ..said.clone() },
            AuditEvent { owner: owner(1, Mode::Test), ..said.clone() },
            AuditEvent { owner: owner(2, Mode::Live), ..said.clone() },
            counts("added", 1),
            counts("added", 2),
            counts("rejected", 1),
        ] {
            hashes.push(link(&GENESIS, 1, &changed));
        }
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }

    /// The chain of a log that was begun before tenants' actions were in it goes on.
    #[test]
    fn an_entry_without_owner_and_counts_is_hashed_as_ever() {
        let hash = link(&GENESIS, 1, &event("key_1", "tenants"));
        assert_eq!(hex(&hash), "daef5276b0451c52aab8e796eab477a5783ca1ee02e3aa203ece6cde09be6927");
    }
}
