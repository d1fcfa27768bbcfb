//! The cluster backend against a real nats-server.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod rest;
mod scan;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use hermes_backend_cluster::{ClusterOptions, CommitRest, CompanionRest, NatsCascadeStore};
use hermes_port_contracts::Ports;
use hermes_testkit::{MemoryBackend, nats};

/// Buckets that no other test uses, even on a server that others use.
fn options() -> ClusterOptions {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let bucket_prefix = format!("test-{}-{since}-{number}", std::process::id());
    ClusterOptions { bucket_prefix, buckets: 4, ..ClusterOptions::default() }
}

async fn open(url: &str, options: ClusterOptions, rest: Arc<dyn CommitRest>) -> Arc<NatsCascadeStore> {
    let client = async_nats::connect(url).await.unwrap();
    NatsCascadeStore::open(client, options, rest).await.unwrap()
}

/// Cascades in NATS, everything else in a companion.
async fn fresh() -> (Ports, nats::NatsServer) {
    let (server, companion) = (nats::server(), MemoryBackend::new());
    let rest = CompanionRest::new(companion.clone(), companion.clone());
    let cascades = open(server.url(), options(), Arc::new(rest)).await;
    (Ports { cascades, ..Ports::of(&companion) }, server)
}

hermes_port_contracts::cascade_store_contract!(crate::fresh);

// Where parts live in different servers a key is taken before the state is written, so a creation that
// loses keeps its key: that behaviour of the suite is left out. So is the one about expired keys, which
// a companion judges by its own clock.
hermes_port_contracts::behaviours!(crate::fresh, commit_parts:
    a_claim_is_found_once_its_message_is_committed,
    a_taken_claim_writes_nothing,
    a_claim_does_not_stand_in_its_own_messages_way,
    webhooks_are_owed_once_committed,
    a_conflict_owes_no_webhook,
    a_consumed_receipt_is_gone_with_the_commit,
    a_conflict_keeps_the_receipt,
);

// Log rows come from the companion, whose revisions are its own; all else about lists must hold.
hermes_port_contracts::behaviours!(crate::fresh, message_log:
    one_more_than_asked_for_tells_that_there_is_more,
    pages_follow_each_other_without_gap_or_repetition,
    tenants_and_modes_are_apart,
    messages_are_found_by_status,
    messages_are_found_by_tag,
    messages_are_found_by_address,
    an_attempt_is_found_by_the_providers_id,
);
