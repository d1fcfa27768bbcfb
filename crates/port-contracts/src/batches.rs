//! What every keeper of batches does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! batches_contract {
    ($make:path) => {
        $crate::behaviours!($make, batches:
            lines_are_kept_in_their_order_until_they_are_taken,
            nobody_sees_an_upload_before_it_starts,
            a_batch_starts_with_its_key_or_not_at_all,
            only_so_many_are_under_way,
            an_item_is_settled_once,
            a_batch_whose_items_were_taken_is_kept_with_them,
            statuses_are_those_of_its_messages,
            states_change_only_from_the_one_that_was_seen,
            what_owes_work_is_found_oldest_first,
            lists_are_newest_first,
            tenants_and_modes_have_batches_of_their_own,
            uploads_that_broke_off_are_discarded,
            a_tenants_batches_go_together,
        );
    };
}

use bytes::Bytes;
use hermes_domain::{
    BatchId, UnixMillis,
    batch::{Batch, BatchCounts, BatchItem, BatchState, ItemOutcome, PAUSE_MS_MAX},
    cascade::{MessageStatus, begin},
    message::Mode,
    tenant::TenantScope,
};
use hermes_ports::{
    StoreError,
    cascade_store::Commit,
    idempotency::{Claim, StoredReply},
};
use hermes_testkit::{START, envelope, message_id, tenant};

use crate::Ports;

const MANY: usize = 10;

fn ours() -> TenantScope {
    TenantScope::new(tenant(1), Mode::Live)
}

fn strangers() -> [TenantScope; 2] {
    [TenantScope::new(tenant(2), Mode::Live), TenantScope::new(tenant(1), Mode::Test)]
}

fn id(number: u64) -> BatchId {
    BatchId::new(START.plus_ms(number), number.into())
}

fn batch(number: u64) -> Batch {
    Batch {
        id: id(number),
        scope: ours(),
        state: BatchState::Receiving,
        key: format!("key-{number}"),
        request_id: "req".to_owned(),
        counts: BatchCounts::default(),
        created_at: START.plus_ms(number),
        updated_at: START.plus_ms(number),
    }
}

fn lines(texts: &[&str]) -> Vec<Bytes> {
    texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect()
}

fn refused(index: u32) -> BatchItem {
    BatchItem { index, outcome: ItemOutcome::Refused(format!("{{\"index\":{index}}}")) }
}

async fn started(ports: &Ports, number: u64, texts: &[&str]) {
    ports.batches.open(batch(number), MANY).await.unwrap();
    ports.batches.append(ours(), id(number), lines(texts)).await.unwrap();
    ports.batches.start(ours(), id(number), None, START.plus_s(1)).await.unwrap();
}

async fn waiting(ports: &Ports, number: u64) -> Vec<(u32, Bytes)> {
    let waiting = ports.batches.waiting(ours(), id(number), 0, 100).await.unwrap();
    waiting.into_iter().map(|line| (line.index, line.body)).collect()
}

fn claim(key: &str, body: &str) -> Claim {
    Claim {
        tenant: tenant(1),
        mode: Mode::Live,
        key: key.to_owned(),
        fingerprint: [7; 32],
        result: StoredReply { status: 202, body: body.to_owned(), location: None, etag: None }.into(),
        expires_at: UnixMillis(u64::MAX / 4),
    }
}

/// In pieces, with a limit, and around gaps.
pub async fn lines_are_kept_in_their_order_until_they_are_taken(ports: &Ports) {
    ports.batches.open(batch(1), MANY).await.unwrap();
    ports.batches.append(ours(), id(1), lines(&["a", "b"])).await.unwrap();
    ports.batches.append(ours(), id(1), lines(&["c"])).await.unwrap();
    ports.batches.start(ours(), id(1), None, START.plus_s(1)).await.unwrap();
    assert_eq!(waiting(ports, 1).await, (0..).zip(lines(&["a", "b", "c"])).collect::<Vec<_>>());
    assert_eq!(ports.batches.waiting(ours(), id(1), 0, 1).await.unwrap().len(), 1);
    ports.batches.settle(ours(), id(1), vec![refused(1)], START.plus_s(2)).await.unwrap();
    assert_eq!(waiting(ports, 1).await, [(0, Bytes::from("a")), (2, Bytes::from("c"))]);
    let after_the_first = ports.batches.waiting(ours(), id(1), 1, 9).await.unwrap();
    assert_eq!(after_the_first.iter().map(|line| line.index).collect::<Vec<_>>(), [2]);
    let found = ports.batches.get(ours(), id(1)).await.unwrap().unwrap();
    let expected = Batch {
        state: BatchState::Running,
        counts: BatchCounts { total: 3, refused: 1, ..BatchCounts::default() },
        updated_at: START.plus_s(2),
        ..batch(1)
    };
    assert_eq!(found, expected);
    let items = ports.batches.items(ours(), id(1), 0, 100).await.unwrap();
    let outcomes: Vec<_> = items.iter().map(|item| (item.index, item.outcome.as_str())).collect();
    assert_eq!(outcomes, [(0, "waiting"), (1, "refused"), (2, "waiting")]);
    assert_eq!(ports.batches.items(ours(), id(1), 1, 1).await.unwrap(), [refused(1)]);
}

/// Nothing was promised yet, so there is nothing to read and nothing to do.
pub async fn nobody_sees_an_upload_before_it_starts(ports: &Ports) {
    ports.batches.open(batch(1), MANY).await.unwrap();
    ports.batches.append(ours(), id(1), lines(&["a"])).await.unwrap();
    assert_eq!(ports.batches.get(ours(), id(1)).await.unwrap(), None);
    assert_eq!(ports.batches.list(ours(), None, 9).await.unwrap(), []);
    assert_eq!(ports.batches.owing(START, 9).await.unwrap(), []);
    ports.batches.start(ours(), id(1), None, START).await.unwrap();
    let late = ports.batches.append(ours(), id(1), lines(&["b"])).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    let again = ports.batches.start(ours(), id(1), None, START).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
}

/// Two uploads under one key: one batch.
pub async fn a_batch_starts_with_its_key_or_not_at_all(ports: &Ports) {
    for number in [1, 2] {
        ports.batches.open(batch(number), MANY).await.unwrap();
    }
    ports.batches.start(ours(), id(1), Some(claim("k", "first")), START).await.unwrap();
    let second = ports.batches.start(ours(), id(2), Some(claim("k", "second")), START).await;
    assert!(matches!(second, Err(StoreError::ClaimTaken)), "{second:?}");
    assert_eq!(ports.batches.get(ours(), id(2)).await.unwrap(), None);
    let held = ports.claims.find(tenant(1), Mode::Live, "k", START).await.unwrap();
    assert_eq!(held, Some(claim("k", "first")));
}

/// Of one tenant and mode: paused ones and uploads count, finished ones do not.
pub async fn only_so_many_are_under_way(ports: &Ports) {
    started(ports, 1, &["a"]).await;
    let pause = (BatchState::Running, BatchState::Paused);
    ports.batches.set_state(ours(), id(1), pause, START).await.unwrap();
    ports.batches.open(batch(2), 2).await.unwrap();
    let third = ports.batches.open(batch(3), 2).await;
    assert!(matches!(third, Err(StoreError::Full)), "{third:?}");
    let theirs = Batch { scope: strangers()[0], ..batch(4) };
    ports.batches.open(theirs, 2).await.unwrap();
    let cancel = (BatchState::Paused, BatchState::Cancelled);
    ports.batches.set_state(ours(), id(1), cancel, START).await.unwrap();
    ports.batches.open(batch(3), 2).await.unwrap();
}

/// A repetition after a crash counts nothing twice.
pub async fn an_item_is_settled_once(ports: &Ports) {
    started(ports, 1, &["a", "b"]).await;
    let dropped = BatchItem { index: 0, outcome: ItemOutcome::Cancelled };
    for items in [vec![refused(0)], vec![refused(0), refused(1)], vec![dropped]] {
        ports.batches.settle(ours(), id(1), items, START).await.unwrap();
    }
    assert_eq!(ports.batches.items(ours(), id(1), 0, 9).await.unwrap(), [refused(0), refused(1)]);
    let counts = ports.batches.get(ours(), id(1)).await.unwrap().unwrap().counts;
    assert_eq!(counts, BatchCounts { total: 2, refused: 2, ..BatchCounts::default() });
}

/// And replaced by what a repetition made of it.
pub async fn a_batch_whose_items_were_taken_is_kept_with_them(ports: &Ports) {
    let message = message_id(1);
    let counts = BatchCounts { total: 2, accepted: 1, refused: 1, cancelled: 0 };
    let batch = Batch { state: BatchState::Completed, counts, ..batch(1) };
    let items = vec![BatchItem { index: 0, outcome: ItemOutcome::Accepted(message) }, refused(1)];
    for _ in 0..2 {
        ports.batches.record(batch.clone(), items.clone()).await.unwrap();
        assert_eq!(ports.batches.get(ours(), id(1)).await.unwrap(), Some(batch.clone()));
        assert_eq!(ports.batches.items(ours(), id(1), 0, 9).await.unwrap(), items);
    }
}

/// As they are now, not as they were accepted.
pub async fn statuses_are_those_of_its_messages(ports: &Ports) {
    let texts: Vec<_> = (0..4).map(|_| "line").collect();
    started(ports, 1, &texts).await;
    let mut items = vec![refused(3)];
    for number in 1..=3_u32 {
        let envelope = envelope().build();
        let first = begin(&envelope, envelope.created_at);
        ports.cascades.commit(Commit::of(&envelope, &first.next, None)).await.unwrap();
        items.push(BatchItem { index: number - 1, outcome: ItemOutcome::Accepted(envelope.id) });
    }
    ports.batches.settle(ours(), id(1), items, START).await.unwrap();
    let statuses = ports.batches.statuses(ours(), id(1)).await.unwrap();
    assert_eq!(statuses, [(MessageStatus::Accepted, 3)]);
    for stranger in strangers() {
        assert_eq!(ports.batches.statuses(stranger, id(1)).await.unwrap(), []);
    }
}

/// Two commands at once: one of them loses and looks again.
pub async fn states_change_only_from_the_one_that_was_seen(ports: &Ports) {
    started(ports, 1, &["a"]).await;
    let pause = (BatchState::Running, BatchState::Paused);
    ports.batches.set_state(ours(), id(1), pause, START.plus_s(5)).await.unwrap();
    let again = ports.batches.set_state(ours(), id(1), pause, START.plus_s(6)).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    let found = ports.batches.get(ours(), id(1)).await.unwrap().unwrap();
    assert_eq!((found.state, found.updated_at), (BatchState::Paused, START.plus_s(5)));
}

/// Of all tenants.
pub async fn what_owes_work_is_found_oldest_first(ports: &Ports) {
    for number in [2, 1, 3] {
        started(ports, number, &["a"]).await;
    }
    let theirs = Batch { scope: strangers()[0], ..batch(4) };
    ports.batches.open(theirs, MANY).await.unwrap();
    ports.batches.start(strangers()[0], id(4), None, START).await.unwrap();
    let changes = [(1, BatchState::Cancelling), (2, BatchState::Paused), (3, BatchState::Completed)];
    for (number, state) in changes {
        let change = (BatchState::Running, state);
        ports.batches.set_state(ours(), id(number), change, START).await.unwrap();
    }
    let owing = ports.batches.owing(START, 9).await.unwrap();
    assert_eq!(owing.iter().map(|batch| batch.id).collect::<Vec<_>>(), [id(1), id(4)]);
    let under_way = ports.batches.under_way(ours()).await.unwrap();
    assert_eq!(under_way.iter().map(|batch| batch.id).collect::<Vec<_>>(), [id(1), id(2)]);
    assert_eq!(ports.batches.owing(START, 1).await.unwrap().len(), 1);
    // The paused one, once its pause is over.
    for (now, count) in [(START.plus_ms(PAUSE_MS_MAX - 1), 2), (START.plus_ms(PAUSE_MS_MAX), 3)] {
        assert_eq!(ports.batches.owing(now, 9).await.unwrap().len(), count);
    }
}

/// And continue after a batch.
pub async fn lists_are_newest_first(ports: &Ports) {
    for number in 1..=3 {
        started(ports, number, &["a"]).await;
    }
    let ids = async |before, limit| {
        let page = ports.batches.list(ours(), before, limit).await.unwrap();
        page.iter().map(|batch| batch.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, 2).await, [id(3), id(2)]);
    assert_eq!(ids(Some(id(2)), 9).await, [id(1)]);
}

/// Whatever a stranger asks with another's id finds and changes nothing.
pub async fn tenants_and_modes_have_batches_of_their_own(ports: &Ports) {
    started(ports, 1, &["a"]).await;
    for stranger in strangers() {
        assert_eq!(ports.batches.get(stranger, id(1)).await.unwrap(), None);
        assert_eq!(ports.batches.list(stranger, None, 9).await.unwrap(), []);
        assert_eq!(ports.batches.items(stranger, id(1), 0, 9).await.unwrap(), []);
        assert_eq!(ports.batches.waiting(stranger, id(1), 0, 9).await.unwrap(), []);
        assert_eq!(ports.batches.under_way(stranger).await.unwrap(), []);
        ports.batches.settle(stranger, id(1), vec![refused(0)], START).await.unwrap();
        ports.batches.discard(stranger, id(1)).await.unwrap();
        let pause = (BatchState::Running, BatchState::Paused);
        let changed = ports.batches.set_state(stranger, id(1), pause, START).await;
        assert!(matches!(changed, Err(StoreError::Conflict)), "{changed:?}");
    }
    let found = ports.batches.get(ours(), id(1)).await.unwrap().unwrap();
    assert_eq!((found.state, found.counts.waiting()), (BatchState::Running, 1));
}

/// Their lines with them; the others stay.
pub async fn uploads_that_broke_off_are_discarded(ports: &Ports) {
    for number in [1, 2] {
        ports.batches.open(batch(number), MANY).await.unwrap();
        ports.batches.append(ours(), id(number), lines(&["a"])).await.unwrap();
    }
    started(ports, 3, &["a"]).await;
    ports.batches.discard_uploads(START.plus_ms(2)).await.unwrap();
    assert_eq!(waiting(ports, 1).await, []);
    let gone = ports.batches.start(ours(), id(1), None, START).await;
    assert!(matches!(gone, Err(StoreError::Conflict)), "{gone:?}");
    ports.batches.start(ours(), id(2), None, START).await.unwrap();
    assert_eq!((waiting(ports, 2).await.len(), waiting(ports, 3).await.len()), (1, 1));
    ports.batches.discard(ours(), id(3)).await.unwrap();
    assert_eq!((ports.batches.get(ours(), id(3)).await.unwrap(), waiting(ports, 3).await), (None, vec![]));
}

/// In both modes, and nobody else's.
pub async fn a_tenants_batches_go_together(ports: &Ports) {
    started(ports, 1, &["a"]).await;
    let [theirs, test] = strangers();
    for (number, scope) in [(2, theirs), (3, test)] {
        ports.batches.open(Batch { scope, ..batch(number) }, MANY).await.unwrap();
        ports.batches.start(scope, id(number), None, START).await.unwrap();
    }
    assert!(ports.batches.any_under_way(tenant(1)).await.unwrap());
    ports.batches.discard_all(tenant(1)).await.unwrap();
    assert!(!ports.batches.any_under_way(tenant(1)).await.unwrap());
    assert_eq!(waiting(ports, 1).await, []);
    let left = ports.batches.owing(START, 9).await.unwrap();
    assert_eq!(left.iter().map(|batch| batch.id).collect::<Vec<_>>(), [id(2)]);
}
