//! Moves index entries from memory into the table, and back after a restart.

use std::{collections::BTreeSet, sync::Arc};

use hermes_domain::{UnixMillis, cascade::decode, message::Envelope};
use hermes_ports::StoreError;
use hermes_sealing::sealed_envelope::StoredEnvelope;
use rusqlite::{Connection, params};
use tracing::error;

use crate::{
    columns::id_bits,
    key_ring::KeyRing,
    term,
    term_tail::{Entry, TermTail},
    vault::Known,
    writer::{WriteTx, Writer},
};

/// Entries per transaction: about 5 ms, so that commits hardly wait.
const RUN_MAX: usize = 2_000;

/// Puts an entry into the table. An entry that is there already touches no page.
pub(crate) fn insert(db: &Connection, (term, key): Entry) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO term (term, key) VALUES (?1, ?2)")?
        .execute([term, key])
        .map(drop)
}

/// Merges everything that is in the tail now, in runs of sorted entries.
pub(crate) async fn merge(writer: &Writer, tail: &Arc<TermTail>) -> Result<(), StoreError> {
    let entries = tail.entries();
    let Some(last) = entries.iter().map(|(_, key)| *key).max() else { return Ok(()) };
    for run in entries.chunks(RUN_MAX) {
        let run = run.to_vec();
        writer.write("merging index entries", move |tx| merge_run(tx, &run).map(Ok)).await?;
    }
    let tail = Arc::clone(tail);
    writer
        .write("moving the index horizon", move |tx| {
            let horizon = tx.terms.move_horizon(&tail, last + 1);
            tx.db.execute("UPDATE term_horizon SET horizon = ?1", [horizon]).map(|_| Ok(()))
        })
        .await
}

fn merge_run(tx: &mut WriteTx<'_>, run: &[Entry]) -> rusqlite::Result<()> {
    for entry in run {
        insert(tx.db, *entry)?;
    }
    tx.terms.merge(run);
    Ok(())
}

/// The tail as it must be after a restart. A message that cannot be read is logged and left out: it
/// is damaged wherever it is looked at, and must not keep all others from being served.
pub(crate) fn rebuild(db: &Connection, keys: &KeyRing) -> rusqlite::Result<TermTail> {
    let horizon = db.query_row("SELECT horizon FROM term_horizon", [], |row| row.get(0))?;
    let mut entries = BTreeSet::new();
    let mut messages = db.prepare(
        "SELECT s.key, s.id, s.state, m.envelope FROM state s JOIN message m ON m.key = s.key WHERE s.key >= ?1",
    )?;
    let mut rows = messages.query(params![horizon])?;
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        let (id, state, envelope) = (row.get_ref(1)?.as_blob()?, row.get_ref(2)?.as_blob()?, row.get_ref(3)?);
        match (decode(state), addressed(envelope.as_blob()?, keys)?) {
            (Ok(state), Some((envelope, addresses))) => {
                let terms = term::of_cascade(&envelope, &state).into_iter().chain(addresses);
                entries.extend(terms.map(|term| (term, key)));
            }
            (Err(_), _) | (_, None) => {
                let id = id_bits(id).map(hermes_domain::MessageId::from_u128);
                error!(cascade.id = ?id, "a damaged message is left out of lists");
            }
        }
    }
    Ok(TermTail::new(horizon, entries))
}

/// What an envelope says without being opened, and the terms of its addresses; `None` when it cannot be read.
fn addressed(envelope: &[u8], keys: &KeyRing) -> rusqlite::Result<Option<(Envelope, Vec<i64>)>> {
    let sealed = match StoredEnvelope::read(envelope) {
        Err(_) => return Ok(None),
        Ok(StoredEnvelope::Readable(envelope)) => {
            let terms = term::plain_to_all(&envelope);
            return Ok(Some((*envelope, terms)));
        }
        Ok(StoredEnvelope::Sealed(sealed)) => sealed,
    };
    let mut terms = Vec::with_capacity(sealed.keys().len());
    for id in sealed.keys() {
        if let Some(Known::Key(key)) = keys.read(*id)? {
            terms.push(key.term());
        }
    }
    // Nothing that is looked for is in the sealed part.
    Ok(sealed.erased(UnixMillis(0)).ok().map(|envelope| (envelope, terms)))
}
