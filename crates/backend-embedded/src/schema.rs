//! Opens the database for writing and brings its schema up to date.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::options::{EmbeddedOptions, OpenError};

/// Where a database stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaVersion {
    /// Migrations that it has seen.
    pub found: u32,
    /// Migrations that this build knows.
    pub known: u32,
}

/// Name of the database inside the data directory.
pub(crate) const DATABASE: &str = "hermes.db";

/// Applied in order; `PRAGMA user_version` counts how many were. Never edit one that was released.
const MIGRATIONS: [&str; 15] = [
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
    include_str!("../../../schema/sql/sqlite/0011_webhook_metadata.sql"),
    include_str!("../../../schema/sql/sqlite/0012_sealed_inbound.sql"),
    include_str!("../../../schema/sql/sqlite/0013_audit_and_replies.sql"),
    include_str!("../../../schema/sql/sqlite/0014_sealed_batch_lines.sql"),
    include_str!("../../../schema/sql/sqlite/0015_provider_lists.sql"),
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

/// How many migrations a database has seen, and how many this build knows. `None` when there is no database. Changes
/// nothing, and needs no lock.
///
/// # Errors
/// `Database` when the file cannot be read.
pub fn schema_version(data_dir: &Path) -> Result<Option<SchemaVersion>, OpenError> {
    let path = data_dir.join(DATABASE);
    if !path.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(failed("opening it"))?;
    Ok(Some(SchemaVersion { found: version(&db)?, known: count(&MIGRATIONS) }))
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
    let (found, known) = (version(db)?, count(migrations));
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    for (index, sql) in (1..=known).zip(migrations).skip(found as usize) {
        apply(db, index, sql).map_err(failed("changing its schema"))?;
    }
    Ok(())
}

fn version(db: &Connection) -> Result<u32, OpenError> {
    let version = db.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
    version.map_err(failed("reading its schema version"))
}

fn count(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
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

    /// What earlier builds stored of webhooks held the metadata of messages.
    #[test]
    fn webhooks_of_earlier_builds_lose_the_metadata_that_they_hold() {
        let directory = tempfile::tempdir().unwrap();
        let mut db = connect(&directory.path().join(DATABASE)).unwrap();
        for (version, sql) in (1..).zip(&MIGRATIONS[..10]) {
            apply(&mut db, version, sql).unwrap();
        }
        let insert = "INSERT INTO outbox VALUES (?1, ?2, ?3, 'x', ?4, 0, 0, 0, 0, NULL, NULL)";
        let bodies = [
            (16, r#"{"data":{"tags":["a"],"metadata":{"name":"planted"}}}"#),
            (16, r#"{"data":{"tags":["a"],"metadata":{}}}"#),
            (0, r#"{"data":{"endpoint_id":"x"}}"#),
        ];
        for (number, (length, body)) in (0_u8..).zip(bodies) {
            db.execute(insert, rusqlite::params![[0_u8; 16], [number; 16], vec![0_u8; length], body])
                .unwrap();
        }
        migrate(&mut db, &MIGRATIONS).unwrap();
        let mut select = db.prepare("SELECT body FROM outbox ORDER BY event").unwrap();
        let rows: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows, [r#"{"data":{"tags":["a"],"metadata":null}}"#, bodies[1].1, bodies[2].1]);
    }
}
