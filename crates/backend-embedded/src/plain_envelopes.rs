//! Seals the messages of earlier builds, which kept them in plain text and found them by hashes that anybody can make.

use hermes_domain::{message::Envelope, recipient_address::RecipientAddress};
use hermes_ports::StoreError;
use hermes_sealing::sealed_envelope::{StoredEnvelope, Unsealed};
use rusqlite::params;
use tracing::{error, info};

use crate::{backend::EmbeddedBackend, commit::put_term, schema::set_secure_delete, term, writer::WriteTx};

/// Messages of one transaction: about 10 ms, so that commits hardly wait.
const RUN: i64 = 200;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    /// There are more.
    More,
    /// The next one's index entries are not merged yet.
    Waits,
    /// All are sealed.
    Done,
}

impl EmbeddedBackend {
    /// Seals what is left, in at most `runs` transactions. Goes on where it was when the process ended.
    pub(crate) async fn seal_plain_envelopes(&self, runs: usize) -> Result<(), StoreError> {
        if !self.has_plain_envelopes() {
            return Ok(());
        }
        self.merge_terms().await?;
        for _ in 0..runs {
            match self.writer().write("sealing earlier messages", |tx| seal_run(tx).map(Ok)).await? {
                Progress::More => {}
                Progress::Waits => break,
                Progress::Done => {
                    self.all_envelopes_are_sealed();
                    info!("all messages of earlier builds are encrypted now");
                    break;
                }
            }
        }
        Ok(())
    }
}

fn seal_run(tx: &mut WriteTx<'_>) -> rusqlite::Result<Progress> {
    let (next, until): (i64, i64) = tx
        .db
        .query_row("SELECT next, until FROM plain_envelope", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut select = tx.db.prepare_cached(
        "SELECT key, envelope FROM message WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3",
    )?;
    let rows = select.query_map(params![next, until, RUN], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(i64, Vec<u8>)>>>()?;
    set_secure_delete(tx.db, true)?;
    let mut progress = if rows.is_empty() { Progress::Done } else { Progress::More };
    let mut sealed_to = if rows.is_empty() { until } else { next };
    for (key, bytes) in rows {
        if !tx.terms.is_below_horizon(key) {
            progress = Progress::Waits;
            break;
        }
        match StoredEnvelope::read(&bytes) {
            Ok(StoredEnvelope::Readable(envelope)) if StoredEnvelope::is_plain(&bytes) => {
                seal(tx, key, &envelope)?;
            }
            Ok(_) => {}
            Err(_) => error!(message.key = key, "a damaged message stays as it is"),
        }
        sealed_to = key + 1;
    }
    tx.db.execute("UPDATE plain_envelope SET next = ?1", [sealed_to])?;
    set_secure_delete(tx.db, false)?;
    tx.keys.empty_log_afterwards();
    Ok(progress)
}

fn seal(tx: &mut WriteTx<'_>, key: i64, envelope: &Envelope) -> rusqlite::Result<()> {
    let mut keys = Vec::new();
    for address in RecipientAddress::all_of(&envelope.to) {
        let recipient = term::recipient(tx.keys.vault().key(), envelope.scope(), &address);
        keys.push(tx.keys.of(tx.db, recipient)?);
    }
    for (_, data_key) in &keys {
        put_term(tx, data_key.term(), key)?;
    }
    if keys.is_empty() {
        keys.push(tx.keys.anonymous()?);
    }
    for plain in term::plain_to_all(envelope) {
        tx.db.prepare_cached("DELETE FROM term WHERE term = ?1 AND key = ?2")?.execute([plain, key])?;
    }
    let sealed = Unsealed::of(envelope).and_then(|unsealed| unsealed.seal(&keys));
    let sealed = sealed.map_err(|cause| rusqlite::Error::ToSqlConversionFailure(Box::new(cause)))?;
    tx.db
        .prepare_cached("UPDATE message SET envelope = ?2 WHERE key = ?1")?
        .execute(params![key, sealed])
        .map(drop)
}
