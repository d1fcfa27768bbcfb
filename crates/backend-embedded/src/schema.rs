//! Opens the database for writing and brings its schema up to date.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::options::{EmbeddedOptions, OpenError};

/// Name of the database inside the data directory.
pub(crate) const DATABASE: &str = "hermes.db";

/// Applied in order; `PRAGMA user_version` counts how many were. Never edit one that was released.
const MIGRATIONS: [&str; 11] = [
    include_str!("../../../schema/sql/sqlite/0001_messages.sql"),
    include_str!("../../../schema/sql/sqlite/0002_around_messages.sql"),
    include_str!("../../../schema/sql/sqlite/0003_suppressions.sql"),
    include_str!("../../../schema/sql/sqlite/0004_suppression_rules.sql"),
    include_str!("../../../schema/sql/sqlite/0005_audit.sql"),
    include_str!("../../../schema/sql/sqlite/0006_webhook_failures.sql"),
    include_str!("../../../schema/sql/sqlite/0007_usage.sql"),
    include_str!("../../../schema/sql/sqlite/0008_data_keys.sql"),
    include_str!("../../../schema/sql/sqlite/0009_inbound.sql"),
    include_str!("../../../schema/sql/sqlite/0010_batches.sql"),
    include_str!("../../../schema/sql/sqlite/0016_audit_and_replies.sql"),
];

/// The same for the file of the data keys.
const KEY_MIGRATIONS: [&str; 1] = [include_str!("../../../schema/sql/sqlite_keys/0001_data_keys.sql")];

/// How long a connection waits for another one's lock. Only checkpoints hold any, and only briefly.
const BUSY: Duration = Duration::from_secs(5);

/// The connection of the writer: WAL, every commit flushed, no checkpoint of its own accord.
pub(crate) fn open_writer(path: &Path, options: &EmbeddedOptions) -> Result<Connection, OpenError> {
    let mut db = connect(path).map_err(failed("opening it"))?;
    db.pragma_update(None, "page_size", options.page_bytes).map_err(failed("setting the page size"))?;
    prepare(&db).map_err(failed("setting its journal"))?;
    db.set_prepared_statement_cache_capacity(64);
    migrate(&mut db, &MIGRATIONS)?;
    Ok(db)
}

/// The writing connection to the data keys: what is freed in it is overwritten.
pub(crate) fn open_keys(path: &Path) -> Result<Connection, OpenError> {
    let mut db = connect(path).map_err(failed("opening the data keys"))?;
    prepare(&db).map_err(failed("setting the journal of the data keys"))?;
    set_secure_delete(&db, true).map_err(failed("having freed bytes overwritten"))?;
    migrate(&mut db, &KEY_MIGRATIONS)?;
    Ok(db)
}

/// Whether what is freed from now on is overwritten with zeros. That costs writes, so it is on only where something is
/// removed for somebody's sake.
pub(crate) fn set_secure_delete(db: &Connection, on: bool) -> rusqlite::Result<()> {
    db.pragma_update_and_check(None, "secure_delete", on, |_| Ok(()))
}

/// The last thing before a log is emptied: it must not wait for readers.
pub(crate) fn empty_log(db: &Connection) -> rusqlite::Result<bool> {
    db.busy_timeout(Duration::ZERO)?;
    let emptied = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    db.busy_timeout(BUSY)?;
    emptied.map(|is_busy| is_busy == 0)
}

/// A connection that only moves the write-ahead log into the database.
pub(crate) fn open_checkpointer(path: &Path) -> Result<Connection, OpenError> {
    let db = connect(path).map_err(failed("opening it for checkpoints"))?;
    prepare(&db).map_err(failed("setting its journal"))?;
    Ok(db)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    Ok(db)
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "full")?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "temp_store", "memory")?;
    db.pragma_update(None, "cache_size", -32_768) // KiB
}

fn migrate(db: &mut Connection, migrations: &[&str]) -> Result<(), OpenError> {
    let version = db.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
    let found = version.map_err(failed("reading its schema version"))?;
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    for (index, sql) in (1..=known).zip(migrations).skip(found as usize) {
        apply(db, index, sql).map_err(failed("changing its schema"))?;
    }
    Ok(())
}

fn apply(db: &mut Connection, version: u32, sql: &str) -> rusqlite::Result<()> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    change.execute_batch(sql)?;
    change.pragma_update(None, "user_version", version)?;
    change.commit()
}

fn failed(attempted: &'static str) -> impl Fn(rusqlite::Error) -> OpenError {
    move |cause| OpenError::Database { attempted, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_a_later_build_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(DATABASE);
        let options = EmbeddedOptions::new(directory.path());
        let db = open_writer(&path, &options).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        drop(db);
        let Err(OpenError::TooNew { found, known }) = open_writer(&path, &options) else {
            panic!("it opened")
        };
        assert_eq!((found, known as usize), (99, MIGRATIONS.len()));
    }

    #[test]
    fn the_writer_flushes_every_commit_and_leaves_checkpoints_alone() {
        let directory = tempfile::tempdir().unwrap();
        let options = EmbeddedOptions::new(directory.path());
        let db = open_writer(&directory.path().join(DATABASE), &options).unwrap();
        let number = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
        let full = 2;
        assert_eq!(
            (number("synchronous"), number("wal_autocheckpoint"), number("page_size")),
            (full, 0, 2_048)
        );
    }

    /// Opt-outs of the first builds stay opt-outs that START lifts; nothing else of them does.
    #[test]
    fn suppressions_of_earlier_builds_become_rules() {
        let directory = tempfile::tempdir().unwrap();
        let mut db = connect(&directory.path().join(DATABASE)).unwrap();
        for (version, sql) in (1..).zip(&MIGRATIONS[..3]) {
            apply(&mut db, version, sql).unwrap();
        }
        let old = "INSERT INTO suppression VALUES (zeroblob(16), 0, 'sms', '+4520123456', 'opt_out', 1767323045678),
                   (zeroblob(16), 1, 'email', 'a@example.com', 'complaint', 1767323045678)";
        db.execute(old, []).unwrap();
        migrate(&mut db, &MIGRATIONS).unwrap();
        let mut select = db
            .prepare("SELECT covers, value, channel, sender, reason, source, id FROM suppression_rule ORDER BY mode")
            .unwrap();
        let rows = select.query_map([], |row| {
            let texts: Vec<String> = (0..6).map(|column| row.get(column)).collect::<Result<_, _>>()?;
            Ok((texts.join(" "), row.get::<_, Vec<u8>>(6)?))
        });
        let rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
        assert_eq!(rows[0].0, "address +4520123456 sms  opt_out inbound");
        assert_eq!(rows[1].0, "address a@example.com email  complaint receipt");
        for (_, id) in &rows {
            let bits = u128::from_be_bytes(id.as_slice().try_into().unwrap());
            assert_eq!(hermes_domain::SuppressionId::from_u128(bits).at().0, 1_767_323_045_678);
        }
        assert_ne!(rows[0].1, rows[1].1);
    }
}
