//! The audit log against somebody who can write the database.

use std::path::Path;

use hermes_backend_embedded::AuditReader;
use hermes_domain::UnixMillis;
use hermes_ports::{
    AuditLog as _,
    audit::{AuditCounts, AuditEvent, AuditPhase, Broken, Flaw, Verdict, verify},
};
use rusqlite::Connection;

use crate::open;

fn event(number: u64) -> AuditEvent {
    AuditEvent {
        at: UnixMillis(1_767_323_045_000 + number),
        actor: "key_1".to_owned(),
        role: "admin".to_owned(),
        owner: None,
        action: "createKey".to_owned(),
        target: format!("keys/key_{number}"),
        request_id: format!("req_{number}"),
        counts: AuditCounts::new(),
        phase: AuditPhase::Intent,
    }
}

/// Five entries, written and closed.
async fn five(directory: &Path) {
    let backend = open(directory).await;
    for number in 1..=5 {
        backend.append(event(number)).await.unwrap();
    }
    backend.close().await;
}

fn database(directory: &Path) -> Connection {
    Connection::open(directory.join("hermes.db")).unwrap()
}

/// Changes the database as somebody does who knows of the triggers.
fn behind_the_triggers(directory: &Path, sql: &str) {
    let db = database(directory);
    db.execute_batch(
        "DROP TRIGGER audit_stays_as_it_is; DROP TRIGGER audit_stays; DROP TRIGGER audit_grows;",
    )
    .unwrap();
    assert!(db.execute(sql, []).unwrap() > 0, "{sql} changed nothing");
}

async fn verdict(directory: &Path) -> Verdict {
    let reader = AuditReader::open(directory).await.unwrap();
    let verdict = verify(&reader).await.unwrap();
    reader.close().await;
    verdict
}

#[tokio::test]
async fn entries_can_neither_be_changed_nor_removed_nor_put_between() {
    let directory = tempfile::tempdir().unwrap();
    five(directory.path()).await;
    let db = database(directory.path());
    for sql in [
        "UPDATE audit SET actor = 'key_2' WHERE sequence = 3",
        "DELETE FROM audit WHERE sequence = 5",
        "INSERT OR REPLACE INTO audit SELECT sequence, at, 'key_2', role, action, target, request_id, intent, status, hash, tenant, mode, counts
         FROM audit WHERE sequence = 5",
    ] {
        let refused = db.execute(sql, []).unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{sql}: {refused}");
    }
    assert_eq!(verdict(directory.path()).await.broken, None);
}

#[tokio::test]
async fn a_change_behind_the_triggers_is_found_at_its_entry() {
    for (sql, sequence, flaw) in [
        ("UPDATE audit SET actor = 'key_2' WHERE sequence = 3", 3, Flaw::Altered),
        ("UPDATE audit SET at = at + 1 WHERE sequence = 1", 1, Flaw::Altered),
        ("UPDATE audit SET status = 200 WHERE sequence = 5", 5, Flaw::Altered),
        ("UPDATE audit SET hash = x'00' WHERE sequence = 2", 2, Flaw::Altered),
        ("UPDATE audit SET tenant = x'00', mode = 0 WHERE sequence = 4", 4, Flaw::Altered),
        ("UPDATE audit SET mode = 7 WHERE sequence = 4", 4, Flaw::Altered),
        ("UPDATE audit SET counts = '{\"added\":1}' WHERE sequence = 2", 2, Flaw::Altered),
        ("UPDATE audit SET counts = 'many' WHERE sequence = 2", 2, Flaw::Altered),
        ("DELETE FROM audit WHERE sequence = 2", 2, Flaw::Missing),
        ("DELETE FROM audit WHERE sequence >= 4", 4, Flaw::Missing),
        ("DELETE FROM audit", 1, Flaw::Missing),
        ("DELETE FROM record WHERE id = 'audit_head'", 5, Flaw::Headless),
    ] {
        let directory = tempfile::tempdir().unwrap();
        five(directory.path()).await;
        assert_eq!(verdict(directory.path()).await.broken, None);
        behind_the_triggers(directory.path(), sql);
        assert_eq!(verdict(directory.path()).await.broken, Some(Broken { sequence, flaw }), "{sql}");
    }
}

#[tokio::test]
async fn a_log_that_was_cut_goes_on_but_never_looks_whole_again() {
    let directory = tempfile::tempdir().unwrap();
    five(directory.path()).await;
    behind_the_triggers(directory.path(), "DELETE FROM audit WHERE sequence = 5");
    let backend = open(directory.path()).await;
    assert_eq!(backend.append(event(6)).await.unwrap().sequence, 6);
    let missing = Broken { sequence: 5, flaw: Flaw::Missing };
    assert_eq!(verify(&*backend).await.unwrap().broken, Some(missing));
}

#[tokio::test]
async fn it_is_read_while_a_server_has_the_directory_open() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    backend.append(event(1)).await.unwrap();
    let found = verdict(directory.path()).await;
    assert_eq!((found.entries, found.broken), (1, None));
}
