//! Lines of uploads at rest.

use std::path::Path;

use bytes::Bytes;
use hermes_domain::{
    BatchId,
    batch::{Batch, BatchCounts, BatchItem, BatchState, ItemOutcome},
    message::Mode,
    tenant::TenantScope,
};
use hermes_ports::Batches as _;
use hermes_testkit::{START, tenant};
use rusqlite::Connection;

use crate::open;

const LINE: &str = r#"{"to":{"phone":"+4520987654"},"content":{"text":"planted content"}}"#;

fn scope() -> TenantScope {
    TenantScope::new(tenant(1), Mode::Live)
}

fn batch() -> Batch {
    Batch {
        id: BatchId::from_u128(1),
        scope: scope(),
        state: BatchState::Receiving,
        key: "key".to_owned(),
        request_id: "req".to_owned(),
        counts: BatchCounts::default(),
        created_at: START,
        updated_at: START,
    }
}

/// Whether any file of the store holds these bytes.
fn holds(directory: &Path, wanted: &[u8]) -> bool {
    let files = std::fs::read_dir(directory).unwrap();
    files
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .any(|bytes| bytes.windows(wanted.len()).any(|piece| piece == wanted))
}

fn stored(directory: &Path) -> Vec<Vec<u8>> {
    let db = Connection::open(directory.join("hermes.db")).unwrap();
    let mut select = db.prepare("SELECT body FROM batch_line ORDER BY key").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn lines_are_never_plain_and_their_bytes_and_key_go_with_their_batch() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    backend.open(batch(), 9).await.unwrap();
    let not_text = Bytes::from_static(b"\xff planted content");
    let lines = vec![Bytes::from(LINE), not_text.clone(), Bytes::new()];
    backend.append(scope(), batch().id, lines.clone()).await.unwrap();
    backend.start(scope(), batch().id, None, START).await.unwrap();
    for planted in ["+4520987654", "planted content"] {
        assert!(!holds(directory.path(), planted.as_bytes()), "{planted} in plain text");
    }
    let sealed = stored(directory.path());
    drop(backend);
    let backend = open(directory.path()).await;
    let waiting = backend.waiting(scope(), batch().id, 0, 9).await.unwrap();
    assert_eq!(waiting.into_iter().map(|line| line.body).collect::<Vec<_>>(), lines);

    let taken = |index| BatchItem { index, outcome: ItemOutcome::Cancelled };
    backend.settle(scope(), batch().id, (0..3).map(taken).collect(), START).await.unwrap();
    let ended = (BatchState::Running, BatchState::Completed);
    backend.set_state(scope(), batch().id, ended, START).await.unwrap();
    // What the end leaves to be done is done before the next commit.
    backend.discard_uploads(START).await.unwrap();
    assert!(!holds(directory.path(), &sealed[0]), "bytes of a line that was taken are left");
    let keys = Connection::open(directory.path().join("keys.db")).unwrap();
    let destroyed = "SELECT count(*) FROM data_key WHERE wrapped IS NULL AND erased_at IS NOT NULL";
    assert_eq!(keys.query_row(destroyed, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}
