//! What every cascade store does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! cascade_store_contract {
    ($make:path) => {
        $crate::behaviours!($make, cascade_store:
            what_was_committed_is_loaded,
            creating_twice_conflicts_and_writes_nothing,
            a_stale_revision_conflicts_and_writes_nothing,
            an_update_of_an_unknown_message_conflicts,
            a_creation_without_its_envelope_is_refused,
            an_unknown_message_is_none,
            revisions_grow_with_every_commit,
            an_ended_message_still_loads_and_takes_commits,
            only_live_messages_are_open_in_order_of_arrival,
            open_messages_of_one_partition_come_in_pages,
            an_open_message_tells_what_it_last_owed,
            of_parallel_updates_exactly_one_wins,
            of_parallel_creations_exactly_one_wins,
            parallel_commits_to_many_messages_all_succeed,
            it_answers_a_ping,
        );
    };
}

use std::sync::Arc;

use futures::future::join_all;
use hermes_domain::{MessageId, message::Envelope};
use hermes_ports::{
    CascadeStore, StoreError,
    cascade_store::{Commit, OpenCascade, Revision},
};
use hermes_testkit::{Story, envelope, message_id};

use crate::Ports;

fn conflicts<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict))
}

async fn assert_stored(store: &dyn CascadeStore, story: &Story, revision: Revision) {
    let stored = store.load(story.envelope().id).await.unwrap().expect("the message exists");
    assert_eq!(stored.envelope, *story.envelope());
    assert_eq!((&stored.state, stored.revision), (story.state(), revision));
}

async fn created(store: &dyn CascadeStore, partition: u8) -> Arc<Envelope> {
    let envelope = envelope().partition(partition).build();
    store.commit(Story::of(&envelope).create()).await.unwrap();
    envelope
}

fn ids(open: &[OpenCascade]) -> Vec<MessageId> {
    open.iter().map(|open| open.id).collect()
}

/// Envelope, state and revision come back as they were written.
pub async fn what_was_committed_is_loaded(ports: &Ports) {
    let story = Story::of(&envelope().sms().email().tag("order").build());
    let first = ports.cascades.commit(story.create()).await.unwrap();
    assert_stored(&*ports.cascades, &story, first).await;
    let story = story.accepted_as("SM1");
    let second = ports.cascades.commit(story.replace(first)).await.unwrap();
    assert_stored(&*ports.cascades, &story, second).await;
}

/// The second creation of an id loses, and the first one's state stays.
pub async fn creating_twice_conflicts_and_writes_nothing(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let first = ports.cascades.commit(story.create()).await.unwrap();
    let again = ports.cascades.commit(story.clone().submitting().create()).await;
    assert!(conflicts(&again), "{again:?}");
    assert_stored(&*ports.cascades, &story, first).await;
}

/// A decision made on an old state is not stored.
pub async fn a_stale_revision_conflicts_and_writes_nothing(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let first = ports.cascades.commit(story.create()).await.unwrap();
    let story = story.submitting();
    let second = ports.cascades.commit(story.replace(first)).await.unwrap();
    let late = story.clone().event(hermes_domain::cascade::Event::Cancel);
    let stale = ports.cascades.commit(late.replace(first)).await;
    assert!(conflicts(&stale), "{stale:?}");
    assert_stored(&*ports.cascades, &story, second).await;
}

/// Only a creation creates.
pub async fn an_update_of_an_unknown_message_conflicts(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let update = ports.cascades.commit(story.replace(Revision(1))).await;
    assert!(conflicts(&update), "{update:?}");
    assert!(ports.cascades.load(story.envelope().id).await.unwrap().is_none());
}

/// A state without its envelope could never be carried out.
pub async fn a_creation_without_its_envelope_is_refused(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let refused = ports.cascades.commit(Commit { envelope: None, ..story.create() }).await;
    assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");
    assert!(ports.cascades.load(story.envelope().id).await.unwrap().is_none());
}

/// Nothing was committed, nothing is found; not even next to an existing message.
pub async fn an_unknown_message_is_none(ports: &Ports) {
    let known = created(&*ports.cascades, 3).await;
    assert!(ports.cascades.load(message_id(3)).await.unwrap().is_none());
    let same_place = MessageId::from_u128(known.id.as_u128() ^ 1);
    assert!(ports.cascades.load(same_place).await.unwrap().is_none());
    assert!(conflicts(
        &ports.cascades.commit(Story::of(&envelope().id(same_place).build()).replace(Revision(1))).await
    ));
}

/// The revision that a commit returns is the one to expect next.
pub async fn revisions_grow_with_every_commit(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let first = ports.cascades.commit(story.create()).await.unwrap();
    let story = story.submitting();
    let second = ports.cascades.commit(story.replace(first)).await.unwrap();
    let third = ports.cascades.commit(story.replace(second)).await.unwrap();
    assert!(first < second && second < third, "{first:?} {second:?} {third:?}");
}

/// Receipts may come after the end.
pub async fn an_ended_message_still_loads_and_takes_commits(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let first = ports.cascades.commit(story.create()).await.unwrap();
    let story = story.accepted_as("SM1").delivered();
    let second = ports.cascades.commit(story.replace(first)).await.unwrap();
    assert_stored(&*ports.cascades, &story, second).await;
    let third = ports.cascades.commit(story.replace(second)).await.unwrap();
    assert_stored(&*ports.cascades, &story, third).await;
    assert_eq!(ports.cascades.open_all(None, 10).await.unwrap(), []);
}

/// Boot must see each message that has not ended, once.
pub async fn only_live_messages_are_open_in_order_of_arrival(ports: &Ports) {
    let mut expected = Vec::new();
    for partition in [3, 200, 0, 3, 255] {
        expected.push(created(&*ports.cascades, partition).await.id);
        let ended = Story::of(&envelope().partition(partition).build());
        let first = ports.cascades.commit(ended.create()).await.unwrap();
        let ended = ended.accepted_as("SM1").delivered();
        ports.cascades.commit(ended.replace(first)).await.unwrap();
    }
    expected.sort();
    assert_eq!(ids(&ports.cascades.open_all(None, 100).await.unwrap()), expected);
    let first = ports.cascades.open_all(None, 2).await.unwrap();
    assert_eq!(ids(&first), expected[..2]);
    assert_eq!(ids(&ports.cascades.open_all(Some(expected[1]), 100).await.unwrap()), expected[2..]);
}

/// A takeover reads one partition without the others.
pub async fn open_messages_of_one_partition_come_in_pages(ports: &Ports) {
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(created(&*ports.cascades, 7).await.id);
        created(&*ports.cascades, 8).await;
    }
    let mut found = Vec::new();
    loop {
        let page = ports.cascades.open(7, found.last().copied(), 2).await.unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        found.extend(ids(&page));
    }
    assert_eq!(found, expected);
}

/// What recovery acts on is what the last commit said.
pub async fn an_open_message_tells_what_it_last_owed(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let id = story.envelope().id;
    let first = ports.cascades.commit(story.create()).await.unwrap();
    let due = story.state().due(story.envelope()).unwrap();
    assert_eq!(ports.cascades.open_all(None, 9).await.unwrap(), [OpenCascade { id, due, owes_effect: true }]);
    let story = story.accepted_as("SM1");
    ports.cascades.commit(story.replace(first)).await.unwrap();
    let due = story.state().due(story.envelope()).unwrap();
    let open = [OpenCascade { id, due, owes_effect: false }];
    assert_eq!(ports.cascades.open(id.partition(), None, 9).await.unwrap(), open);
    assert_eq!(ports.cascades.open_all(None, 9).await.unwrap(), open);
}

/// Compare-and-set is the fence for decisions.
pub async fn of_parallel_updates_exactly_one_wins(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let first = ports.cascades.commit(story.create()).await.unwrap();
    let story = story.submitting();
    let results = join_all((0..20).map(|_| ports.cascades.commit(story.replace(first)))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| conflicts(result)).count(), 19);
}

/// An id is used once.
pub async fn of_parallel_creations_exactly_one_wins(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let results = join_all((0..20).map(|_| ports.cascades.commit(story.create()))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| conflicts(result)).count(), 19);
}

/// A conflict harms its own commit only, and nothing is lost in a crowd.
pub async fn parallel_commits_to_many_messages_all_succeed(ports: &Ports) {
    let stories: Vec<_> =
        (0..=255).map(|partition| Story::of(&envelope().partition(partition).build())).collect();
    let results = join_all(stories.iter().flat_map(|story| {
        let bad = ports.cascades.commit(story.replace(Revision(u64::from(u32::MAX))));
        [ports.cascades.commit(story.create()), bad]
    }))
    .await;
    for (story, pair) in stories.iter().zip(results.chunks(2)) {
        let Ok(revision) = &pair[0] else { panic!("{:?}", pair[0]) };
        assert!(conflicts(&pair[1]), "{:?}", pair[1]);
        assert_stored(&*ports.cascades, story, *revision).await;
    }
    assert_eq!(ports.cascades.open_all(None, 1_000).await.unwrap().len(), 256);
}

/// An open store says so.
pub async fn it_answers_a_ping(ports: &Ports) {
    ports.cascades.ping().await.unwrap();
}
