//! A commit as SQL. Checks come before the first write, so that a refused commit writes nothing.

use bytes::Bytes;
use hermes_domain::{MessageId, UnixMillis, recipient_address::RecipientAddress, usage::UsageEntry};
use hermes_ports::{
    StoreError,
    cascade_store::{Commit, Revision},
    idempotency::Claim,
    outbox::OutboxEntry,
};
use hermes_sealing::{RecipientHash, VaultKey, sealed_envelope::Unsealed};
use rusqlite::params;

use crate::{
    claim,
    columns::{damaged, id_bytes, millis, status_number},
    outbox, term, term_merge, usage,
    writer::{Change, WriteTx},
};

/// Updates a row that stays live. `live` is not set, so that `state_live` is not touched.
const UPDATE_LIVE: &str =
    "UPDATE state SET revision = revision + 1, status = ?4, due = ?5, owes = ?6, state = ?7
    WHERE key = ?1 AND revision = ?2 AND id = ?3 AND live = 1";
/// Updates a row that ends or has ended.
const UPDATE_ENDED: &str =
    "UPDATE state SET revision = revision + 1, status = ?4, due = ?5, owes = ?6, state = ?7,
    live = 0 WHERE key = ?1 AND revision = ?2 AND id = ?3";
const INSERT_STATE: &str = "INSERT INTO state (key, id, revision, status, due, owes, live, state)
    VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (key) DO NOTHING";

/// A commit with everything computed that does not need the database.
#[derive(Debug)]
pub(crate) struct PreparedCommit {
    id: MessageId,
    key: i64,
    write: Write,
    state: Bytes,
    status: i64,
    due: Option<i64>,
    owes: bool,
    outbox: Vec<OutboxEntry>,
    consumed: Option<i64>,
    terms: Vec<i64>,
    usage: Vec<UsageEntry>,
}

#[derive(Debug)]
enum Write {
    Create {
        envelope: Box<Unsealed>,
        /// Of every address of the message.
        recipients: Vec<RecipientHash>,
        created_at: UnixMillis,
        claim: Option<Claim>,
    },
    Replace {
        revision: i64,
    },
}

impl PreparedCommit {
    /// # Errors
    /// `Damaged` for a creation without envelope: the caller's mistake.
    pub(crate) fn new(commit: Commit, vault: &VaultKey) -> Result<Self, StoreError> {
        let mut terms = Vec::new();
        let write = match (commit.expected, commit.envelope) {
            (Some(Revision(revision)), _) => {
                Write::Replace { revision: i64::try_from(revision).unwrap_or(i64::MAX) }
            }
            (None, Some(envelope)) => {
                let unsealed = Unsealed::of(&envelope).map(Box::new);
                terms = term::of_envelope(&envelope);
                let addresses = RecipientAddress::all_of(&envelope.to);
                let hash = |address: &RecipientAddress| term::recipient(vault, envelope.scope(), address);
                Write::Create {
                    envelope: unsealed.map_err(|_| damaged(format!("envelope of {}", commit.id)))?,
                    recipients: addresses.iter().map(hash).collect(),
                    created_at: envelope.created_at,
                    claim: commit.claim,
                }
            }
            (None, None) => return Err(damaged(format!("{} without its envelope", commit.id))),
        };
        terms.extend(commit.provider_ids.iter().map(|(connection, id)| term::provider_id(*connection, id)));
        Ok(Self {
            id: commit.id,
            key: commit.id.storage_key(),
            write,
            state: commit.state,
            status: status_number(commit.status),
            due: commit.due.map(millis),
            owes: commit.owes_effect,
            outbox: commit.outbox,
            consumed: commit.consumed.map(|parked| parked.0),
            terms,
            usage: commit.usage,
        })
    }

    /// Writes all of it, or nothing and says why.
    pub(crate) fn apply(&self, tx: &mut WriteTx<'_>) -> Change<Revision> {
        let written = match &self.write {
            Write::Create { envelope, recipients, created_at, claim } => {
                self.create(tx, (envelope, recipients), *created_at, claim.as_ref())?
            }
            Write::Replace { revision } => self.replace(tx, *revision)?,
        };
        let Ok(revision) = written else { return Ok(written) };
        outbox::insert(tx.db, &self.outbox)?;
        usage::add(tx.db, &self.usage)?;
        if let Some(parked) = self.consumed {
            tx.db.prepare_cached("DELETE FROM parked WHERE id = ?1")?.execute([parked])?;
        }
        self.add_terms(tx)?;
        Ok(Ok(revision))
    }

    fn create(
        &self,
        tx: &mut WriteTx<'_>,
        (envelope, recipients): (&Unsealed, &[RecipientHash]),
        created_at: UnixMillis,
        claim: Option<&Claim>,
    ) -> Change<Revision> {
        if let Some(claim) = claim
            && claim::is_taken(tx.db, claim, created_at, Some(self.id))?
        {
            return Ok(Err(StoreError::ClaimTaken));
        }
        let live = self.due.is_some();
        let inserted = tx.db.prepare_cached(INSERT_STATE)?.execute(params![
            self.key,
            id_bytes!(self.id),
            self.status,
            self.due,
            self.owes,
            live,
            &self.state[..]
        ])?;
        if inserted == 0 {
            return Ok(Err(StoreError::Conflict));
        }
        let mut insert = tx.db.prepare_cached("INSERT INTO message (key, envelope) VALUES (?1, ?2)")?;
        insert.execute(params![self.key, self.seal(tx, envelope, recipients)?])?;
        if let Some(claim) = claim {
            claim::put(tx.db, claim)?;
        }
        Ok(Ok(Revision(1)))
    }

    /// Seals the envelope under the keys of its recipients, and makes it found by them.
    fn seal(
        &self,
        tx: &mut WriteTx<'_>,
        envelope: &Unsealed,
        recipients: &[RecipientHash],
    ) -> rusqlite::Result<Vec<u8>> {
        let mut keys = Vec::with_capacity(recipients.len().max(1));
        for recipient in recipients {
            keys.push(tx.keys.of(tx.db, *recipient)?);
        }
        for (_, key) in &keys {
            put_term(tx, key.term(), self.key)?;
        }
        if keys.is_empty() {
            keys.push(tx.keys.anonymous()?);
        }
        envelope.seal(&keys).map_err(|cause| rusqlite::Error::ToSqlConversionFailure(Box::new(cause)))
    }

    fn replace(&self, tx: &WriteTx<'_>, revision: i64) -> Change<Revision> {
        let sql = if self.due.is_some() { UPDATE_LIVE } else { UPDATE_ENDED };
        let updated = tx.db.prepare_cached(sql)?.execute(params![
            self.key,
            revision,
            id_bytes!(self.id),
            self.status,
            self.due,
            self.owes,
            &self.state[..]
        ])?;
        let revision = u64::try_from(revision).unwrap_or_default() + 1;
        Ok(if updated == 0 { Err(StoreError::Conflict) } else { Ok(Revision(revision)) })
    }

    fn add_terms(&self, tx: &mut WriteTx<'_>) -> rusqlite::Result<()> {
        for &term in &self.terms {
            put_term(tx, term, self.key)?;
        }
        Ok(())
    }
}

/// Makes a message found by a term.
pub(crate) fn put_term(tx: &mut WriteTx<'_>, term: i64, key: i64) -> rusqlite::Result<()> {
    if tx.terms.is_below_horizon(key) {
        term_merge::insert(tx.db, (term, key))
    } else {
        tx.terms.add(term, key);
        Ok(())
    }
}
