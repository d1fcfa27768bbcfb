//! `keys.db`: the data keys, apart from what they encrypt.
//!
//! Its log is emptied as soon as a key is destroyed, and freed bytes are overwritten, so that no file of it still holds
//! the wrapped key.

use std::path::Path;

use hermes_domain::UnixMillis;
use hermes_sealing::{Cipher, DataKey, KeyId, SealError, VaultKey};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    columns::{instant, millis},
    options::OpenError,
    schema,
    vault::Known,
};

/// Name of the file inside the data directory.
pub(crate) const KEYS: &str = "keys.db";
/// What the sealed vault key belongs to.
const OWNER: &str = "vault";

/// The writing connection.
#[derive(Debug)]
pub(crate) struct KeyFile(Connection);

impl KeyFile {
    /// Opens or makes the file; `is_needed` when there are messages that cannot be read without it.
    ///
    /// # Errors
    /// `KeysMissing`; `Vault` when the credentials key is another one; `Database`.
    pub(crate) fn open(path: &Path, cipher: &Cipher, is_needed: bool) -> Result<(Self, VaultKey), OpenError> {
        let failed = |cause| OpenError::Database { attempted: "reading the vault key", cause };
        let db = schema::open_keys(path)?;
        let find = "SELECT sealed FROM vault";
        let sealed: Option<Vec<u8>> = db.query_row(find, [], |row| row.get(0)).optional().map_err(failed)?;
        let vault = match sealed {
            Some(sealed) => {
                let plain = cipher.open(OWNER, &sealed).map_err(OpenError::Vault)?;
                let bytes = plain.try_into().map_err(|_| OpenError::Vault(SealError::Format))?;
                if !cipher.is_current(&sealed) {
                    put_vault(&db, cipher, &bytes)?;
                }
                VaultKey::from_bytes(bytes)
            }
            None if is_needed => return Err(OpenError::KeysMissing),
            None => {
                let vault = VaultKey::random().map_err(OpenError::Vault)?;
                put_vault(&db, cipher, vault.as_bytes())?;
                vault
            }
        };
        // A crash may have come between the end of a key and the end of the log that holds it.
        schema::empty_log(&db).map_err(failed)?;
        Ok((Self(db), vault))
    }

    /// Makes keys that nobody has yet, durably.
    pub(crate) fn make(&mut self, vault: &VaultKey, count: i64) -> rusqlite::Result<Vec<(KeyId, DataKey)>> {
        let tx = self.0.transaction()?;
        let last: i64 = tx.query_row("SELECT coalesce(max(id), 0) FROM data_key", [], |row| row.get(0))?;
        let mut made = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
        for id in (last + 1..=last + count).map(KeyId) {
            let key = DataKey::random().map_err(unsealed)?;
            let wrapped = vault.wrap(id, &key).map_err(unsealed)?;
            let mut insert = tx.prepare_cached("INSERT INTO data_key (id, wrapped) VALUES (?1, ?2)")?;
            insert.execute(params![id.0, wrapped])?;
            made.push((id, key));
        }
        tx.commit()?;
        Ok(made)
    }

    /// What there is under an id.
    pub(crate) fn read(&self, vault: &VaultKey, id: KeyId) -> rusqlite::Result<Option<Known>> {
        let mut find = self.0.prepare_cached("SELECT wrapped, erased_at FROM data_key WHERE id = ?1")?;
        let found = find.query_row([id.0], |row| Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get(1)?)));
        let found: Option<(Option<Vec<u8>>, Option<i64>)> = found.optional()?;
        found
            .map(|(wrapped, erased_at)| known(vault, id, wrapped.as_deref(), erased_at))
            .transpose()
            .map_err(unsealed)
    }

    /// Destroys keys for good. Doing it again changes nothing.
    pub(crate) fn destroy(&mut self, ids: &[KeyId], at: UnixMillis) -> rusqlite::Result<()> {
        let tx = self.0.transaction()?;
        for id in ids {
            let mut destroy = tx.prepare_cached(
                "UPDATE data_key SET wrapped = NULL, erased_at = ?2 WHERE id = ?1 AND wrapped IS NOT NULL",
            )?;
            destroy.execute(params![id.0, millis(at)])?;
        }
        tx.commit()?;
        // A reader that is at work right now keeps the log for the next erasure or the next start to empty.
        schema::empty_log(&self.0).map(drop)
    }
}

/// Reads a row of the file.
pub(crate) fn known(
    vault: &VaultKey,
    id: KeyId,
    wrapped: Option<&[u8]>,
    erased_at: Option<i64>,
) -> Result<Known, SealError> {
    match wrapped {
        Some(wrapped) => vault.unwrap(id, wrapped).map(Known::Key),
        None => Ok(Known::Erased(instant(erased_at.unwrap_or_default()))),
    }
}

fn put_vault(db: &Connection, cipher: &Cipher, bytes: &[u8; 32]) -> Result<(), OpenError> {
    let sealed = cipher.seal(OWNER, bytes).map_err(OpenError::Vault)?;
    let put = db.execute("INSERT OR REPLACE INTO vault (one, sealed) VALUES (1, ?1)", [sealed]);
    put.map(drop).map_err(|cause| OpenError::Database { attempted: "keeping the vault key", cause })
}

fn unsealed(cause: SealError) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(cause))
}
