//! Data keys as the writer gives them out.

use std::{collections::HashMap, sync::Arc};

use hermes_domain::UnixMillis;
use hermes_sealing::{DataKey, KeyId, RecipientHash};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    columns::{instant, millis},
    key_file::KeyFile,
    vault::{Known, Vault},
};

/// Keys made at once: one flush, a few milliseconds, for so many new recipients.
const MADE_AT_ONCE: i64 = 256;

/// Belongs to the writer. Keys are durable before anything is encrypted under them, because they are made in advance;
/// whose they are is decided in the transaction of the message.
#[derive(Debug)]
pub(crate) struct KeyRing {
    file: KeyFile,
    vault: Arc<Vault>,
    spare: Vec<(KeyId, DataKey)>,
    /// Of the open transaction: a recipient's new key, or that there is none any more.
    changed: HashMap<RecipientHash, Option<(KeyId, DataKey)>>,
    /// The log still holds what was erased.
    log_is_stale: bool,
}

impl KeyRing {
    pub(crate) fn new(file: KeyFile, vault: Arc<Vault>) -> Self {
        Self { file, vault, spare: Vec::new(), changed: HashMap::new(), log_is_stale: false }
    }

    pub(crate) fn vault(&self) -> Arc<Vault> {
        Arc::clone(&self.vault)
    }

    /// A transaction begins. Keys that an abandoned one gave out are lost, which harms nobody.
    pub(crate) fn begin(&mut self) {
        self.changed.clear();
    }

    /// The transaction is durable.
    pub(crate) fn publish(&mut self) {
        for (recipient, change) in self.changed.drain() {
            match change {
                Some((id, key)) => self.vault.assign(recipient, id, key),
                None => self.vault.forget(recipient),
            }
        }
    }

    /// The key of a recipient; a new one for who has none.
    pub(crate) fn of(
        &mut self,
        db: &Connection,
        recipient: RecipientHash,
    ) -> rusqlite::Result<(KeyId, DataKey)> {
        if let Some(found) = self.find(db, recipient)? {
            return Ok(found);
        }
        let (id, key) = self.anonymous()?;
        let mut put =
            db.prepare_cached("INSERT OR REPLACE INTO recipient (recipient, data_key) VALUES (?1, ?2)")?;
        put.execute(params![recipient.0, id.0])?;
        self.changed.insert(recipient, Some((id, key.clone())));
        Ok((id, key))
    }

    /// A key that belongs to no recipient.
    pub(crate) fn anonymous(&mut self) -> rusqlite::Result<(KeyId, DataKey)> {
        if self.spare.is_empty() {
            self.spare = self.file.make(self.vault.key(), MADE_AT_ONCE)?;
            self.spare.reverse();
        }
        self.spare.pop().ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// The key of a recipient, if there is one.
    pub(crate) fn find(
        &mut self,
        db: &Connection,
        recipient: RecipientHash,
    ) -> rusqlite::Result<Option<(KeyId, DataKey)>> {
        if let Some(changed) = self.changed.get(&recipient) {
            return Ok(changed.clone());
        }
        if let Some(known) = self.vault.of_recipient(recipient) {
            return Ok(Some(known));
        }
        let mut find = db.prepare_cached("SELECT data_key FROM recipient WHERE recipient = ?1")?;
        let Some(id) = find.query_row([recipient.0], |row| row.get(0)).optional()? else { return Ok(None) };
        let Some(Known::Key(key)) = self.read(KeyId(id))? else { return Ok(None) };
        self.changed.insert(recipient, Some((KeyId(id), key.clone())));
        Ok(Some((KeyId(id), key)))
    }

    /// What there is under an id.
    pub(crate) fn read(&self, id: KeyId) -> rusqlite::Result<Option<Known>> {
        self.file.read(self.vault.key(), id)
    }

    /// Takes a recipient's key away, with the open transaction; it is destroyed after that.
    pub(crate) fn give_up(
        &mut self,
        db: &Connection,
        recipient: RecipientHash,
        id: KeyId,
        at: UnixMillis,
    ) -> rusqlite::Result<()> {
        db.execute("DELETE FROM recipient WHERE recipient = ?1", [recipient.0])?;
        let owed = "INSERT OR IGNORE INTO key_to_destroy (data_key, erased_at) VALUES (?1, ?2)";
        db.execute(owed, params![id.0, millis(at)])?;
        self.changed.insert(recipient, None);
        Ok(())
    }

    /// Destroys keys that were given up by a transaction which is durable.
    pub(crate) fn destroy_all(
        &mut self,
        db: &Connection,
        ids: &[KeyId],
        at: UnixMillis,
    ) -> rusqlite::Result<()> {
        self.file.destroy(ids, at)?;
        let mut settle = db.prepare_cached("DELETE FROM key_to_destroy WHERE data_key = ?1")?;
        for id in ids {
            self.vault.erased(*id, at);
            settle.execute([id.0])?;
        }
        self.log_is_stale = true;
        Ok(())
    }

    /// Destroys what a crash has left to be destroyed.
    pub(crate) fn destroy_given_up(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let mut select = db.prepare("SELECT data_key, erased_at FROM key_to_destroy")?;
        let owed = select.query_map([], |row| Ok((KeyId(row.get(0)?), instant(row.get(1)?))))?;
        for (id, at) in owed.collect::<rusqlite::Result<Vec<_>>>()? {
            self.destroy_all(db, &[id], at)?;
        }
        Ok(())
    }

    /// What the open transaction removes must not stay in the log.
    pub(crate) fn empty_log_afterwards(&mut self) {
        self.log_is_stale = true;
    }

    /// Whether the log is to be emptied now; asks once.
    pub(crate) fn take_stale_log(&mut self) -> bool {
        std::mem::take(&mut self.log_is_stale)
    }
}
